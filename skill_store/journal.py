"""What happened: runs, attempts at tasks, and single episodes. Written as it happens.

An attempt is opened before its work begins and closed with its outcome. A kill leaves it open;
the next learner in the home marks it as interrupted, which is not an outcome: it says nothing
about the task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from env.outcome import Outcome
from env.task import Task
from skill_store.clock import moment, stamp
from skill_store.database import Database

INTERRUPTED: Final = "interrupted"
"""Reason of an attempt that was open when its process died."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a task.

    Attributes:
        id: Number in this home.
        run: Number of the run it belongs to, or None.
        task: Hash of the task.
        started_at: When it began, UTC.
        ended_at: When it ended, UTC; None while it is open.
        outcome: How it ended; None while it is open or when it was interrupted.
        reason: One sentence about the outcome.
        simulated_steps: Physics steps that it took.
        detail: What else its writer recorded.
    """

    id: int
    run: int | None
    task: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    reason: str | None
    simulated_steps: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """One recorded episode of a program.

    Attributes:
        id: Number in this home.
        attempt: Number of the attempt it belongs to, or None.
        program: Hash of the program.
        task: Hash of the task.
        purpose: What it was run for, for example "use".
        seed: Seed of its scene.
        outcome: How it ended.
        margin: Margin of the goal, dimensionless, or None when nothing was judged.
        detail: The record as it was given.
        at: When it was recorded, UTC.
    """

    id: int
    attempt: int | None
    program: str
    task: str
    purpose: str
    seed: int
    outcome: Outcome
    margin: float | None
    detail: Mapping[str, Any]
    at: datetime


class Journal:
    """Writes and reads the journal of one database."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def begin_run(self, command: str, seed: int, config: Mapping[str, Any]) -> int:
        """Note that a command began.

        Args:
            command: Its name and goal, for people.
            seed: The seed that everything in it derives from.
            config: Its settings, JSON-able.

        Returns:
            The run's number.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            return self._database.insert(
                "INSERT INTO runs (command, seed, config, started_at) VALUES (?, ?, ?, ?)",
                (command, seed, _text(config), self._now()),
            )

    def end_run(self, run: int) -> None:
        """Note that a command ended by itself.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self._database.execute("UPDATE runs SET ended_at = ? WHERE id = ?", (self._now(), run))

    def begin_attempt(self, task: Task, run: int | None = None) -> int:
        """Note that work on a task begins.

        Returns:
            The attempt's number.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self.keep_task(task)
            return self._database.insert(
                "INSERT INTO attempts (run, task, started_at) VALUES (?, ?, ?)",
                (run, task.hash, self._now()),
            )

    def end_attempt(
        self,
        attempt: int,
        outcome: Outcome,
        reason: str,
        *,
        simulated_steps: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Note how an attempt ended.

        Args:
            attempt: Number from `begin_attempt`.
            outcome: SOLVED when a skill was admitted.
            reason: One sentence.
            simulated_steps: Physics steps that it took.
            detail: Anything else, JSON-able.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self._database.execute(
                "UPDATE attempts SET ended_at = ?, outcome = ?, reason = ?, simulated_steps = ?, "
                "detail = ? WHERE id = ?",
                (self._now(), outcome, reason, simulated_steps, _text(detail or {}), attempt),
            )

    def close_interrupted(self) -> int:
        """Mark attempts that are still open as interrupted; only the home's learner may.

        Returns:
            How many there were.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            return self._database.execute(
                "UPDATE attempts SET ended_at = ?, reason = ? WHERE ended_at IS NULL",
                (self._now(), INTERRUPTED),
            ).rowcount

    def attempts(self, task_hash: str | None = None) -> tuple[Attempt, ...]:
        """All attempts, or those at one task, oldest first.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            "SELECT * FROM attempts WHERE ?1 IS NULL OR task = ?1 ORDER BY id", (task_hash,)
        )
        return tuple(
            Attempt(
                id=row["id"],
                run=row["run"],
                task=row["task"],
                started_at=moment(row["started_at"]),
                ended_at=None if row["ended_at"] is None else moment(row["ended_at"]),
                outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
                reason=row["reason"],
                simulated_steps=row["simulated_steps"],
                detail=json.loads(row["detail"] or "{}"),
            )
            for row in rows
        )

    def record_episode(
        self,
        *,
        program: str,
        task: str,
        purpose: str,
        seed: int,
        outcome: Outcome,
        margin: float | None,
        detail: Mapping[str, Any],
        attempt: int | None = None,
    ) -> int:
        """Keep one episode of a program that the library knows.

        Returns:
            The episode's number.

        Raises:
            StorageError: If it cannot be written, or program or task are not in the library.
        """
        with self._database.transaction():
            return self._database.insert(
                "INSERT INTO episodes (attempt, program, task, purpose, seed, outcome, margin, "
                "json, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    attempt,
                    program,
                    task,
                    purpose,
                    seed,
                    outcome,
                    margin,
                    _text(detail),
                    self._now(),
                ),
            )

    def episodes(self, program: str, purpose: str | None = None) -> tuple[EpisodeRecord, ...]:
        """The recorded episodes of a program, oldest first.

        Args:
            program: Its hash.
            purpose: Only those run for this, or all.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            "SELECT * FROM episodes WHERE program = ?1 AND (?2 IS NULL OR purpose = ?2) "
            "ORDER BY id",
            (program, purpose),
        )
        return tuple(
            EpisodeRecord(
                id=row["id"],
                attempt=row["attempt"],
                program=row["program"],
                task=row["task"],
                purpose=row["purpose"],
                seed=row["seed"],
                outcome=Outcome(row["outcome"]),
                margin=row["margin"],
                detail=json.loads(row["json"]),
                at=moment(row["at"]),
            )
            for row in rows
        )

    def keep_task(self, task: Task) -> None:
        """Store a task once, inside a transaction of the caller's; its first wording stays.

        Raises:
            StorageError: If it cannot be written.
        """
        self._database.execute(
            "INSERT INTO tasks (hash, instruction, goal, json, first_seen_at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
            (task.hash, task.instruction, task.goal.text, _text(task.to_json()), self._now()),
        )

    def _now(self) -> str:
        return stamp(self._database.clock())


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)
