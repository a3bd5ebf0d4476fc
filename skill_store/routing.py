"""What to do about a task before anything is written: run a skill, adapt one, or write anew.

    route(library, task) -> Route(decision, skill, bindings, why)

No model is asked and nothing is simulated. A skill is run when its contract implies the goal
(`Goal.implies`) under a renaming of parameters whose kinds it covers, in the very scenes that it
was certified for, and within the task's limits. That is sound and incomplete: "no" may be wrong.
Candidates come from the words of the contracts (`skill_store.promises`), so that a library of
thousands costs milliseconds; goals are read when they are looked at, and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import permutations
from typing import Final

from env.goal_canonical import form_implies
from env.goal_forms import Atom, Form
from env.goals import Goal
from env.kinds import is_a
from env.task import Task
from skill_store.clock import moment, stamp
from skill_store.contracts import Contract, Contracts
from skill_store.library import Library

_MOST_READ: Final = 64
"""Contracts that are looked at: those that promise all words asked for, and little else, first."""
_MOST_NEAR: Final = 8
"""Contracts that are compared conjunct by conjunct."""
_MOST_TOLD: Final = 3
"""Near skills that are told."""
_MOST_RENAMED: Final = 5
"""Parameters up to which all renamings are tried; with more, only an equal task is recognised."""


class Decision(StrEnum):
    """What to do about a task."""

    RUN = "run"
    """A skill's contract implies the goal."""
    ADAPT = "adapt"
    """Skills promise a part of it, or something like it: begin with them."""
    WRITE = "write"
    """Nothing here is near."""


