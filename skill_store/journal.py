"""What happened: runs, attempts at tasks, and single episodes. Written as it happens.

An attempt is opened before its work begins and closed with its outcome. A kill leaves it open;
the next learner in the home marks it as interrupted, which is not an outcome: it says nothing
about the task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from env.outcome import Outcome
from env.seeds import short
from env.task import Task
from skill_store.clock import moment, stamp
from skill_store.database import Database, record_text
from skill_store.errors import StorageError
from skill_store.records import (
    INTERRUPTED,
    Attempt,
    Decision,
    Ending,
    EpisodeRecord,
    KeptControls,
    Tally,
    Wording,
)

__all__ = [
    "INTERRUPTED",
    "Attempt",
    "Decision",
    "Ending",
    "EpisodeRecord",
    "Journal",
    "KeptControls",
    "Tally",
    "Wording",
]

_ENDINGS: Final = """
SELECT id, program, json_extract(json, '$.ended') AS ended FROM episodes
WHERE id > ? AND NOT EXISTS (
    SELECT 1 FROM versions
    WHERE versions.program = episodes.program AND origin = 'renewed' AND added_at > episodes.at
)
ORDER BY id LIMIT ?
"""


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
                (command, seed, record_text(config), self._now()),
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
                (self._now(), outcome, reason, simulated_steps, record_text(detail or {}), attempt),
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

    def attempts(
        self, task_hash: str | None = None, *, after: int = 0, brief: bool = False
    ) -> tuple[Attempt, ...]:
        """All attempts, or those at one task, oldest first.

        Args:
            task_hash: Only those at this task, or all.
            after: Only those with a greater number.
            brief: Leave out their details, which are nearly all that there is to read.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            "SELECT id, run, task, started_at, ended_at, outcome, reason, simulated_steps, "
            "CASE WHEN ?3 THEN NULL ELSE detail END AS detail FROM attempts "
            "WHERE id > ?2 AND (?1 IS NULL OR task = ?1) ORDER BY id",
            (task_hash, after, brief),
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

    def tried_in_vain(self, task_hash: str, origin: str, platform: str) -> bool:
        """Whether an attempt at a task to prove a program of some origin came to nothing.

        Args:
            task_hash: Hash of the task.
            origin: Where the program came from, as the attempt notes it.
            platform: What the verdict depends on beside the task, as the attempt notes it.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first(
            "SELECT 1 FROM attempts WHERE task = ? AND outcome IN ('failed', 'rejected') "
            "AND json_extract(detail, '$.origin') = ? AND json_extract(detail, '$.platform') = ?",
            (task_hash, origin, platform),
        )
        return row is not None

    def tally(self, run: int | None = None) -> Tally:
        """How attempts ended, and the episodes of their practice and their certifications.

        Args:
            run: Only attempts of this run, or all of the home.

        Raises:
            StorageError: If they cannot be read.
        """
        attempts = self._database.rows(
            "SELECT CASE WHEN outcome IS NOT NULL THEN outcome "
            "WHEN ended_at IS NULL THEN 'open' ELSE ?2 END AS kind, count(*) AS number "
            "FROM attempts WHERE ?1 IS NULL OR run = ?1 GROUP BY kind ORDER BY kind",
            (run, INTERRUPTED),
        )
        episodes = self._database.rows(
            "SELECT purpose.key AS purpose, kind.key AS kind, sum(kind.value) AS number "
            "FROM attempts, json_each(attempts.detail, '$.episodes') AS purpose, "
            "json_each(purpose.value) AS kind "
            "WHERE ?1 IS NULL OR run = ?1 GROUP BY 1, 2 ORDER BY 1, 2",
            (run,),
        )
        found: dict[str, dict[str, int]] = {}
        for row in episodes:
            found.setdefault(row["purpose"], {})[row["kind"]] = row["number"]
        return Tally({row["kind"]: row["number"] for row in attempts}, found)

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
                    record_text(detail),
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

    def endings(self, *, after: int = 0, limit: int = 10_000) -> tuple[Ending, ...]:
        """How recorded episodes ended, oldest first, without the rest of their records.

        Those from before their program was certified again are left out: another judge saw them.

        Args:
            after: Only those with a greater number.
            limit: At most so many.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(_ENDINGS, (after, limit))
        return tuple(
            Ending(row["id"], row["program"], tuple(json.loads(row["ended"] or "[]")))
            for row in rows
        )

    def keep_controls(
        self, task: Task, platform: str, admitted: bool, record: Mapping[str, Any]
    ) -> None:
        """Keep how the control programs did, so that nobody runs them again.

        Args:
            task: The task.
            platform: What the result depends on beside the task, as one text.
            admitted: Whether the task may be learned.
            record: The result, JSON-able; replaces an earlier one.

        Raises:
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self.keep_task(task)
            self._database.execute(
                "INSERT INTO controls (task, platform, admitted, json, made_at) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (task, platform) DO UPDATE SET "
                "admitted = excluded.admitted, json = excluded.json, made_at = excluded.made_at",
                (task.hash, platform, int(admitted), record_text(record), self._now()),
            )

    def controls(self, task_hash: str, platform: str) -> KeptControls | None:
        """What `keep_controls` kept for a task on a platform, or None.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first(
            "SELECT admitted, json FROM controls WHERE task = ? AND platform = ?",
            (task_hash, platform),
        )
        return None if row is None else KeptControls(bool(row["admitted"]), json.loads(row["json"]))

    def tested(self, platform: str) -> Mapping[str, KeptControls]:
        """What `keep_controls` kept on a platform, by task hash.

        Raises:
            StorageError: If it cannot be read.
        """
        rows = self._database.rows(
            "SELECT task, admitted, json FROM controls WHERE platform = ? ORDER BY task",
            (platform,),
        )
        return {
            row["task"]: KeptControls(bool(row["admitted"]), json.loads(row["json"]))
            for row in rows
        }

    def task(self, task_hash: str) -> Task:
        """A task that was kept, as it was first worded.

        Raises:
            StorageError: If it is not in this home, or it cannot be read.
            VoyagerError: If it speaks about kinds or predicates that are not loaded.
        """
        row = self._database.first("SELECT json FROM tasks WHERE hash = ?", (task_hash,))
        if row is None:
            raise StorageError(f"task {short(task_hash)} is not in {self._database.path}")
        return Task.from_json(json.loads(row["json"]))

    def as_first_worded(self, task: Task) -> Task:
        """A task with its parameters called as when this home first met it.

        What is recorded of equal tasks can be read together only if it speaks of the same names.

        Raises:
            StorageError: If the journal cannot be read.
        """
        row = self._database.first("SELECT json FROM tasks WHERE hash = ?", (task.hash,))
        first = task if row is None else Task.from_json(json.loads(row["json"]))
        same = (first.goal.text, first.parameters) == (task.goal.text, task.parameters)
        return task if same else first

    def keep_decision(self, attempt: int, number: int, proposer: str, why: str) -> None:
        """Note why an attempt is made.

        Args:
            attempt: Number from `begin_attempt`.
            number: Which choice of this home it is.
            proposer: Who proposed the task.
            why: One sentence.

        Raises:
            StorageError: If it cannot be written, or the attempt has one already.
        """
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO decisions (attempt, number, proposer, why) VALUES (?, ?, ?, ?)",
                (attempt, number, proposer, why),
            )

    def decisions(self, *, after: int = 0) -> tuple[Decision, ...]:
        """All choices of explorers, oldest first.

        Args:
            after: Only those about attempts with a greater number.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            "SELECT decisions.*, attempts.task FROM decisions "
            "JOIN attempts ON attempts.id = decisions.attempt "
            "WHERE decisions.attempt > ? ORDER BY decisions.attempt",
            (after,),
        )
        return tuple(
            Decision(row["attempt"], row["number"], row["proposer"], row["why"], row["task"])
            for row in rows
        )

    def wordings(self) -> Mapping[str, Wording]:
        """How each task was worded when it was first seen, by hash.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows("SELECT hash, instruction, goal FROM tasks")
        return {row["hash"]: Wording(row["instruction"], row["goal"]) for row in rows}

    def keep_task(self, task: Task) -> None:
        """Store a task once, inside a transaction of the caller's; its first wording stays.

        Raises:
            StorageError: If it cannot be written.
        """
        self._database.execute(
            "INSERT INTO tasks (hash, instruction, goal, json, first_seen_at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
            (task.hash, task.instruction, task.goal.text, record_text(task.to_json()), self._now()),
        )

    def _now(self) -> str:
        return stamp(self._database.clock())
