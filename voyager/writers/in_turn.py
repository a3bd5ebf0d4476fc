"""Known skills one after another, where their contracts promise a goal piece by piece.

Calling them in the right order may be all that is needed. Goals that can be reached in some order
without undoing what was reached are serialisable (Korf, "Planning as search", 1987). Whether these
are, and in which order, is for practice to say: it sees more scenes than a search, and a skill that
fails once in twenty scenes does not hide a plan there, as it does where each of a few scenes has to
be solved.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from env.starts import Handover
from env.task import Task
from voyager.writers.grammar import Step
from voyager.writers.macros import BoundCall, bound_calls

MOST: Final = 4
"""Plans that are practised before anything is searched for."""
_LONGEST: Final = 3
"""Calls in such a plan."""


def in_turn(task: Task, skills: Sequence[Handover]) -> tuple[tuple[Step, ...], ...]:
    """Plans of skill calls that together promise all atoms of a goal, none of them in vain.

    Args:
        task: What is wanted.
        skills: Certified skills.

    Returns:
        At most `MOST`, shorter ones first; each set of calls in all its orders.
    """
    return tuple(itertools.islice(_plans(task, skills), MOST))


def _plans(task: Task, skills: Sequence[Handover]) -> Iterator[tuple[Step, ...]]:
    calls = [call for call in bound_calls(task, skills) if call.reached]
    wanted = frozenset(task.goal.atoms)
    for length in range(2, _LONGEST + 1):
        for chosen in itertools.combinations(calls, length):
            if _covers(chosen, wanted) and not any(
                _covers([call for call in chosen if call is not left], wanted) for left in chosen
            ):
                for ordered in itertools.permutations(chosen):
                    yield tuple(call.step for call in ordered)


def _covers(calls: Sequence[BoundCall], wanted: frozenset[object]) -> bool:
    return frozenset[object]().union(*(call.reached for call in calls)) >= wanted
