"""Programs from elsewhere: kept apart, shown, and called by nobody until they are certified here.

A program of an archive becomes a skill of this home on the road that every program takes
(`Library.reserve`, `Library.add`), after those that it calls. Its certificate from elsewhere is
kept as what somebody said.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from env.certificate import Certificate, Deepening
from env.errors import VoyagerError
from env.program import Closure
from env.seeds import short
from env.starts import Handover
from env.task import Task
from skill_store.clock import moment, stamp
from skill_store.database import Database, record_text
from skill_store.errors import AdmissionError, StorageError, UnknownSkill
from skill_store.export.importing import Archive, Arrival

_SHOWN: Final = (
    "SELECT id, archive, name, program, task, champion, state, why, imported_at, settled_at, "
    "json_extract(wording, '$.instruction') AS instruction, "
    "json_extract(wording, '$.goal') AS goal, "
    "json_array_length(closure, '$.programs') - 1 AS calls, "
    "json_extract(evidence, '$.certificate.solved') AS k, "
    "json_extract(evidence, '$.certificate.n') AS n, "
    "json_extract(evidence, '$.deepening.lower') AS bound FROM quarantine"
)

_NONCE_BYTES: Final = 16
_LOCK: Final = (
    "SELECT pin.value AS callee FROM quarantine, json_each(closure, '$.programs') AS entry, "
    "json_each(entry.value, '$.lock') AS pin "
    "WHERE quarantine.id = ? AND json_extract(entry.value, '$.hash') = quarantine.program"
)
# A candidate with a new lock has the text of whoever made the archive. The oldest import decides,
# so that no later one changes what was decided.
_OF_VERSION: Final = (
    "SELECT quarantine.nonce FROM versions AS mine "
    "JOIN versions AS came ON came.skill = mine.skill AND came.number <= mine.number "
    "AND came.origin = 'imported' "
    "JOIN programs AS text ON text.hash = mine.program "
    "JOIN programs AS foreign_text ON foreign_text.hash = came.program "
    "AND foreign_text.source = text.source "
    "JOIN quarantine ON quarantine.program = came.program "
    "WHERE mine.program = ? AND mine.origin IN ('imported', 'relocked') "
    "ORDER BY came.number LIMIT 1"
)


class QuarantineState(StrEnum):
    """What became of an imported program."""

    WAITING = "waiting"
    """It is not certified here."""
    ADMITTED = "admitted"
    """It was certified here, and is a version of a skill."""
    REFUSED = "refused"
    """It was tested here and did not hold, or cannot be a skill of this home."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One imported program in short.

    Attributes:
        id: Number in this home.
        archive: SHA-256 of the archive's text, 64 hex digits.
        name: Name of its function.
        program: Its hash, 64 hex digits.
        task: Hash of its task, 64 hex digits.
        champion: Whether it stood for its skill where it came from.
        state: What became of it.
        why: One sentence about that; empty while it waits.
        instruction: Its task in words.
        goal: Its goal as it was written.
        calls: How many other programs it needs.
        k: Scenes that it is said to have solved when it was admitted there.
        n: Of so many.
        bound: The bound that was published there, or None.
        imported_at: When it came, UTC.
        settled_at: When that was decided, UTC; None while it waits.
    """

    id: int
    archive: str
    name: str
    program: str
    task: str
    champion: bool
    state: QuarantineState
    why: str
    instruction: str
    goal: str
    calls: int
    k: int
    n: int
    bound: float | None
    imported_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of an import.

    Attributes:
        archive: SHA-256 of the archive's text.
        added: Names of programs that are in quarantine now.
        waiting: Names of those that were in quarantine already.
        here: Names of those that are certified in this home already.
    """

    archive: str
    added: tuple[str, ...]
    waiting: tuple[str, ...]
    here: tuple[str, ...]


