"""What users asked for: tasks that wait for an explorer, in the order in which they came.

Adding and dropping are single short writes without the home's lock, so both work while an
explorer holds it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from env.errors import VoyagerError
from env.task import Task
from skill_store.clock import moment, stamp
from skill_store.database import Database, record_text
from skill_store.errors import StorageError
from skill_store.journal import Journal


class RequestState(StrEnum):
    """What became of a request."""

    WAITING = "waiting"
    """Nobody has finished with it yet."""
    LEARNED = "learned"
    """The library has a skill for it."""
    FAILED = "failed"
    """An explorer tried and gave up."""
    REFUSED = "refused"
    """The task cannot be learned (it is solved by doing nothing, for example)."""
    DROPPED = "dropped"
    """Its user took it back."""


class UnknownRequest(VoyagerError):
    """A number was given that no waiting request has."""


@dataclass(frozen=True, slots=True)
class Request:
    """A task that a user asked for, readable even where its kinds are not known.

    Attributes:
        id: Number in this home.
        task_hash: Hash of the task.
        goal: The goal as it was written.
        instruction: The task in words.
        parameters: (name, kind) of each parameter, in order.
        name: Name that the skill is to have, or None.
        state: What became of it.
        note: One sentence about that; empty while it waits.
        queued_at: When it was asked for, UTC.
        settled_at: When it stopped waiting, UTC, or None.
        wording: The task's record.
    """

    id: int
    task_hash: str
    goal: str
    instruction: str
    parameters: tuple[tuple[str, str], ...]
    name: str | None
    state: RequestState
    note: str
    queued_at: datetime
    settled_at: datetime | None
    wording: str

    @property
    def waiting(self) -> bool:
        """Whether it is still to be done."""
        return self.state is RequestState.WAITING

    def task(self) -> Task:
        """The task, worded as it was asked for.

        Raises:
            VoyagerError: If it cannot be read here (an extension is not loaded, for example).
        """
        return Task.from_json(json.loads(self.wording))


@dataclass(frozen=True, slots=True)
class Queued:
    """What `Queue.add` found or made.

    Attributes:
        request: The request that waits for this task.
        added: Whether it is new; False when one was waiting already.
    """

    request: Request
    added: bool


class Queue:
    """The requests of one home."""

    def __init__(self, database: Database, journal: Journal) -> None:
        """Take a database that stays the caller's to close, and who writes tasks."""
        self._database = database
        self._journal = journal

    def add(self, task: Task, name: str | None = None) -> Queued:
        """Ask for a skill, unless the same task is waiting already.

        Whether the library has it already is for the caller to look (`Library.find`).

        Args:
            task: What is wanted.
            name: Name that the skill is to have; made from the goal when None.

        Returns:
            The waiting request, and whether it is new.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            waiting = self._database.first(
                "SELECT * FROM queue WHERE task = ? AND state = ?",
                (task.hash, RequestState.WAITING),
            )
            if waiting is not None:
                return Queued(_request(waiting), added=False)
            self._journal.keep_task(task)
            number = self._database.insert(
                "INSERT INTO queue (task, wording, name, state, queued_at) VALUES (?, ?, ?, ?, ?)",
                (
                    task.hash,
                    record_text(task.to_json()),
                    name,
                    RequestState.WAITING,
                    self._now(),
                ),
            )
            row = self._database.one("SELECT * FROM queue WHERE id = ?", (number,))
        return Queued(_request(row), added=True)

    def list(self, state: RequestState | None = None) -> tuple[Request, ...]:
        """All requests, or those in one state, oldest first.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            "SELECT * FROM queue WHERE ?1 IS NULL OR state = ?1 ORDER BY id", (state,)
        )
        return tuple(_request(row) for row in rows)

    def next(self) -> Request | None:
        """The request that has waited longest, or None; it goes on waiting until it is settled.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first(
            "SELECT * FROM queue WHERE state = ? ORDER BY id LIMIT 1", (RequestState.WAITING,)
        )
        return None if row is None else _request(row)

    def settle(self, number: int, state: RequestState, note: str) -> bool:
        """Write down what became of a request.

        Args:
            number: Of the request.
            state: Anything but WAITING.
            note: One sentence.

        Returns:
            False if it no longer waited (its user dropped it meanwhile); it stays as it is then.

        Raises:
            ValueError: If the state is WAITING.
            StorageError: If it cannot be written.
        """
        if state is RequestState.WAITING:
            raise ValueError(f"request {number} waits as long as it is not settled")
        with self._database.transaction():
            return bool(
                self._database.execute(
                    "UPDATE queue SET state = ?, note = ?, settled_at = ? "
                    "WHERE id = ? AND state = ?",
                    (state, note, self._now(), number, RequestState.WAITING),
                ).rowcount
            )

    def drop(self, number: int) -> Request:
        """Take a request back.

        Returns:
            The request as it is now.

        Raises:
            UnknownRequest: If there is none of that number, or it no longer waits.
            StorageError: If it cannot be written.
        """
        dropped = self.settle(number, RequestState.DROPPED, "its user took it back")
        row = self._database.first("SELECT * FROM queue WHERE id = ?", (number,))
        if row is None:
            raise UnknownRequest(f"no task has the number {number}; see `voyager tasks list`")
        request = _request(row)
        if not dropped:
            raise UnknownRequest(
                f"task {number} ({request.goal}) no longer waits: it is {request.state.value}"
            )
        return request

    def _now(self) -> str:
        return stamp(self._database.clock())


def _request(row: sqlite3.Row) -> Request:
    try:
        wording = json.loads(row["wording"])
        return Request(
            id=row["id"],
            task_hash=row["task"],
            goal=wording["goal"],
            instruction=wording["instruction"],
            parameters=tuple((name, kind) for name, kind in wording["parameters"]),
            name=row["name"],
            state=RequestState(row["state"]),
            note=row["note"],
            queued_at=moment(row["queued_at"]),
            settled_at=None if row["settled_at"] is None else moment(row["settled_at"]),
            wording=row["wording"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"task {row['id']} of the queue cannot be read back ({error}); run `voyager doctor`"
        ) from error
