"""An executor that plays episodes by a rule, for tests of what is decided from outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Self

from env.fingerprint import fingerprint
from env.outcome import Outcome
from env.practice import Skipped, Trial
from env.program import Closure
from env.task import Task
from env.transcript import Episode
from env.workers import Worker
from skill_store import Library
from tests.skill_store.samples import certificate
from voyager.lesson import keep_controls

Rule = Callable[[Closure, int], bool | None]
"""Whether a program solves the scene of a seed; None: no episode can begin there."""


class ScriptedExecutor:
    """Gives episodes whose outcome follows from program and seed; nothing is simulated."""

    workers = 1

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.trials: list[Trial] = []

    def map(self, fn: Callable[..., Any], jobs: Iterable[Any]) -> Iterator[Any]:
        for trial in jobs:
            assert isinstance(trial, Trial)
            self.trials.append(trial)
            solved = self.rule(trial.closure, trial.start.seed)
            if solved is None:
                yield Skipped("the goal is already true at the start", 10)
                continue
            yield Episode(
                outcome=Outcome.SOLVED if solved else Outcome.FAILED,
                reason="" if solved else "the block is 12 mm too low",
                start=trial.start,
                task=trial.task.hash,
                closure=trial.closure.hash,
                margin=0.5 if solved else -0.5,
                steps=100,
            )

    def worker(self, index: int) -> Worker:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def admit(library: Library, task: Task, closure: Closure) -> None:
    """Put a skill into a library with a certificate made by hand for the machine at hand."""
    ordinal = library.reserve(task, closure)
    made = certificate(task, closure, ordinal)
    here = fingerprint(task.scene.robot)
    library.add(task, closure, replace(made, fingerprint=here))
    keep_controls(library, task, made.controls)
