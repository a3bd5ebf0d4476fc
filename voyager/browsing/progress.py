"""How far a home has come: what was learned, what failed, what would be tried next, milestones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
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
from skill_store.queue import RequestState
from skill_store.records import Attempt
from voyager.lesson import platform_hash
from voyager.report.chronicle import MilestoneFacts, gather_milestones

PROGRESS_SCHEMA: Final = "voyager.progress/1"
MOST: Final = 20
"""Goals of the frontier that are told."""


@dataclass(frozen=True, slots=True)
class TriedTask:
    """A task that was attempted.

    Attributes:
        hash: Of the task.
        goal: What was wanted.
        instruction: The same in words.
        skill: Name of the skill that it has; None without one.
        times: Attempts that said something about it.
        steps: Physics steps of all of them.
        outcome: How the last one ended.
        reason: One sentence about that; empty when it was learned.
        last: Number of the last one.
        waits: Whether it failed and would not be tried before the library has grown.
    """

    hash: str
    goal: str
    instruction: str
    skill: str | None
    times: int
    steps: int
    outcome: str
    reason: str
    last: int
    waits: bool


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
        solved: Tasks that have a skill, in the order in which they were learned.
        failed: Tasks that were tried in vain, the last tried first.
        refused: Tasks that were refused before anything was written, on this platform.
        frontier: What would be tried next, the most promising first.
        waiting: Goals that users asked for and wait for.
        milestones: In their own order.
        interrupted: Attempts that said nothing about their task.
    """

    solved: tuple[TriedTask, ...]
    failed: tuple[TriedTask, ...]
    refused: tuple[Refused, ...]
    frontier: tuple[NextTask, ...]
    waiting: tuple[str, ...]
    milestones: tuple[MilestoneFacts, ...]
    interrupted: int

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with `schema`."""
        return {
            "schema": PROGRESS_SCHEMA,
            "solved": [asdict(one) for one in self.solved],
            "failed": [asdict(one) for one in self.failed],
            "refused": [asdict(one) for one in self.refused],
            "frontier": [asdict(one) for one in self.frontier],
            "waiting": list(self.waiting),
            "milestones": [_milestone(one) for one in self.milestones],
            "interrupted": self.interrupted,
        }


def gather(library: Library, seed: int, most: int = MOST) -> Progress:
    """Read how far a home has come; nothing is simulated, and nothing is written.

    Args:
        library: Opened in any way.
        seed: Of the explorer, whose order it decides.
        most: Goals of the frontier at most.

    Raises:
        StorageError: If the library cannot be read.
    """
    platform = platform_hash(fingerprint(DEFAULT_ROBOT))
    situation = Memory(library, platform, seed).situation()
    tried, interrupted = _tried(library, situation)
    return Progress(
        solved=tuple(one for one in tried if one.skill is not None),
        failed=tuple(one for one in reversed(tried) if one.skill is None),
        refused=tuple(_refused(library, platform)),
        frontier=tuple(islice(_frontier(situation), most)),
        waiting=tuple(one.goal for one in library.queue.list(RequestState.WAITING)),
        milestones=gather_milestones(library),
        interrupted=interrupted,
    )


def _tried(library: Library, situation: Situation) -> tuple[list[TriedTask], int]:
    """Tasks in the order of their last attempts, and how many attempts said nothing."""
    wordings = library.journal.wordings()
    skills = {entry.task: entry.name for entry in library.entries()}
    waiting = {past.task.hash for past in situation.tries if situation.waits(past.task)}
    by_task: dict[str, list[Attempt]] = {}
    interrupted = 0
    for attempt in library.journal.attempts():
        if attempt.ended_at is None:
            continue
        if attempt.outcome is None or not attempt.outcome.about_program:
            interrupted += 1
            continue
        by_task.setdefault(attempt.task, []).append(attempt)
    found = [
        TriedTask(
            hash=task,
            goal=wordings[task].goal,
            instruction=wordings[task].instruction,
            skill=skills.get(task),
            times=len(attempts),
            steps=sum(one.simulated_steps or 0 for one in attempts),
            outcome=attempts[-1].outcome.value if attempts[-1].outcome is not None else "",
            reason=attempts[-1].reason or "",
            last=attempts[-1].id,
            waits=task in waiting,
        )
        for task, attempts in by_task.items()
    ]
    return sorted(found, key=lambda one: one.last), interrupted


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


def _milestone(one: MilestoneFacts) -> dict[str, Any]:
    milestone = one.reached.milestone
    pairs: Sequence[tuple[str, str]] = milestone.parameters
    return {
        "name": milestone.name,
        "level": milestone.level,
        "theme": milestone.theme.value,
        "goal": milestone.goal,
        "parameters": [list(pair) for pair in pairs],
        "skill": one.reached.skill,
        "at_steps": one.at_steps,
    }
