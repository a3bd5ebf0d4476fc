"""With which kinds of objects a program works that fails with others."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping

import pytest

import env.bodies  # noqa: F401 - registers the kinds
from curriculum.narrowing import Narrower, narrower

GRASPABLES = ("ball", "block")
TOWER = {"top": "graspable", "middle": "graspable", "bottom": "graspable"}


def episodes(
    kinds: Mapping[str, tuple[str, ...]], works: Callable[[Mapping[str, str]], bool], times: int
) -> list[tuple[dict[str, str], bool]]:
    every = [dict(zip(kinds, chosen, strict=True)) for chosen in itertools.product(*kinds.values())]
    return [(leaves, works(leaves)) for leaves in every for _ in range(times)]


def test_the_widest_kinds_without_failures_are_found() -> None:
    leaves = dict.fromkeys(TOWER, GRASPABLES)
    seen = episodes(leaves, lambda k: k["middle"] == k["bottom"] == "block", times=3)
    found = narrower(TOWER, seen)
    assert found is not None
    assert found.kinds == {"top": "graspable", "middle": "block", "bottom": "block"}
    assert (found.solved, found.of) == (6, 6)
    assert Narrower.from_json(found.to_json()) == found


def test_a_kind_between_is_found_where_it_tells_more() -> None:
    kinds = {"thing": "graspable", "other": "object"}
    leaves = {"thing": GRASPABLES, "other": ("ball", "block", "bowl", "tray")}
    seen = episodes(leaves, lambda k: k["other"] in ("bowl", "tray"), times=2)
    found = narrower(kinds, seen)
    assert found is not None and found.kinds == {"thing": "graspable", "other": "container"}


def test_one_failure_of_many_is_no_reason_to_look_elsewhere() -> None:
    leaves = {"thing": GRASPABLES}
    seen = episodes(leaves, lambda k: k["thing"] == "block", times=10)
    seen.append(({"thing": "block"}, False))
    found = narrower({"thing": "graspable"}, seen)
    assert found is not None and found.kinds == {"thing": "block"}
    assert (found.solved, found.of) == (10, 11) and found.rate == 11 / 13


@pytest.mark.parametrize("times", [1, 2])
def test_few_episodes_say_nothing(times: int) -> None:
    seen = episodes({"thing": GRASPABLES}, lambda k: k["thing"] == "block", times=times)
    assert narrower({"thing": "graspable"}, seen) is None


@pytest.mark.parametrize("always", [True, False])
def test_what_goes_alike_everywhere_is_left_as_it_is(always: bool) -> None:
    leaves = dict.fromkeys(TOWER, GRASPABLES)
    assert narrower(TOWER, episodes(leaves, lambda _: always, times=3)) is None
    assert narrower(TOWER, []) is None


@pytest.mark.parametrize(("rate", "at_most"), [(0.55, 0.2), (0.85, 0.7)])
def test_chance_seldom_looks_like_a_reason(rate: float, at_most: float) -> None:
    # Where a program nearly holds on all kinds, one that is a little better is worth a try.
    rng = random.Random(7)
    leaves = dict.fromkeys(TOWER, GRASPABLES)
    found = 0
    for _ in range(200):
        seen = [
            ({name: rng.choice(GRASPABLES) for name in leaves}, rng.random() < rate)
            for _ in range(30)
        ]
        found += narrower(TOWER, seen) is not None
    assert 0 < found < at_most * 200


def test_of_kinds_that_went_well_those_are_told_that_luck_explains_least() -> None:
    leaves = dict.fromkeys(TOWER, GRASPABLES)
    seen = episodes(leaves, lambda _: True, times=3)
    middle = [n for n, (k, _) in enumerate(seen) if k["middle"] == "ball"]
    for n in middle[:4]:
        seen[n] = (seen[n][0], False)
    seen = [s for n, s in enumerate(seen) if n not in middle[6:8]]
    found = narrower(TOWER, seen)
    assert found is not None
    assert found.kinds == TOWER | {"middle": "block"}
