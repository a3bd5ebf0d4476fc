"""Known skills one after another, where their contracts promise a goal piece by piece.

Calling them in the right order may be all that is needed. Goals that can be reached in some order
without undoing what was reached are serialisable (Korf, "Planning as search", 1987). Whether these
are, and in which order, is for practice to say: it sees more scenes than a search, and a skill that
fails once in twenty scenes does not hide a plan there, as it does where each of a few scenes has to
be solved.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from curriculum.interference import grips
from env.goal_forms import Atom
from env.starts import Handover
from env.task import Task
from voyager.writers.grammar import Step, UseSkill
from voyager.writers.macros import BoundCall, bound_calls

MOST: Final = 3
"""Plans that are practised before anything is searched for."""
_LONGEST: Final = 3
"""Calls in such a plan."""
_UNSEEN: Final[Mapping[str, Collection[str]]] = {}


def in_turn(
    task: Task, skills: Sequence[Handover], moves: Mapping[str, Collection[str]] = _UNSEEN
) -> tuple[tuple[Step, ...], ...]:
    """Plans of skill calls that together promise all atoms of a goal, none of them in vain.

    Args:
        task: What is wanted.
        skills: Certified skills.
        moves: Parameters whose objects a skill was seen to move, by its name. Of a skill that is
            not there it is guessed from the atoms that it is called for.

    Returns:
        At most `MOST`. Fewer calls come first, then those that promise least besides, then orders
        in which no call is likely to undo what was done before it.
    """
    plans = sorted(_plans(task, skills), key=lambda plan: _rank(plan, moves))
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


def _rank(plan: Sequence[BoundCall], moves: Mapping[str, Collection[str]]) -> tuple[int, int, int]:
    besides = sum(call.promised - len(call.reached) for call in plan)
    pairs = itertools.combinations(plan, 2)
    undone = sum(_may_undo(_moved(late, moves), early) for early, late in pairs)
    return len(plan), besides, undone


def _moved(call: BoundCall, moves: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The task's parameters whose objects a call moves.

    Where that was not seen: predicates name what has to move first ("on(a, b)"), and then what it
    has to come to.
    """
    if isinstance(call.step, UseSkill) and call.step.name in moves:
        own = moves[call.step.name]
        return frozenset(ours for name, ours in call.step.arguments if name in own)
    return frozenset(atom.arguments[0] for atom in call.reached if atom.arguments)


def _may_undo(moved: Collection[str], early: BoundCall) -> bool:
    """Whether a call may let go of what an earlier one holds, or move what that one is about."""
    return any(grips(atom) or not set(moved).isdisjoint(atom.arguments) for atom in early.reached)
