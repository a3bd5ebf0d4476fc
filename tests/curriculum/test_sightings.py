"""What comes true by accident."""

from __future__ import annotations

import json

from curriculum.sightings import OFTEN, Sightings, instance, pattern
from curriculum.situation import merge_sightings
from env.goals import Atom, Goal


def atoms(text: str, **kinds: str) -> tuple[Atom, ...]:
    return Goal.parse(text, kinds).atoms


LIFTED, ON, CLEAR = atoms("lifted(a) and on(a, b) and clear()", a="block", b="block")
NONE: frozenset[int] = frozenset()


def test_only_what_was_not_true_before_is_an_accident() -> None:
    sightings = Sightings([LIFTED, ON, CLEAR])
    sightings.note({"a": "block", "b": "bowl"}, frozenset({2}), frozenset({0, 2}))
    sightings.note({"a": "ball", "b": "bowl"}, NONE, frozenset({0}))
    sightings.note({"a": "ball", "b": "bowl"}, NONE, frozenset({0, -1}))
    seen = sightings.summary()["seen"]
    assert {text: times for text, times in seen.items() if times} == {
        "lifted(ball)": 2, "lifted(block)": 1,
    }  # fmt: skip
    # What could have come true and did not is told as well.
    assert seen["on(ball, bowl)"] == 0


def test_pairs_are_together_when_seen_once_and_apart_when_often_but_never_at_once() -> None:
    sightings = Sightings([LIFTED, ON, CLEAR])
    for _ in range(OFTEN):
        sightings.note({"a": "block", "b": "block"}, NONE, frozenset({0}))
        sightings.note({"a": "block", "b": "block"}, NONE, frozenset({1, 2}))
    found = sightings.summary()
    assert found["together"] == [pattern(ON, CLEAR)]
    assert set(found["apart"]) == {pattern(LIFTED, ON), pattern(LIFTED, CLEAR)}
    json.dumps(found)


def test_rarely_seen_atoms_are_not_said_to_exclude_each_other() -> None:
    sightings = Sightings([LIFTED, ON])
    for _ in range(OFTEN - 1):
        sightings.note({"a": "block", "b": "block"}, NONE, frozenset({0}))
        sightings.note({"a": "block", "b": "block"}, NONE, frozenset({1}))
    assert sightings.summary()["apart"] == []


def test_a_pattern_says_how_atoms_hang_together_and_nothing_else() -> None:
    first, second = atoms("on(a, b) and on(b, c)", a="block", b="block", c="block")
    third, fourth = atoms("on(x, y) and on(z, x)", x="ball", y="tray", z="ball")
    assert pattern(first, second) == pattern(fourth, third) == pattern(second, first)
    apart = atoms("on(a, b) and on(c, d)", a="block", b="block", c="block", d="block")
    assert pattern(*apart) != pattern(first, second)


def test_an_instance_shows_kinds_and_the_gripper() -> None:
    (reached,) = atoms("at(gripper, x)", x="bowl")
    assert instance(reached, {"x": "bowl"}) == "at(gripper, bowl)"
    assert instance(CLEAR, {}) == "clear()"


def test_summaries_add_up_and_one_sight_of_a_pair_outweighs_all_others() -> None:
    seen, together, apart = merge_sightings(
        [
            {"seen": {"lifted(ball)": 2}, "apart": ["x"], "together": []},
            {},
            {"seen": {"lifted(ball)": 1}, "apart": ["y"], "together": ["x"]},
        ]
    )
    assert seen == {"lifted(ball)": 3}
    assert together == {"x"} and apart == {"y"}
