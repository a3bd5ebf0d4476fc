"""Proving another program for a skill that is known: practice, then certification.

The same road as for a new skill (`voyager.lesson`), but for the writer: the program is there.
Whether it becomes a version, and whether it becomes the champion, is for the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from env.certificate import Certificate
from env.certification import certify
from env.controls import Controls, run_controls_together
from env.errors import SandboxError, SimulatorError, TaskError, VoyagerError
from env.executors import Executor
from env.outcome import Outcome
from env.practice import practise
from env.program import Closure
from env.starts import Handover
from env.task import Task
from env.transcript import Episode
from skill_store.errors import StorageError
from skill_store.library import Library
from skill_store.skill import Origin, Skill
from voyager.events import Stage
from voyager.lesson import keep_controls, known_controls, platform_of
from voyager.witnesses import record_episodes, witnesses_of
from voyager.writers.base import CERTIFY, Ledger

PRACTICE_SCENES: Final = 20
PRACTICE_NEEDED: Final = 19
"""What a program must solve in practice, so that no certification is wasted on it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a program.

    Attributes:
        refusal: Why it was not admitted, one sentence; empty when it was.
        certificate: Admitting or not; None when practice was enough to refuse it.
        episodes: Those of the certification.
    """

    refusal: str
    certificate: Certificate | None = None
    episodes: tuple[Episode, ...] = ()


class Subject(Protocol):
    """What is proved: a skill of the library, or one that waits to become one."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def task(self) -> Task:
        """What it promises."""


