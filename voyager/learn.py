"""Learn one skill: controls, draft, certificate, library.

    task, library -> learn(...) -> LearnReport

The road is the same for every writer: a task is tested before a skill is, a draft is frozen, its
certification is reserved on the disk before any held-out scene is drawn, and only an admitting
certificate puts it into the library. After a refusal the writer goes on with fresh practice
scenes and learns nothing but that it was refused.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from env.actions import ACTIONS
from env.certificate import Certificate
from env.certification import certify
from env.controls import Controls, run_controls
from env.errors import SandboxError, SimulatorError, TaskError, VoyagerError
from env.executors import Executor
from env.outcome import Outcome
from env.starts import Handover
from env.task import Task
from env.transcript import Episode
from skill_store.errors import StorageError
from skill_store.library import Library
from skill_store.skill import Skill
from skill_store.staleness import mark_stale
from voyager.events import Stage, Watch, nobody
from voyager.writers.base import Brief, Budget, Draft, Ledger, Writer
from voyager.writers.emit import name_for
from voyager.writers.search import SearchWriter

SCHEMA: Final = "voyager.learn/1"
_SCENES_A_SEED: Final = 100_000
"""Practice scenes of two run seeds are this far apart, so runs with other seeds see others."""
_TRIES: Final = 4
"""Certifications of one task in one run."""


@dataclass(frozen=True, slots=True)
class LearnReport:
    """How learning one skill went.

    Attributes:
        outcome: SOLVED when the library has a skill for the task now, else FAILED or LIMIT.
        reason: One sentence; empty when it was learned.
        skill: The skill, or None.
        certificate: The last certificate that was made, or None.
        known: Whether the library had the skill before.
        simulated_steps: Physics steps in all.
        stage_steps: The same by stage: controls, search, practice, certify.
        nodes: Plan prefixes that the search kept.
        generated: Steps that it tried.
        expanded: Prefixes whose continuations it tried.
        branching: Steps that it could choose from.
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

    @property
    def learned(self) -> bool:
        """Whether the library has a skill for the task now."""
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


def learn(
    task: Task,
    library: Library,
    *,
    executor: Executor,
    steps: int,
    lanes: int = 4,
    name: str | None = None,
    use_library: bool = True,
    seed: int = 0,
    writer: Writer | None = None,
    controls: Controls | None = None,
    watch: Watch = nobody,
) -> LearnReport:
    """Learn a skill for a task and put it into a library.

    Args:
        task: What is wanted.
        library: Opened for learning.
        executor: Where to simulate; the result does not depend on its workers.
        steps: Physics steps that may be simulated, all stages together; a certification that was
            begun is finished.
        lanes: Practice scenes that are searched side by side.
        name: Name of the skill; made from the goal if None.
        use_library: Whether the program may call library skills, and scenes begin after them.
        seed: Of the run: which practice scenes are looked at.
        writer: Proposes programs; the search without a model if None.
        controls: What `run_controls` gave for this task on this platform; run now if None.
        watch: Is told what happens.

    Returns:
        The report.

    Raises:
        TaskError: If the task is refused (true at the start, solved by doing nothing...) or
            the name cannot name a skill.
        StorageError: If the library cannot be read or written.
        SandboxError: If the sandbox failed; nothing is lost.
        SimulatorError: If the simulator failed; nothing is lost.
    """
    mark_stale(library)
    known = library.find(task.hash)
    if known is not None:
        return LearnReport(Outcome.SOLVED, skill=known, certificate=known.certificate, known=True)
    skills = _offered(library, task) if use_library else ()
    brief = Brief(
        task=task,
        name=_free_name(library, task, name),
        skills=skills,
        handovers=skills,
        first_scene=seed * _SCENES_A_SEED,
        lanes=lanes,
        ledger=Ledger(Budget(steps), watch),
        executor=executor,
    )
    return _Lesson(library, writer or SearchWriter(), brief, controls).run()


def _free_name(library: Library, task: Task, wanted: str | None) -> str:
    """The name asked for, or one from the goal; with the last kind if that is taken."""
    if wanted is not None:
        _check_name(wanted)
    name = wanted or name_for(task.goal)
    free = library.free_name(name, task.hash)
    if free == name or wanted or not task.parameters:
        return free
    return library.free_name(f"{name}_{task.parameters[-1][1]}", task.hash)


