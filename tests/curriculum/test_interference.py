"""Which of two skills may come last, by what each was seen to move."""

from __future__ import annotations

import pytest

from curriculum.frontier import values
from curriculum.growth import Candidate, candidates
from curriculum.interference import Order, order
from curriculum.situation import Contract, Situation
from env.goals import Goal
from env.task import Task

PUT_ON = Contract(
    "put_on",
    Task.make("on(a, b)", {"a": "graspable", "b": "block"}),
    always=frozenset({"on(a, b)", "moved(a)", "still(b)"}),
)
PUT_IN = Contract(
    "put_in",
    Task.make("inside(a, c)", {"a": "graspable", "c": "container"}),
    always=frozenset({"inside(a, c)", "moved(a)"}),
)
GRASP = Contract("grasp", Task.make("held(a)", {"a": "graspable"}), always=frozenset({"held(a)"}))
SKILLS = (PUT_ON, PUT_IN, GRASP)


def found(goal: str, **kinds: str) -> Candidate:
    wanted = Goal.parse(goal, kinds).canonical
    return next(c for c in candidates(SKILLS, {}) if c.task.goal.canonical == wanted)


TOWER = found("on(a, b) and on(b, c)", a="graspable", b="block", c="block")
TWO_IN_ONE = found("inside(a, c) and inside(b, c)", a="graspable", b="graspable", c="container")
ONE_IN_TWO = found("inside(a, c) and inside(a, d)", a="graspable", c="container", d="container")


def test_what_a_skill_moves_was_seen() -> None:
    assert PUT_ON.moves == {"a"}
    assert GRASP.moves == frozenset()


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [(TOWER, Order.ONE), (TWO_IN_ONE, Order.ANY), (ONE_IN_TWO, Order.NONE)],
    ids=["a tower from below", "two things in one container", "one thing in two containers"],
)
def test_the_orders_that_leave_both_goals_true(candidate: Candidate, expected: Order) -> None:
    assert order(candidate, SKILLS) is expected


def test_what_the_gripper_holds_comes_last() -> None:
    held = found("inside(a, c) and held(b)", a="graspable", c="container", b="graspable")
    assert order(held, SKILLS) is Order.ONE


def test_without_episodes_everything_seems_to_stay_where_it_is() -> None:
    fresh = (Contract("put_on", PUT_ON.task), PUT_IN)
    assert order(TOWER, fresh) is Order.ANY


def test_a_tower_comes_before_what_is_undone_or_needs_no_skill() -> None:
    at_hand = Situation(contracts=SKILLS)
    by_goal = {v.candidate.task.goal.canonical: v.value for v in values(at_hand)}
    tower, two, one = (by_goal[c.task.goal.canonical] for c in (TOWER, TWO_IN_ONE, ONE_IN_TWO))
    assert tower > two > one


def test_of_what_skills_promise_the_rarer_comes_first() -> None:
    often = Situation(contracts=SKILLS, strayed={"on": 1000, "inside": 1})
    seldom = Situation(contracts=SKILLS, strayed={"on": 1, "inside": 1000})
    goal = TOWER.task.goal.canonical

    def value(situation: Situation) -> float:
        return next(v.value for v in values(situation) if v.candidate.task.goal.canonical == goal)

    assert value(seldom) > value(often)
