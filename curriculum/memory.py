"""Reads the situation from a library. Nothing is remembered that is not on the disk."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from curriculum.situation import ALWAYS, Contract, Situation, Try, merge_sightings
from env.errors import VoyagerError
from env.outcome import Outcome
from env.task import Task
from skill_store.errors import StorageError
from skill_store.journal import Attempt
from skill_store.library import Library

_TELLING: Final = frozenset({Outcome.SOLVED, Outcome.FAILED, Outcome.LIMIT})
"""Outcomes of an attempt that say something about its task; a lost sandbox does not."""


class Memory:
    """What a home knows, as a curriculum needs it; reads only what is new each time."""

    def __init__(self, library: Library, platform: str, seed: int) -> None:
        """Read nothing yet.

        Args:
            library: The library.
            platform: What tests of tasks depend on, as they were kept under.
            seed: Of the run.
        """
        self._library = library
        self._platform = platform
        self._seed = seed
        self._last = 0
        self._number = 0
        self._tries: list[Try] = []
        self._sightings: list[dict[str, Any]] = []
        self._tasks: dict[str, Task | None] = {}
        self._always: dict[str, frozenset[str]] = {}

    def situation(self) -> Situation:
        """The situation as it is now.

        Raises:
            StorageError: If the library cannot be read.
        """
        self._read_attempts()
        tested = self._library.journal.tested(self._platform)
        seen, together, apart = merge_sightings(self._sightings)
        return Situation(
            contracts=self._contracts(),
            tries=tuple(self._tries),
            seen=seen,
            together=together,
            apart=apart,
            tested={
                task: sum(int(rate["solved"]) for rate in kept.record["rates"])
                for task, kept in tested.items()
                if kept.admitted
            },
            refused=frozenset(task for task, kept in tested.items() if not kept.admitted),
            seed=self._seed,
            number=self._number,
        )

    def _read_attempts(self) -> None:
        chosen = {decision.attempt for decision in self._library.journal.decisions()}
        for attempt in self._library.journal.attempts(after=self._last):
            if attempt.ended_at is None:
                break
            self._last = attempt.id
            self._number += attempt.id in chosen and attempt.outcome is not None
            if attempt.outcome in _TELLING:
                self._remember(attempt)

    def _remember(self, attempt: Attempt) -> None:
        task = self._task(attempt.task)
        if task is None or attempt.outcome is None:
            return
        solved = attempt.outcome is Outcome.SOLVED
        size = attempt.detail.get("library") or 0
        self._tries.append(Try(task, solved, attempt.outcome, int(size)))
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

    def _contracts(self) -> tuple[Contract, ...]:
        found = []
        for entry in self._library.entries():
            task = self._task(entry.task) if entry.state.callable else None
            if task is not None:
                found.append(Contract(entry.name, task, self._effects(entry.program)))
        return tuple(found)

    def _effects(self, program: str) -> frozenset[str]:
        """Atoms that were true at the end of nearly all recorded episodes of a program."""
        if program not in self._always:
            ended: Counter[str] = Counter()
            episodes = self._library.journal.episodes(program)
            for episode in episodes:
                ended.update(episode.detail.get("ended", ()))
            least = ALWAYS * len(episodes)
            self._always[program] = frozenset(
                text for text, times in ended.items() if times >= least
            )
        return self._always[program]
