"""The test on a home's own scenes: exact, with three looks, and stricter after each failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from env.statistics import FIRST_LEVEL, LOOKS, NULL_RATE, upper_tail
from skill_store import Library
from skill_store.export.importing import Arrival
from tests.skill_store.export.homes import REACHING
from tests.skill_store.samples import REACH, certificate
from tests.voyager.scripted import ScriptedExecutor
from voyager.fresh import FreshTest, examine, needed
from voyager.proving import Proving
from voyager.writers.base import Budget, Ledger

ARRIVAL = Arrival("reach", True, REACHING, REACH, certificate(REACH, REACHING), None, ())


@dataclass
class Nth:
    """Fails in these scenes, counted from 1."""

    failing: frozenset[int]
    count: int = 0

    def __call__(self, closure: object, seed: int) -> bool | None:
        self.count += 1
        return self.count not in self.failing


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", learning=True) as library:
        yield library


def run(library: Library, failing: set[int], tries: int = 0) -> FreshTest:
    executor = ScriptedExecutor(Nth(frozenset(failing)))
    proving = Proving(library, executor, Ledger(Budget(0), lambda _: None))
    found = examine(proving, ARRIVAL, "5a" * 16, tries)
    seeds = [trial.start.seed for trial in executor.trials]
    assert len(set(seeds)) == len(seeds)
    return found


@pytest.mark.parametrize("tries", range(12))
def test_the_error_of_all_looks_together_is_that_of_an_admission(tries: int) -> None:
    rules = needed(tries)
    level = FIRST_LEVEL / 2**tries
    assert sum(upper_tail(look, fewest, NULL_RATE) for fewest, look in rules) <= level
    for fewest, look in rules:
        # One less would be too few: nothing is given away.
        assert upper_tail(look, fewest - 1, NULL_RATE) > level / len(LOOKS)


def test_a_good_program_is_done_at_once_and_a_fair_one_later(library: Library) -> None:
    assert needed(0) == ((19, 20), (36, 40), (82, 100))
    assert (run(library, set()).score, run(library, {3}).score) == ((20, 20), (19, 20))
    assert run(library, {3, 4}).score == (38, 40)
    assert run(library, {3, 4, 21, 22}).score == (36, 40)
    fair = run(library, set(range(1, 19)))
    assert (fair.score, fair.passed, fair.refusal) == ((82, 100), True, "")


def test_a_bad_one_is_told_as_soon_as_it_cannot_pass(library: Library) -> None:
    bad = run(library, set(range(1, 200)))
    assert (bad.score, bad.passed) == ((0, 19), False)
    assert bad.refusal.startswith("it solved 0 of 19 scenes that were drawn here, and needs 82 of")
    assert "12 mm too low" in bad.refusal
    late = run(library, set(range(80, 99)))
    assert (late.score, late.passed) == ((20, 20), True)  # decided before it would have failed
    edge = run(library, {1, 2, *range(21, 24), *range(86, 101)})
    assert (edge.score, edge.passed) == ((80, 99), False)


def test_each_failure_asks_for_more_and_draws_others(library: Library) -> None:
    assert needed(1)[0] == (20, 20)
    assert run(library, {3}, tries=1).score == (39, 40)
    one, other = run(library, set()), run(library, set(), tries=1)
    starts = [{episode.start.seed for episode in found.episodes} for found in (one, other)]
    assert not starts[0] & starts[1]
    # With very many failures the early looks cannot be passed any more.
    assert [look for _, look in needed(8)] == [40, 100]
