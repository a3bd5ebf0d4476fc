"""One attempt at a task: controls, draft, certificate, library.

    Lesson(library, brief).run() -> LearnReport

The road is the same for every writer: a task is tested before a skill is certified, a draft is
frozen, its certification is reserved on the disk before any held-out scene is drawn, and only an
admitting certificate puts it into the library. After a refusal the writer goes on with fresh
practice scenes and learns nothing but that it was refused.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from curriculum.growth import elsewhere, within
from curriculum.narrowing import Narrower
from env.certificate import Certificate
from env.certification import certify
from env.controls import Controls, run_controls_together
from env.errors import SandboxError, SimulatorError, TaskError, VoyagerError
from env.fingerprint import Fingerprint, fingerprint
from env.outcome import Outcome
from env.program import Closure, Program
from env.seeds import digest
from env.task import Task
from env.transcript import Episode
from skill_store.errors import StorageError
from skill_store.library import Library
from skill_store.skill import Skill
from voyager.events import Stage
from voyager.models.base import ProviderError
from voyager.play import Combinations, play, where_it_went_well
from voyager.witnesses import record_episodes, witnesses_of
from voyager.writers.base import CERTIFY, Brief, Draft, Writer
from voyager.writers.search import SearchWriter
from voyager.writers.trial import Trial, closure_of

SCHEMA: Final = "voyager.learn/1"
_TRIES: Final = 4
"""Certifications of one task in one attempt."""


@dataclass(frozen=True, slots=True)
class LearnReport:
    """How an attempt at a task went.

    Attributes:
        outcome: SOLVED when the library can do the task now, REJECTED when the task is not worth
            learning, else FAILED or LIMIT.
        reason: One sentence; empty when it was learned.
        skill: The skill, or None.
        certificate: The last certificate that was made, or None.
        known: Whether the library could do it before.
        simulated_steps: Physics steps in all.
        stage_steps: The same by stage: controls, search, practice, certify.
        nodes: Plan prefixes that the search kept.
        generated: Steps that it tried.
        expanded: Prefixes whose continuations it tried.
        branching: Steps that it could choose from.
        attempt: Number in the journal; None when there was nothing to attempt.
    """

    outcome: Outcome
    reason: str = ""
    skill: Skill | None = None
    certificate: Certificate | None = None
    known: bool = False
    simulated_steps: int = 0
    stage_steps: Mapping[str, int] = field(default_factory=dict)
    nodes: int = 0
    generated: int = 0
    expanded: int = 0
    branching: int = 0
    attempt: int | None = None

    @property
    def learned(self) -> bool:
        """Whether the library can do the task now."""
        return self.outcome is Outcome.SOLVED

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with `schema`."""
        certificate = self.certificate
        return {
            "schema": SCHEMA,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "known": self.known,
            "skill": None if self.skill is None else self.skill.name,
            "program": None if self.skill is None else self.skill.closure.root,
            "certificate": None if certificate is None else certificate.hash,
            "k": None if certificate is None else certificate.solved,
            "n": None if certificate is None else certificate.n,
            "simulated_steps": self.simulated_steps,
            "stage_steps": dict(self.stage_steps),
            "nodes": self.nodes,
            "generated": self.generated,
            "expanded": self.expanded,
            "branching": self.branching,
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """Why an explorer attempts a task.

    Attributes:
        run: Number of its run in the journal.
        number: How many choices of this home were settled before.
        proposer: Who proposed the task.
        why: What spoke for it, in one sentence.
        library: Skills that the library has.
    """

    run: int
    number: int
    proposer: str
    why: str
    library: int


def platform_hash(platform: Fingerprint) -> str:
    """Hash over what an answer about a task depends on beside the task: judge, robot, engine."""
    return digest(platform.to_json())


def platform_of(task: Task) -> str:
    """The platform hash at hand for a task."""
    return platform_hash(fingerprint(task.scene.robot))


def _written(program: Program | None) -> dict[str, Any] | None:
    return None if program is None else {"source": program.source, "lock": dict(program.lock)}


def known_controls(library: Library, task: Task) -> Controls | None:
    """What the controls did with a task on this platform, if a library knows it.

    Raises:
        StorageError: If the library cannot be read.
    """
    kept = library.journal.controls(task.hash, platform_of(task))
    return None if kept is None else Controls.from_json(kept[1])


def keep_controls(library: Library, task: Task, controls: Controls) -> None:
    """Keep what the controls did with a task.

    Raises:
        StorageError: If the library cannot be written.
    """
    library.journal.keep_controls(task, platform_of(task), not controls.refusal, controls.to_json())


@dataclass(slots=True)
class Lesson:
    """One attempt at a task.

    Attributes:
        library: Opened for learning.
        brief: What the writer gets.
        writer: Proposes programs.
        choice: Why an explorer attempts it; None when a user asked for it directly.
        test_first: Whether the controls run before anything is written, or only before the first
            certification. A goal that a few calls may reach costs less to try than to test.
        mates: Tasks of the same arena whose controls are run with those of this one, for the price
            of one.
        played: How known programs did on kinds that they were not made for.
        certificate: The last one that was made.
        transfers: How the new skill's program did on other kinds of objects, or one that was not
            good enough on one kind and another; see `voyager.play`.
        narrower: With which kinds of objects a program went well that failed now and then.
        unfinished: A program that was looked at in this way.
    """

    library: Library
    brief: Brief
    writer: Writer = field(default_factory=SearchWriter)
    choice: Choice | None = None
    test_first: bool = True
    mates: Sequence[Task] = ()
    played: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    certificate: Certificate | None = None
    transfers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    narrower: Narrower | None = None
    unfinished: Program | None = None
    _refused: Draft | None = field(default=None, init=False)
    """The last draft that was not admitted."""
    _worth: int = field(default=0, init=False)
    """Simulated steps that a second chance may still take; none for a task that a user gave."""
    _controls: list[tuple[Task, Controls]] = field(default_factory=list, init=False)
    """What is kept when the attempt has ended: half of it would lead elsewhere after a kill."""
    _certified: Counter[str] = field(default_factory=Counter, init=False)
    """Held-out episodes by outcome; kept from the ledger, which writers can read."""

    def run(self) -> LearnReport:
        """Attempt the task once; the journal has an attempt for it before anything is simulated.

        Returns:
            The report. What is interrupted has no outcome: the journal says so on the next start.

        Raises:
            TaskError: If the task is not worth learning, or its scenes cannot be begun in.
            StorageError: If the library cannot be read or written.
            SandboxError: If the sandbox failed; nothing is lost.
            SimulatorError: If the simulator failed; nothing is lost.
            ProviderError: If a model could not answer; nothing is lost.
        """
        journal, choice = self.library.journal, self.choice
        attempt = journal.begin_attempt(self.brief.task, None if choice is None else choice.run)
        if choice is not None:
            journal.keep_decision(attempt, choice.number, choice.proposer, choice.why)
        self.brief = replace(self.brief, attempt=attempt)
        outcome: Outcome | None = None
        reason = ""
        try:
            report = self._try(attempt)
            if not report.learned:
                outcome, reason = report.outcome, report.reason
            return report
        except SandboxError as error:
            outcome, reason = Outcome.SANDBOX_LOST, str(error)
            raise
        except SimulatorError as error:
            outcome, reason = Outcome.SIMULATOR_LOST, str(error)
            raise
        except StorageError as error:
            outcome, reason = Outcome.STORAGE_ERROR, str(error)
            raise
        except ProviderError as error:
            outcome, reason = Outcome.PROVIDER_ERROR, str(error)
            raise
        except VoyagerError as error:
            outcome, reason = Outcome.REJECTED, str(error)
            raise
        finally:
            if outcome is not None:
                self._close(attempt, outcome, reason)

    def _close(self, attempt: int, outcome: Outcome, reason: str) -> None:
        kept = self._controls if outcome.about_program else ()
        try:
            with self.library.database.transaction():
                for tested, controls in kept:
                    keep_controls(self.library, tested, controls)
                self.library.journal.end_attempt(
                    attempt,
                    outcome,
                    reason=reason,
                    simulated_steps=self.brief.ledger.budget.used,
                    detail={
                        "steps": dict(self.brief.ledger.budget.spent),
                        "nodes": self.brief.ledger.counts.nodes,
                        "library": None if self.choice is None else self.choice.library,
                        "sightings": dict(self.brief.ledger.counts.sightings),
                        "transfers": dict(self.transfers),
                        "narrower": None if self.narrower is None else self.narrower.to_json(),
                        "unfinished": _written(self.unfinished),
                        "writer": dict(self.brief.ledger.counts.notes),
                        "episodes": {
                            "practice": dict(self.brief.ledger.counts.practised),
                            "certify": dict(self._certified),
                        },
                    },
                )
        except StorageError:
            # The journal closes it as interrupted on the next start; the first error matters.
            if outcome is not Outcome.STORAGE_ERROR:
                raise

    def _try(self, attempt: int) -> LearnReport:
        ledger, task = self.brief.ledger, self.brief.task
        if self.choice is not None and self.choice.proposer != "user":
            self._worth = ledger.budget.left // 2
        controls = self._tested() if self.test_first else None
        if ledger.budget.left <= 0:
            reason = (
                f"testing the task alone took {ledger.budget.used:,} simulated steps; "
                f"give at least {10 * ledger.budget.used:,}"
            )
            ledger.tell(Stage.FAILED, reason)
            return self._report(attempt, Outcome.LIMIT, reason)
        for _ in range(_TRIES):
            draft = self.writer.write(self.brief)
            if draft is None:
                most = ledger.budget.steps if ledger.budget.left <= 0 else ledger.budget.used
                reason = f"no program held in practice within {most:,} simulated steps"
                self._look_where()
                ledger.tell(Stage.FAILED, reason)
                return self._report(attempt, Outcome.LIMIT, reason)
            controls = controls or self._tested()
            refusal = self.library.take_refusal(task, draft.closure, attempt)
            if refusal is not None:
                ledger.budget.spend(CERTIFY, refusal.steps)
                self._decided(refusal)
            elif (skill := self._admitted(draft, controls, attempt)) is not None:
                return self._report(attempt, Outcome.SOLVED, "", skill)
            ledger.tell(Stage.CERTIFY, "not admitted; searching on, and the next test is stricter")
            self.brief = replace(self.brief, first_scene=draft.next_scene)
            self._refused = draft
            # What held in practice is nearly there: it is worth more than it was thought to be.
            ledger.budget.steps += max(0, self._worth - max(0, ledger.budget.left))
            self._worth = 0
            if ledger.budget.left <= 0:
                break
        reason = "programs that held in practice did not pass certification"
        self._look_where()
        ledger.tell(Stage.FAILED, reason)
        return self._report(attempt, Outcome.FAILED, reason)

    def _admitted(self, draft: Draft, controls: Controls, attempt: int) -> Skill | None:
        """The skill that a draft has become, or None if it was refused."""
        certificate, episodes = self._certify(draft, controls, attempt)
        if certificate.admitted and self.choice is not None:
            self._play(draft.closure)
        with self.library.database.transaction():
            self._count_uses(certificate)
            if not certificate.admitted:
                self.library.refuse(certificate)
                return None
            # All at once: a kill leaves no skill whose attempt looks as if it had failed.
            skill = self.library.add(self.brief.task, draft.closure, certificate)
            record_episodes(self.library, skill, "certification", episodes, attempt)
            self._close(attempt, Outcome.SOLVED, "")
        text = f"{skill.name} is in the library"
        self.brief.ledger.tell(Stage.ADMITTED, text, certificate.solved, certificate.n)
        return skill

    def _look_where(self) -> None:
        """With which kinds of objects a program works that does not work with all of them."""
        counts = self.brief.ledger.counts
        if self.choice is None:
            return
        if counts.partly is not None:
            self.unfinished = counts.partly
            self._play(closure_of(self.brief, counts.partly), within)
        nearest = counts.nearest
        if (draft := self._refused) is not None:
            # Practice on scenes of its own says where it goes well; certification says nothing.
            nearest = Trial(draft.closure.entry, draft.closure, (), self.brief.first_scene)
        if nearest is not None and (nearest.solved or not nearest.of):
            self.brief.ledger.tell(Stage.PRACTICE, "looking with which kinds of objects it works")
            with contextlib.suppress(TaskError):  # too few scenes to begin in: then nothing is told
                self.narrower = where_it_went_well(self.brief, nearest)
            self.unfinished = nearest.program if self.narrower else self.unfinished

    def _play(self, closure: Closure, where: Combinations = elsewhere) -> None:
        brief, ledger = self.brief, self.brief.ledger
        ledger.tell(Stage.PRACTICE, "playing with one kind of objects and another")
        found = play(brief.task, closure, brief.skills, brief.executor, self.played, where)
        ledger.budget.spend("play", found.steps)
        self.transfers = found.rates

    def _count_uses(self, certificate: Certificate) -> None:
        for callee in certificate.callees:
            self.library.count_use(callee.program, callee.made, callee.kept)

    def _tested(self) -> Controls:
        """The controls of this task: kept ones if there are any, or run now and kept."""
        task, ledger = self.brief.task, self.brief.ledger
        controls = known_controls(self.library, task)
        if controls is None:
            text = "testing the task with programs that must not solve it"
            ledger.tell(Stage.CONTROLS, text)

            def show(done: int) -> None:
                ledger.tell(Stage.CONTROLS, text, of=done)

            together = (task, *self.mates)
            found, spent = run_controls_together(together, self.brief.executor, show)
            ledger.budget.spend("controls", spent)
            if not self.test_first:
                ledger.budget.steps += spent  # else a writer would have less left for being right
            controls = found[0]
            if self.mates:
                self._controls = list(zip(together, found, strict=True))
            else:
                keep_controls(self.library, task, controls)
        if controls.refusal:
            raise TaskError(controls.refusal)
        return controls

    def _certify(
        self, draft: Draft, controls: Controls, attempt: int
    ) -> tuple[Certificate, Sequence[Episode]]:
        ordinal = self.library.reserve(self.brief.task, draft.closure, attempt)
        seen: list[Episode] = []

        def show(episode: Episode) -> None:
            seen.append(episode)
            solved = sum(e.solved for e in seen)
            self.brief.ledger.tell(Stage.CERTIFY, "certifying on unseen scenes", solved, len(seen))

        certificate = certify(
            self.brief.task,
            draft.closure,
            executor=self.brief.executor,
            ordinal=ordinal,
            handovers=self.brief.handovers,
            controls=controls,
            witnesses=witnesses_of(self.brief.task),
            watch=show,
        )
        self.brief.ledger.budget.spend(CERTIFY, certificate.steps)
        self._decided(certificate)
        return certificate, seen

    def _decided(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self._certified.update(scene.outcome.value for scene in certificate.scenes)

    def _report(
        self, attempt: int, outcome: Outcome, reason: str, skill: Skill | None = None
    ) -> LearnReport:
        return LearnReport(
            outcome=outcome,
            reason=reason,
            skill=skill,
            certificate=self.certificate,
            simulated_steps=self.brief.ledger.budget.used,
            stage_steps=dict(self.brief.ledger.budget.spent),
            nodes=self.brief.ledger.counts.nodes,
            generated=self.brief.ledger.counts.generated,
            expanded=self.brief.ledger.counts.expanded,
            branching=self.brief.ledger.counts.branching,
            attempt=attempt,
        )
