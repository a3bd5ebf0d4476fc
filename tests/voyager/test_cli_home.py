"""`voyager home`: backups, restores, and clearing out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from skill_store import Library
from tests.skill_store.samples import LIFT, REACH, certificate, plain
from voyager.cli import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "home", learning=True) as library:
        closure = plain("reach")
        ordinal = library.reserve(REACH, closure)
        library.add(REACH, closure, certificate(REACH, closure, ordinal))
    return tmp_path / "home"


def command(home: Path, *arguments: str) -> int:
    return run(["home", *arguments, "--home", str(home)])


def reply(home: Path, capsys: Capture, *arguments: str) -> Any:
    assert command(home, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_a_backup_is_made_and_restored(home: Path, capsys: Capture) -> None:
    archive = home.parent / "reach.tar.gz"
    made = reply(home, capsys, "backup", str(archive))
    assert made["schema"] == "voyager.home_backup/1"
    assert (made["path"], made["skills"], made["files"]) == (str(archive), 1, ["library.db"])
    assert made["size"] == archive.stat().st_size
    with Library.open(home) as library:
        library.queue.add(LIFT)
    assert command(home, "restore", str(archive)) == 0
    told = capsys.readouterr().out
    assert told.startswith("1 skills as of ")
    assert "what was there before is in " in told
    with Library.open(home) as library:
        assert library.queue.list() == ()
    done = reply(home, capsys, "restore", str(archive))
    assert done["schema"] == "voyager.home_restore/1"
    assert Path(done["kept"]).is_dir()
    other = reply(home.parent / "other", capsys, "restore", str(archive))
    assert other["kept"] is None


def test_prices_that_were_set_come_back(home: Path, capsys: Capture) -> None:
    def prices(*more: str) -> dict[str, Any]:
        assert run(["budget", "prices", *more, "--home", str(home), "--json"]) == 0
        listed = json.loads(capsys.readouterr().out)["prices"]
        return {row["model"]: row for row in listed}

    mine = prices("--set", "openai:mine", "--input", "1", "--output", "2")["openai:mine"]
    archive = home.parent / "mine.tar.gz"
    assert reply(home, capsys, "backup", str(archive))["files"] == ["library.db", "prices.toml"]
    (home / "prices.toml").unlink()
    assert "openai:mine" not in prices()
    assert command(home, "restore", str(archive)) == 0
    capsys.readouterr()
    assert prices()["openai:mine"] == mine


def test_settings_that_are_wrong_do_not_stand_in_the_way(home: Path, capsys: Capture) -> None:
    (home / "voyager.toml").write_text("colour = 'blue'\n")
    assert command(home, "backup") == 0
    (archive,) = (home / "backups").iterdir()
    assert str(archive) in capsys.readouterr().out
    assert command(home, "restore", str(archive)) == 0


def test_a_running_learner_is_not_restored_under(home: Path, capsys: Capture) -> None:
    with Library.open(home, learning=True):
        assert command(home, "backup") == 0
        (archive,) = (home / "backups").iterdir()
        assert command(home, "restore", str(archive)) == 1
    told = capsys.readouterr().err
    assert f"(pid {os.getpid()}) is learning in {home}; wait for it" in told


def test_clearing_out_follows_the_settings(home: Path, capsys: Capture) -> None:
    old = home / "artifacts" / "error-1.txt"
    old.parent.mkdir()

    def put() -> None:
        old.write_text("traceback")
        os.utime(old, (10**9, 10**9))

    put()
    done = reply(home, capsys, "gc")
    assert done["schema"] == "voyager.home_gc/1"
    assert (done["errors"], done["details"], done["episodes"], done["pictures"]) == (1, 0, 0, 0)
    assert done["compacted"]
    days = {"details": 180, "episodes": 90, "errors": 30, "pictures": 90, "drafts": 90}
    assert done["days"] == days
    assert not old.exists()
    put()
    (home / "voyager.toml").write_text("[retention]\nerrors = 0\n")
    assert command(home, "gc") == 0
    told = capsys.readouterr().out
    assert "tracebacks         kept for good" in told
    assert "0 older than 90 days" in told
    assert old.exists()
    with Library.open(home, learning=True):
        assert command(home, "gc") == 0
    assert "keeps its free space" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("gc",), "there is no library in"),
        (("backup",), "there is no library in"),
        (("restore", "nothing.tar.gz"), "there is no backup nothing.tar.gz"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], why: str, tmp_path: Path, capsys: Capture
) -> None:
    assert command(tmp_path / "home", *arguments) == 1
    assert why in capsys.readouterr().err
    assert not (tmp_path / "home" / "library.db").exists()
