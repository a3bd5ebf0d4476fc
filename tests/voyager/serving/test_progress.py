"""Judging while a policy goes on: the same verdict as a certificate's judge, a second at a time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from env.state import GRIPPER, Contact, GripperState, State
from env.task import Task
from tests.env.states import body, later, world
from voyager.serving.progress import SETTLED, Progress, Shaping, potential, reward

HELD = Task.make("held(block)", {"block": "block"})
EVER = Task.make("eventually(held(block)) and not held(block)", {"block": "block"})
BINDING = {"block": "cube"}


def instant(held: bool, number: int) -> State:
    """The block between the fingers, or 20 cm below them."""
    grip = GripperState((0.5, 0.0, 0.3), 0.0, 0.04, False, "cube" if held else None)
    height = 0.3 if held else 0.1
    contacts = (Contact("cube", GRIPPER, 20.0, 1.0),) if held else ()
    cube = body("cube", "block", (0.5, 0.0, height))
    state = world(cube, gripper=grip, contacts=contacts, time=number / 60)
    return replace(state, start={"cube": (0.5, 0.0, 0.02)})


def threes(states: list[State]) -> list[list[State]]:
    """As the environment hands them on: three samples for each action."""
    return [states[index : index + 3] for index in range(0, len(states), 3)]


@settings(max_examples=10)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=4), st.booleans())
def test_it_solves_when_the_judge_would(runs: list[int], first: bool) -> None:
    """Runs of samples in which the block is held, and not, in turn."""
    flags = [
        (number % 2 == 0) is first for number, length in enumerate(runs) for _ in range(length)
    ]
    states = [instant(held, number) for number, held in enumerate(flags)]
    for task in (HELD, EVER):
        progress = Progress(task, BINDING, states[0])
        seen = 1
        for part in threes(states[1:]):
            standing = progress.add(part)
            seen += len(part)
            begun = seen - SETTLED
            verdict = task.goal.judge(states[:seen], max(0, begun), BINDING)
            assert standing.solved == (begun >= 0 and verdict.holds)
            assert standing.margin == task.goal.judge(states[:seen], seen - 1, BINDING).margin


def test_the_window_is_a_second_with_both_ends() -> None:
    progress = Progress(HELD, BINDING, instant(True, 0))
    standing = [progress.add([instant(True, number)]).solved for number in range(1, 61)]

    assert SETTLED == 61
    assert standing == [False] * 59 + [True]


def test_what_is_missing_is_named() -> None:
    progress = Progress(HELD, BINDING, instant(False, 0))

    assert progress.standing.unmet == ("held(block)",)
    assert "200 mm" in progress.standing.missing[0]
    assert progress.add([instant(True, 1)]).unmet == ()


def test_nothing_is_solved_while_something_lies_on_the_floor() -> None:
    states = [instant(True, number) for number in range(70)]
    fallen = [
        replace(
            later(state),
            bodies={**state.bodies, "ball": body("ball", "ball", (0.5, 0.9, -0.6))},
            start={**state.start, "ball": (0.5, 0.5, 0.02)},
        )
        for state in states
    ]
    progress = Progress(HELD, BINDING, fallen[0])
    standing = progress.add(fallen[1:])

    assert not standing.solved
    assert standing.fallen == ("ball",)
    assert standing.margin == -1.0
    assert Progress(HELD, BINDING, states[0]).add(states[1:]).solved


@given(st.floats(-1e6, 1e6))
def test_a_potential_rises_with_the_margin_and_ends_at_0(margin: float) -> None:
    assert -1.0 < potential(margin) <= 0.0
    assert potential(margin + 1.0) >= potential(margin)
    assert (potential(margin) == 0.0) == (margin >= 0.0)


@given(st.lists(st.floats(-20.0, 5.0), min_size=2, max_size=20))
def test_what_is_earned_on_the_way_adds_up_to_a_difference(margins: list[float]) -> None:
    earned = [
        reward(before, after, solved=False, discount=1.0, shaping=Shaping.MARGIN)
        for before, after in itertools.pairwise(margins)
    ]

    assert sum(earned) == pytest.approx(potential(margins[-1]) - potential(margins[0]), abs=1e-9)
