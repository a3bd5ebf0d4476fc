"""What a library holds: skills, their versions, and the short form in which they are listed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from env.certificate import Certificate, Deepening
from env.episode import run_episode
from env.program import Closure, Program
from env.starts import Handover
from env.statistics import NULL_RATE
from env.task import Task
from env.transcript import Episode
from env.workers import Bench
from skill_store.clock import moment


class SkillState(StrEnum):
    """Where a skill stands in its life."""

    PROBATION = "probation"
    """Admitted by its certificate; its success rate is not yet known well."""
    ACTIVE = "active"
    """Confirmed by episodes drawn after its admission."""
    STALE = "stale"
    """Its certificate was made by another judge, robot, asset or engine; callable by choice."""
    RETIRED = "retired"
    """No longer offered; kept because others may have it in their locks."""

    @property
    def callable(self) -> bool:
        """Whether a search may build on it."""
        return self in (SkillState.PROBATION, SkillState.ACTIVE)

    @classmethod
    def earned(cls, bound: float | None) -> SkillState:
        """What a valid certificate earns together with a published bound, or without one."""
        return cls.PROBATION if bound is None or bound <= NULL_RATE else cls.ACTIVE


class Origin(StrEnum):
    """How a version of a skill came about."""

    LEARNED = "learned"
    """It admitted the skill."""
    EDITED = "edited"
    """Written by a person over an earlier version."""
    RELOCKED = "relocked"
    """The same text, calling the new champion of a skill that it builds on."""
    CHALLENGER = "challenger"
    """Written anew for the same task."""
    RENEWED = "renewed"
    """The same program, certified again."""
    IMPORTED = "imported"
    """From an archive of another home, certified here."""


@dataclass(frozen=True, slots=True)
class Version:
    """One program that stands or stood for a skill: never deleted, never renumbered.

    Attributes:
        skill: Name of the skill.
        number: 1 for the program that admitted it, then in order of arrival.
        program: Hash of the program, 64 hex digits.
        certificate: Hash of the certificate that admitted it, 64 hex digits.
        origin: How it came about.
        champion: Whether it is the one that the skill's name means now.
        k: Held-out episodes that were solved when it was admitted.
        n: Held-out episodes that its admission asked for.
        bound: Published 95 % lower bound of its success rate; None until it is deepened.
        added_at: When it was admitted, UTC.
    """

    skill: str
    number: int
    program: str
    certificate: str
    origin: Origin
    champion: bool
    k: int
    n: int
    bound: float | None
    added_at: datetime


class _Line(NamedTuple):
    """One row of the list of skills, as the database keeps it."""

    name: str
    instruction: str
    goal: str
    k: int
    n: int
    bound: float | None
    program: str
    task: str
    version: int
    sandbox: str
    state_text: str
    callees_text: str
    added_text: str
    parameters_text: str
    pin: int


class SkillEntry(_Line):
    """One line of the list of skills: read without parsing a program, a goal or a certificate.

    Fields whose text has to be parsed are parsed when they are looked at: whoever lists thousands
    of skills looks at two or three fields of each.

    Attributes:
        name: Name of the skill and of its public function.
        instruction: The task in words.
        goal: The goal as it was written.
        k: Held-out episodes that were solved when it was admitted.
        n: Held-out episodes that its admission asked for.
        bound: Published 95 % lower bound of its success rate; None until it is deepened.
        program: Hash of the program, 64 hex digits.
        task: Hash of the task, 64 hex digits.
        version: Number of the version that stands for it.
        sandbox: Where its evidence was gathered, see `env.backend`.
    """

    __slots__ = ()

    @property
    def state(self) -> SkillState:
        """Where it stands in its life."""
        return SkillState(self.state_text)

    @property
    def callees(self) -> tuple[str, ...]:
        """Names of the skills that it calls directly, sorted."""
        return tuple(self.callees_text.split())

    @property
    def added_at(self) -> datetime:
        """When it entered the library, UTC."""
        return moment(self.added_text)

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """(name, kind) of each parameter, in order."""
        return _parameters(self.parameters_text)

    @property
    def pinned(self) -> bool:
        """Whether only a person may move it."""
        return bool(self.pin)


class InUse(NamedTuple):
    """A skill that a search may build on, in the fewest words.

    Attributes:
        name: Its name.
        task: Hash of its task.
        program: Hash of its champion.
    """

    name: str
    task: str
    program: str


@lru_cache(maxsize=4096)
def _parameters(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name, kind in json.loads(text))


@dataclass(frozen=True, slots=True)
class Skill:
    """A certified program with everything that is needed to run, replay or call it.

    Attributes:
        name: Name of the skill and of its public function.
        state: Where it stands in its life.
        closure: The program and all that it calls, with their contracts.
        task: What it promises.
        certificate: The evidence that admitted it.
        deepening: The newest evidence from after its admission, or None.
        added_at: When it entered the library, UTC.
        version: Number of the version that this is.
        pinned: Whether only a person may move it.
    """

    name: str
    state: SkillState
    closure: Closure
    task: Task
    certificate: Certificate
    deepening: Deepening | None
    added_at: datetime
    version: int
    pinned: bool

    @property
    def program(self) -> Program:
        """Its own program, without those that it calls."""
        return self.closure.entry

    @property
    def source(self) -> str:
        """Its own program's text."""
        return self.program.source

    @property
    def doc(self) -> str:
        """The docstring of its function."""
        return self.program.doc

    @property
    def callees(self) -> tuple[str, ...]:
        """Names of the skills that it calls directly, sorted."""
        return self.program.callees

    @property
    def bound(self) -> float | None:
        """Published 95 % lower bound of its success rate; None until it is deepened."""
        return None if self.deepening is None else self.deepening.lower

    @property
    def handover(self) -> Handover:
        """What a scene of another task needs in order to begin where this skill ended."""
        return Handover(self.closure, self.task)

    def run(self, seed: int, *, bench: Bench | None = None, **bindings: str) -> Episode:
        """Run it on one of its task's scenes, in the sandbox, and judge it.

        Args:
            seed: Draws the scene.
            bench: The world and the sandbox to run in; opened for this run alone when None.
            **bindings: Object names for parameters that the seed is not to bind.

        Returns:
            What happened.

        Raises:
            SceneError: If the scene cannot be drawn.
            TaskError: If there is no such parameter.
            KindError: If an object is not in the scene or does not fit.
            SandboxError: If the sandbox cannot stand on this machine.
        """
        if bench is not None:
            return run_episode(
                bench.world(), bench.sandbox(), self.task, self.closure, seed, chosen=bindings
            )
        own = Bench()
        try:
            return self.run(seed, bench=own, **bindings)
        finally:
            own.close()
