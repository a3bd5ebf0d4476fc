"""What an exploring run reports when it is over."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from skill_store.journal import Tally

SCHEMA: Final = "voyager.explore/1"


@dataclass(frozen=True, slots=True)
class Learned:
    """A skill that a run has certified.

    Attributes:
        name: Its name.
        goal: Its goal.
        instruction: Its task in words.
        calls: Skills that it calls directly.
        k: Held-out episodes that it solved.
        n: Held-out episodes of its certification.
        bound: Published bound, or None.
        attempt_steps: Physics steps of the attempt.
        at_steps: Physics steps of the run when it was certified.
        at_seconds: Wall time of the run when it was certified.
    """

    name: str
    goal: str
    instruction: str
    calls: tuple[str, ...]
    k: int
    n: int
    bound: float | None
    attempt_steps: int
    at_steps: int
    at_seconds: float


@dataclass(frozen=True, slots=True)
class ExploreReport:
    """How a run went.

    Attributes:
        run: Its number in the journal.
        seed: What it derived from.
        certified: New skills, in order.
        attempts: Attempts that ended with an outcome.
        failed: Those of them in which no skill was found.
        refused: Tasks that turned out not to be worth learning when they were tested before an
            attempt, or attempted. What a late test finds out about others is not counted.
        tally: All its attempts and their episodes by outcome, the lost ones too.
        simulated_steps: Physics steps.
        wall_s: Seconds on the clock.
        stopped: Why it ended: "steps", "tasks", "minutes", "asked", "nothing left", or, paused
            until that is mended, "provider" (a model cannot be asked) or "budget" (a cap on what
            models may cost).
        paused: What the provider or the books said, with what to do; empty otherwise.
        library: Skills in the library at the end.
    """

    run: int
    seed: int
    certified: tuple[Learned, ...]
    attempts: int
    failed: int
    refused: int
    tally: Tally
    simulated_steps: int
    wall_s: float
    stopped: str
    paused: str
    library: int

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with `schema`."""
        record = asdict(self)
        record["certified"] = [learned.name for learned in self.certified]
        record["outcomes"] = record.pop("tally")
        record["wall_s"] = round(self.wall_s, 3)
        return {"schema": SCHEMA, **record}
