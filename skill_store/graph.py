"""Programs and what they call: locks make a graph without cycles, asked from either end."""

from __future__ import annotations

import json
from typing import Final

from env.program import PROGRAM_SCHEMA, Closure, Program
from env.seeds import short
from env.starts import Handover
from env.task import Task
from skill_store.clock import stamp
from skill_store.database import Database
from skill_store.errors import AdmissionError, StorageError

_CALLEES: Final = """
WITH RECURSIVE reached (hash) AS (
    VALUES (?)
    UNION
    SELECT locks.callee FROM locks JOIN reached ON locks.caller = reached.hash
)
SELECT programs.hash, programs.source FROM programs JOIN reached USING (hash)
"""

_CALLERS: Final = """
WITH RECURSIVE reached (hash) AS (
    SELECT caller FROM locks WHERE callee = ?
    UNION
    SELECT locks.caller FROM locks JOIN reached ON locks.callee = reached.hash
)
SELECT skills.name FROM skills JOIN reached ON skills.program = reached.hash ORDER BY skills.name
"""


class ProgramGraph:
    """Writes and reads programs, their locks and their contracts in one database."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def closure(self, program_hash: str) -> Closure:
        """A stored program and all that it calls, each with its contract where it has one.

        Raises:
            StorageError: If the program is not in the library, or it cannot be read.
            ProgramError: If a program is not what its hash says.
            TaskError: If a contract cannot be read back.
        """
        rows = self._database.rows(_CALLEES, (program_hash,))
        if not rows:
            raise StorageError(f"program {short(program_hash)} is not in {self._database.path}")
        programs = {row["hash"]: self._program(row["hash"], row["source"]) for row in rows}
        contracts = {
            key: contract for key in programs if (contract := self.contract(key)) is not None
        }
        return Closure(program_hash, programs, contracts)

    def dependents(self, program_hash: str) -> tuple[str, ...]:
        """Names of the skills that call a program, directly or through others, sorted.

        Raises:
            StorageError: If the library cannot be read.
        """
        return tuple(row["name"] for row in self._database.rows(_CALLERS, (program_hash,)))

    def handover(self, closure_hash: str, task_hash: str) -> Handover:
        """The certified skill of that closure and task, for a scene that begins after it.

        Raises:
            StorageError: If it is not in this library, or it cannot be read.
            VoyagerError: If it cannot be read back.
        """
        row = self._database.first(
            "SELECT program, wording FROM certifications "
            "WHERE closure = ? AND task = ? AND admitted = 1",
            (closure_hash, task_hash),
        )
        if row is None:
            raise StorageError(
                f"a scene begins after a skill (closure {short(closure_hash)}) that is not in "
                f"{self._database.path}"
            )
        task = Task.from_json(json.loads(row["wording"]))
        return Handover(self.closure(row["program"]), task)

    def contract(self, program_hash: str) -> Task | None:
        """What a program promises: the task that it was certified for here, or None.

        Raises:
            StorageError: If it cannot be read.
            VoyagerError: If the task cannot be read back.
        """
        row = self._database.first(
            "SELECT wording FROM certifications WHERE program = ? AND admitted = 1",
            (program_hash,),
        )
        return None if row is None else Task.from_json(json.loads(row["wording"]))

    def keep(self, closure: Closure) -> None:
        """Store a closure's root, inside a transaction of the caller's.

        Raises:
            AdmissionError: If something that it calls is not certified in this library.
            StorageError: If it cannot be written.
        """
        for key, program in closure.programs.items():
            if key != closure.root and self.contract(key) is None:
                raise AdmissionError(
                    f"{closure.entry.name!r} calls {program.name!r} ({short(key)}), which is not "
                    "certified in this library"
                )
        root = closure.entry
        added = self._database.execute(
            "INSERT INTO programs (hash, name, source, added_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (hash) DO NOTHING",
            (root.hash, root.name, root.source, stamp(self._database.clock())),
        ).rowcount
        if added:
            for name, callee in root.lock.items():
                self._database.execute(
                    "INSERT INTO locks (caller, name, callee) VALUES (?, ?, ?)",
                    (root.hash, name, callee),
                )

    def _program(self, key: str, source: str) -> Program:
        rows = self._database.rows("SELECT name, callee FROM locks WHERE caller = ?", (key,))
        lock = {row["name"]: row["callee"] for row in rows}
        return Program.from_json(
            {"schema": PROGRAM_SCHEMA, "hash": key, "source": source, "lock": lock}
        )