@dataclass(frozen=True, slots=True)
class Near:
    """A skill that a new program may begin with.

    Attributes:
        skill: Its name.
        lacks: Conjuncts of the goal that its contract does not imply, in the task's names.
    """

    skill: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A decision about a task.

    Attributes:
        decision: What to do.
        skill: The skill to run, or the nearest one to adapt; None to write.
        bindings: Parameter of the task by parameter of the skill; empty unless it is to be run.
        why: One sentence.
        near: For ADAPT, the nearest skills with what they lack, best first.
    """

    decision: Decision
    skill: str | None
    bindings: Mapping[str, str]
    why: str
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """A decision that was written down.

    Attributes:
        task: Hash of the task.
        decision: What to do.
        skill: The skill to run, or the nearest one to adapt; None to write.
        why: One sentence.
        decided_at: When, UTC.
    """

    task: str
    decision: Decision
    skill: str | None
    why: str
    decided_at: datetime


def route(library: Library, task: Task, near: Sequence[str] = (), *, log: bool = True) -> Route:
    """Decide what to do about a task.

    Args:
        library: What has been learned. Only skills on probation or active are run or adapted.
        task: What is wanted.
        near: Names of skills that a search by meaning found near, nearest first; they are
            considered for ADAPT after those that share a predicate with the goal.
        log: Write the decision down in the library; nothing at all is written without.

    Returns:
        The decision.

    Raises:
        StorageError: If the library cannot be read, or the decision cannot be written.
    """
    found = _Search(library, task).decide(near)
    if log:
        _note(library, task, found)
    return found


def solvers(library: Library, task: Task) -> tuple[str, ...]:
    """The skills in use that could be run for a task; nothing is written.

    Args:
        library: What has been learned.
        task: What is wanted.

    Returns:
        Names, the oldest first. In a library of very many only the likeliest were looked at.

    Raises:
        StorageError: If the library cannot be read.
    """
    found = [c for c, _ in _Search(library, task).able() if c.state.callable]
    return tuple(c.name for c in sorted(found, key=lambda c: (c.added_at, c.name)))


def routes(library: Library, task_hash: str | None = None) -> tuple[RouteRecord, ...]:
    """The decisions that were written down, or those about one task, oldest first.

    Raises:
        StorageError: If they cannot be read.
    """
    rows = library.database.rows(
        "SELECT * FROM routes WHERE ?1 IS NULL OR task = ?1 ORDER BY id", (task_hash,)
    )
    return tuple(
        RouteRecord(
            task=row["task"],
            decision=Decision(row["decision"]),
            skill=row["skill"],
            why=row["why"],
            decided_at=moment(row["decided_at"]),
        )
        for row in rows
    )


class _Search:
    """Looks for what a library offers for one task."""

    def __init__(self, library: Library, task: Task) -> None:
        self._contracts = Contracts(library.database)
        self._task = task

    @cached_property
    def _nearest(self) -> tuple[tuple[str, bool], ...]:
        return self._contracts.nearest(self._task.goal, _MOST_READ)

    def decide(self, near: Sequence[str]) -> Route:
        """The decision, not yet written down."""
        unusable: list[Contract] = []
        for contract, bindings in self.able():
            if contract.state.callable:
                called = ", ".join(f"{parameter}={bound}" for parameter, bound in bindings.items())
                why = f"{contract.name}({called}) promises {contract.text!r}, which covers the goal"
                return Route(Decision.RUN, contract.name, bindings, why)
            unusable.append(contract)
        aside = _aside(unusable)
        options = self._options(near)
        if not options:
            why = f"no skill in use promises anything like the goal{aside}"
            return Route(Decision.WRITE, None, {}, why)
        told = ", then ".join(f"{option.skill}, {_lacking(option)}" for option in options)
        why = f"no skill in use promises the whole goal; nearest is {told}{aside}"
        return Route(Decision.ADAPT, options[0].skill, {}, why, options)

    def able(self) -> Iterator[tuple[Contract, dict[str, str]]]:
        """Contracts that cover the task, and how they are bound; that of this very task first."""
        task = self._task
        equal = self._contracts.of_task(task.hash)
        if equal is not None and (goal := equal.goal) is not None:
            mine = dict(goal.renaming)
            theirs = {canonical: name for name, canonical in task.goal.renaming}
            yield equal, {name: theirs[mine[name]] for name, _ in equal.parameters}
        for contract in self._contracts.named(name for name, may in self._nearest if may):
            if contract != equal and (bindings := _implied(contract, task)) is not None:
                yield contract, bindings

    def _options(self, near: Sequence[str]) -> tuple[Near, ...]:
        """The nearest skills in use: by conjuncts that they imply, then by shared predicates."""
        wanted = self._task.goal
        ranked: list[tuple[tuple[int, int, int], Near]] = []
        sharing = self._contracts.named(name for name, _ in self._nearest[:_MOST_NEAR])
        for order, contract in enumerate(sharing):
            goal = contract.goal
            if goal is None or not contract.state.callable:
                continue
            kin = len(_things(wanted.form) & _predicates(goal.form))
            if kin:
                lacks = _lacks(goal, wanted)
                rank = (len(lacks), -kin, order)
                ranked.append((rank, Near(contract.name, lacks)))
        found = {option.skill: option for _, option in sorted(ranked, key=lambda pair: pair[0])}
        for contract in self._contracts.named(near):
            goal = contract.goal
            if goal is not None and contract.state.callable:
                found.setdefault(contract.name, Near(contract.name, _lacks(goal, wanted)))
        return tuple(found.values())[:_MOST_TOLD]


def _lacking(option: Near) -> str:
    if option.lacks:
        return f"which lacks {' and '.join(option.lacks)}"
    return "which promises all of it, but in other scenes, limits or with more parameters"


def _aside(unusable: Sequence[Contract]) -> str:
    """Skills that would do if they were in use."""
    if not unusable:
        return ""
    told = ", ".join(f"{contract.name} is {contract.state.value}" for contract in unusable)
    return f" ({told}, or it could be run)"


def _implied(contract: Contract, task: Task) -> dict[str, str] | None:
    """Bindings under which a contract implies a task's goal, or None.

    A skill with a parameter more than the task is none that could be run: somebody would have to
    choose an object that the task does not speak about.
    """
    wanted, given = task.parameters, contract.parameters
    if len(wanted) != len(given) or len(wanted) > _MOST_RENAMED or not contract.covers(task):
        return None
    goal = contract.goal
    if goal is None:
        return None
    for renaming in _renamings(given, wanted):
        if len(renaming) == len(wanted) and goal.implies(task.goal, renaming):
            back = {mine: name for name, mine in renaming.items()}
            return {name: back[name] for name, _ in given}
    return None


def _things(form: Form) -> set[str]:
    """Predicates that are said of something: `clear()` alone makes no two goals kin."""
    return {piece.predicate for piece in form.walk() if isinstance(piece, Atom) and piece.arguments}


def _predicates(form: Form) -> set[str]:
    return {piece.predicate for piece in form.walk() if isinstance(piece, Atom)}


def _lacks(mine: Goal, wanted: Goal) -> tuple[str, ...]:
    """Conjuncts of `wanted` that `mine` does not imply, under the renaming that leaves fewest."""
    fewest = tuple(part.text for part in wanted.conjuncts)
    # What nothing of mine stands for must not be taken for a parameter of mine.
    nobody = {name: f"?{name}" for name, _ in wanted.parameters}
    for renaming in _renamings(mine.parameters, wanted.parameters):
        lacks = tuple(
            part.text
            for part in wanted.conjuncts
            if not form_implies(mine.form, part, nobody | renaming)
        )
        if len(lacks) < len(fewest):
            fewest = lacks
    return fewest


def _renamings(
    mine: Sequence[tuple[str, str]], wanted: Sequence[tuple[str, str]]
) -> Iterator[dict[str, str]]:
    """Largest injective renamings, wanted name to mine, as far as the kinds fit."""
    if max(len(mine), len(wanted)) > _MOST_RENAMED:
        return
    short, long = (wanted, mine) if len(wanted) <= len(mine) else (mine, wanted)
    for chosen in permutations(long, len(short)):
        pairs = zip(short, chosen, strict=True)
        ordered = pairs if short is wanted else ((theirs, own) for own, theirs in pairs)
        yield {name: own for (name, kind), (own, covered) in ordered if is_a(kind, covered)}


def _note(library: Library, task: Task, found: Route) -> None:
    database = library.database
    with database.transaction():
        library.journal.keep_task(task)
        database.execute(
            "INSERT INTO routes (task, decision, skill, why, decided_at) VALUES (?, ?, ?, ?, ?)",
            (task.hash, found.decision, found.skill, found.why, stamp(database.clock())),
        )
