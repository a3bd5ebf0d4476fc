"""What is embedded about a skill, and the table of vectors: the truth from which indexes are made.

A skill is looked for in three ways, its *views*: by what it is for, by what it makes true, and by
how it is called. Their texts are made from the stored wording alone, without reading a goal or a
program, so that ten thousand of them cost a fraction of a second.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from env.task import Task
from skill_store.database import Database
from skill_store.errors import StorageError
from skill_store.lexical import words
from skill_store.skill import SkillState
from skill_store.vector_index import Vectors

_ATOM: Final = re.compile(r"(\w+)\(([^()]*)\)")
_COMPARED: Final = {">=": "at least", "<=": "at most", "==": "exactly"}
_FEW: Final = 1_000
_BYTES: Final = 4  # of a number in a stored vector: float32, little-endian

_CHAMPIONS: Final = """
SELECT skills.program, skills.name, certifications.wording
FROM skills
JOIN certificates ON certificates.hash = skills.certificate
JOIN certifications ON certifications.task = certificates.task
                   AND certifications.ordinal = certificates.ordinal
WHERE skills.state != 'retired'
ORDER BY skills.name
"""
_STANDING: Final = """
SELECT skills.program, skills.state, deepenings.bound
FROM skills
LEFT JOIN deepenings ON deepenings.id = (
    SELECT max(id) FROM deepenings WHERE deepenings.certificate = skills.certificate
)
WHERE skills.state != 'retired' AND skills.program IN (SELECT value FROM json_each(?))
"""
_ALL_VECTORS: Final = "SELECT program, view, vector FROM vectors WHERE embedder = ?"
_SOME_VECTORS: Final = (
    "SELECT program, view, vector FROM vectors "
    "WHERE embedder = ? AND program IN (SELECT value FROM json_each(?))"
)


class View(StrEnum):
    """What of a skill a text speaks about."""

    NAME = "name"
    """Its name, letter for letter; found without a vector."""
    DESCRIPTION = "description"
    """Its name and its instruction."""
    GOAL = "goal"
    """What it makes true."""
    SIGNATURE = "signature"
    """Its name and what it is called with."""


@dataclass(frozen=True, slots=True)
class Described:
    """A skill that can be looked for, in the words of its certification.

    Attributes:
        program: Hash of the champion's program.
        name: Name of the skill.
        instruction: The task in words.
        goal: The goal as it was written.
        parameters: (name, kind) pairs.
    """

    program: str
    name: str
    instruction: str
    goal: str
    parameters: tuple[tuple[str, str], ...]

    def texts(self) -> dict[View, str]:
        """What is embedded, by view."""
        name = " ".join(words(self.name))
        called = ", ".join(_noun(*parameter) for parameter in self.parameters)
        return {
            View.DESCRIPTION: f"{name}: {self.instruction}",
            View.GOAL: goal_in_words(self.goal, self.parameters),
            View.SIGNATURE: f"{name} {called}".strip(),
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a skill stands now.

    Attributes:
        state: In its life.
        bound: Published 95 % lower bound of its success rate; None until it is deepened.
    """

    state: SkillState
    bound: float | None