def _check_name(name: str) -> None:
    """Refuse a name that no program could have, before anything is paid for it."""
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise TaskError(f"{name!r} cannot name a skill; use letters, digits and underscores")
    if name in ACTIONS or name.startswith("_"):
        raise TaskError(f"{name!r} is taken by the robot API or private; choose another name")


def _offered(library: Library, task: Task) -> tuple[Handover, ...]:
    """Library skills as what may be called and what scenes may begin after."""
    return tuple(
        Handover(skill.closure.with_contract(skill.task), skill.task)
        for skill in library.callees_for(task)
    )


@dataclass(slots=True)
class _Lesson:
    """One call of `learn`."""

    library: Library
    writer: Writer
    brief: Brief
    controls: Controls | None
    certificate: Certificate | None = None

    def run(self) -> LearnReport:
        attempt = self.library.journal.begin_attempt(self.brief.task)
        # What is interrupted has no outcome: the journal says so on the next start.
        outcome: Outcome | None = None
        reason = ""
        try:
            report = self._try(attempt)
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
        except VoyagerError as error:
            outcome, reason = Outcome.REJECTED, str(error)
            raise
        finally:
            if outcome is not None:
                self._close(attempt, outcome, reason)

    def _close(self, attempt: int, outcome: Outcome, reason: str) -> None:
        try:
            self.library.journal.end_attempt(
                attempt,
                outcome,
                reason=reason,
                simulated_steps=self.brief.ledger.budget.used,
            )
        except StorageError:
            # The journal closes it as interrupted on the next start; the first error matters.
            if outcome is not Outcome.STORAGE_ERROR:
                raise

    def _try(self, attempt: int) -> LearnReport:
        ledger, task = self.brief.ledger, self.brief.task
        controls = self.controls or self._run_controls()
        if ledger.budget.left <= 0:
            reason = (
                f"testing the task alone took {ledger.budget.used:,} simulated steps; "
                f"give at least {10 * ledger.budget.used:,}"
            )
            ledger.tell(Stage.FAILED, reason)
            return self._report(Outcome.LIMIT, reason)
        for _ in range(_TRIES):
            draft = self.writer.write(self.brief)
            if draft is None:
                most = ledger.budget.steps
                reason = f"no program held in practice within {most:,} simulated steps"
                ledger.tell(Stage.FAILED, reason)
                return self._report(Outcome.LIMIT, reason)
            certificate = self._certify(draft, controls, attempt)
            if certificate.admitted:
                skill = self.library.add(task, draft.closure, certificate)
                text = f"{skill.name} is in the library"
                ledger.tell(Stage.ADMITTED, text, certificate.solved, certificate.n)
                return self._report(Outcome.SOLVED, "", skill)
            self.library.refuse(certificate)
            ledger.tell(Stage.CERTIFY, "not admitted; searching on, and the next test is stricter")
            self.brief = replace(self.brief, first_scene=draft.next_scene)
            if ledger.budget.left <= 0:
                break
        last = self.certificate
        done = "" if last is None else f" (the last solved {last.solved} of {len(last.scenes)})"
        reason = f"programs that held in practice did not pass certification{done}"
        ledger.tell(Stage.FAILED, reason)
        return self._report(Outcome.FAILED, reason)

    def _run_controls(self) -> Controls:
        self.brief.ledger.tell(
            Stage.CONTROLS, "testing the task with programs that must not solve it"
        )
        shown: list[Episode] = []

        def show(episode: Episode) -> None:
            shown.append(episode)
            solved = sum(e.solved for e in shown)
            self.brief.ledger.tell(
                Stage.CONTROLS, "programs that must not solve it", solved, len(shown)
            )

        controls = run_controls(self.brief.task, self.brief.executor, show)
        self.brief.ledger.budget.spend("controls", controls.steps)
        return controls

    def _certify(self, draft: Draft, controls: Controls, attempt: int) -> Certificate:
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
            watch=show,
        )
        self.brief.ledger.budget.spend("certify", certificate.steps)
        self.certificate = certificate
        return certificate

    def _report(self, outcome: Outcome, reason: str, skill: Skill | None = None) -> LearnReport:
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
        )
