"""Trying a program on practice scenes: the same for every writer, and as strict as certification.

A program is run on a few scenes first and given up if it mostly fails there; 19 of 20 on scenes
that were not looked at before make a draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from env.practice import Practice, practise
from env.program import Closure, Program
from env.transcript import Episode
from voyager.events import Stage
from voyager.writers.base import Brief

PRACTICE: Final = "practice"
"""Purpose of the steps of practice."""
FIRST_LOOK: Final = 6
"""Practice episodes after which a program that mostly fails is given up."""
TRIAL: Final = 20
"""Practice episodes that a draft has behind it."""
_SHORT_LOOKS: Final = (FIRST_LOOK, FIRST_LOOK, TRIAL - 2 * FIRST_LOOK)
"""The looks of a trial that ends as soon as it cannot hold."""
ENOUGH: Final = 19
"""Of `TRIAL`; certification asks for the same."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a program did on fresh practice scenes.

    Attributes:
        program: The program.
        closure: With all that it calls.
        episodes: In seed order; fewer than `TRIAL` if it was given up.
        next_scene: Where the scenes begin that were not looked at.
    """

    program: Program
    closure: Closure
    episodes: tuple[Episode, ...]
    next_scene: int

    @property
    def solved(self) -> int:
        """Episodes that were solved."""
        return sum(episode.solved for episode in self.episodes)

    @property
    def of(self) -> int:
        """Episodes that were run."""
        return len(self.episodes)

    @property
    def rate(self) -> float:
        """Chance that the next episode is solved, by Laplace's rule of succession."""
        return (self.solved + 1) / (self.of + 2)

    @property
    def held(self) -> bool:
        """Whether it is good enough to be certified."""
        return self.solved >= ENOUGH


def closure_of(brief: Brief, program: Program) -> Closure:
    """Close a program over the skills of its brief, with their contracts.

    Raises:
        ProgramError: If it locks something that the brief does not offer.
    """
    contracts = {skill.closure.root: skill.task for skill in brief.skills}
    used = {key: contracts[key] for key in program.lock.values() if key in contracts}
    return Closure.of(program, [skill.closure for skill in brief.skills], used)


def practise_for(brief: Brief, closure: Closure, first: int, count: int) -> Practice:
    """Run a program on practice scenes, charged to its brief.

    Args:
        brief: What is worked on.
        closure: The program.
        first: Index of the first scene.
        count: Episodes.

    Returns:
        The episodes.

    Raises:
        TaskError: If most scenes cannot be begun in.
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    practice = practise(
        brief.task,
        closure,
        count=count,
        executor=brief.executor,
        handovers=brief.handovers,
        first=first,
    )
    brief.ledger.budget.spend(PRACTICE, practice.steps)
    brief.ledger.counts.practised.update(e.outcome.value for e in practice.episodes)
    return practice


def try_out(brief: Brief, program: Program, first: int, *, thorough: bool = True) -> Trial:
    """Try a program on fresh scenes, giving up early if it mostly fails.

    Args:
        brief: What is worked on; its ledger is charged and told.
        program: What is tried.
        first: Index of the first scene that was not looked at.
        thorough: Whether a program that fails now and then is run to the end, for what its failures
            tell; else it is given up, between two looks, as soon as it cannot hold any more.

    Returns:
        How it did.

    Raises:
        ProgramError: If it locks something that the brief does not offer.
        TaskError: If most scenes cannot be begun in.
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    closure = closure_of(brief, program)
    trial = Trial(program, closure, (), first)
    most = 2 if thorough else TRIAL - ENOUGH
    for count in (FIRST_LOOK, TRIAL - FIRST_LOOK) if thorough else _SHORT_LOOKS:
        practice = practise_for(brief, closure, trial.next_scene, count)
        episodes = (*trial.episodes, *practice.episodes)
        trial = Trial(program, closure, episodes, practice.next_index)
        brief.ledger.tell(Stage.PRACTICE, "practising", trial.solved, trial.of)
        if trial.solved < trial.of - most:
            break
    nearest = brief.ledger.counts.nearest
    if not trial.held and (nearest is None or trial.rate > nearest.rate):
        brief.ledger.counts.nearest = trial
    return trial
