"""Known skills one after another."""

from __future__ import annotations

from collections.abc import Sequence

from env.executors import SerialExecutor
from env.starts import Handover
from env.task import Task
from tests.env.skills import LIFT, LIFTING, PUT_ON, STACKING
from tests.voyager.writers.test_macros import PUT_IN, TOWER, skill
from voyager.writers.base import Brief, Budget, Ledger
from voyager.writers.in_turn import MOST, in_turn
from voyager.writers.search import SearchWriter

PUT = skill("put_on", "on(top, bottom)", top="block", bottom="block")
RAISE = skill("lift", "lifted(thing)", thing="graspable")
ROW = Task.make("on(a, b) and lifted(c)", dict.fromkeys("abc", "block"))


def lines(task: Task, *skills: Handover) -> list[list[str]]:
    return [[step.lines()[0] for step in plan] for plan in in_turn(task, skills)]


def test_every_order_of_calls_that_promise_the_goal_piece_by_piece() -> None:
    plans = lines(ROW, PUT, RAISE, PUT_IN)
    assert sorted(plans) == [["lift(c)", "put_on(a, b)"], ["put_on(a, b)", "lift(c)"]]


def test_no_call_is_made_in_vain() -> None:
    both = skill("put_and_lift", "on(a, b) and lifted(c)", **dict.fromkeys("abc", "block"))
    for plan in in_turn(ROW, (PUT, RAISE, both)):
        # It would promise all of it alone; then there is nothing to put together.
        assert len(plan) == 2 and "put_and_lift(a, b, c)" not in {s.lines()[0] for s in plan}


def test_nothing_where_a_piece_is_promised_by_nobody() -> None:
    assert lines(ROW, PUT, PUT_IN) == []
    assert lines(Task.make("lifted(a)", {"a": "block"}), RAISE) == []


def test_few_plans_and_the_shorter_ones_first() -> None:
    many = [skill(f"lift_{i}", f"lifted(x, 0.{i})", x="block") for i in range(1, 4)]
    four = Task.make("lifted(a) and lifted(b) and on(c, d)", dict.fromkeys("abcd", "block"))
    for task in (ROW, four):
        plans = in_turn(task, (PUT, *many))
        assert len(plans) == MOST
        assert list(map(len, plans)) == sorted(map(len, plans))


def test_a_tower_by_two_calls_is_found_in_practice_without_a_search() -> None:
    skills: Sequence[Handover] = (
        Handover(LIFTING, LIFT),
        Handover(STACKING.with_contract(PUT_ON), PUT_ON),
    )
    ledger = Ledger(Budget(200_000))
    with SerialExecutor() as executor:
        brief = Brief(TOWER, "tower", skills, (), 0, 4, ledger, executor)
        draft = SearchWriter().write(brief)
    assert draft is not None and draft.solved >= 19
    assert draft.closure.entry.source.index("put_on(a, b)") < draft.closure.entry.source.index(
        "put_on(c, a)"
    )
    assert set(ledger.budget.spent) == {"practice"} and ledger.counts.generated == 0


def test_orders_that_undo_nothing_and_skills_that_promise_least_come_first() -> None:
    more = skill(
        "stack_up",
        "on(top, bottom) and lifted(it_too)",
        **dict.fromkeys(("top", "bottom", "it_too"), "block"),
    )
    tower = Task.make("on(a, b) and on(c, a)", dict.fromkeys("abc", "block"))
    assert lines(tower, PUT, more)[0] == ["put_on(a, b)", "put_on(c, a)"]
    assert lines(ROW, PUT, RAISE)[0] == ["put_on(a, b)", "lift(c)"]


def test_what_a_skill_was_seen_to_move_decides_what_comes_first() -> None:
    beside = skill("put_beside", "left_of(a, b)", a="block", b="block")
    row = Task.make("left_of(x, y) and left_of(y, z)", dict.fromkeys("xyz", "block"))

    def first(moved: str) -> list[str]:
        plan = in_turn(row, (beside,), {"put_beside": {moved}})[0]
        return [line for step in plan for line in step.lines()]

    towards = ["put_beside(y, z)", "put_beside(x, y)"]
    assert first("a") == lines(row, beside)[0] == towards
    assert first("b") == towards[::-1]
