"""Goals just past what is certified."""

from __future__ import annotations

import pytest

from curriculum.growth import (
    MOST_ATOMS,
    MOST_PARAMETERS,
    Candidate,
    candidates,
    covers,
    elsewhere,
    generalised,
    within,
)
from curriculum.situation import Contract
from env.goals import Atom
from env.predicates.base import all_predicates
from env.task import Task


def contract(name: str, goal: str, **kinds: str) -> Contract:
    return Contract(name, Task.make(goal, kinds))


LIFT = contract("lift", "lifted(block)", block="block")
STACK = contract("stack", "on(a, b) and clear()", a="block", b="block")


def texts(found: list[Candidate]) -> set[str]:
    return {candidate.task.goal.canonical for candidate in found}


def canonical(goal: str, **kinds: str) -> str:
    return Task.make(goal, kinds).goal.canonical


def test_from_nothing_every_predicate_is_asked_for_on_its_declared_kinds() -> None:
    found = list(candidates((), {}))
    assert {c.added.predicate for c in found} == {p.name for p in all_predicates()}
    assert all(c.base is None and not c.promised and not c.kept for c in found)
    assert canonical("inside(x, c)", x="graspable", c="container") in texts(found)
    # What must be carried has to be graspable, whatever else its declaration allows.
    assert canonical("on(x, y)", x="graspable", y="object") in texts(found)
    assert all(c.signature[0] == "graspable" for c in found if c.added.predicate == "moved")


def test_a_contract_grows_by_one_atom_and_at_most_one_object() -> None:
    grown = [c for c in candidates([STACK], {}) if c.base == "stack"]
    assert grown
    for candidate in grown:
        parts = candidate.task.goal.conjuncts
        assert len(parts) == 3 and set(candidate.kept) < set(parts)
        assert len(candidate.task.kinds) <= 3
    assert canonical("on(a, b) and clear() and on(c, a)", a="block", b="block", c="block") in texts(
        grown
    )


def test_no_goal_has_more_than_four_atoms_or_parameters() -> None:
    most = contract("most", "held(a) and on(b, c) and clear() and on(c, d)", a="ball", b="block",
                    c="block", d="block")  # fmt: skip
    assert not [c for c in candidates([most], {}) if c.base]
    three = contract("three", "on(a, b) and on(b, c) and on(c, d)", a="block", b="block",
                     c="block", d="block")  # fmt: skip
    grown = [c for c in candidates([three], {}) if c.base]
    assert grown
    for candidate in grown:
        assert len(candidate.task.goal.conjuncts) <= MOST_ATOMS
        assert len(candidate.task.kinds) <= MOST_PARAMETERS


def test_goals_with_time_or_choice_are_not_grown() -> None:
    timed = contract("wait", "held_for(lifted(a), 1)", a="block")
    either = contract("either", "lifted(a) or held(b)", a="block", b="block")
    assert not [c for c in candidates([timed, either], {}) if c.base]


def test_each_goal_comes_once_whatever_it_grows_from() -> None:
    found = [c.task.goal.canonical for c in candidates([LIFT, STACK, LIFT], {})]
    assert len(found) == len(set(found))


def test_contracts_offer_their_own_kinds_so_that_skills_can_be_put_together() -> None:
    found = {c.task.goal.canonical: c for c in candidates([LIFT, STACK], {})}
    tower = found[canonical("on(a, b) and clear() and on(c, a)", a="block", b="block", c="block")]
    assert tower.promised and tower.composed
    lonely = found[canonical("on(x, y)", x="graspable", y="object")]
    assert not lonely.promised


def test_accidents_bring_their_kinds_in_as_they_were_and_generalised() -> None:
    seen = {"inside(block, bowl)": 2, "inside(ball, tray)": 1}
    found = {c.task.goal.canonical: c for c in candidates((), seen)}
    assert found[canonical("inside(x, c)", x="block", c="bowl")].accidents(seen) == 2
    assert found[canonical("inside(x, c)", x="graspable", c="container")].accidents(seen) == 3
    assert canonical("inside(x, c)", x="ball", c="bowl") not in found


def test_evidence_must_speak_for_all_kinds_that_were_at_hand() -> None:
    seen = {"on(block, block)": 50, "on(ball, block)": 10, "on(ball, bowl)": 0, "lifted(ball)": 9}
    found = {c.task.goal.canonical: c for c in candidates((), seen)}
    assert found[canonical("on(x, y)", x="block", y="block")].evidence(seen) == 1.0
    assert found[canonical("on(x, y)", x="graspable", y="block")].evidence(seen) == 0.2
    assert found[canonical("on(x, y)", x="graspable", y="object")].evidence(seen) == 0.0
    assert found[canonical("near(x, y)", x="graspable", y="object")].evidence(seen) == 0.0
    assert canonical("on(x, y)", x="ball", y="bowl") not in found


