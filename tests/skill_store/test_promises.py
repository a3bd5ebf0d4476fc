from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from env.goals import Goal
from skill_store import Library
from skill_store.promises import needed, predicates, promised
from tests.skill_store.samples import LIFT, certificate, plain

THINGS = {"a": "block", "b": "block"}
GOALS = [
    Goal.parse(text, THINGS)
    for text in (
        "at(gripper, a)",
        "at(gripper, a, 0.01) and lifted(b)",
        "near(a, b) and near(b, a)",
        "on(a, b)",
        "on(a, b) and clear()",
        "on(a, b) and clear() and lifted(a)",
        "on(a, b) or lifted(a)",
        "on(a, b) and lifted(b) or lifted(a)",
        "(on(a, b) or lifted(a)) and clear()",
        "(on(a, b) and clear()) or (on(b, a) and clear())",
        "not lifted(a)",
        "not (lifted(a) or lifted(b))",
        "not (lifted(a) and on(a, b))",
        'count("block", lifted(it)) >= 1',
        'count("block", lifted(it)) >= 2',
        'not count("block", near(it, a)) >= 2',
        'not count("block", near(it, a)) >= 1',
        'every("block", near(it, a))',
        'some("block", lifted(it))',
        "eventually(lifted(a))",
        "eventually(lifted(a)) and on(a, b)",
        "eventually(lifted(a)) or on(a, b)",
        "always(not lifted(a))",
        "held_for(lifted(a), 0.5)",
        "then(lifted(a), on(a, b))",
    )
]


def test_goals_are_found_under_their_predicates_and_operators() -> None:
    goal = Goal.parse('on(a, b) and not lifted(a) and count("block", near(it, a)) >= 2', THINGS)
    assert promised(goal) == {"on", "lifted", "not", "count", "near"}
    assert predicates(goal) == {"on", "lifted", "near"}
    assert needed(goal) == promised(goal)


def test_of_an_or_only_what_all_members_need_is_needed() -> None:
    assert needed(Goal.parse("on(a, b) or lifted(a)", THINGS)) == frozenset()
    both = Goal.parse("(on(a, b) and clear()) or (on(b, a) and clear())", THINGS)
    assert needed(both) == {"on", "clear"}
    assert needed(Goal.parse("then(lifted(a), on(a, b))", THINGS)) == {"then", "lifted", "on"}


def test_no_contract_that_implies_a_goal_lacks_a_needed_word() -> None:
    renamings = [dict(zip(THINGS, order, strict=True)) for order in itertools.permutations(THINGS)]
    implied = 0
    for contract, goal in itertools.product(GOALS, GOALS):
        if any(contract.implies(goal, renaming) for renaming in renamings):
            implied += contract.canonical != goal.canonical
            assert needed(goal) <= promised(contract), f"{contract} implies {goal}"
    # Not only goals that imply themselves were looked at.
    assert implied > 20


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_every_goal_promises_something(goal: Goal) -> None:
    assert predicates(goal)
    assert needed(goal) <= promised(goal)


def test_admission_writes_the_words_down(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        closure = plain("lift")
        library.add(LIFT, closure, certificate(LIFT, closure, library.reserve(LIFT, closure)))
        rows = library.database.rows("SELECT task, predicate FROM promises")
        assert [tuple(row) for row in rows] == [(LIFT.hash, "lifted")]


def test_missing_words_are_made_up_for_where_the_goal_can_be_read(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        closure = plain("lift")
        library.add(LIFT, closure, certificate(LIFT, closure, library.reserve(LIFT, closure)))
        with library.database.transaction():
            library.database.execute("DELETE FROM promises")
            library.database.execute(
                "UPDATE tasks SET json = json_set(json, '$.goal', 'levitating(block)')"
            )
    with Library.open(tmp_path, learning=True) as library:
        assert library.database.rows("SELECT * FROM promises") == []
        with library.database.transaction():
            library.database.execute(
                "UPDATE tasks SET json = json_set(json, '$.goal', 'lifted(block)')"
            )
    with Library.open(tmp_path) as library:
        assert library.database.rows("SELECT * FROM promises") == []
    with Library.open(tmp_path, learning=True) as library:
        assert len(library.database.rows("SELECT * FROM promises")) == 1
