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

from curriculum.interference import grips
from env.goal_forms import Atom
from env.starts import Handover
from env.task import Task
from voyager.writers.grammar import Step
from voyager.writers.macros import BoundCall, bound_calls

MOST: Final = 3
"""Plans that are practised before anything is searched for."""
_LONGEST: Final = 3
"""Calls in such a plan."""


def in_turn(task: Task, skills: Sequence[Handover]) -> tuple[tuple[Step, ...], ...]:
    """Plans of skill calls that together promise all atoms of a goal, none of them in vain.

    Args:
        task: What is wanted.
        skills: Certified skills.

    Returns:
        At most `MOST`. Fewer calls come first, then those that promise least besides, then orders
        in which no call is likely to undo what was done before it.
    """
    plans = sorted(_plans(task, skills), key=_rank)
    return tuple(tuple(call.step for call in plan) for plan in plans[:MOST])


def _plans(task: Task, skills: Sequence[Handover]) -> Iterator[tuple[BoundCall, ...]]:
    calls = [call for call in bound_calls(task, skills) if call.reached]
    wanted = frozenset(task.goal.atoms)
    for length in range(2, _LONGEST + 1):
        for chosen in itertools.combinations(calls, length):
            if _covers(chosen, wanted) and not any(
                _covers([call for call in chosen if call is not left], wanted) for left in chosen
            ):
                yield from itertools.permutations(chosen)


def _covers(calls: Sequence[BoundCall], wanted: frozenset[Atom]) -> bool:
    return frozenset[Atom]().union(*(call.reached for call in calls)) >= wanted


def _rank(plan: Sequence[BoundCall]) -> tuple[int, int, int]:
    besides = sum(call.promised - len(call.reached) for call in plan)
    undone = sum(_may_undo(late, early) for early, late in itertools.combinations(plan, 2))
    return len(plan), besides, undone


def _may_undo(late: BoundCall, early: BoundCall) -> bool:
    """Whether a call may let go of what an earlier one holds, or move what that one is about.

    Predicates name what has to move first ("on(a, b)"), and then what it has to come to.
    """
    moved = {atom.arguments[0] for atom in late.reached if atom.arguments}
    return any(grips(atom) or not moved.isdisjoint(atom.arguments) for atom in early.reached)
