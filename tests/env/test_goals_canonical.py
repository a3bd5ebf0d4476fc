"""Equality of goals, and implication between them."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from env.errors import GoalError
from env.goals import Goal
from env.predicates import all_predicates
from env.state import State
from tests.env.states import BINDING, PARAMETERS, goals, instant_goals, states

BLOCKS = {"top": "block", "bottom": "block"}


def canonical(text: str, parameters: dict[str, str] | None = None) -> str:
    return Goal.parse(text, parameters or BLOCKS).canonical


def test_how_it_looks() -> None:
    shown = canonical("on(top, bottom) and clear(0.10)")
    assert shown == "p0: block, p1: block | clear(gap=0.1) and on(p0, p1)"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("on(top, bottom) and clear()", "clear() and on(top, bottom)"),
        ("on(top, bottom)", "on(bottom, top)"),  # A renaming.
        ("lifted(top)", "lifted(top, h=0.05)"),
        ("lifted(top, 1e-1)", "lifted(bottom, 0.10)"),
        ("not not held(top)", "held(top)"),
        ("not (held(top) and held(bottom))", "not held(top) or not held(bottom)"),
        ("held(top) and held(top)", "held(top)"),
        ("held(top) and (clear() and held(bottom))", "held(top) and clear() and held(bottom)"),
        ("near(top, bottom) and held(top)", "near(bottom, top) and held(top)"),
        ("near(top, bottom) and near(bottom, top)", "near(top, bottom)"),
        ('some("block", held(it))', 'count("block", held(it)) >= 1'),
        ('count("block", held(it)) > 1', '2 <= count("block", held(it))'),
        ('count("block", held(it)) < 2', 'not count("block", held(it)) >= 2'),
        ('count("block", held(it)) == 0', 'count("block", held(it)) < 1'),
        ("not eventually(held(top))", "always(not held(top))"),
        ("then(held(top), then(clear(), held(bottom)))",) * 2,
        ("held_for(held(top), 1)", "held_for(held(top), seconds=1.0)"),
    ],
)
def test_equal_goals(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("on(top, bottom) and held(top)", "on(top, bottom) and held(bottom)"),
        ("lifted(top)", "lifted(top, 0.051)"),
        ("held(top)", "not held(top)"),
        ("held(top) and held(bottom)", "held(top) or held(bottom)"),
        ("held(top) and held(bottom)", "held(top)"),
        (
            "then(held(top), held(bottom)) and on(top, bottom)",
            "then(held(bottom), held(top)) and on(top, bottom)",
        ),
        ("eventually(held(top))", "always(held(top))"),
        ('every("block", held(it))', 'not some("block", not held(it))'),  # Differ on no block.
        ('every("block", held(it))', 'every("ball", held(it))'),
        ("held_for(held(top), 1)", "held_for(held(top), 2)"),
        ("held(top) and (clear() or held(bottom))", "(held(top) and clear()) or held(bottom)"),
    ],
)
def test_different_goals(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_kinds_of_parameters_count_even_unused() -> None:
    assert canonical("held(x)", {"x": "block"}) != canonical("held(x)", {"x": "ball"})
    assert canonical("held(x)", {"x": "block"}) != canonical("held(x)", BLOCKS | {"x": "block"})
    assert canonical("held(x)", {"x": "block", "y": "ball"}) == canonical(
        "held(b)", {"a": "ball", "b": "block"}
    )


def rewritten(text: str, rng: random.Random) -> tuple[str, dict[str, str], dict[str, str]]:
    """The same goal with other parameter names, in another order, with more negations."""
    fresh = rng.sample([f"name{i}" for i in range(20)] + list(PARAMETERS), len(PARAMETERS))
    names = dict(zip(PARAMETERS, fresh, strict=True))
    text = re.sub(r"\b([a-e])\b(?![(=])", lambda m: names[m.group(1)], text)
    parameters = [(names[name], kind) for name, kind in PARAMETERS.items()]
    rng.shuffle(parameters)
    return f"not (not ({text}))", dict(parameters), names


def shuffled(goal: Goal, rng: random.Random) -> str:
    parts = [f"({part.text})" for part in goal.conjuncts]
    rng.shuffle(parts)
    return " and ".join([*parts, parts[0]])


@given(goals, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_names_and_order_do_not_matter(text: str, rng: random.Random) -> None:
    goal = Goal.parse(text, PARAMETERS)
    again, parameters, _ = rewritten(shuffled(goal, rng), rng)
    assert Goal.parse(again, parameters).canonical == goal.canonical


@given(instant_goals, states())
@settings(max_examples=60)
def test_the_canonical_text_is_the_goal(text: str, state: State) -> None:
    """It parses back to a goal that judges alike: so different goals cannot share it."""
    goal = Goal.parse(text, PARAMETERS)
    kinds, expression = goal.canonical.split(" | ")
    parameters = dict(part.split(": ") for part in kinds.split(", "))
    again = Goal.parse(expression, parameters)
    assert again.canonical == goal.canonical
    assert {parameters[new] for _, new in goal.renaming} == set(PARAMETERS.values())
    binding = {new: BINDING[old] for old, new in goal.renaming}
    assert again.holds(state, binding) == goal.holds(state, BINDING)
    assert again.margin(state, binding) == goal.margin(state, BINDING)


def graph(edges: list[tuple[int, int]], order: list[int]) -> str:
    """A goal over eight blocks whose only structure is which pairs touch."""
    parameters = {f"v{i}": "block" for i in order}
    return Goal.parse(
        " and ".join(f"touching(v{order[i]}, v{order[j]})" for i, j in edges), parameters
    ).canonical


def test_symmetric_goals_are_told_apart_by_search() -> None:
    """Colour refinement alone cannot tell one ring of eight from two rings of four."""
    ring = [(i, (i + 1) % 8) for i in range(8)]
    pair = [(i, (i + 1) % 4) for i in range(4)] + [(4 + i, 4 + (i + 1) % 4) for i in range(4)]
    rng = random.Random(1)
    orders = [rng.sample(range(8), 8) for _ in range(6)]
    rings, pairs = ({graph(edges, order) for order in orders} for edges in (ring, pair))
    assert len(rings) == len(pairs) == 1
    assert rings != pairs


def test_eight_interchangeable_parameters_are_no_burden() -> None:
    parameters = {f"v{i}": "block" for i in range(8)}
    text = " and ".join(f"still(v{i})" for i in range(8))
    assert Goal.parse(text, parameters).canonical.count("still") == 8


SAME = {"top": "top", "bottom": "bottom"}


@pytest.mark.parametrize(
    ("mine", "wanted", "expected"),
    [
        ("on(top, bottom) and clear()", "on(top, bottom)", True),
        ("on(top, bottom)", "on(top, bottom) and clear()", False),
        ("lifted(top, 0.1)", "lifted(top)", True),
        ("lifted(top)", "lifted(top, 0.1)", False),
        ("near(top, bottom, 0.05)", "near(bottom, top)", True),
        ("near(top, bottom, 0.2)", "near(bottom, top)", False),
        ("not lifted(top)", "not lifted(top, 0.1)", True),
        ("not lifted(top, 0.1)", "not lifted(top)", False),
        ("held(top)", "held(top) or clear()", True),
        ("held(top) or clear()", "held(top)", False),
        ("held(top) or clear()", "clear() or held(top)", True),
        ("held(top) or lifted(top, 0.1)", "held(top) or lifted(top) or clear()", True),
        ("held(top)", "held(bottom)", False),
        ("held(top)", "not held(top)", False),
        ('count("block", on(it, bottom)) >= 3', 'count("block", on(it, bottom)) >= 2', True),
        ('count("block", on(it, bottom)) >= 2', 'count("block", on(it, bottom)) >= 3', False),
        ('count("block", held(it)) < 2', 'count("block", held(it)) < 3', True),
        ('count("block", held(it)) < 3', 'count("block", held(it)) < 2', False),
        ('count("block", held(it)) < 2', 'count("ball", held(it)) < 3', False),
        ("eventually(held(top)) and clear()", "eventually(held(top))", True),
        ("eventually(lifted(top, 0.1))", "eventually(lifted(top))", False),  # By equality only.
        ("held(top)", "eventually(held(bottom)) or held(top)", True),
        ("held(top)", "always(held(top))", False),
    ],
)
def test_implication(mine: str, wanted: str, expected: bool) -> None:
    assert Goal.parse(mine, BLOCKS).implies(Goal.parse(wanted, BLOCKS), SAME) is expected


def test_implication_renames() -> None:
    mine = Goal.parse("on(top, bottom) and clear()", BLOCKS)
    wanted = Goal.parse("on(x, y)", {"x": "block", "y": "block"})
    assert mine.implies(wanted, {"x": "top", "y": "bottom"})
    assert not mine.implies(wanted, {"x": "bottom", "y": "top"})
    assert not mine.implies(wanted, {"x": "top", "y": "top"})
    crossed = Goal.parse("not on(bottom, top)", BLOCKS)
    swap = {"top": "bottom", "bottom": "top"}
    assert crossed.implies(Goal.parse("not on(top, bottom)", BLOCKS), swap)
    with pytest.raises(GoalError, match="renamed to None"):
        mine.implies(wanted, {"x": "top"})


@given(instant_goals, instant_goals, states(), st.booleans())
@settings(max_examples=150)
def test_implication_is_sound(one: str, other: str, state: State, joined: bool) -> None:
    mine = Goal.parse(f"({one}) and ({other})" if joined else one, PARAMETERS)
    wanted = Goal.parse(other, PARAMETERS)
    same = {name: name for name in PARAMETERS}
    implied = mine.implies(wanted, same)
    if joined or one == other:
        assert implied
    if implied and mine.holds(state, BINDING):
        assert wanted.holds(state, BINDING)


@given(states(), st.sampled_from([0.3, 0.7, 1.5, 4.0]))
@settings(max_examples=30)
def test_harder_thresholds_are_harder(state: State, factor: float) -> None:
    """What implication rests on: truth is monotone in every threshold, the declared way."""
    from dataclasses import replace

    from env.goals import ground

    for declared in all_predicates():
        for atom in ground(PARAMETERS, [declared.name]):
            for place, threshold in enumerate(declared.thresholds):
                numbers = list(atom.thresholds)
                numbers[place] *= factor
                other = replace(atom, thresholds=tuple(numbers))
                if threshold.implies(numbers[place], threshold.default):
                    assert not other.holds(state, BINDING) or atom.holds(state, BINDING)
                else:
                    assert not atom.holds(state, BINDING) or other.holds(state, BINDING)
