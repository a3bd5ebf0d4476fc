"""Whether what two skills do can be had at once by doing one after the other.

A skill disturbs what it moves, and the gripper. Where one of the two moves nothing that the goal of
the other is about, doing it last leaves both goals true: they can be serialised (Korf, "Planning
as search", 1987), without a threat in the sense of McAllester and Rosenblitt, "Systematic
nonlinear planning" (1991). What a skill moves is not declared: it was seen in its episodes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import Enum

from curriculum.growth import Candidate, covers
from curriculum.situation import Contract
from env.goal_forms import Atom
from env.state import GRIPPER


class Order(Enum):
    """In which orders two skills leave both their goals true, as far as episodes show."""

    ANY = "any"
    """Neither disturbs the other: whoever has both skills needs no third one."""
    ONE = "one"
    """Only if the right one comes last."""
    NONE = "none"
    """Each disturbs what the other has done."""


def order(candidate: Candidate, contracts: Sequence[Contract]) -> Order:
    """In which orders the skills that promise a goal piece by piece can be run.

    Args:
        candidate: A goal that contracts promise piece by piece.
        contracts: Of callable skills.

    Returns:
        The best that can be said of its base and of a skill that promises the new atom.
    """
    first = next((c.moves for c in contracts if c.name == candidate.base), frozenset())
    base_may_follow = not _disturbs(first, (candidate.added,))
    base_may_lead = any(
        not _disturbs(moved, candidate.kept) for moved in _moved_for(candidate, contracts)
    )
    if base_may_follow and base_may_lead:
        return Order.ANY
    return Order.ONE if base_may_follow or base_may_lead else Order.NONE


def _moved_for(candidate: Candidate, contracts: Sequence[Contract]) -> Iterator[frozenset[str]]:
    """For each skill that promises the new atom alone: the candidate's objects that it moves."""
    atom = candidate.added
    for contract in contracts:
        parts = contract.goal.conjuncts
        if len(parts) != 1 or not isinstance(parts[0], Atom):
            continue
        offered, kinds = parts[0], contract.task.kinds
        if offered.predicate == atom.predicate and _takes(
            tuple(kinds.get(term, term) for term in offered.arguments), candidate.signature
        ):
            names = dict(zip(offered.arguments, atom.arguments, strict=True))
            yield frozenset(names[term] for term in contract.moves if term in names)


def _takes(offered: Sequence[str], wanted: Sequence[str]) -> bool:
    same_slots = [kind == GRIPPER for kind in offered] == [kind == GRIPPER for kind in wanted]
    return same_slots and covers(offered, wanted)


def _disturbs(moved: Collection[str], goal: Sequence[Atom]) -> bool:
    """Whether a skill that moves these objects may undo a goal."""
    return any(grips(atom) or not set(moved).isdisjoint(atom.arguments) for atom in goal)


def grips(atom: Atom) -> bool:
    """Whether an atom is about the gripper, which every skill needs."""
    meets = atom.declared.meets
    return GRIPPER in atom.arguments or bool(meets and all(GRIPPER in pair for pair in meets))
