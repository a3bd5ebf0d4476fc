"""What an explorer tells whoever watches it: plain values, no text for terminals.

A piece of news is about the whole run; what the attempt under way does is told inside it, as the
`Event` that `voyager.learn` gave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from env.task import Task
from voyager.events import Event


class Phase(StrEnum):
    """Where an exploring run stands."""

    STARTED = "started"
    """The home is open; nothing was chosen yet."""
    CHOSEN = "chosen"
    """A task was chosen; work on it begins."""
    WORKING = "working"
    """Something happened in the attempt under way, see `News.event`."""
    SETTLED = "settled"
    """The attempt ended: learned, failed or refused."""
    PAUSED = "paused"
    """A user asked it to wait; nothing is attempted until another word."""
    RESUMED = "resumed"
    """It goes on after a pause."""
    STOPPING = "stopping"
    """It was asked to stop, and does so after the attempt under way."""
    ENDED = "ended"
    """The run is over."""


@dataclass(frozen=True, slots=True)
class News:
    """One piece of news.

    Attributes:
        phase: Where the run stands.
        text: One sentence.
        task: What is worked on, or was just settled.
        proposer: Who proposed the task: "user", "frontier", "again", "model", "random", "fixed".
        event: What the attempt under way told (only while working).
        skill: Name of the new skill, when an attempt settled with one.
        attempts: Attempts of this run that have ended.
        certified: Skills of this run.
        simulated_steps: Physics steps of this run, the attempt under way included.
        budget: Physics steps that the run may take in all; None without such a limit.
        seconds: Wall time of this run.
    """

    phase: Phase
    text: str
    task: Task | None = None
    proposer: str = ""
    event: Event | None = None
    skill: str | None = None
    attempts: int = 0
    certified: int = 0
    simulated_steps: int = 0
    budget: int | None = None
    seconds: float = 0.0


NewsWatch = Callable[[News], None]
"""Is told each piece of news; must return quickly and must not raise."""
