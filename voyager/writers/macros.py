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
class BoundCall:
    """A call of a skill on objects of a task.

    Attributes:
        step: The call, or a loop over it.
        reached: The goal's atoms that its contract guarantees.
        related: How many it shares an object with.
        promised: How many atoms its contract has.
    """

    step: Step
    reached: frozenset[Atom]
    related: int
    promised: int


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
    calls = bound_calls(task, skills)
    return Macros(
        tuple(call.step for call in calls if call.reached),
        tuple(call.step for call in calls if not call.reached),
    )


def bound_calls(task: Task, skills: Sequence[Handover]) -> tuple[BoundCall, ...]:
    """The same as one list, with what each call is good for."""
    ranked: list[tuple[tuple[int, int, str, tuple[tuple[str, str], ...]], BoundCall]] = []
    for skill in skills:
        for step, arguments in _bindings(task, skill):
            call = _bearing(task.goal, skill.task.goal, step, dict(arguments))
            if call.reached or call.related:
                name = skill.closure.entry.name
                ranked.append(((-len(call.reached), -call.related, name, arguments), call))
    ranked.sort(key=lambda entry: entry[0])
    return tuple(call for _, call in ranked[:MOST])


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


def _bearing(goal: Goal, contract: Goal, step: Step, arguments: Mapping[str, str]) -> BoundCall:
    """Which atoms of the goal a bound contract guarantees, and how many it shares objects with."""
    back = {ours: own for own, ours in arguments.items()}
    reached: set[Atom] = set()
    related = 0
    for atom in {piece for piece in goal.form.walk() if isinstance(piece, Atom)}:
        terms = [LOOP if term == "it" else term for term in atom.arguments]
        objects = [term for term in terms if term != GRIPPER]
        related += bool(objects) and any(term in back for term in objects)
        if all(term in back for term in objects) and _guarantees(contract, atom, terms, back):
            reached.add(atom)
    return BoundCall(step, frozenset(reached), related, len(contract.atoms))


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
