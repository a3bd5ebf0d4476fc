"""Reads the situation from a library. Nothing is remembered that is not on the disk."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from curriculum.gates import predicates
from curriculum.narrowing import Narrower, Narrowing
from curriculum.situation import (
    ALWAYS,
    Contract,
    Situation,
    Try,
    Unfinished,
    merge_sightings,
)
from env.errors import ProgramError, VoyagerError
from env.outcome import Outcome
from env.program import Program
from env.task import Task
from skill_store.errors import StorageError
from skill_store.journal import Attempt
from skill_store.library import Library
from skill_store.skill import InUse

_TELLING: Final = frozenset({Outcome.SOLVED, Outcome.FAILED, Outcome.LIMIT})
"""Outcomes of an attempt that say something about its task; a lost sandbox does not."""


@dataclass(slots=True)
class _Endings:
    """What was true at the ends of a program's episodes.

    Attributes:
        episodes: How many there were.
        times: How often each atom was true.
    """

    episodes: int = 0
    times: Counter[str] = field(default_factory=Counter)

    def add(self, atoms: Iterable[str]) -> None:
        """Count one episode."""
        self.episodes += 1
        # The same few texts stand in the episodes of thousands of programs.
        self.times.update(map(sys.intern, atoms))

    def always(self) -> frozenset[str]:
        """Atoms that were true at the end of nearly all."""
        least = ALWAYS * self.episodes
        return frozenset(text for text, times in self.times.items() if times >= least)


class _Known(NamedTuple):
    """A callable skill, and its contract where its task can be read here."""

    line: InUse
    contract: Contract | None


class Memory:
    """What a home knows, as a curriculum needs it; reads only what is new each time."""

    def __init__(self, library: Library, platform: str, seed: int, *, calls: bool = True) -> None:
        """Read nothing yet.

        Args:
            library: The library.
            platform: What tests of tasks depend on, as they were kept under.
            seed: Of the run.
            calls: Whether programs may call skills.
        """
        self._library = library
        self._platform = platform
        self._seed = seed
        self._calls = calls
        self._last = 0
        self._number = 0
        self._tries: list[Try] = []
        self._sightings: list[dict[str, Any]] = []
        self._strayed: Counter[str] = Counter()
        self._searches: Counter[str] = Counter()
        self._transfers: dict[str, tuple[int, int]] = {}
        self._narrowings: dict[str, Narrowing] = {}
        self._unfinished: list[Unfinished] = []
        self._tasks: dict[str, Task | None] = {}
        self._known: dict[str, _Known] = {}
        self._last_episode = 0
        self._endings: dict[str, _Endings] = {}
        self._renewals: Mapping[str, str] = {}

    def situation(self) -> Situation:
        """The situation as it is now.

        Raises:
            StorageError: If the library cannot be read.
        """
        self._read_attempts()
        tested = self._library.journal.tested(self._platform)
        seen, together, apart = merge_sightings(self._sightings)
        return Situation(
            contracts=self._read_contracts(),
            tries=tuple(self._tries),
            seen=seen,
            strayed={
                predicate: (1 + self._strayed[predicate]) / (1 + searches)
                for predicate, searches in self._searches.items()
            },
            together=together,
            apart=apart,
            transfers=dict(self._transfers),
            narrowings=dict(self._narrowings),
            unfinished=tuple(self._unfinished),
            tested={
                task: sum(int(rate["solved"]) for rate in kept.record["rates"])
                for task, kept in tested.items()
                if kept.admitted
            },
            refused=frozenset(task for task, kept in tested.items() if not kept.admitted)
            | self._library.set_aside(),
            seed=self._seed,
            number=self._number,
            calls=self._calls,
        )

    def _read_attempts(self) -> None:
        chosen = {
            decision.attempt for decision in self._library.journal.decisions(after=self._last)
        }
        for attempt in self._library.journal.attempts(after=self._last):
            if attempt.ended_at is None:
                break
            self._last = attempt.id
            # What the infrastructure lost is chosen again, as if it had not been begun.
            told = attempt.outcome is not None and attempt.outcome.about_program
            self._number += attempt.id in chosen and told
            if attempt.outcome in _TELLING:
                self._remember(attempt)

    def _remember(self, attempt: Attempt) -> None:
        task = self._task(attempt.task)
        if task is None or attempt.outcome is None:
            return
        solved = attempt.outcome is Outcome.SOLVED
        size = attempt.detail.get("library") or 0
        self._tries.append(Try(task, solved, attempt.outcome, int(size)))
        for text, (solved_there, of) in attempt.detail.get("transfers", {}).items():
            kept = self._transfers.get(text)
            if kept is None or solved_there / of > kept[0] / kept[1]:
                self._transfers[text] = (solved_there, of)
        if found := attempt.detail.get("narrower"):
            self._narrowings[attempt.task] = Narrowing(task, Narrower.from_json(found))
        if made := attempt.detail.get("unfinished"):
            with contextlib.suppress(ProgramError):  # what may be imported can change
                program = Program.parse(made["source"], made["lock"])
                self._unfinished.append(Unfinished(task, program))
        strayed: Counter[str] = Counter()
        for text, times in attempt.detail.get("sightings", {}).get("seen", {}).items():
            predicate = text.partition("(")[0]
            if predicate not in predicates(task.goal):
                strayed[predicate] += times
        self._strayed.update(strayed)
        self._searches.update(dict.fromkeys(strayed, 1))
        self._sightings = [
            dict(zip(("seen", "together", "apart"), merge_sightings(pair), strict=True))
            for pair in [[*self._sightings, attempt.detail.get("sightings", {})]]
        ]

    def _task(self, task_hash: str) -> Task | None:
        """A task, or None where its kinds are not loaded."""
        if task_hash not in self._tasks:
            try:
                self._tasks[task_hash] = self._library.journal.task(task_hash)
            except StorageError:
                raise
            except VoyagerError:
                self._tasks[task_hash] = None
        return self._tasks[task_hash]

    def _read_contracts(self) -> tuple[Contract, ...]:
        """Those of the callable skills; one of which nothing has changed is made once."""
        seen = self._read_endings()
        before, self._known = self._known, {}
        for line in self._library.in_use():
            kept = before.get(line.name)
            if kept is None or kept.line != line or line.program in seen:
                kept = _Known(line, self._contract(line))
            self._known[line.name] = kept
        return tuple(kept.contract for kept in self._known.values() if kept.contract is not None)

    def _contract(self, line: InUse) -> Contract | None:
        task = self._task(line.task)
        if task is None:
            return None
        endings = self._endings.get(line.program)
        return Contract(line.name, task, frozenset() if endings is None else endings.always())

    def _read_endings(self) -> set[str]:
        """Count what was true at the end of new episodes, and say of which programs they are."""
        renewals = self._library.renewals()
        if renewals != self._renewals:
            # Of a program that was certified again counts only what was seen since.
            self._renewals = renewals
            self._last_episode = 0
            self._endings.clear()
            self._known.clear()
        seen: set[str] = set()
        while chunk := self._library.journal.endings(after=self._last_episode):
            for ending in chunk:
                self._endings.setdefault(ending.program, _Endings()).add(ending.atoms)
                seen.add(ending.program)
            self._last_episode = chunk[-1].id
        return seen
