"""Which library skills a search may call as one step: few, and only those that bear on the goal.

A bound call is ranked by how many of the goal's atoms its contract guarantees, then by how many
it shares objects with. At most sixteen are offered, so a search stays as narrow with ten thousand
skills as with ten.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from env.goal_forms import Atom
from env.goal_operators import Count, Every
from env.goals import Goal
from env.kinds import is_a
from env.starts import Handover
from env.state import GRIPPER
from env.task import Task
from voyager.writers.grammar import LOOP, ForEach, Step, UseSkill

MOST: Final = 16
"""Bound calls that a search gets to try."""


@dataclass(frozen=True, slots=True)
class Macros:
    """Bound calls of skills that bear on a task, best first, at most `MOST` together.

    Attributes:
        reaching: Those that promise an atom of the goal.
        related: Those that only share an object with it.
    """

    reaching: tuple[Step, ...]
    related: tuple[Step, ...]


def macros(task: Task, skills: Sequence[Handover]) -> Macros:
    """Bound calls of skills that bear on a task.

    Args:
        task: What is searched for.
        skills: Certified skills.

    Returns:
        The same for the same arguments in any order of skills.
    """
    ranked: list[tuple[int, int, str, tuple[tuple[str, str], ...], Step]] = []
    for skill in skills:
        for step, arguments in _bindings(task, skill):
            reached, related = _bearing(task.goal, skill.task.goal, dict(arguments))
            if reached or related:
                name = skill.closure.entry.name
                ranked.append((-reached, -related, name, arguments, step))
    ranked.sort(key=lambda entry: entry[:4])
    best = ranked[:MOST]
    return Macros(
        tuple(entry[4] for entry in best if entry[0]),
        tuple(entry[4] for entry in best if not entry[0]),
    )


def _bindings(task: Task, skill: Handover) -> Iterator[tuple[Step, tuple[tuple[str, str], ...]]]:
    """All injective ways to bind a skill's parameters to the task's, and loops over kinds."""
    own = task.kinds
    quantified = {piece.kind for piece in task.goal.form.walk() if isinstance(piece, Every | Count)}
    terms = [*own.items(), *((LOOP, kind) for kind in sorted(quantified))]
    wanted = skill.task.parameters
    for chosen in itertools.permutations(terms, len(wanted)):
        fits = all(is_a(kind, need) for (_, kind), (_, need) in zip(chosen, wanted, strict=True))
        if not fits:
            continue
        names = tuple(
            (own_name, name) for (own_name, _), (name, _) in zip(wanted, chosen, strict=True)
        )
        call = UseSkill(skill.closure.entry.name, skill.closure.root, names)
        kinds = [kind for name, kind in chosen if name == LOOP]
        if len(kinds) > 1:
            continue
        yield (ForEach(kinds[0], call) if kinds else call), names


def _bearing(goal: Goal, contract: Goal, arguments: Mapping[str, str]) -> tuple[int, int]:
    """How many of the goal's atoms a bound contract guarantees, and shares an object with."""
    back = {ours: own for own, ours in arguments.items()}
    reached = related = 0
    for atom in {piece for piece in goal.form.walk() if isinstance(piece, Atom)}:
        terms = [LOOP if term == "it" else term for term in atom.arguments]
        objects = [term for term in terms if term != GRIPPER]
        related += bool(objects) and any(term in back for term in objects)
        if all(term in back for term in objects) and _guarantees(contract, atom, terms, back):
            reached += 1
    return reached, related


def _guarantees(contract: Goal, atom: Atom, terms: Sequence[str], back: Mapping[str, str]) -> bool:
    """Whether a conjunct of the contract is the atom, at thresholds at least as hard."""
    named = tuple(back.get(term, term) for term in terms)
    for part in contract.conjuncts:
        if not isinstance(part, Atom) or part.predicate != atom.predicate:
            continue
        pairs = zip(atom.declared.thresholds, part.thresholds, atom.thresholds, strict=True)
        swapped = atom.declared.symmetric and part.arguments[:2] == named[1::-1]
        if (part.arguments == named or swapped) and all(t.implies(m, w) for t, m, w in pairs):
            return True
    return False