class Quarantine:
    """Writes and reads the imported programs of one home."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def take(self, archive: Archive) -> Intake:
        """Put the programs of an archive into quarantine: all that are new, or none.

        Args:
            archive: As it was read.

        Returns:
            What was new.

        Raises:
            AdmissionError: If a program is known here with another task.
            StorageError: If it cannot be written.
        """
        added, waiting, here = list[str](), list[str](), list[str]()
        with self._database.transaction():
            for arrival in archive.arrivals:
                known = self._known(arrival)
                if known is None:
                    self._keep(arrival, archive.hash)
                    added.append(arrival.name)
                else:
                    (here if known else waiting).append(arrival.name)
        return Intake(archive.hash, tuple(added), tuple(waiting), tuple(here))

    def entries(self, state: QuarantineState | None = None) -> tuple[Imported, ...]:
        """Imported programs, callees before their callers.

        Args:
            state: Only those; all when None.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            f"{_SHOWN} WHERE ?1 IS NULL OR state = ?1 ORDER BY id",
            (None if state is None else state.value,),
        )
        return tuple(_imported(row) for row in rows)

    def named(self, name: str) -> tuple[Imported, ...]:
        """Imported programs of this name, callees before their callers.

        Raises:
            UnknownSkill: If there is none.
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(f"{_SHOWN} WHERE name = ? ORDER BY id", (name,))
        if not rows:
            raise UnknownSkill(
                f"no imported skill is called {name!r}; `voyager skills quarantine` lists them"
            )
        return tuple(_imported(row) for row in rows)

    def of_program(self, program: str) -> Imported | None:
        """The imported program of a hash, or None.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first(f"{_SHOWN} WHERE program = ?", (program,))
        return None if row is None else _imported(row)

    def whole(self, number: int) -> Arrival:
        """All that came with an imported program; checked again.

        Args:
            number: Its number.

        Raises:
            VoyagerError: If it cannot be read back (a kind of an extension that is not loaded).
            StorageError: If there is none, or it cannot be read.
        """
        row = self._database.first("SELECT * FROM quarantine WHERE id = ?", (number,))
        if row is None:
            raise StorageError(f"there is no imported skill with the number {number}")
        try:
            evidence = json.loads(row["evidence"])
            deepening = evidence["deepening"]
            return Arrival(
                name=row["name"],
                champion=bool(row["champion"]),
                closure=Closure.from_json(json.loads(row["closure"])),
                task=Task.from_json(json.loads(row["wording"])),
                certificate=Certificate.from_json(evidence["certificate"]),
                deepening=None if deepening is None else Deepening.from_json(deepening),
                starts=tuple(_start(record) for record in evidence["starts"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise VoyagerError(
                f"the imported skill {row['name']!r} cannot be read back: {error!r}"
            ) from error

    def lock(self, number: int) -> tuple[str, ...]:
        """Hashes of the programs that an imported one calls directly.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(_LOCK, (number,))
        return tuple(row["callee"] for row in rows)

    def nonce(self, program: str) -> str:
        """What this home drew when an imported program came, 32 hex digits.

        Held-out seeds follow from hashes that whoever made an archive knows, too: he could have
        tried programs until one passes. Seeds that follow from this he could not know.

        Raises:
            StorageError: If the program was not imported, or it cannot be read.
        """
        row = self._database.first("SELECT nonce FROM quarantine WHERE program = ?", (program,))
        if row is None:
            raise StorageError(f"the program {short(program)} was not imported")
        return str(row["nonce"])

    def nonce_of_version(self, program: str) -> str | None:
        """What this home drew for the import that a version of a skill goes back to.

        A program goes back to an import if it came by it, or has the text of an earlier version
        that did and only another lock. Renewing its certificate changes nothing about that.

        Args:
            program: Hash of a program of this library, 64 hex digits.

        Returns:
            32 hex digits; None for a program that was made here.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first(_OF_VERSION, (program,))
        return None if row is None else str(row["nonce"])

    def certified(self, program: str) -> bool:
        """Whether a program, wherever it came from, is certified in this home.

        Raises:
            StorageError: If it cannot be read.
        """
        return self._contract(program) is not None

    def settle(self, program: str, state: QuarantineState, why: str) -> None:
        """Write down what became of an imported program.

        Args:
            program: Its hash.
            state: What became of it.
            why: One sentence.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self._database.execute(
                "UPDATE quarantine SET state = ?, why = ?, settled_at = ? WHERE program = ?",
                (state, why, self._now(), program),
            )

    def drop(self, names: Iterable[str]) -> int:
        """Forget imported programs that are no skills here.

        Args:
            names: Of all programs of these names.

        Returns:
            How many were forgotten.

        Raises:
            UnknownSkill: If there is none of a name; nothing is forgotten then.
            StorageError: If it cannot be written.
        """
        wanted = tuple(dict.fromkeys(names))
        with self._database.transaction():
            for name in wanted:
                self.named(name)
            return self._database.execute(
                "DELETE FROM quarantine WHERE state != 'admitted' "
                "AND name IN (SELECT value FROM json_each(?))",
                (json.dumps(wanted),),
            ).rowcount

    def _known(self, arrival: Arrival) -> bool | None:
        """Whether a program is certified here (True), in quarantine (False), or new (None)."""
        program = arrival.closure.root
        certified = self._contract(program)
        waiting = self._database.first("SELECT task FROM quarantine WHERE program = ?", (program,))
        for row in (certified, waiting):
            if row is not None and row["task"] != arrival.task.hash:
                raise AdmissionError(
                    f"the program of {arrival.name!r} ({short(program)}) is known here with "
                    "another task, and a program has one contract; nothing was changed"
                )
        if certified is not None:
            return True
        return None if waiting is None else False

    def _contract(self, program: str) -> sqlite3.Row | None:
        return self._database.first(
            "SELECT task FROM certifications WHERE program = ? AND admitted = 1", (program,)
        )

    def _keep(self, arrival: Arrival, archive: str) -> None:
        deepening = arrival.deepening
        evidence: Mapping[str, Any] = {
            "certificate": arrival.certificate.to_json(),
            "deepening": None if deepening is None else deepening.to_json(),
            "starts": [
                {"closure": start.closure.to_json(), "task": start.task.to_json()}
                for start in arrival.starts
            ],
        }
        self._database.insert(
            "INSERT INTO quarantine (archive, name, program, task, champion, closure, wording, "
            "evidence, nonce, imported_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                archive,
                arrival.name,
                arrival.closure.root,
                arrival.task.hash,
                int(arrival.champion),
                record_text(arrival.closure.to_json()),
                record_text(arrival.task.to_json()),
                record_text(evidence),
                _drawn(),
                self._now(),
            ),
        )

    def _now(self) -> str:
        return stamp(self._database.clock())


def _drawn() -> str:
    return secrets.token_hex(_NONCE_BYTES)


def _start(record: Mapping[str, Any]) -> Handover:
    return Handover(Closure.from_json(record["closure"]), Task.from_json(record["task"]))


def _imported(row: sqlite3.Row) -> Imported:
    settled = row["settled_at"]
    return Imported(
        id=row["id"],
        archive=row["archive"],
        name=row["name"],
        program=row["program"],
        task=row["task"],
        champion=bool(row["champion"]),
        state=QuarantineState(row["state"]),
        why=row["why"],
        instruction=row["instruction"],
        goal=row["goal"],
        calls=row["calls"],
        k=row["k"],
        n=row["n"],
        bound=row["bound"],
        imported_at=moment(row["imported_at"]),
        settled_at=None if settled is None else moment(settled),
    )
