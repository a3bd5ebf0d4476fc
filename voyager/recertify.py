"""Certifying what was imported: the road that every program takes, callees before their callers.

What somebody else found out about a program buys it nothing. Held-out scenes follow from hashes
that the maker of an archive knows, too, who may have tried programs until one passed; so it is
first put to the same test on scenes that follow from a number which this home drew when the
archive came. Then it is certified like any other program. Program, closure and task keep their
hashes. The foreign certificate can be replayed beside that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from env.certificate import Certificate
from env.errors import SandboxError, SimulatorError, VoyagerError
from env.outcome import Outcome
from env.replays import ReplayVerdict, replay
from skill_store.errors import StorageError
from skill_store.export.importing import Arrival
from skill_store.library import Library
from skill_store.quarantine import Imported, Quarantine, QuarantineState
from skill_store.skill import Origin, Skill
from voyager.events import Stage
from voyager.fresh import PURPOSE, examine
from voyager.proving import Proof, Proving
from voyager.witnesses import record_episodes


class Verdict(StrEnum):
    """What came of an imported program."""

    ADMITTED = "admitted"
    """It was certified here, and is a version of a skill."""
    HERE = "here"
    """It was certified in this home before."""
    REFUSED = "refused"
    """It did not hold, or cannot be a skill of this home."""
    BLOCKED = "blocked"
    """Something that it calls is not certified here, or a kind that it names is not loaded; it
    goes on waiting."""


@dataclass(frozen=True, slots=True)
class Recertified:
    """How it went with one imported program.

    Attributes:
        name: Name of its function.
        program: Its hash.
        verdict: What came of it.
        why: One sentence.
        version: Number of the version that it is; None if it is none.
        champion: Whether the skill's name means it now.
        certificate: What was made here, admitting or not; None when nothing was.
        replayed: What a replay of the foreign certificate said; None without one.
        fresh: (k, n) of the scenes that the maker of the archive could not know; None if it did
            not come to that.
    """

    name: str
    program: str
    verdict: Verdict
    why: str
    version: int | None = None
    champion: bool = False
    certificate: Certificate | None = None
    replayed: ReplayVerdict | None = None
    fresh: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        made = self.certificate
        return {
            "name": self.name,
            "program": self.program,
            "verdict": self.verdict.value,
            "why": self.why,
            "version": self.version,
            "champion": self.champion,
            "certificate": None if made is None else made.hash,
            "k": None if made is None else made.solved,
            "n": None if made is None else made.n,
            "replayed": None if self.replayed is None else self.replayed.value,
            "fresh": None if self.fresh is None else list(self.fresh),
        }


def ahead(quarantine: Quarantine, name: str | None = None) -> tuple[Imported, ...]:
    """What has to be certified, callees before their callers.

    Args:
        quarantine: Where it waits.
        name: All programs of this name (also those refused before) with what they call; everything
            that waits when None.

    Raises:
        UnknownSkill: If nothing of that name was imported.
        StorageError: If it cannot be read.
    """
    waiting = QuarantineState.WAITING
    wanted = quarantine.entries(waiting) if name is None else quarantine.named(name)
    found: dict[str, Imported] = {}
    for entry in wanted:
        if entry.state is not QuarantineState.ADMITTED:
            _enter(quarantine, entry, found)
    return tuple(found.values())


def certify_imported(
    proving: Proving,
    quarantine: Quarantine,
    entries: Iterable[Imported],
    *,
    replayed: bool = False,
) -> Iterator[Recertified]:
    """Certify imported programs, one after the other.

    Args:
        proving: Where they are proved.
        quarantine: Where they wait, of the same library.
        entries: As `ahead` gives them.
        replayed: Whether to replay the certificates that they came with, too.

    Yields:
        How each went.

    Raises:
        StorageError: If the library cannot be read or written.
        SandboxError: If the sandbox failed; nothing is lost.
        SimulatorError: If the simulator failed; nothing is lost.
    """
    for entry in entries:
        try:
            road = _Road(proving, quarantine, quarantine.whole(entry.id))
        except StorageError:
            raise
        except VoyagerError as error:  # a kind or predicate that is not loaded, for example
            yield Recertified(entry.name, entry.program, Verdict.BLOCKED, str(error))
            continue
        try:
            yield road.walk(replayed)
        except (StorageError, SandboxError, SimulatorError):
            raise
        except VoyagerError as error:
            yield road.settled(Verdict.REFUSED, str(error))


@dataclass(frozen=True, slots=True)
class _Road:
    """One imported program on its way."""

    proving: Proving
    quarantine: Quarantine
    arrival: Arrival

    @property
    def library(self) -> Library:
        return self.proving.library

    def walk(self, replayed: bool) -> Recertified:
        arrival, closure = self.arrival, self.arrival.closure
        if self._certified(closure.root):
            why = "its program was certified in this home before"
            return self.settled(Verdict.HERE, why)
        for key, program in closure.programs.items():
            if key != closure.root and not self._certified(key):
                why = f"it calls {program.name!r}, which is not certified here"
                self._tell(Stage.FAILED, why)
                return Recertified(arrival.name, closure.root, Verdict.BLOCKED, why)
        if why := _displaced(self.library, arrival):
            return self.settled(Verdict.REFUSED, why)
        said = self._replayed() if replayed else None
        tries = self._tries()
        with self.proving.attempt(arrival, Origin.IMPORTED) as attempt:
            fresh = examine(self.proving, arrival, self.quarantine.nonce(closure.root), tries)
            proof = Proof(fresh.refusal)
            if fresh.passed:
                handovers = self.proving.handovers(arrival)
                proof = self.proving.certify(arrival, closure, attempt, handovers)
            if proof.refusal or proof.certificate is None:
                attempt.outcome, attempt.reason = Outcome.FAILED, proof.refusal
                return self.settled(
                    Verdict.REFUSED, proof.refusal, proof.certificate, said, fresh.score
                )
            with self.library.database.transaction():
                made = self._admit(proof.certificate)
                for purpose, episodes in (
                    (PURPOSE, fresh.episodes),
                    ("certification", proof.episodes),
                ):
                    record_episodes(self.library, made, purpose, episodes, attempt.number)
                why = f"certified here as version {made.version}"
                self.quarantine.settle(closure.root, QuarantineState.ADMITTED, why)
            attempt.outcome, attempt.reason = Outcome.SOLVED, why
        self._tell(Stage.ADMITTED, why)
        return Recertified(
            arrival.name,
            closure.root,
            Verdict.ADMITTED,
            why,
            version=made.version,
            champion=self.library.get(arrival.name).closure.root == closure.root,
            certificate=proof.certificate,
            replayed=said,
            fresh=fresh.score,
        )

    def _tries(self) -> int:
        """How often programs from elsewhere have failed at this task here; each makes it harder."""
        attempts = self.library.journal.attempts(self.arrival.task.hash)
        return sum(
            one.outcome is Outcome.FAILED and one.detail.get("origin") == Origin.IMPORTED
            for one in attempts
        )

    def _admit(self, certificate: Certificate) -> Skill:
        """A new skill, or one more version of the skill that this home has for the task."""
        name, closure = self.arrival.name, self.arrival.closure
        if self.library.name_of(self.arrival.task.hash) is None:
            return self.library.add(self.arrival.task, closure, certificate, Origin.IMPORTED)
        standing = self.library.get(name)
        if not (standing.state.callable or standing.pinned):
            return self.library.add(self.arrival.task, closure, certificate, Origin.IMPORTED)
        # It takes the place of nothing that was learned here: that would take a duel. But where
        # it came from, it had taken the place of the earlier program that stands here.
        came = self.quarantine.of_program(standing.closure.root)
        follows = came is not None and not came.champion and not standing.pinned
        return self.library.add_version(
            name,
            closure,
            certificate,
            Origin.IMPORTED,
            champion=self.arrival.champion and follows,
        )

    def _replayed(self) -> ReplayVerdict:
        self._tell(Stage.CERTIFY, "replaying the certificate that it came with")
        return replay(
            self.arrival.certificate,
            self.arrival.task,
            self.arrival.closure,
            executor=self.proving.executor,
            handovers=self.arrival.starts,
        ).verdict

    def settled(
        self,
        verdict: Verdict,
        why: str,
        certificate: Certificate | None = None,
        said: ReplayVerdict | None = None,
        fresh: tuple[int, int] | None = None,
    ) -> Recertified:
        """Write down what became of it without its being admitted now."""
        self.quarantine.settle(self.arrival.closure.root, _STATES[verdict], why)
        if verdict is Verdict.REFUSED:
            self._tell(Stage.FAILED, why)
        return Recertified(
            self.arrival.name,
            self.arrival.closure.root,
            verdict,
            why,
            certificate=certificate,
            replayed=said,
            fresh=fresh,
        )

    def _certified(self, program: str) -> bool:
        return self.quarantine.certified(program)

    def _tell(self, stage: Stage, text: str) -> None:
        self.proving.ledger.tell(stage, f"{self.arrival.name}: {text}")


_STATES: Final = {
    Verdict.HERE: QuarantineState.ADMITTED,
    Verdict.REFUSED: QuarantineState.REFUSED,
}


def _enter(quarantine: Quarantine, entry: Imported, found: dict[str, Imported]) -> None:
    """File an entry behind all that it calls and that waits, too; a lock has no cycles."""
    if entry.program in found:
        return
    for key in quarantine.lock(entry.id):
        callee = quarantine.of_program(key)
        if callee is not None and callee.state is not QuarantineState.ADMITTED:
            _enter(quarantine, callee, found)
    found[entry.program] = entry


def _displaced(library: Library, arrival: Arrival) -> str:
    """Why a program cannot stand in this home under its name; empty if it can.

    The name is part of the program, so it cannot be given another one and keep its hash.
    """
    own = library.name_of(arrival.task.hash)
    if own not in (None, arrival.name):
        return (
            f"this home has the skill {own!r} for the very same task, and a version of it must "
            "have its name; import into another home (--home)"
        )
    if own is None and library.free_name(arrival.name, arrival.task.hash) != arrival.name:
        return (
            f"the name {arrival.name!r} belongs to the skill of another task here; import into "
            "another home (--home)"
        )
    return ""
