"""How an episode can end: one enumeration for the judge, the store, the curriculum and people."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended.

    The first six say something about the program or the task. The others say that the
    infrastructure failed: they are never a verdict and never teach anybody that a task is hard.
    """

    SOLVED = "solved"
    """The program returned, the goal held in the settle window, callees kept their contracts."""
    FAILED = "failed"
    """The program returned, but the goal did not hold or a callee's contract stayed broken."""
    LIMIT = "limit"
    """The program was stopped by a deterministic limit: robot calls or simulated time."""
    HANG = "hang"
    """The program burnt its CPU allowance twice, on two rebuilt worlds."""
    SKILL_ERROR = "skill_error"
    """The program raised an error that it did not catch."""
    REJECTED = "rejected"
    """The program was refused before any physics."""
    SANDBOX_LOST = "sandbox_lost"
    """The sandbox failed, or the machine was too busy to let the program run."""
    SIMULATOR_LOST = "simulator_lost"
    """The simulator crashed or left the finite numbers."""
    STORAGE_ERROR = "storage_error"
    """The library could not be read or written."""
    PROVIDER_ERROR = "provider_error"
    """A model provider failed."""

    @property
    def about_program(self) -> bool:
        """Whether this says something about the program or the task, not the infrastructure."""
        return self in _ABOUT_PROGRAM


_ABOUT_PROGRAM = frozenset(
    (
        Outcome.SOLVED,
        Outcome.FAILED,
        Outcome.LIMIT,
        Outcome.HANG,
        Outcome.SKILL_ERROR,
        Outcome.REJECTED,
    )
)
