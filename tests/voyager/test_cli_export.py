"""`voyager export`: what it writes, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from skills_ref import validate

from env.task import Task
from skill_store import Library
from skill_store.export import FORMATS
from skill_store.export.importing import read_archive
from tests.skill_store.export.homes import deepen, make_library
from tests.skill_store.samples import LIFT
from voyager.cli import run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`reach`, `lift` that calls it, and two that do not count here, chosen by the environment."""
    make_library(tmp_path / "home").close()
    monkeypatch.setenv("VOYAGER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_an_export_tells_what_left_and_what_is_proved(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(home, learning=True) as library:
        deepen(library, "lift", 40, 38)
    out = tmp_path / "out"
    record = _json(capsys, "export", "--format", "jsonl", "--skill", "lift", "--out", str(out))
    assert record["schema"] == "voyager.export/1"
    assert (record["format"], record["out"]) == ("jsonl", str(out))
    (lift,) = record["skills"]
    assert (lift["name"], lift["version"], lift["certified"]) == ("lift", 1, True)
    assert lift["measured"] == {"k": 38, "n": 40, "lower_bound": 0.798, "confidence": 0.95}
    assert lift["hardware"] == "no claim"
    assert (record["callees"], record["left_out"]) == (["reach"], [])
    assert record["files"] == ["LICENSE", "README.md", "skills.jsonl", "SHA256SUMS"]
    assert sorted(path.name for path in out.iterdir()) == sorted(record["files"])
    assert run(["export", "-f", "jsonl", "--all", "-o", str(tmp_path / "all")]) == 0
    told = capsys.readouterr().out
    assert "lift: 38 of 40 unseen simulated scenes, 95 % lower bound 79.80 %" in told
    assert "left out: grasp: its evidence was gathered without a sandbox" in told
    assert "left out: leave: its certificate was made with another" in told


def test_an_uncertified_skill_leaves_by_choice_and_says_so(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["export", "-f", "jsonl", "--skill", "leave", "-o", str(out)]
    assert run(arguments) == 1
    assert "'leave' is not certified here" in capsys.readouterr().err
    assert not out.exists()
    assert run([*arguments, "--allow-uncertified"]) == 0
    assert "leave: not certified here: its certificate was made" in capsys.readouterr().out
    assert "NOT CERTIFIED where it was exported" in (out / "README.md").read_text()


REFUSED = [
    (["-f", "jason", "--all"], 1, "unknown format 'jason'; did you mean 'jsonl'?"),
    (["-f", "jsonl", "--skill", "lfit"], 1, "no skill is called 'lfit'; did you mean 'lift'?"),
    (["-f", "jsonl", "--skill", "grasp"], 1, "without a sandbox"),
    (["-f", "jsonl", "--min-bound", "0.99"], 1, "no skill has a measured bound of 0.99"),
    (["-f", "jsonl", "--min-bound", "90"], 1, "a bound is a share between 0 and 1"),
    (["-f", "jsonl"], 2, "choose skills in one way"),
    (["-f", "jsonl", "--all", "--skill", "lift"], 2, "choose skills in one way"),
    (["-f", "jsonl", "--all", "--min-bound", "0.5"], 2, "choose skills in one way"),
    (["--all"], 2, "say what to write and where"),
    (["-f", "jsonl", "--all", "--single-file"], 2, "is for the format python"),
    (["-f", "jsonl", "--all", "--video"], 2, "are for the format lerobot"),
    (["-f", "jsonl", "--all", "--licence", "/nowhere"], 1, "the licence /nowhere cannot be read"),
    (["-f", "jsonl", "--all", "--licence", "/dev/zero"], 1, "/dev/zero is no plain file"),
    (["-f", "jsonl", "--all", "--name", "x"], 2, "--name is for the formats gymnasium"),
    (["-f", "python", "--all", "--name", ""], 1, "'' cannot be the name of a package"),
    (["-f", "gymnasium", "--all", "--name", "X"], 1, "'X' cannot name a package of environments"),
]


@pytest.mark.parametrize(("arguments", "code", "why"), REFUSED)
def test_bad_input_writes_nothing(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    why: str,
) -> None:
    before = sorted(tmp_path.iterdir())
    record = _json(capsys, "export", *arguments, "--out", str(tmp_path / "out"), code=code)
    assert record["schema"] == "voyager.error/1"
    assert why in record["message"]
    assert sorted(tmp_path.iterdir()) == before


def test_a_bad_name_is_told_before_episodes_are_run_again(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run_again(*_: object, **__: object) -> None:
        raise AssertionError("it was recorded")

    monkeypatch.setattr("voyager.recordings.record", run_again)
    out = str(tmp_path / "out")
    arguments = ["export", "-f", "lerobot", "--all", "-o", out, "--name", "x\n---\nlicense: mit"]
    message = _json(capsys, *arguments, code=1)["message"]
    assert message.startswith(r"'x\n---\nlicense: mit' cannot be the name of a data set; use ")
    assert not Path(out).exists()
    assert run([*arguments[:-1], "lifts"]) != 0
    assert "it was recorded" in capsys.readouterr().err


@pytest.mark.parametrize("name", [row.name for row in FORMATS if not row.recorded])
def test_every_format_is_written_whole(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / "out"
    record = _json(capsys, "export", "--format", name, "--skill", "lift", "--out", str(out))
    assert (record["format"], [one["name"] for one in record["skills"]]) == (name, ["lift"])
    found = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
    assert sorted(found) == sorted(record["files"])
    assert {"LICENSE", "SHA256SUMS"} < set(found)
    page = "lift/SKILL.md" if name == "agentskills" else "README.md"
    assert "No claim about real hardware" in (out / page).read_text()
    if name == "agentskills":
        assert validate(out / "lift") == []
    if name == "gymnasium":
        (task,) = json.loads((out / "voyager_tasks" / "tasks.json").read_text())["tasks"]
        assert Task.from_json(task["task"]) == LIFT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out"]


def test_a_target_that_exists_is_left_alone(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    record = _json(capsys, "export", "-f", "jsonl", "--all", "-o", str(tmp_path / "out"), code=1)
    assert "exists already" in record["message"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_licence_of_ones_own_goes_along(home: Path, tmp_path: Path) -> None:
    (tmp_path / "terms").write_text("SPDX-License-Identifier: Apache-2.0\nAs it says.\n")
    out = tmp_path / "out"
    arguments = ["export", "-f", "jsonl", "--skill", "lift", "-o", str(out)]
    assert run([*arguments, "--licence", str(tmp_path / "terms")]) == 0
    assert "As it says." in (out / "LICENSE").read_text()
    assert "Apache-2.0" in (out / "README.md").read_text()
    assert len(read_archive(out).arrivals) == 2


def test_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["name"] for row in _json(capsys, "export", "--formats")["formats"]] == [
        row.name for row in FORMATS
    ]
    assert run(["export", "--formats"]) == 0
    assert "jsonl" in capsys.readouterr().out