def test_what_failed_on_wide_kinds_is_offered_on_narrower_ones() -> None:
    narrow = canonical("on(x, y)", x="graspable", y="block")
    assert narrow not in texts(list(candidates((), {})))
    found = texts(list(candidates((), {}, {"on(graspable, object)"})))
    assert narrow in found and canonical("on(x, y)", x="ball", y="object") in found
    assert canonical("on(x, y)", x="ball", y="tray") not in found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("block",)], ("block",)),
        ([("block",), ("ball",)], ("graspable",)),
        ([("block", "bowl"), ("ball", "tray")], ("graspable", "container")),
        ([("block",), ("bowl",)], ("object",)),
        ([("gripper", "block"), ("gripper", "ball")], ("gripper", "graspable")),
        ([("gripper",), ("block",)], None),
        ([("block",), ("place",)], None),
    ],
)
def test_kinds_are_generalised_as_little_as_possible(
    given: list[tuple[str, ...]], expected: tuple[str, ...] | None
) -> None:
    assert generalised(given) == expected


def test_a_promise_covers_narrower_kinds_only() -> None:
    assert covers(("graspable", "object"), ("ball", "tray"))
    assert not covers(("ball",), ("graspable",))
    assert not covers(("gripper",), ("block",))


def test_a_skill_that_is_worded_for_people_can_be_grown() -> None:
    candidate = next(c for c in candidates([STACK], {}) if c.base and c.added.predicate == "inside")
    assert isinstance(candidate.added, Atom)
    assert candidate.task.instruction.startswith("Put a on b, get clear and put ")


def test_what_worked_on_other_kinds_widens_a_promise() -> None:
    ball = contract("put_on", "on(ball, block)", ball="ball", block="block")
    tried = {"on(block, block)": (3, 3), "on(ball, bowl)": (0, 3)}
    found = {c.task.goal.canonical: c for c in candidates([ball], {}, (), tried)}
    wide = found[canonical("on(x, y)", x="graspable", y="block")]
    assert wide.wider and wide.fresh == ("on(block, block)",)
    assert wide.transfer(tried) == 1.0
    declared = found[canonical("on(x, y)", x="graspable", y="object")]
    assert declared.wider and declared.transfer(tried) is None
    everything = {text: (3, 3) for text in declared.fresh}
    assert declared.transfer(everything | tried) == 0.0
    assert not found[canonical("inside(x, y)", x="graspable", y="container")].wider


def test_other_kinds_are_those_of_the_declaration_that_are_not_covered() -> None:
    put = Task.make("on(ball, block)", {"ball": "ball", "block": "block"})
    found = dict(elsewhere(put))
    assert found["on(block, block)"] == {"ball": "block", "block": "block"}
    assert "on(ball, tray)" in found
    assert "on(ball, block)" not in found and "on(bowl, block)" not in found
    assert not dict(elsewhere(Task.make("held(a)", {"a": "graspable"})))
    assert not dict(elsewhere(Task.make("held(a) and clear()", {"a": "ball"})))


def test_nobody_is_asked_to_carry_what_cannot_be_grasped() -> None:
    move = contract("move", "moved(thing)", thing="graspable")
    found = texts(list(candidates([move], {}, (), {"moved(bowl)": (0, 3)})))
    assert canonical("moved(x)", x="object") not in found


def test_the_concrete_kinds_that_a_wide_goal_covers() -> None:
    put = Task.make("on(top, bottom)", {"top": "ball", "bottom": "graspable"})
    assert dict(within(put)) == {
        "on(ball, ball)": {"top": "ball", "bottom": "ball"},
        "on(ball, block)": {"top": "ball", "bottom": "block"},
    }
    assert "at(gripper, tray)" in dict(within(Task.make("at(gripper, x)", {"x": "object"})))
    assert not dict(within(Task.make("held(a)", {"a": "ball"})))
    assert not dict(within(Task.make("held(a) and clear()", {"a": "graspable"})))


def test_what_worked_is_generalised_where_nothing_is_promised_yet() -> None:
    worked = {f"on({x}, {y})": (3, 3) for x in ("ball", "block") for y in ("ball", "block")}
    found = {c.task.goal.canonical for c in candidates((), {}, (), worked)}
    assert canonical("on(x, y)", x="graspable", y="graspable") in found
    assert canonical("on(x, y)", x="graspable", y="graspable") not in {
        c.task.goal.canonical for c in candidates((), {}, (), {})
    }