def goal_in_words(goal: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A goal as something between an expression and a sentence: ``on(a, b)`` is "a on b".

    Args:
        goal: As it was written.
        parameters: (name, kind) pairs; kinds are said beside the names.
    """
    nouns = {name: _noun(name, kind) for name, kind in parameters}

    def said(atom: re.Match[str]) -> str:
        predicate = " ".join(words(atom[1]))
        things = [nouns.get(thing, thing) for part in atom[2].split(",") if (thing := part.strip())]
        if not things:
            return predicate
        first, *others = things
        if not others:
            return f"{first} is {predicate}"
        return f"{first} {predicate} {' '.join(others)}"

    text, changed = goal, 1
    while changed:  # from the inside out
        text, changed = _ATOM.subn(said, text)
    for sign, meant in _COMPARED.items():
        text = text.replace(sign, f" {meant} ")
    return " ".join(re.sub(r"[^\w.,\s-]|_", " ", text).split())


def task_texts(task: Task) -> tuple[str, ...]:
    """What a task without a skill is looked for by: its instruction and its goal."""
    return task.instruction, goal_in_words(task.goal.text, task.parameters)


def text_digest(text: str) -> str:
    """Hash of an embedded text, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StoredVector:
    """One vector and what it stands for.

    Attributes:
        program: Hash of the program.
        view: Which of its texts.
        digest: Hash of that text.
        vector: (dimension,).
    """

    program: str
    view: View
    digest: str
    vector: Vectors


class VectorTable:
    """Reads and writes the table `vectors` of one database."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def described(self) -> tuple[Described, ...]:
        """All champions that are not retired, sorted by name.

        Raises:
            StorageError: If they cannot be read.
        """
        return tuple(
            _described(row["program"], row["name"], json.loads(row["wording"]))
            for row in self._database.rows(_CHAMPIONS)
        )

    def programs(self) -> frozenset[str]:
        """Programs of all champions that are not retired: cheap, to see whether that changed.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows("SELECT program FROM skills WHERE state != 'retired'")
        return frozenset(row["program"] for row in rows)

    def moment(self) -> tuple[int, int]:
        """Changes whenever this or another connection has written anything.

        Raises:
            StorageError: If the database cannot be asked.
        """
        others = int(self._database.one("PRAGMA data_version")[0])
        return others, int(self._database.one("SELECT total_changes()")[0])

    def standings(self, programs: Sequence[str]) -> dict[str, Standing]:
        """Where skills stand, by their champion's program; what is none is left out.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(_STANDING, (json.dumps(list(programs)),))
        return {row["program"]: Standing(SkillState(row["state"]), row["bound"]) for row in rows}

    def digests(self, embedder: str, dimension: int) -> dict[tuple[str, str], str]:
        """Hash of the embedded text by (program, view), of vectors that can be used.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self._database.rows(
            "SELECT program, view, digest FROM vectors "
            "WHERE embedder = ? AND length(vector) = ? AND program IN (SELECT program FROM skills)",
            (embedder, _BYTES * dimension),
        )
        return {(row["program"], row["view"]): row["digest"] for row in rows}

    def read(self, embedder: str, dimension: int, keys: Sequence[tuple[str, str]]) -> Vectors:
        """Stored vectors, a row for each (program, view).

        Raises:
            StorageError: If they cannot be read, or one is not there.
        """
        if len(keys) <= _FEW:
            programs = json.dumps(sorted({program for program, _ in keys}))
            rows = self._database.rows(_SOME_VECTORS, (embedder, programs))
        else:
            # All of them in one sweep are read many times faster than each by itself.
            rows = self._database.rows(_ALL_VECTORS, (embedder,))
        stored = {(row["program"], row["view"]): row["vector"] for row in rows}
        try:
            joined = b"".join(stored[key] for key in keys)
        except KeyError as error:
            raise StorageError(
                f"vectors of {self._database.path} vanished while they were read; run the command "
                "again"
            ) from error
        return np.frombuffer(joined, "<f4").astype(np.float32).reshape(len(keys), dimension)

    def keep(self, embedder: str, vectors: Iterable[StoredVector]) -> None:
        """Store vectors, in place of older ones for the same view.

        Raises:
            StorageError: If they cannot be written.
        """
        with self._database.transaction():
            for one in vectors:
                self._database.execute(
                    "INSERT INTO vectors (program, view, embedder, digest, vector) "
                    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (program, view, embedder) "
                    "DO UPDATE SET digest = excluded.digest, vector = excluded.vector",
                    (
                        one.program,
                        one.view,
                        embedder,
                        one.digest,
                        one.vector.astype("<f4").tobytes(),
                    ),
                )


def _described(program: str, name: str, wording: dict[str, Any]) -> Described:
    return Described(
        program,
        name,
        wording["instruction"],
        wording["goal"],
        tuple((parameter, kind) for parameter, kind in wording["parameters"]),
    )


@functools.lru_cache(maxsize=4096)
def _noun(name: str, kind: str) -> str:
    said = " ".join(words(name))
    return said if said == kind or kind in said.split() else f"{said} {kind}"
