"""How far a home has come: what it looks back on, what it refuses, and what it would try next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, Final

from curriculum.frontier import FrontierProposer
from curriculum.gates import done_by
from curriculum.memory import Memory
from curriculum.situation import Situation
from env.controls import Controls
from env.errors import VoyagerError
from env.fingerprint import fingerprint
from env.robots import DEFAULT_ROBOT
from skill_store.library import Library
from voyager.browsing.past import Past, look_back
from voyager.lesson import platform_hash

PROGRESS_SCHEMA: Final = "voyager.progress/1"
MOST: Final = 20
"""Goals of the frontier that are told."""


@dataclass(frozen=True, slots=True)
class NextTask:
    """A goal of the frontier.

    Attributes:
        goal: What would be wanted.
        parameters: (name, kind) pairs.
        hash: Of the task.
        proposer: "frontier", or "again" for one that failed before.
        why: What speaks for it.
        effort: Budget that it would get, relative to an ordinary first attempt.
        tested: Whether the control programs were run on it already.
    """

    goal: str
    parameters: tuple[tuple[str, str], ...]
    hash: str
    proposer: str
    why: str
    effort: float
    tested: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A task that is not worth learning.

    Attributes:
        goal: What was wanted.
        why: One sentence.
    """

    goal: str
    why: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a home has come.

    Attributes:
        past: What was tried and reached.
        refused: Tasks that were refused before anything was written, on this platform.
        frontier: What would be tried next, the most promising first.
    """

    past: Past
    refused: tuple[Refused, ...]
    frontier: tuple[NextTask, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with `schema`."""
        return {
            "schema": PROGRESS_SCHEMA,
            **self.past.to_json(),
            "refused": [asdict(one) for one in self.refused],
            "frontier": [asdict(one) for one in self.frontier],
        }


def gather(library: Library, seed: int, most: int = MOST, past: Past | None = None) -> Progress:
    """Read how far a home has come; nothing is simulated, and nothing is written.

    Args:
        library: Opened in any way.
        seed: Of the explorer, whose order it decides.
        most: Goals of the frontier at most.
        past: What `look_back` told; it is read here if it was not.

    Raises:
        StorageError: If the library cannot be read.
    """
    platform = platform_hash(fingerprint(DEFAULT_ROBOT))
    situation = Memory(library, platform, seed).situation()
    waiting = {one.task.hash for one in situation.tries if situation.waits(one.task)}
    told = look_back(library) if past is None else past
    failed = tuple(replace(one, waits=one.hash in waiting) for one in told.failed)
    return Progress(
        past=replace(told, failed=failed),
        refused=tuple(_refused(library, platform)),
        frontier=tuple(islice(_frontier(situation), most)),
    )


def _refused(library: Library, platform: str) -> Iterable[Refused]:
    wordings = library.journal.wordings()
    for task, kept in library.journal.tested(platform).items():
        if kept.admitted or task not in wordings:
            continue
        try:
            why = Controls.from_json(kept.record).refusal
        except VoyagerError as error:
            why = str(error)
        yield Refused(wordings[task].goal, why)


def _frontier(situation: Situation) -> Iterable[NextTask]:
    for proposal in FrontierProposer().propose(situation):
        task = proposal.task
        if task.hash in situation.refused or done_by(situation, task) is not None:
            continue
        yield NextTask(
            goal=task.goal.text,
            parameters=task.parameters,
            hash=task.hash,
            proposer=proposal.proposer,
            why=proposal.why,
            effort=proposal.effort,
            tested=task.hash in situation.tested,
        )
