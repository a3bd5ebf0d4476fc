"""`voyager tasks`: asking an explorer for skills."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skill_store import Library, SkillState
from tests.skill_store.samples import LIFT, REACH, certificate, plain
from voyager.cli import run

Capture = pytest.CaptureFixture[str]
STACK = ("on(top, bottom) and clear()", "-p", "top=block", "-p", "bottom=block")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Library.open(tmp_path, learning=True) as library:
        closure = plain("reach")
        ordinal = library.reserve(REACH, closure)
        library.add(REACH, closure, certificate(REACH, closure, ordinal))
    return tmp_path


def tasks(home: Path, *arguments: str) -> int:
    return run(["tasks", *arguments, "--home", str(home)])


def reply(home: Path, capsys: Capture, *arguments: str) -> Any:
    assert tasks(home, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_a_task_is_asked_for_listed_and_dropped(home: Path, capsys: Capture) -> None:
    assert tasks(home, "list") == 0
    assert "voyager tasks add 'lifted(block)'" in capsys.readouterr().out
    assert tasks(home, "add", *STACK, "--name", "stack", "--instruction", "Stack them.") == 0
    assert capsys.readouterr().out == "task 1 waits: on(top, bottom) and clear()\n"
    assert tasks(home, "list") == 0
    told = capsys.readouterr().out
    assert "waiting" in told
    assert "top: block," in told
    assert "bottom: block" in told
    assert tasks(home, "drop", "1") == 0
    assert capsys.readouterr().out == "task 1 is dropped: on(top, bottom) and clear()\n"
    assert tasks(home, "drop", "1") == 1
    assert "no longer waits: it is dropped" in capsys.readouterr().err
    assert tasks(home, "list", "--waiting") == 0
    assert "dropped" not in capsys.readouterr().out


def test_replies_are_one_json_object(home: Path, capsys: Capture) -> None:
    added = reply(home, capsys, "add", *STACK, "--name", "stack")
    assert added["schema"] == "voyager.task_add/1"
    assert (added["added"], added["skill"]) == (True, None)
    task = added["task"]
    assert (task["id"], task["state"], task["name"], task["note"]) == (1, "waiting", "stack", "")
    assert task["parameters"] == [["top", "block"], ["bottom", "block"]]
    assert task["settled_at"] is None
    listed = reply(home, capsys, "list")
    assert listed == {"schema": "voyager.tasks/1", "tasks": [task]}
    dropped = reply(home, capsys, "drop", "1")
    assert dropped["schema"] == "voyager.task_drop/1"
    assert dropped["task"]["state"] == "dropped"
    assert dropped["task"]["settled_at"] is not None
    assert reply(home, capsys, "list", "--waiting")["tasks"] == []


def test_what_waits_or_is_known_is_said_in_a_sentence(home: Path, capsys: Capture) -> None:
    tasks(home, "add", *STACK)
    other = ("on(a, b) and clear()", "-p", "a=block", "-p", "b=block")
    capsys.readouterr()
    assert tasks(home, "add", *other) == 0
    assert capsys.readouterr().out == "task 1 is waiting already: on(top, bottom) and clear()\n"
    assert not reply(home, capsys, "add", *other)["added"]
    reach = ("at(gripper, thing)", "-p", "thing=block")
    assert tasks(home, "add", *reach) == 0
    assert capsys.readouterr().out == "the skill 'reach' solves this task already\n"
    known = reply(home, capsys, "add", *reach)
    assert (known["added"], known["skill"], known["task"]) == (False, "reach", None)
    with Library.open(home) as library:
        library.set_state("reach", SkillState.RETIRED)
    tasks(home, "add", *reach)
    assert "solves this task already, but it is retired" in capsys.readouterr().out
    assert len(reply(home, capsys, "list")["tasks"]) == 1


def test_asking_works_while_an_explorer_holds_the_home(home: Path, capsys: Capture) -> None:
    with Library.open(home, learning=True) as explorer:
        assert tasks(home, "add", "lifted(block)", "-p", "block=block") == 0
        request = explorer.queue.next()
        assert request is not None
        assert request.task() == LIFT
        assert tasks(home, "drop", str(request.id)) == 0
        assert explorer.queue.next() is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "lifted(blok)", "-p", "block=block"), "blok"),
        (("add", "lifted(block)", "-p", "block=blok"), "blok"),
        (("add", "lifted(block)", "-p", "block=block", "--name", "move_to"), "robot API"),
        (("add", "lifted(block)", "-p", "block=block", "--name", "a b"), "cannot name a skill"),
        (("drop", "12"), "no task has the number 12; see `voyager tasks list`"),
    ],
)
def test_what_cannot_be_asked_for_leaves_nothing_waiting(
    arguments: tuple[str, ...], why: str, home: Path, capsys: Capture
) -> None:
    assert tasks(home, *arguments) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert why in told
    assert reply(home, capsys, "list")["tasks"] == []
