"""Contracts of skills, found by their words and read only when they are looked at."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from env.errors import GoalError, KindError
from env.goals import Goal
from env.seeds import canonical_json
from env.task import Task
from skill_store.database import Database
from skill_store.promises import needed, promised
from skill_store.skill import SkillState

_CHUNK: Final = 8
_FIELDS: Final = """
SELECT skills.name, skills.state, skills.added_at, certifications.wording
FROM skills
JOIN certificates ON certificates.hash = skills.certificate
JOIN certifications ON certifications.task = certificates.task
                   AND certifications.ordinal = certificates.ordinal
"""
_CHOSEN: Final = "skills.name IN (SELECT value FROM json_each(?))"
# Of contracts that promise all that is needed, those come first that promise little else. Skills
# are only looked up for the best of them: that is where the time would go in a large library.
_NEAREST: Final = """
WITH asked AS (
    SELECT task, count(*) AS shared, sum(predicate IN (SELECT value FROM json_each(?2))) AS met
    FROM promises WHERE predicate IN (SELECT value FROM json_each(?1)) GROUP BY task
), best AS MATERIALIZED (
    SELECT task, shared, met,
           (SELECT count(*) FROM promises WHERE promises.task = asked.task) AS words
    FROM asked ORDER BY met DESC, shared DESC, words, task LIMIT 4 * ?3
)
SELECT skills.name, best.met FROM best JOIN skills ON skills.task = best.task
ORDER BY best.met DESC, skills.state IN ('probation', 'active') DESC, best.shared DESC, best.words,
         skills.added_at DESC, skills.name
LIMIT ?3
"""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a skill promises.

    Attributes:
        name: Name of the skill.
        state: Where the skill stands in its life.
        parameters: (name, kind) of each parameter, in order.
        text: Its goal as it was written.
        added_at: When the skill entered the library, as text in the order of time.
        wording: The record of its task.
    """

    name: str
    state: SkillState
    parameters: tuple[tuple[str, str], ...]
    text: str
    added_at: str
    wording: Mapping[str, Any] = field(hash=False, repr=False)

    @property
    def goal(self) -> Goal | None:
        """Its goal; None if that cannot be read here (its extension is not loaded)."""
        return _read(self.text, self.parameters)

    def covers(self, task: Task) -> bool:
        """Whether it was certified for the very scenes of a task, within its limits."""
        return (
            self.wording["time_limit"] <= task.time_limit
            and self.wording["call_limit"] <= task.call_limit
            and canonical_json(self.wording["scene"]) == canonical_json(task.scene.to_json())
        )


class Contracts:
    """Reads the contracts of one database."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def of_task(self, task_hash: str) -> Contract | None:
        """That of the skill for exactly this task, or None.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first(f"{_FIELDS} WHERE skills.task = ?", (task_hash,))
        return None if row is None else _contract(row)

    def named(self, names: Iterable[str]) -> Iterator[Contract]:
        """Those of the skills of these names, in this order, a few read at a time.

        Args:
            names: Names; unknown ones are left out.

        Raises:
            StorageError: If they cannot be read.
        """
        waiting = iter(names)
        while chunk := list(islice(waiting, _CHUNK)):
            rows = self._database.rows(f"{_FIELDS} WHERE {_CHOSEN}", (json.dumps(chunk),))
            found = {row["name"]: row for row in rows}
            yield from (_contract(found[name]) for name in chunk if name in found)

    def nearest(self, goal: Goal, most: int) -> tuple[tuple[str, bool], ...]:
        """The skills whose contract shares most words with a goal, nearest first.

        Args:
            goal: What is wanted.
            most: At most so many.

        Returns:
            (name, whether it may promise all that the goal needs) pairs. Skills in use come
            before others of the same rank.

        Raises:
            StorageError: If they cannot be read.
        """
        words, must = sorted(promised(goal)), sorted(needed(goal))
        rows = self._database.rows(_NEAREST, (json.dumps(words), json.dumps(must), most))
        return tuple((row["name"], row["met"] == len(must)) for row in rows)


def _contract(row: sqlite3.Row) -> Contract:
    wording = json.loads(row["wording"])
    return Contract(
        name=row["name"],
        state=SkillState(row["state"]),
        parameters=tuple((str(name), str(kind)) for name, kind in wording["parameters"]),
        text=wording["goal"],
        added_at=row["added_at"],
        wording=wording,
    )


@lru_cache(maxsize=4096)
def _read(text: str, parameters: tuple[tuple[str, str], ...]) -> Goal | None:
    try:
        return Goal.parse(text, dict(parameters))
    except (GoalError, KindError):
        return None
