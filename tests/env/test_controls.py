"""Negative controls: ordinary programs that must not solve a task worth learning."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from env.controls import (
    CONTROL_SCENES,
    MOST_SOLVED,
    Controls,
    control_programs,
    run_controls,
    run_controls_together,
)
from env.errors import TaskError
from env.executors import SerialExecutor
from env.task import Task
from tests.env.inline_sandbox import InlineSandbox
from tests.env.skills import CARRY, LIFT


@pytest.fixture(scope="module")
def executor() -> Iterator[SerialExecutor]:
    with SerialExecutor(InlineSandbox) as executor:
        yield executor


def test_controls_fit_any_task() -> None:
    for task in (LIFT, CARRY, Task.make("count('block', lifted(it)) >= 1", {})):
        programs = control_programs(task)
        assert [p.name for p in programs] == [
            "do_nothing",
            "hold_still",
            "open_and_close",
            "move_at_random",
        ]
        for program in programs:
            task.check_program(program)


@pytest.mark.slow
@pytest.mark.ci
def test_a_task_that_needs_a_skill_is_let_in(executor: SerialExecutor) -> None:
    controls = run_controls(LIFT, executor)
    assert controls.task == LIFT.hash
    assert all(rate.scenes == CONTROL_SCENES for rate in controls.rates)
    assert all(rate.solved <= MOST_SOLVED for rate in controls.rates)
    assert controls.steps > 4 * CONTROL_SCENES * 240
    assert Controls.from_json(json.loads(json.dumps(controls.to_json()))) == controls


def test_a_task_that_opening_the_gripper_solves_is_refused_with_the_rates(
    executor: SerialExecutor,
) -> None:
    task = Task.make("clear(gap=0.06) and upright(block)", {"block": "block"})
    with pytest.raises(TaskError) as caught:
        run_controls(task, executor)
    assert "open_and_close solved 3 of 3" in str(caught.value)
    assert "do_nothing solved 0 of 20" in str(caught.value)


def test_a_task_that_is_true_from_the_start_is_refused(executor: SerialExecutor) -> None:
    task = Task.make("upright(block)", {"block": "block"})
    with pytest.raises(TaskError, match="200 of 200 scenes"):
        run_controls(task, executor)


def test_tasks_are_tested_together_only_in_one_arena(executor: SerialExecutor) -> None:
    with pytest.raises(TaskError, match="kinds, scenes and limits"):
        run_controls_together((LIFT, CARRY), executor)


@pytest.mark.slow
@pytest.mark.ci
def test_the_answer_about_a_task_does_not_depend_on_which_others_are_tested(
    executor: SerialExecutor,
) -> None:
    goals = (
        "clear(gap=0.06) and upright(block)",
        "lifted(block)",
        "upright(block)",
        "eventually(at(gripper, block)) and clear()",
    )
    tasks = tuple(Task.make(goal, {"block": "block"}) for goal in goals)
    together, spent = run_controls_together(tasks, executor)
    alone = [run_controls_together((task,), executor) for task in tasks]
    assert [controls for (controls,), _ in alone] == list(together)
    assert [bool(controls.refusal) for controls in together] == [True, False, True, False]
    assert "true at the start in 200 of 200 scenes" in together[2].refusal
    # Four tasks cost hardly more than the dearest of them.
    assert spent < 1.2 * max(steps for _, steps in alone)
