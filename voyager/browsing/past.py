"""What a home looks back on: tasks that were learned or tried in vain, milestones, what waits.

It is read off the journal in milliseconds. What comes of it (`voyager.browsing.progress`) has to
be worked out, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skill_store.library import Library
    from skill_store.records import Attempt
    from voyager.report.chronicle import MilestoneFacts


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
        waits: Whether it failed and would not be tried before the library has grown; looking back
            alone does not tell.
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
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What a home looks back on.

    Attributes:
        solved: Tasks that have a skill, in the order in which they were learned.
        failed: Tasks that were tried in vain, the last tried first.
        waiting: Goals that users asked for and wait for.
        milestones: In their own order.
        interrupted: Attempts that said nothing about their task.
    """

    solved: tuple[TriedTask, ...]
    failed: tuple[TriedTask, ...]
    waiting: tuple[str, ...]
    milestones: tuple[MilestoneFacts, ...]
    interrupted: int

    def to_json(self) -> dict[str, Any]:
        """JSON-able: a part of `voyager.progress/1`."""
        return {
            "solved": [asdict(one) for one in self.solved],
            "failed": [asdict(one) for one in self.failed],
            "waiting": list(self.waiting),
            "milestones": [_milestone(one) for one in self.milestones],
            "interrupted": self.interrupted,
        }


def look_back(library: Library) -> Past:
    """Read what a home looks back on.

    Args:
        library: Opened in any way.

    Raises:
        StorageError: If the library cannot be read.
    """
    from skill_store.queue import RequestState
    from voyager.report.chronicle import gather_milestones

    tried, interrupted = _tried(library)
    return Past(
        solved=tuple(one for one in tried if one.skill is not None),
        failed=tuple(one for one in reversed(tried) if one.skill is None),
        waiting=tuple(one.goal for one in library.queue.list(RequestState.WAITING)),
        milestones=gather_milestones(library),
        interrupted=interrupted,
    )


def read_past(home: Path) -> dict[str, Any]:
    """The same of a home that somebody else may be writing to, JSON-able.

    Args:
        home: The home folder.

    Raises:
        StorageError: If the library cannot be read.
    """
    from skill_store import Library

    with Library.open(home) as library:
        return look_back(library).to_json()


def _tried(library: Library) -> tuple[list[TriedTask], int]:
    """Tasks in the order of their last attempts, and how many attempts said nothing."""
    wordings = library.journal.wordings()
    skills = {entry.task: entry.name for entry in library.entries()}
    by_task: dict[str, list[Attempt]] = {}
    interrupted = 0
    for attempt in library.journal.attempts(brief=True):
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
        )
        for task, attempts in by_task.items()
    ]
    return sorted(found, key=lambda one: one.last), interrupted


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
