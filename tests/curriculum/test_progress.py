"""Where trying is worth while."""

from __future__ import annotations

from curriculum.progress import LEAST, UNTRIED, learning_progress


def test_what_was_never_tried_is_hoped_for() -> None:
    assert learning_progress([]) == UNTRIED


def test_hope_fades_with_each_failure_but_never_dies() -> None:
    found = [learning_progress([False] * n) for n in range(8)]
    assert found == sorted(found, reverse=True)
    assert found[1] < found[0]
    assert found[-1] == LEAST


def test_what_begins_to_work_stands_out_and_what_is_mastered_fades() -> None:
    learning = learning_progress([False, True, True])
    mastered = learning_progress([True] * 20)
    assert learning > learning_progress([False, False, False])
    assert learning > mastered >= LEAST


def test_what_stops_working_shows_too() -> None:
    assert learning_progress([True] * 20 + [False] * 2) > learning_progress([True] * 22)
