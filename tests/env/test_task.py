"""Tasks: identity, scenes that do not depend on names, records, and who may be called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from env.errors import GoalError, KindError, ProgramError, TaskError
from env.program import Program
from env.scene import SceneSpec
from env.task import Task

PUT_ON = "on(top, bottom) and clear()"
BLOCKS = {"top": "block", "bottom": "block"}


def program(signature: str, imports: str = "Block, Graspable, Ball") -> Program:
    return Program.parse(
        f'from robot import {imports}\n\ndef act({signature}) -> None:\n    """Do something."""\n'
    )


def test_equal_tasks_have_equal_hashes_whatever_they_are_called() -> None:
    task = Task.make(PUT_ON, BLOCKS)
    other = Task.make("clear()  and on(a, b)", {"b": "block", "a": "block"}, instruction="stack")
    assert task.hash == other.hash
    assert len(task.hash) == 64


@pytest.mark.parametrize(
    "other",
    [
        Task.make("on(bottom, top)", BLOCKS),
        Task.make(PUT_ON, {"top": "ball", "bottom": "block"}),
        Task.make(PUT_ON, BLOCKS, scene=SceneSpec(distractors=(0, 0))),
        Task.make(PUT_ON, BLOCKS, time_limit=30),
        Task.make(PUT_ON, BLOCKS, call_limit=10),
    ],
)
def test_what_changes_the_task_changes_the_hash(other: Task) -> None:
    assert other.hash != Task.make(PUT_ON, BLOCKS).hash


def test_equal_tasks_draw_equal_scenes() -> None:
    task = Task.make(PUT_ON, BLOCKS)
    other = Task.make("clear() and on(b, a)", {"a": "block", "b": "block"})
    for seed in range(5):
        one, two = task.sample(seed), other.sample(seed)
        assert one.bodies == two.bodies
        assert one.binding["top"] == two.binding["b"]
        assert one.binding["bottom"] == two.binding["a"]
        assert one.binding["top"] != one.binding["bottom"]


def test_the_default_instruction_tells_goal_and_kinds() -> None:
    text = Task.make(PUT_ON, BLOCKS).instruction
    assert PUT_ON in text
    assert "top is a block" in text


def test_a_record_reads_back_to_the_same_task() -> None:
    scene = SceneSpec(extras=(("block", 1, 2),), friction=(0.6, 0.7))
    task = Task.make(PUT_ON, BLOCKS, scene=scene, instruction="Stapeln: größer")
    assert Task.from_json(json.loads(json.dumps(task.to_json()))) == task


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "voyager.task/9"}, "schema"),
        ({"hash": "0" * 64}, "altered"),
        ({"time_limit": "long"}, "malformed"),
        ({"parameters": 3}, "malformed"),
    ],
)
def test_a_bad_record_is_refused(change: dict[str, Any], message: str) -> None:
    record = Task.make(PUT_ON, BLOCKS).to_json() | change
    with pytest.raises(TaskError, match=message):
        Task.from_json(record)


@pytest.mark.parametrize(
    "limits",
    [{"time_limit": 0}, {"time_limit": float("nan")}, {"time_limit": 1e9}, {"call_limit": 0}],
)
def test_limits_must_make_sense(limits: dict[str, Any]) -> None:
    with pytest.raises(TaskError, match="limit"):
        Task.make(PUT_ON, BLOCKS, **limits)


def test_errors_of_goal_and_kinds_pass_through() -> None:
    with pytest.raises(GoalError) as caught:
        Task.make("onn(top, bottom)", BLOCKS)
    assert caught.value.column == 1
    with pytest.raises(KindError):
        Task.make(PUT_ON, {"top": "blok", "bottom": "block"})


def test_a_goal_of_other_parameters_is_refused() -> None:
    goal = Task.make("held(x)", {"x": "block"}).goal
    with pytest.raises(TaskError, match="own parameters"):
        Task(instruction="hold", parameters=(("y", "block"),), goal=goal)


@pytest.mark.parametrize(
    "signature",
    [
        "top: Block, bottom: Block",
        "bottom: Graspable, top: Block",
        "top: Block, bottom: Block, height: float = 0.1",
    ],
)
def test_programs_that_take_the_parameters_fit(signature: str) -> None:
    Task.make(PUT_ON, BLOCKS).check_program(program(signature))


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("top: Block", "lacks 'bottom'"),
        ("top: Block, bottom: Ball", "takes a ball"),
        ("top: Block, bottom: Block, third: Block", "needs 'third'"),
        ("top: Block, bottom: Block, height: float", "needs 'height'"),
    ],
)
def test_programs_that_do_not_are_told_why(signature: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        Task.make(PUT_ON, BLOCKS).check_program(program(signature))


def test_scenes_have_enough_of_what_a_goal_counts() -> None:
    task = Task.make('count("ball", inside(it, home)) >= 2', {"home": "bowl"})
    assert task.scene.extras == (("ball", 2, 3),)
    for seed in range(10):
        assert sum(body.spec.kind == "ball" for body in task.sample(seed).bodies) >= 2
    assert Task.make('every("block", upright(it))', {}).scene.extras == (("block", 1, 2),)
    assert Task.make("clear()", {}).scene.extras == ()
