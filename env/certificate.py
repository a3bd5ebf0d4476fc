"""Certificates, deepenings and replay reports: plain data with exact records.

A certificate holds no wall time, host or date; whoever stores it adds those beside it. Its hash
is over the whole record, so that equal certifications have equal hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from env.controls import Controls
from env.errors import TaskError
from env.fingerprint import Fingerprint
from env.outcome import Outcome
from env.seeds import digest
from env.statistics import look_bound, wilson_lower
from env.transcript import ContractCheck, Episode, Start

CERTIFICATE_SCHEMA: Final = "voyager.certificate/1"
DEEPENING_SCHEMA: Final = "voyager.deepening/1"


@dataclass(frozen=True, slots=True)
class SceneRecord:
    """One episode, as far as a certificate keeps it.

    Attributes:
        start: Where it began: seed, and hand-over if any.
        outcome: The verdict.
        margin: Signed margin of the goal; None when it was not judged.
        steps: Physics steps.
        episode: Hash of the episode, see `Episode.hash`.
        contracts_made: Calls of skills whose contract is known.
        contracts_kept: Those of them that kept it.
    """

    start: Start
    outcome: Outcome
    margin: float | None
    steps: int
    episode: str
    contracts_made: int
    contracts_kept: int

    @classmethod
    def of(cls, episode: Episode) -> SceneRecord:
        """The record of an episode."""
        checked = [check for check in episode.contracts if check.kept is not None]
        return cls(
            start=episode.start,
            outcome=episode.outcome,
            margin=episode.margin,
            steps=episode.steps,
            episode=episode.hash,
            contracts_made=len(checked),
            contracts_kept=sum(check.kept is True for check in checked),
        )

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        return {
            "start": self.start.to_json(),
            "outcome": self.outcome.value,
            "margin": self.margin,
            "steps": self.steps,
            "episode": self.episode,
            "contracts_made": self.contracts_made,
            "contracts_kept": self.contracts_kept,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SceneRecord:
        """Read a record back.

        Raises:
            KeyError: If a field is missing.
            ValueError: If the outcome is unknown.
        """
        margin = record["margin"]
        return cls(
            start=Start.from_json(record["start"]),
            outcome=Outcome(record["outcome"]),
            margin=None if margin is None else float(margin),
            steps=int(record["steps"]),
            episode=str(record["episode"]),
            contracts_made=int(record["contracts_made"]),
            contracts_kept=int(record["contracts_kept"]),
        )


@dataclass(frozen=True, slots=True)
class CalleeRecord:
    """How often a callee was called in all episodes together, and kept its contract.

    Attributes:
        program: Hash of the callee.
        skill: Its name.
        made: Calls.
        kept: Calls after which its own goal held.
    """

    program: str
    skill: str
    made: int
    kept: int

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        return {"program": self.program, "skill": self.skill, "made": self.made, "kept": self.kept}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CalleeRecord:
        """Read a record back.

        Raises:
            KeyError: If a field is missing.
        """
        return cls(
            str(record["program"]), str(record["skill"]), int(record["made"]), int(record["kept"])
        )


def count_callees(checks: list[ContractCheck]) -> tuple[CalleeRecord, ...]:
    """Sum contract checks by callee, sorted by name and hash."""
    sums: dict[tuple[str, str], list[int]] = {}
    for check in checks:
        if check.kept is not None:
            total = sums.setdefault((check.skill, check.program), [0, 0])
            total[0] += 1
            total[1] += check.kept
    return tuple(
        CalleeRecord(program, skill, made, kept)
        for (skill, program), (made, kept) in sorted(sums.items())
    )


@dataclass(frozen=True, slots=True)
class Certificate:
    """The evidence for or against admitting a program for a task.

    Attributes:
        task: Hash of the task.
        closure: Hash of the closure.
        program: Hash of the program at its root.
        ordinal: How many certifications of the task went before.
        n: Held-out episodes that the test asks for.
        needed: Solved episodes that admit.
        level: Level of the test.
        scenes: The episodes in seed order, up to where the decision was certain.
        admitted: The decision.
        drawn: Held-out scenes tried.
        discarded: Those that no episode could begin in.
        callees: Contracts of callees over all episodes.
        controls: The negative controls of the task.
        variation: The task's `SceneSpec` as data: what was varied, and how far.
        steps: Physics steps that were simulated, without controls.
        fingerprint: Engine, machine, robot, assets, judge.
    """

    task: str
    closure: str
    program: str
    ordinal: int
    n: int
    needed: int
    level: float
    scenes: tuple[SceneRecord, ...]
    admitted: bool
    drawn: int
    discarded: int
    callees: tuple[CalleeRecord, ...]
    controls: Controls
    variation: Mapping[str, Any]
    steps: int
    fingerprint: Fingerprint

    @property
    def solved(self) -> int:
        """Episodes solved: k of the test."""
        return sum(scene.outcome is Outcome.SOLVED for scene in self.scenes)

    @property
    def admission_bound(self) -> float:
        """Wilson's lower bound on the episodes of this very test; 0.0 if it was cut short.

        The test chose these episodes by passing, so this is not the bound to publish: that one
        comes from `Deepening.lower`, or is unknown yet.
        """
        return wilson_lower(self.solved, self.n) if len(self.scenes) == self.n else 0.0

    @property
    def hash(self) -> str:
        """64 hex digits over the whole record."""
        return digest(self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "schema": CERTIFICATE_SCHEMA,
            "task": self.task,
            "closure": self.closure,
            "program": self.program,
            "ordinal": self.ordinal,
            "n": self.n,
            "needed": self.needed,
            "level": self.level,
            "solved": self.solved,
            "admitted": self.admitted,
            "admission_bound": self.admission_bound,
            "scenes": [scene.to_json() for scene in self.scenes],
            "drawn": self.drawn,
            "discarded": self.discarded,
            "callees": [callee.to_json() for callee in self.callees],
            "controls": self.controls.to_json(),
            "variation": dict(self.variation),
            "steps": self.steps,
            "fingerprint": self.fingerprint.to_json(),
        }

    def to_json(self) -> dict[str, Any]:
        """The certificate as a JSON-able record, with its hash."""
        return {**self._content(), "hash": self.hash}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Certificate:
        """Read a record back.

        Args:
            record: What `to_json` gave.

        Returns:
            The certificate.

        Raises:
            TaskError: If the record is malformed or its hash is not that of its content.
        """
        _check_schema(record, CERTIFICATE_SCHEMA)
        try:
            certificate = cls(
                task=str(record["task"]),
                closure=str(record["closure"]),
                program=str(record["program"]),
                ordinal=int(record["ordinal"]),
                n=int(record["n"]),
                needed=int(record["needed"]),
                level=float(record["level"]),
                scenes=tuple(SceneRecord.from_json(scene) for scene in record["scenes"]),
                admitted=bool(record["admitted"]),
                drawn=int(record["drawn"]),
                discarded=int(record["discarded"]),
                callees=tuple(CalleeRecord.from_json(callee) for callee in record["callees"]),
                controls=Controls.from_json(record["controls"]),
                variation=dict(record["variation"]),
                steps=int(record["steps"]),
                fingerprint=Fingerprint.from_json(record["fingerprint"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TaskError(f"a certificate record is malformed: {error!r}") from error
        if record.get("hash") != certificate.hash:
            raise TaskError("a certificate record does not have the hash that it states")
        return certificate


@dataclass(frozen=True, slots=True)
class Deepening:
    """Episodes drawn after admission, and the bound that may be published.

    Attributes:
        certificate: Hash of the certificate that is deepened.
        look: Episodes so far: one of `env.statistics.LOOKS`.
        scenes: The episodes in seed order, from the first look on.
        drawn: Scenes tried.
        discarded: Those that no episode could begin in.
        steps: Physics steps in all.
        fingerprint: Engine, machine, robot, assets, judge.
    """

    certificate: str
    look: int
    scenes: tuple[SceneRecord, ...]
    drawn: int
    discarded: int
    steps: int
    fingerprint: Fingerprint

    @property
    def solved(self) -> int:
        """Episodes solved."""
        return sum(scene.outcome is Outcome.SOLVED for scene in self.scenes)

    @property
    def lower(self) -> float:
        """Wilson's 95 % lower bound, the error split over the looks."""
        return look_bound(self.solved, self.look)

    @property
    def hash(self) -> str:
        """64 hex digits over the whole record."""
        return digest(self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "schema": DEEPENING_SCHEMA,
            "certificate": self.certificate,
            "look": self.look,
            "solved": self.solved,
            "lower": self.lower,
            "scenes": [scene.to_json() for scene in self.scenes],
            "drawn": self.drawn,
            "discarded": self.discarded,
            "steps": self.steps,
            "fingerprint": self.fingerprint.to_json(),
        }

    def to_json(self) -> dict[str, Any]:
        """The deepening as a JSON-able record, with its hash."""
        return {**self._content(), "hash": self.hash}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Deepening:
        """Read a record back.

        Raises:
            TaskError: If the record is malformed or its hash is not that of its content.
        """
        _check_schema(record, DEEPENING_SCHEMA)
        try:
            deepening = cls(
                certificate=str(record["certificate"]),
                look=int(record["look"]),
                scenes=tuple(SceneRecord.from_json(scene) for scene in record["scenes"]),
                drawn=int(record["drawn"]),
                discarded=int(record["discarded"]),
                steps=int(record["steps"]),
                fingerprint=Fingerprint.from_json(record["fingerprint"]),
            )
            altered = record.get("hash") != deepening.hash
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TaskError(f"a deepening record is malformed: {error!r}") from error
        if altered:
            raise TaskError("a deepening record does not have the hash that it states")
        return deepening


def _check_schema(record: Mapping[str, Any], schema: str) -> None:
    found = record.get("schema") if isinstance(record, Mapping) else record
    if found != schema:
        raise TaskError(f"expected a record with schema {schema!r}, found {found!r}")
