"""What a task must pass before a skill is attempted: it must be new, and it must need a skill.

That it can be read was settled when it was made; that it does not begin solved, and that no
control solves it, is found out by `env.controls`, for all tasks of one arena at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from curriculum.proposer import Proposal
from curriculum.situation import Contract, Situation
from env.controls import arena
from env.goals import Goal
from env.kinds import is_a
from env.task import Task

_RARER: Final = 3.0
"""How much rarer by accident an effect must be than what a skill promises, to be asked for too."""
MATES: Final = 48
"""Most tasks that are tested together with one."""


def done_by(situation: Situation, task: Task) -> str | None:
    """The skill that does a task already, or None.

    It does it if what it promises, with what was true after nearly all of its episodes besides,
    implies the goal for objects of the task's kinds. This also catches a goal that is only said
    in another way (what is left of a thing has the thing on its right). An effect that is much
    harder to come by than what was promised is worth a promise of its own, though: things may have
    been brought together by putting one on the other.

    Args:
        situation: Gives the contracts.
        task: The task.

    Returns:
        Name of the skill.
    """
    wanted = predicates(task.goal)
    rarest = _rarest(situation, wanted)
    for contract in situation.contracts:
        full = _in_full(contract)
        if rarest * _RARER < _rarest(situation, predicates(contract.goal)):
            full = contract.goal
        if wanted <= predicates(full) and any(
            full.implies(task.goal, renaming) for renaming in renamings(contract.task, task)
        ):
            return contract.name
    return None


def _rarest(situation: Situation, words: Iterable[str]) -> float:
    return min((situation.strayed.get(word, 1.0) for word in words), default=1.0)


@lru_cache(maxsize=20_000)
def _in_full(contract: Contract) -> Goal:
    return contract.in_full()


@lru_cache(maxsize=50_000)
def predicates(goal: Goal) -> frozenset[str]:
    """Names of the predicates in a goal."""
    return frozenset(piece.predicate for piece in goal.form.walk() if hasattr(piece, "predicate"))


def renamings(offered: Task, wanted: Task) -> Iterator[dict[str, str]]:
    """Every way to give a skill objects that are wanted.

    Args:
        offered: The skill's task.
        wanted: The task that is wanted; its kinds must be covered.

    Yields:
        The skill's parameter by the wanted task's parameter.
    """
    names = tuple(wanted.kinds)
    for own in itertools.permutations(offered.kinds, len(names)):
        if all(
            is_a(wanted.kinds[name], offered.kinds[mine])
            for name, mine in zip(names, own, strict=True)
        ):
            yield dict(zip(names, own, strict=True))


def mates(situation: Situation, task: Task, others: Iterable[Proposal]) -> tuple[Task, ...]:
    """Tasks that are worth testing together with one: of its arena, and not tested yet.

    Single atoms that known programs may do on other kinds are left out. They are tested only when
    a program is there, and those that are often true at the start would take more scenes.

    Args:
        situation: Knows what was tested.
        task: Comes first in what is returned.
        others: In order of preference.
    """
    own = arena(task)
    known = {task.hash, *situation.tested, *situation.refused}
    found = [task]
    for proposal in others:
        other = proposal.task
        if len(found) == MATES:
            break
        if proposal.at_hand and len(other.goal.conjuncts) == 1:
            continue
        if other.hash not in known and arena(other) == own:
            known.add(other.hash)
            found.append(other)
    return tuple(found)
