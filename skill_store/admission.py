"""The road into the library: an ordinal on the disk first, a decided certificate afterwards."""

from __future__ import annotations

import json

from env.certificate import Certificate
from env.program import Closure
from env.seeds import short
from env.task import Task
from skill_store.clock import stamp
from skill_store.database import Database, record_text
from skill_store.errors import AdmissionError
from skill_store.graph import ProgramGraph
from skill_store.journal import Journal


class Admission:
    """Opens and closes certifications in one database, and checks what they admit."""

    def __init__(self, database: Database, journal: Journal, graph: ProgramGraph) -> None:
        """Take a database that stays the caller's to close, and who writes tasks and programs."""
        self._database = database
        self._journal = journal
        self._graph = graph

    def reserve(self, task: Task, closure: Closure, attempt: int | None) -> int:
        """See `Library.reserve`."""
        with self._database.transaction():
            self._journal.keep_task(task)
            self._graph.keep(closure)
            undecided = self._database.first(
                "SELECT ordinal FROM certifications "
                "WHERE task = ? AND closure = ? AND decided_at IS NULL",
                (task.hash, closure.hash),
            )
            if undecided is not None:
                # It is this attempt's from now on: the one that opened it was interrupted.
                self._database.execute(
                    "UPDATE certifications SET attempt = coalesce(?, attempt) "
                    "WHERE task = ? AND ordinal = ?",
                    (attempt, task.hash, undecided["ordinal"]),
                )
                return int(undecided["ordinal"])
            ordinal = int(
                self._database.one(
                    "SELECT coalesce(max(ordinal) + 1, 0) FROM certifications WHERE task = ?",
                    (task.hash,),
                )[0]
            )
            self._database.execute(
                "INSERT INTO certifications (task, ordinal, program, closure, wording, attempt, "
                "reserved_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                # The task as it is worded now: an equal one may have named its parameters
                # otherwise, and this program takes these.
                (
                    task.hash,
                    ordinal,
                    closure.root,
                    closure.hash,
                    record_text(task.to_json()),
                    attempt,
                    self._now(),
                ),
            )
        return ordinal

    def take_refusal(self, task: Task, closure: Closure, attempt: int) -> Certificate | None:
        """See `Library.take_refusal`."""
        with self._database.transaction():
            row = self._database.first(
                "SELECT certifications.ordinal, certificates.json FROM certifications "
                "JOIN certificates ON certificates.task = certifications.task "
                "AND certificates.ordinal = certifications.ordinal "
                "JOIN attempts ON attempts.id = certifications.attempt "
                "WHERE certifications.task = ? AND certifications.closure = ? "
                "AND certifications.admitted = 0 "
                "AND attempts.outcome IS NULL AND attempts.id != ? "
                "ORDER BY certifications.ordinal LIMIT 1",
                (task.hash, closure.hash, attempt),
            )
            if row is None:
                return None
            self._database.execute(
                "UPDATE certifications SET attempt = ? WHERE task = ? AND ordinal = ?",
                (attempt, task.hash, row["ordinal"]),
            )
        return Certificate.from_json(json.loads(row["json"]))

    def require(self, task_hash: str, closure: Closure, certificate: Certificate) -> None:
        """Check that a certificate admits this very program for this very task.

        Raises:
            AdmissionError: If it does not.
        """
        name = closure.entry.name
        if not certificate.admitted:
            raise AdmissionError(
                f"{name!r} was not admitted (it solved {certificate.solved} held-out scenes and "
                f"needed {certificate.needed} of {certificate.n}); only a program with an "
                "admitting certificate enters the library"
            )
        if (certificate.task, certificate.closure) != (task_hash, closure.hash):
            raise AdmissionError(
                f"the certificate is for task {short(certificate.task)} and closure "
                f"{short(certificate.closure)}, not for {name!r} ({short(task_hash)}, "
                f"{short(closure.hash)})"
            )

    def decide(self, certificate: Certificate) -> None:
        """Close a certification and keep its certificate, inside the caller's transaction.

        Raises:
            AdmissionError: If it is of no certification that was opened here and is open still.
            StorageError: If it cannot be written.
        """
        changed = self._database.execute(
            "UPDATE certifications SET decided_at = ?, admitted = ? "
            "WHERE task = ? AND ordinal = ? AND closure = ? AND decided_at IS NULL",
            (
                self._now(),
                int(certificate.admitted),
                certificate.task,
                certificate.ordinal,
                certificate.closure,
            ),
        ).rowcount
        if not changed:
            raise AdmissionError(
                f"certification {certificate.ordinal} of task {short(certificate.task)} was not "
                "opened here for this program, or is closed; call `reserve` before certifying"
            )
        self._database.execute(
            "INSERT INTO certificates (hash, task, ordinal, closure, k, n, json, added_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                certificate.hash,
                certificate.task,
                certificate.ordinal,
                certificate.closure,
                certificate.solved,
                certificate.n,
                record_text(certificate.to_json()),
                self._now(),
            ),
        )

    def _now(self) -> str:
        return stamp(self._database.clock())