@dataclass(slots=True)
class Attempt:
    """An attempt under way in the journal.

    Attributes:
        number: Its number.
        outcome: How it ended; None leaves it open, and the next start calls it interrupted.
        reason: One sentence about the outcome.
    """

    number: int
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proving:
    """Where programs are proved.

    Attributes:
        library: Opened for learning.
        executor: Where to simulate.
        ledger: Is charged and told.
    """

    library: Library
    executor: Executor
    ledger: Ledger

    def handovers(self, skill: Subject) -> tuple[Handover, ...]:
        """Skills that scenes of a skill's task may begin after.

        Raises:
            StorageError: If the library cannot be read.
        """
        return tuple(other.handover for other in self.library.handovers_for(skill.task))

    @contextmanager
    def attempt(self, skill: Subject, origin: Origin) -> Iterator[Attempt]:
        """Have what is done in the block written down as one attempt at the skill's task.

        Args:
            skill: The skill.
            origin: How its new program came about.

        Yields:
            The attempt, whose outcome the block sets.

        Raises:
            StorageError: If it cannot be written.
        """
        journal, before = self.library.journal, self.ledger.budget.used
        attempt = Attempt(journal.begin_attempt(skill.task))
        try:
            yield attempt
        except VoyagerError as error:
            attempt.outcome, attempt.reason = _outcome(error), str(error)
            raise
        finally:
            if attempt.outcome is not None:
                journal.end_attempt(
                    attempt.number,
                    attempt.outcome,
                    attempt.reason,
                    simulated_steps=self.ledger.budget.used - before,
                    detail={
                        "skill": skill.name,
                        "origin": origin.value,
                        "platform": platform_of(skill.task),
                    },
                )

    def prove(self, skill: Subject, closure: Closure, attempt: Attempt) -> Proof:
        """Practise and certify a program for the task of a skill.

        A refused certificate is kept at once; an admitting one is for `admit`.

        Args:
            skill: The skill.
            closure: The program, frozen.
            attempt: What it belongs to.

        Returns:
            What came of it.

        Raises:
            TaskError: If the task's scenes cannot be begun in.
            StorageError: If the library cannot be read or written.
            SandboxError: If the sandbox failed; nothing is lost.
            SimulatorError: If the simulator failed; nothing is lost.
        """
        handovers = self.handovers(skill)
        self.ledger.tell(Stage.PRACTICE, f"practising {skill.name}")
        practice = practise(
            skill.task,
            closure,
            count=PRACTICE_SCENES,
            executor=self.executor,
            handovers=handovers,
        )
        self.ledger.budget.spend("practice", practice.steps)
        if practice.solved < PRACTICE_NEEDED:
            failed = next(episode for episode in practice.episodes if not episode.solved)
            return Proof(
                f"it solved {practice.solved} of {PRACTICE_SCENES} practice scenes and needs "
                f"{PRACTICE_NEEDED}; for example, {told(failed)}"
            )
        return self.certify(skill, closure, attempt, handovers)

    def certify(
        self,
        skill: Subject,
        closure: Closure,
        attempt: Attempt,
        handovers: Sequence[Handover],
    ) -> Proof:
        """The last part of `prove`, for a program that was tried out already.

        Args:
            skill: The skill.
            closure: The program, frozen.
            attempt: What it belongs to.
            handovers: Skills that its scenes may begin after.

        Returns:
            What came of it.

        Raises:
            TaskError: If the task's scenes cannot be begun in.
            StorageError: If the library cannot be read or written.
            SandboxError: If the sandbox failed; nothing is lost.
            SimulatorError: If the simulator failed; nothing is lost.
        """
        controls = self._controls(skill)
        ordinal = self.library.reserve(skill.task, closure, attempt.number)
        seen: list[Episode] = []

        def show(episode: Episode) -> None:
            seen.append(episode)
            solved = sum(e.solved for e in seen)
            self.ledger.tell(Stage.CERTIFY, f"certifying {skill.name}", solved, len(seen))

        certificate = certify(
            skill.task,
            closure,
            executor=self.executor,
            ordinal=ordinal,
            handovers=handovers,
            controls=controls,
            witnesses=witnesses_of(skill.task),
            watch=show,
        )
        self.ledger.budget.spend(CERTIFY, certificate.steps)
        for callee in certificate.callees:
            self.library.count_use(callee.program, callee.made, callee.kept)
        if not certificate.admitted:
            self.library.refuse(certificate)
            return Proof(
                f"it was not admitted: {certificate.solved} of {len(certificate.scenes)} scenes "
                f"that nobody had seen were solved, {certificate.needed} of {certificate.n} are "
                "needed",
                certificate,
            )
        return Proof("", certificate, tuple(seen))

    def admit(
        self,
        skill: Skill,
        closure: Closure,
        proof: Proof,
        origin: Origin,
        attempt: Attempt,
        *,
        champion: bool,
    ) -> Skill:
        """Make a proved program a version of its skill, and keep what its episodes showed.

        Args:
            skill: The skill.
            closure: The program.
            proof: What `prove` gave for it.
            origin: How it came about.
            attempt: What it belongs to.
            champion: Whether it stands for the skill from now on.

        Returns:
            The skill as this version has it.

        Raises:
            TaskError: If it was not proved.
            AdmissionError: If it cannot be a version of this skill.
            StorageError: If it cannot be written.
        """
        if proof.refusal or proof.certificate is None:
            raise TaskError(
                f"{skill.name!r} gets no version that was not admitted: {proof.refusal}"
            )
        made = self.library.add_version(
            skill.name, closure, proof.certificate, origin, champion=champion
        )
        record_episodes(self.library, made, "certification", proof.episodes, attempt.number)
        return made

    def _controls(self, skill: Subject) -> Controls:
        """Those that are kept for this platform, or run now and kept."""
        controls = known_controls(self.library, skill.task)
        if controls is None:
            self.ledger.tell(
                Stage.CONTROLS, "testing the task with programs that must not solve it"
            )
            (controls,), steps = run_controls_together((skill.task,), self.executor)
            self.ledger.budget.spend("controls", steps)
            keep_controls(self.library, skill.task, controls)
        if controls.refusal:
            raise TaskError(controls.refusal)
        return controls


def told(episode: Episode) -> str:
    """What went wrong in an episode, and where, in words."""
    reason = episode.reason.rstrip(".") or episode.outcome.value
    return f"in the scene of seed {episode.start.seed}: {reason}"


def _outcome(error: VoyagerError) -> Outcome | None:
    if isinstance(error, StorageError):
        return None  # it could not be written either
    if isinstance(error, SandboxError):
        return Outcome.SANDBOX_LOST
    return Outcome.SIMULATOR_LOST if isinstance(error, SimulatorError) else Outcome.REJECTED
