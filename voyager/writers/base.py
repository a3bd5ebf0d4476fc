"""What a writer is: it gets a brief and gives a draft. Certification is not its business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from curriculum.situation import Unfinished
from env.executors import Executor
from env.program import Closure, Program
from env.starts import Handover
from env.task import Task
from voyager.events import Event, Stage, Watch, nobody

if TYPE_CHECKING:
    from voyager.writers.trial import Trial

CERTIFY: Final = "certify"
"""Purpose of the steps of certifications."""


class Budget:
    """Simulated steps that may be spent, and where they went."""

    def __init__(self, steps: int) -> None:
        """Begin with a number of steps."""
        self.steps = steps
        self.spent: dict[str, int] = {}

    def spend(self, purpose: str, steps: int) -> None:
        """Note steps that were simulated."""
        self.spent[purpose] = self.spent.get(purpose, 0) + steps

    @property
    def used(self) -> int:
        """All steps spent so far."""
        return sum(self.spent.values())

    @property
    def left(self) -> int:
        """Steps that may still be spent; may be below zero after a last run.

        Certifications come on top: what is left would otherwise tell a writer how long one took.
        """
        return self.steps - self.used + self.spent.get(CERTIFY, 0)


@dataclass(slots=True)
class Counts:
    """What a writer has tried.

    Attributes:
        generated: Steps tried in at least one scene.
        nodes: Plan prefixes that were worth keeping.
        expanded: Plan prefixes whose continuations were tried.
        branching: Steps that could be appended to a prefix.
        sightings: What came true on the way, see `curriculum.sightings.Sightings.summary`.
        notes: What else the journal should keep about the writing, JSON-able: who wrote, how
            often it was asked, which prompts it got.
        practised: Practice episodes by outcome.
        nearest: The trial that went best of those that did not hold, None if nothing was tried.
        partly: A program that made the goal true in some scenes of a search that found no plan for
            all of them.
    """

    generated: int = 0
    nodes: int = 0
    expanded: int = 0
    branching: int = 0
    sightings: Mapping[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    practised: Counter[str] = field(default_factory=Counter)
    nearest: Trial | None = None
    partly: Program | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What one run has spent and tried, and whom it tells.

    Attributes:
        budget: Simulated steps.
        counts: What was tried.
        watch: Is told each event.
    """

    budget: Budget
    watch: Watch = nobody
    counts: Counts = field(default_factory=Counts)

    def tell(self, stage: Stage, text: str, solved: int = 0, of: int = 0) -> None:
        """Tell how things stand.

        Args:
            stage: Where the run is.
            text: One short sentence.
            solved: Episodes solved in this stage.
            of: Episodes run in this stage.
        """
        self.watch(
            Event(
                stage,
                text,
                simulated_steps=self.budget.used,
                budget=self.budget.steps,
                nodes=self.counts.nodes,
                solved=solved,
                of=of,
            )
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a certified skill did on scenes that it was not written on.

    Attributes:
        solved: Held-out episodes that were solved when it was admitted.
        of: Held-out episodes that its admission asked for.
        bound: Published 95 % lower bound of its success rate; None until it is deepened.
    """

    solved: int
    of: int
    bound: float | None


@dataclass(frozen=True, slots=True)
class Brief:
    """What a writer is asked for.

    Attributes:
        task: What the program is to achieve.
        name: What it is to be called.
        skills: Certified skills that it may call, with their contracts.
        handovers: Certified skills that scenes may begin after.
        first_scene: Index of the first practice scene that it may look at.
        lanes: Practice scenes to work on side by side.
        ledger: Simulated steps that may be spent; is charged and told.
        executor: Where to simulate.
        standings: How the skills do, by program hash, as far as it is known.
        attempt: Number of the attempt in the journal; None when nobody keeps one.
        moves: Parameters whose objects a skill was seen to move, by its name.
        unfinished: Programs that did not hold, and went well with some kinds of objects.
        patience: Simulated steps within which a search must have found a plan that holds in all
            its scenes, or give up; None for as long as the ledger allows.
    """

    task: Task
    name: str
    skills: Sequence[Handover]
    handovers: Sequence[Handover]
    first_scene: int
    lanes: int
    ledger: Ledger
    executor: Executor
    standings: Mapping[str, Standing] = field(default_factory=dict)
    attempt: int | None = None
    moves: Mapping[str, Collection[str]] = field(default_factory=dict)
    unfinished: Sequence[Unfinished] = ()
    patience: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A program that held in practice.

    Attributes:
        closure: The program with all that it calls.
        next_scene: Index of the first practice scene that was not looked at.
        solved: Practice episodes solved in its last trial.
        of: Practice episodes in its last trial.
    """

    closure: Closure
    next_scene: int
    solved: int
    of: int


class Writer(Protocol):
    """Proposes programs."""

    name: str

    def write(self, brief: Brief) -> Draft | None:
        """Write a program for a brief.

        Args:
            brief: What is asked for; its ledger is charged.

        Returns:
            A draft that held in practice, or None when the budget or the patience is used up.

        Raises:
            TaskError: If no practice scene can be begun in.
            SandboxError: If the sandbox failed.
            SimulatorError: If the simulator failed.
        """
