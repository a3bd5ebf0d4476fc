"""Play: what a program does with one sort of objects and another.

A few scenes each show whether a new skill works with kinds that it was not made for, and with which
of its kinds a program works that fails on some of them: what was no answer to a wide question may
be one to a narrower, as in hindsight experience replay (Andrychowicz et al., 2017). Nothing is
proven by that; it tells a curriculum where it is worth while to ask for a skill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from curriculum.growth import elsewhere
from curriculum.narrowing import Narrower, narrower, nearly
from env.errors import GoalError, ProgramError, TaskError
from env.executors import Executor
from env.practice import practise
from env.program import Closure
from env.starts import Handover
from env.task import Task
from env.transcript import Episode
from voyager.writers.adapt import retyped
from voyager.writers.base import Brief
from voyager.writers.trial import TRIAL, Trial, practise_for

Combinations = Callable[[Task], Iterable[tuple[str, dict[str, str]]]]
"""Gives combinations of concrete kinds for a task: `curriculum.growth.elsewhere` or `within`."""
_SCENES: Final = 3
_LONG: Final = 3 * TRIAL // 2
"""Episodes after which it is said where a program goes well that nearly holds everywhere."""


@dataclass(frozen=True, slots=True)
class Transfers:
    """How a program did on other kinds.

    Attributes:
        rates: Scenes solved and scenes tried, by `curriculum.sightings.instance`.
        steps: Simulated for it.
    """

    rates: dict[str, tuple[int, int]]
    steps: int


def play(
    task: Task,
    closure: Closure,
    skills: Sequence[Handover],
    executor: Executor,
    known: Mapping[str, tuple[int, int]],
    where: Combinations = elsewhere,
) -> Transfers:
    """Try a program on one combination of kinds after another.

    Args:
        task: What it is for; only goals of one atom are played with.
        closure: The program.
        skills: What it may call, with contracts.
        executor: Where to simulate.
        known: What was found by playing before. Where a program solved every scene, no other one
            is tried.
        where: The combinations, with the kinds of the parameters; those that the program was not
            made for unless told otherwise.

    Returns:
        How it did on the other combinations of concrete kinds on which the goal could be asked for.

    Raises:
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    rates: dict[str, tuple[int, int]] = {}
    steps = 0
    names = {name: name for name, _ in task.parameters}
    contracts = {skill.closure.root: skill.task for skill in skills}
    for instance, kinds in where(task):
        solved, of = known.get(instance, (0, 1))
        if solved == of:
            continue
        try:
            other = Task.make(
                task.goal.text,
                kinds,
                instruction=task.instruction,
                scene=task.scene,
                time_limit=task.time_limit,
                call_limit=task.call_limit,
            )
            program = retyped(closure.entry, closure.entry.name, other, names)
            if program is None:
                continue
            used = {key: contracts[key] for key in program.lock.values()}
            moved = Closure.of(program, [skill.closure for skill in skills], used)
            found = practise(other, moved, count=_SCENES, executor=executor)
        except (GoalError, ProgramError, TaskError):
            continue  # a goal that cannot be asked for there, or begins solved in every scene
        rates[instance] = (found.solved, _SCENES)
        steps += found.steps
    return Transfers(rates, steps)


def where_it_went_well(brief: Brief, trial: Trial) -> Narrower | None:
    """The kinds of objects with which a program works that fails now and then.

    Args:
        brief: What the program is for; its ledger is charged for a trial to the end, and for
            half as many episodes again where the program nearly holds.
        trial: How it did.

    Returns:
        See `curriculum.narrowing.narrower`.

    Raises:
        TaskError: If most scenes cannot be begun in.
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    seen = _told(brief.task, trial.episodes)
    next_scene = trial.next_scene
    for enough in (TRIAL, _LONG):
        if len(seen) < enough and (enough == TRIAL or nearly(seen)):
            more = practise_for(brief, trial.closure, next_scene, enough - len(seen))
            seen += _told(brief.task, more.episodes)
            next_scene = more.next_index
    return narrower(brief.task.kinds, seen)


def _told(task: Task, episodes: Sequence[Episode]) -> list[tuple[dict[str, str], bool]]:
    return [(_kinds(task, episode), episode.solved) for episode in episodes]


def _kinds(task: Task, episode: Episode) -> dict[str, str]:
    """The kind of the object that each parameter was bound to."""
    kinds = {body.name: body.spec.kind for body in task.sample(episode.start.seed).bodies}
    return {name: kinds[bound] for name, bound in episode.binding.items()}
