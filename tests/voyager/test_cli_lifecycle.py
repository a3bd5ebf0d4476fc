"""The command line for the life of a skill: pins, retirement, versions, edits."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from env.outcome import Outcome
from env.program import Closure
from skill_store import Library, SkillState
from tests.env.skills import LIFT, LIFTING, PUT_ON, STACKING
from tests.voyager.scripted import ScriptedExecutor, admit
from voyager.cli import run

GOOD = LIFTING.entry.source
BETTER = GOOD.replace("0.12", "0.14")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """`lift`, and `put_on` that calls it."""
    folder = tmp_path / "home"  # where VOYAGER_HOME points
    with Library.open(folder, learning=True) as library:
        admit(library, LIFT, LIFTING)
        admit(library, PUT_ON, STACKING)
    return folder


@pytest.fixture
def only_better(monkeypatch: pytest.MonkeyPatch) -> ScriptedExecutor:
    """Programs that use the better `lift` solve everything, others nothing."""

    def rule(program: Closure, seed: int) -> bool:
        return any(part.source == BETTER for part in program.programs.values())

    executor = ScriptedExecutor(rule)
    monkeypatch.setattr("env.executors.make_executor", lambda workers: executor)
    return executor


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def _write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def _editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """An editor that runs Python on the path it is given."""
    script = _write(
        tmp_path / "my editor.py", f"import pathlib, sys\np = pathlib.Path(sys.argv[1])\n{code}\n"
    )
    monkeypatch.setenv("EDITOR", f"{shlex.quote(sys.executable)} {shlex.quote(script)}")


# -- pins, retirement, versions -----------------------------------------------------------------


def test_pins_work_while_another_process_learns(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(home, learning=True):
        record = _json(capsys, "skills", "pin", "lift")
        assert record == {
            "schema": "voyager.life/1",
            "name": "lift",
            "state": "probation",
            "version": 1,
            "pinned": True,
        }
        assert run(["skills", "unpin", "lift"]) == 0
        assert capsys.readouterr().out == "lift is no longer pinned\n"
        assert run(["skills", "retire", "lift"]) == 0
        assert capsys.readouterr().out == "lift is retired; put_on will keep calling it\n"
        assert _json(capsys, "skills", "restore", "lift")["state"] == "probation"


def test_mistakes_are_told_in_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        (["pin", "lft"], "did you mean 'lift'?"),
        (["restore", "lift"], "it has no other one"),
        (["restore", "lift", "--version", "3"], "its versions go from 1 to 1"),
        (["diff", "lift"], "has one version only"),
        (["edit", "lift", "--file", "nowhere.py"], "nowhere.py cannot be read"),
    ):
        assert run(["skills", *arguments]) == 1
        assert said in capsys.readouterr().err


def test_show_tells_the_life_of_a_skill(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(home) as library:
        library.count_use(LIFTING.root, 20, 19)
        for number in range(40):
            good = number % 5 != 0
            library.journal.record_episode(
                program=LIFTING.root,
                task=LIFT.hash,
                purpose="certification",
                seed=number,
                outcome=Outcome.SOLVED if good else Outcome.FAILED,
                margin=None,
                detail={
                    "begun": ["upright(block)"] if good else [],
                    "ended": ["held(block)"],
                },
            )
    record = _json(capsys, "skills", "show", "lift")
    assert record["uses"] == {"calls": 20, "kept": 19}
    assert record["effects"] == ["held(block)"]
    assert record["precondition"] == "upright(block)"
    assert record["seen"] == {"episodes": 40, "solved": 32}
    assert record["dependents"] == ["put_on"]
    assert (record["version"], record["pinned"]) == (1, False)
    assert [(v["number"], v["origin"], v["champion"]) for v in record["versions"]] == [
        (1, "learned", True)
    ]
    assert run(["skills", "show", "lift"]) == 0
    shown = capsys.readouterr().out
    assert "put_on (kept its contract in 19 of 20 calls)" in shown
    assert "held(block) (seen in 32 solved episodes)" in shown
    assert "upright(block) (solved 32 of 32 with it, 0 of 8 without" in shown
    assert run(["skills", "show", "put_on"]) == 0
    assert "no episodes are recorded" in capsys.readouterr().out


# -- editing ------------------------------------------------------------------------------------


def test_an_edit_from_a_file_takes_the_whole_road(
    home: Path,
    tmp_path: Path,
    only_better: ScriptedExecutor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = _write(tmp_path / "new.py", BETTER)
    record = _json(capsys, "skills", "edit", "lift", "--file", file)
    assert record["schema"] == "voyager.challenge/1"
    assert (record["verdict"], record["champion"], record["version"]) == ("replaced", 2, 2)
    assert record["duel"]["lost"] == 0 and record["duel"]["better"]
    assert [(r["skill"], r["version"]) for r in record["relocked"]] == [("put_on", 2)]
    assert Path(file).exists()

    assert run(["skills", "diff", "lift"]) == 0
    shown = capsys.readouterr().out
    assert "--- lift version 1 (learned)" in shown and "+++ lift version 2 (edited)" in shown
    assert "+    move_by((0, 0, 0.14))" in shown
    record = _json(capsys, "skills", "diff", "put_on", "1", "2")
    assert record["diff"] == ""
    (lock,) = record["locks"]
    assert (lock["callee"], lock["old"]) == ("lift", LIFTING.root)
    assert run(["skills", "diff", "put_on"]) == 0
    assert capsys.readouterr().out.startswith("calls lift: ")

    assert run(["skills", "show", "lift"]) == 0
    assert "2 of 2" in capsys.readouterr().out
    assert run(["skills", "restore", "lift", "--version", "1"]) == 0
    assert capsys.readouterr().out == "version 1 stands for lift (probation)\n"
    with Library.open(home) as library:
        assert library.get("put_on").version == 2


def test_an_edit_that_is_not_better_is_kept_and_exits_with_1(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    executor = ScriptedExecutor(lambda program, seed: True)
    monkeypatch.setattr("env.executors.make_executor", lambda workers: executor)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BETTER.encode()), "utf-8"))
    record = _json(capsys, "skills", "edit", "lift", "--file", "-", code=1)
    assert (record["verdict"], record["champion"], record["version"]) == ("kept", 1, 2)


def test_wrong_text_is_refused_with_its_line_before_the_home_is_taken(
    home: Path,
    tmp_path: Path,
    only_better: ScriptedExecutor,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = _write(tmp_path / "new.py", GOOD.replace("close_gripper()\n", "close_gripper(\n"))
    with Library.open(home, learning=True):
        assert run(["skills", "edit", "lift", "--file", file]) == 1
    assert "error: line 8: " in capsys.readouterr().err
    assert only_better.trials == []


def test_unchanged_text_says_so(
    home: Path,
    tmp_path: Path,
    only_better: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _editor(monkeypatch, tmp_path, "pass")
    assert run(["skills", "edit", "lift"]) == 0
    shown = capsys.readouterr()
    assert "lift: unchanged" in shown.out
    assert "version 1, which stands for 'lift' already" in shown.out
    assert only_better.trials == []
    assert list((home / "artifacts" / "edits").iterdir()) == []


def test_the_editor_changes_the_source_and_refused_text_is_not_lost(
    home: Path,
    tmp_path: Path,
    only_better: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _editor(monkeypatch, tmp_path, "p.write_text(p.read_text().replace('0.12', '0.01'))")
    assert run(["skills", "edit", "lift"]) == 1
    shown = capsys.readouterr()
    assert "lift: refused" in shown.out and "0 of 20 practice scenes" in shown.out
    draft = home / "artifacts" / "edits" / "lift.py"
    assert f"your text is in {draft}" in shown.err
    assert "0.01" in draft.read_text(encoding="utf-8")
    # The next edit begins with the champion again, and leaves that text alone.
    _editor(monkeypatch, tmp_path, "p.write_text(p.read_text().replace('0.12', '0.14'))")
    assert run(["skills", "edit", "lift"]) == 0
    assert "lift: replaced" in capsys.readouterr().out
    assert [path.name for path in draft.parent.iterdir()] == ["lift.py"]
    assert "0.01" in draft.read_text(encoding="utf-8")
    with Library.open(home) as library:
        assert library.get("lift").source == BETTER
        assert library.get("lift").state is SkillState.PROBATION


def test_an_editor_that_cannot_run_or_gives_up_changes_nothing(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(variable, raising=False)
    assert run(["skills", "edit", "lift"]) == 2
    assert "set EDITOR, or give --file" in capsys.readouterr().err
    _editor(monkeypatch, tmp_path, "sys.exit(3)")
    assert run(["skills", "edit", "lift"]) == 1
    assert "the editor ended with code 3; nothing was changed" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", str(tmp_path / "no such editor"))
    assert run(["skills", "edit", "lift"]) == 1
    assert "cannot be run" in capsys.readouterr().err
    assert os.listdir(home / "artifacts" / "edits") == []
