"""What a proposer is: it looks at the situation and ranks tasks.

Whether one of them is fit to be attempted is not its business: `curriculum.gates` decides that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from curriculum.situation import Situation
from env.task import Task


@dataclass(frozen=True, slots=True)
class Proposal:
    """A task that could be attempted next.

    Attributes:
        task: The task.
        proposer: Who proposes it.
        why: What speaks for it, in one sentence for people and the journal.
        name: Name that its skill should have; made from the goal if None.
        effort: Budget that it is worth, relative to an ordinary first attempt.
        at_hand: Whether contracts promise each piece of it, on these kinds or others: then a
            program is often found for less than the controls take, and they can run after it.
        mates: Tasks that are worth testing together with it, if it is tested after all.
    """

    task: Task
    proposer: str
    why: str = ""
    name: str | None = None
    effort: float = 1.0
    at_hand: bool = False
    mates: tuple[Task, ...] = ()


class Proposer(Protocol):
    """Proposes tasks."""

    name: str

    def propose(self, situation: Situation) -> Iterator[Proposal]:
        """Tasks in the order in which they should be considered, the same for equal situations."""
