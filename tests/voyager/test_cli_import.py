"""`voyager import`, quarantine, and certifying anew: the whole way with real physics."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from skill_store import Library, Origin, quarantine
from skill_store.archive import restore
from tests.env.skills import REACH, REACHING
from tests.skill_store.export.archives import archive_of, forged
from tests.skill_store.export.homes import make_library
from tests.voyager.homes import admit, certified
from voyager.cli import run
from voyager.lesson import keep_controls

SHIPPED = Path(__file__).resolve().parents[2] / "examples" / "library" / "library.tar.gz"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`lift` and the `reach` that it calls, whose evidence is made up."""
    place = tmp_path_factory.mktemp("archive")
    with make_library(place / "home") as library:
        return archive_of(library, place / "out", "lift")


@pytest.fixture(autouse=True)
def _one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a home draws for itself is the same in each run of these tests."""
    monkeypatch.setattr(quarantine, "_drawn", lambda: "5a" * 16)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, chosen by the environment."""
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path / "new"))
    return tmp_path / "new"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_an_import_is_shown_and_cannot_be_called(
    home: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = _json(capsys, "import", str(archive))
    assert record["schema"] == "voyager.import/1"
    assert (record["added"], record["waiting"], record["here"]) == (["reach", "lift"], [], [])
    assert _json(capsys, "import", str(archive))["waiting"] == ["reach", "lift"]
    listed = _json(capsys, "skills", "list")
    assert (listed["skills"], listed["quarantine"]) == ([], ["reach", "lift"])
    shown = _json(capsys, "skills", "quarantine")
    assert shown["schema"] == "voyager.quarantine/1"
    assert [(s["name"], s["state"], s["said"]["k"]) for s in shown["skills"]] == [
        ("reach", "waiting", 20),
        ("lift", "waiting", 19),
    ]
    for command in (["skills", "run", "lift"], ["skills", "source", "lift"], ["export"]):
        arguments = [*command, "-f", "jsonl", "--skill", "lift", "-o", str(home / "out")]
        assert run(arguments if command == ["export"] else command) == 1
    capsys.readouterr()
    assert run(["skills", "list"]) == 0
    assert "to be certified before anybody can call them: reach, lift" in capsys.readouterr().out
    assert run(["skills", "quarantine"]) == 0
    assert "lifted(block)" in capsys.readouterr().out
    assert run(["doctor"]) == 0
    capsys.readouterr()
    assert _json(capsys, "skills", "quarantine", "--drop", "lift")["dropped"] == 1
    assert _json(capsys, "skills", "list")["quarantine"] == ["reach"]


def test_what_is_refused_changes_nothing(
    home: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tampered = tmp_path / "tampered"
    shutil.copytree(archive, tampered)
    text = (tampered / "skills.jsonl").read_text()
    (tampered / "skills.jsonl").write_text(text.replace("Go there.", "Go home."))
    record = _json(capsys, "import", str(tampered), code=1)
    assert record["error"] == "ImportRefused"
    assert record["message"].startswith(f"{tampered} cannot be imported: ")
    hostile = forged(archive, tmp_path / "hostile", lambda r: r[-1].update(certificate={}))
    assert "schema" in _json(capsys, "import", str(hostile), code=1)["message"]
    assert "No such file" in _json(capsys, "import", str(tmp_path / "none"), code=1)["message"]
    assert _json(capsys, "skills", "quarantine")["skills"] == []


def test_certify_is_used_rightly(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "name one imported skill" in _json(capsys, "skills", "certify", code=2)["message"]
    assert _json(capsys, "skills", "certify", "lift", "--all", code=2)["error"]
    told = _json(capsys, "skills", "certify", "lift", code=1)["message"]
    assert "no imported skill is called 'lift'" in told
    assert _json(capsys, "skills", "certify", "--all")["skills"] == []
    assert run(["skills", "certify", "--all"]) == 0
    assert "nothing to certify" in capsys.readouterr().out
    assert run(["skills", "quarantine"]) == 0
    assert "Nothing is in quarantine" in capsys.readouterr().out


def test_a_real_skill_comes_back_from_an_archive(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(tmp_path / "old", learning=True) as library:
        admit(library, REACH, REACHING, certified(REACH, REACHING))
        old = library.get("reach")
    out = str(tmp_path / "out")
    assert run(["export", "-f", "jsonl", "--all", "-o", out, "--home", str(tmp_path / "old")]) == 0
    assert run(["import", out]) == 0
    with Library.open(home, learning=True) as library:
        # The controls of a task take longest, and are not what this is about.
        keep_controls(library, REACH, old.certificate.controls)
    capsys.readouterr()
    record = _json(capsys, "skills", "certify", "--all", "--workers", "1")
    (made,) = record["skills"]
    assert (made["name"], made["verdict"], made["version"]) == ("reach", "admitted", 1)
    with Library.open(home) as library:
        new = library.get("reach")
        (version,) = library.versions("reach")
        assert version.origin is Origin.IMPORTED
    assert (new.closure.root, new.closure.hash) == (old.closure.root, old.closure.hash)
    assert (new.source, new.task.hash) == (old.source, old.task.hash)
    assert made["fresh"] == [20, 20]
    # Same judge, same ordinal, same scenes: the evidence made here is the evidence made there.
    assert new.certificate.hash == made["certificate"] == old.certificate.hash


@pytest.mark.slow
@pytest.mark.ci
def test_a_shipped_skill_comes_back_with_what_it_calls(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restore(SHIPPED, tmp_path / "old")
    with Library.open(tmp_path / "old") as library:
        name = next(e.name for e in library.entries() if e.callees)
        old = library.get(name)
    out = str(tmp_path / "out")
    base = ["export", "-f", "jsonl", "--skill", name, "-o", out, "--allow-uncertified"]
    assert run([*base, "--home", str(tmp_path / "old")]) == 0
    assert run(["import", out]) == 0
    capsys.readouterr()
    record = _json(capsys, "skills", "certify", name, "--replay", "--workers", "2")
    assert {one["verdict"] for one in record["skills"]} == {"admitted"}
    # Elsewhere (another engine, another processor) they agree.
    assert {one["replayed"] for one in record["skills"]} <= {"identical", "agrees"}
    with Library.open(home) as library:
        new = library.get(name)
    assert (new.closure.hash, new.task.hash) == (old.closure.hash, old.task.hash)
    assert new.closure.programs.keys() == old.closure.programs.keys()
    assert record["skills"][-1]["program"] == old.closure.root
    # Other starts are at hand here, so the evidence is its own.
    assert new.certificate.ordinal == 0
