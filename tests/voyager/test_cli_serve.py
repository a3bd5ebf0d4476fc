from __future__ import annotations

import sys
from pathlib import Path

import pytest

import voyager.serving
from skill_store import Library
from voyager.cli.app import run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "home"):
        return tmp_path / "home"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = run(["serve", "mcp", *words])
    told = capsys.readouterr()
    assert code in (1, 2) and told.out == ""
    if code == 1:
        assert told.err.count("\n") == 1
    return told.err


def test_a_home_without_a_library_is_refused_and_not_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = refused(capsys, "--home", str(tmp_path / "nothing"))
    assert told.startswith("error: there is no library in")
    assert not (tmp_path / "nothing").exists()


def test_other_machines_are_not_served(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    told = refused(capsys, "--home", str(home), "--transport", "http", "--host", "0.0.0.0")
    assert "on this machine only, '0.0.0.0' is no loopback address" in told


def test_a_wrong_transport_and_port_are_refused(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert "'carrier' is not one of" in refused(capsys, "--transport", "carrier")
    assert "65535" in refused(capsys, "--transport", "http", "--port", "70000")


def test_without_the_extra_it_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test may have imported it.
    monkeypatch.delitem(sys.modules, "voyager.serving.mcp_server", raising=False)
    monkeypatch.delattr(voyager.serving, "mcp_server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    told = refused(capsys, "--home", str(home))
    assert "needs the extra `mcp`: python -m pip install 'voyager-skill-library[mcp]'" in told
