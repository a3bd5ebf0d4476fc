"""The reading side of a library: listing, finding, choosing, and bringing skills back whole."""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from env.certificate import Certificate, Deepening
from env.errors import GoalError, KindError, ProgramError, TaskError, VoyagerError
from env.fingerprint import Fingerprint
from env.program import Closure
from env.starts import Handover
from env.task import Task
from skill_store.clock import moment
from skill_store.database import Database
from skill_store.errors import StorageError, UnknownSkill
from skill_store.graph import ProgramGraph
from skill_store.promises import predicates
from skill_store.queries import (
    CHAMPIONS,
    CHOSEN,
    IN_USE,
    LINES,
    MISLISTED,
    NEWEST,
    PROOFS,
    SET_ASIDE,
    SHARING,
    UNVERSIONED,
    VERSIONS,
    WHOLE,
)
from skill_store.skill import InUse, Origin, Skill, SkillEntry, SkillState, Version

MOST_CALLEES: Final = 64
"""Skills that are offered to one program; with more, a search would only look at the offer."""
MOST_HANDOVERS: Final = 32
"""Skills that scenes of one task may begin after."""
_entry: Final = tuple.__new__  # of a named tuple, without counting its fields for each row
_CHUNK: Final = 50  # skills that are read back at a time: a certificate has some kilobytes


@dataclass(frozen=True, slots=True)
class Proof:
    """What a skill's certificate rests on.

    Attributes:
        name: Name of the skill.
        state: Where it stands in its life.
        bound: Published bound of its success rate, or None.
        robot: Robot of its scenes.
        fingerprint: What the certificate was made with.
    """

    name: str
    state: SkillState
    bound: float | None
    robot: str
    fingerprint: Fingerprint


class Catalogue:
    """Reads the skills of one database. Every `Library` is one.

    Attributes:
        database: Where everything is kept; other modules of this package keep theirs there too.
    """

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self.database = database
        self._graph = ProgramGraph(database)
        # Certificates never change, so what was read of one is read once.
        self._fingerprints: dict[str, Fingerprint] = {}

    def entries(self, *, limit: int | None = None, offset: int = 0) -> tuple[SkillEntry, ...]:
        """Skills in short form, oldest first.

        Args:
            limit: At most so many; all when None.
            offset: So many of the oldest are left out.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self.database.tuples(LINES, (-1 if limit is None else limit, offset))
        return tuple([_entry(SkillEntry, row) for row in rows])

    def in_use(self) -> tuple[InUse, ...]:
        """The skills that a search may build on, oldest first; cheap, to be asked often.

        Raises:
            StorageError: If they cannot be read.
        """
        return tuple([_entry(InUse, row) for row in self.database.tuples(IN_USE)])

    def set_aside(self) -> frozenset[str]:
        """Tasks whose skill is out of use and pinned there: only a person may change that.

        Raises:
            StorageError: If they cannot be read.
        """
        return frozenset(row["task"] for row in self.database.rows(SET_ASIDE))

    def names(self) -> tuple[str, ...]:
        """Names of all skills, sorted.

        Raises:
            StorageError: If they cannot be read.
        """
        return tuple(
            row["name"] for row in self.database.rows("SELECT name FROM skills ORDER BY 1")
        )

    def get(self, name: str) -> Skill:
        """One skill, whole, as its champion stands.

        Raises:
            UnknownSkill: If there is none of that name, with the nearest.
            VoyagerError: If its program, task or certificate cannot be read back (a kind or
                predicate of an extension that is not loaded, for example).
            StorageError: If the library cannot be read.
        """
        row = self.database.first(f"{CHAMPIONS} AND skills.name = ?", (name,))
        if row is None:
            raise self._unknown(name)
        return self._skill(row)

    def find(self, task_hash: str) -> Skill | None:
        """The skill that solves exactly this task, or None.

        Raises:
            VoyagerError: As for `get`.
            StorageError: If the library cannot be read.
        """
        row = self.database.first(f"{CHAMPIONS} AND skills.task = ?", (task_hash,))
        return None if row is None else self._skill(row)

    def versions(self, name: str) -> tuple[Version, ...]:
        """All programs that ever stood for a skill, in the order of their numbers.

        Raises:
            UnknownSkill: If there is no such skill.
            StorageError: If the library cannot be read.
        """
        rows = self.database.rows(VERSIONS, (name,))
        if not rows:
            raise self._unknown(name)
        return tuple(_version(row) for row in rows)

    def version(self, name: str, number: int) -> Skill:
        """A skill as one of its versions had it: that program, its certificate and its bound.

        Raises:
            UnknownSkill: If there is no such skill, or no such version of it.
            VoyagerError: If it cannot be read back.
            StorageError: If the library cannot be read.
        """
        row = self.database.first(
            f"{WHOLE} WHERE skills.name = ? AND versions.number = ?", (name, number)
        )
        if row is None:
            raise self._no_version(name, number)
        return self._skill(row)

    def callees_for(self, task: Task, most: int = MOST_CALLEES) -> tuple[Skill, ...]:
        """Skills that a program for this task may call, oldest first.

        On probation or active, not the task's own, at most `most`: first of all the newest of
        those whose contract shares a predicate with the goal. A quarter of the places is kept
        for the newest of the others (to stack a block takes a skill that lifts one, whose
        contract shares no word with "on"); places that one side leaves free go to the other. So
        a library of no more than `most` skills is offered whole. What cannot be read back is
        left out; it is in `problems`. Scenes begin after the skills of `handovers_for`.

        Args:
            task: The task.
            most: At most so many.

        Raises:
            StorageError: If the library cannot be read.
        """
        words = sorted(predicates(task.goal))
        sharing = self._callable(SHARING, words, task, most)
        others = self._callable(NEWEST, words, task, most)
        places = max(most - len(sharing), min(len(others), most // 4))
        kin = sharing[: most - min(places, len(others))]
        return self._readable([*kin, *others[:places]])

    def handovers_for(self, task: Task, most: int = MOST_HANDOVERS) -> tuple[Skill, ...]:
        """Skills that scenes of this task may begin after, oldest first.

        The newest callable ones but the task's own, whatever they are about: a skill has to
        begin from wherever another one ended. What cannot be read back is left out.

        Args:
            task: The task.
            most: At most so many.

        Raises:
            StorageError: If the library cannot be read.
        """
        return self._readable(self._callable(NEWEST, [], task, most))

    def proofs(self) -> tuple[Proof, ...]:
        """What the certificates of all champions rest on; no certificate is parsed twice.

        Raises:
            StorageError: If they cannot be read.
        """
        rows = self.database.rows(PROOFS)
        return tuple(
            Proof(
                name=row["name"],
                state=SkillState(row["state"]),
                bound=row["bound"],
                robot=row["robot"],
                fingerprint=self._fingerprint(row["certificate"]),
            )
            for row in rows
        )

    def problems(self, *, most: int | None = None) -> tuple[str, ...]:
        """What is wrong in this library: a damaged file, skills that cannot be read back.

        Args:
            most: Read back so many skills, spread over all names; every one when None. The file
                itself is looked at whole.

        Raises:
            StorageError: If the file is too damaged to look.
        """
        found = list(self.database.check())
        names = self.names()
        chosen = names if most is None or len(names) <= most else _spread(names, most)
        for start in range(0, len(chosen), _CHUNK):
            chunk = json.dumps(chosen[start : start + _CHUNK])
            for row in self.database.rows(CHOSEN, (chunk,)):
                skill, problem = self._attempted(row)
                if skill is None:
                    found.append(f"the skill {row['name']!r} cannot be used: {problem}")
        found += [
            f"the skill {row['name']!r} names a version that is not there"
            for row in self.database.rows(UNVERSIONED)
        ]
        found += [
            f"the skill {row['name']!r} is listed with another {row['what']} than it has"
            for row in self.database.rows(MISLISTED)
        ]
        return tuple(found)

    def closure(self, program_hash: str) -> Closure:
        """A stored program and all that it calls, each with its contract where it has one.

        Raises:
            StorageError: If the program is not in the library, or it cannot be read.
            VoyagerError: If something in it cannot be read back.
        """
        return self._graph.closure(program_hash)

    def dependents(self, program_hash: str) -> tuple[str, ...]:
        """Names of the skills that call a program, directly or through others, sorted.

        Raises:
            StorageError: If the library cannot be read.
        """
        return self._graph.dependents(program_hash)

    def handovers_of(self, certificate: Certificate | Deepening) -> tuple[Handover, ...]:
        """The skills that a record's scenes begin after, as its replay needs them.

        Also those that are retired by now, or no longer the champion of their task.

        Raises:
            StorageError: If one is not in this library, or it cannot be read.
            VoyagerError: If one cannot be read back.
        """
        starts = (scene.start.handover for scene in certificate.scenes)
        named = sorted({(start.closure, start.task) for start in starts if start is not None})
        return tuple(self._graph.handover(closure, task) for closure, task in named)

    def name_of(self, task_hash: str) -> str | None:
        """Name of the skill for exactly this task, in whatever state it is; None without one.

        Raises:
            StorageError: If the library cannot be read.
        """
        row = self.database.first("SELECT name FROM skills WHERE task = ?", (task_hash,))
        return None if row is None else str(row["name"])

    def free_name(self, wanted: str, task_hash: str) -> str:
        """The name under which a new skill may stand: `wanted`, or `wanted_2`, `wanted_3`...

        A name belongs to one task for good, so that `from skills.NAME import NAME` never changes
        its meaning; the skill of the same task keeps its name.

        Raises:
            StorageError: If the library cannot be read.
        """
        rows = self.database.rows("SELECT name, task FROM skills")
        taken = {row["name"]: row["task"] for row in rows}
        name, number = wanted, 1
        while taken.get(name, task_hash) != task_hash:
            number += 1
            name = f"{wanted}_{number}"
        return name

    # Inside

    def _callable(self, query: str, words: list[str], task: Task, most: int) -> list[str]:
        rows = self.database.rows(query, (json.dumps(words), task.hash, most))
        return [row["name"] for row in rows]

    def _readable(self, names: list[str]) -> tuple[Skill, ...]:
        rows = self.database.rows(CHOSEN, (json.dumps(names),))
        found = (self._attempted(row)[0] for row in rows)
        return tuple(skill for skill in found if skill is not None)

    def _fingerprint(self, certificate: str) -> Fingerprint:
        found = self._fingerprints.get(certificate)
        if found is None:
            text = self.database.one(
                "SELECT json_extract(json, '$.fingerprint') FROM certificates WHERE hash = ?",
                (certificate,),
            )[0]
            found = self._fingerprints[certificate] = Fingerprint.from_json(json.loads(text))
        return found

    def _skill(self, row: sqlite3.Row) -> Skill:
        try:
            return self._read(row)
        except (KindError, GoalError, ProgramError, TaskError, ValueError) as error:
            found = f"the skill {row['name']!r} cannot be read back: {error}"
            raise VoyagerError(f"{found}; see `voyager doctor` and this home's backups") from error

    def _read(self, row: sqlite3.Row) -> Skill:
        deepening = row["deepening_json"]
        return Skill(
            name=row["name"],
            state=SkillState(row["state"]),
            closure=self._graph.closure(row["program"]),
            task=Task.from_json(json.loads(row["wording"])),
            certificate=Certificate.from_json(json.loads(row["certificate_json"])),
            deepening=None if deepening is None else Deepening.from_json(json.loads(deepening)),
            added_at=moment(row["added_at"]),
            version=row["version"],
            pinned=bool(row["pinned"]),
        )

    def _attempted(self, row: sqlite3.Row) -> tuple[Skill | None, str]:
        """One skill, or why it cannot be read back; a bad one must not hide the others."""
        try:
            return self._skill(row), ""
        except StorageError:
            raise
        except VoyagerError as error:
            return None, str(error)

    def _unknown(self, name: str) -> UnknownSkill:
        return UnknownSkill(f"no skill is called {name!r}; {self._hint(name)}")

    def _no_version(self, name: str, number: int) -> UnknownSkill:
        last = self.versions(name)[-1].number
        return UnknownSkill(f"{name!r} has no version {number}; its versions go from 1 to {last}")

    def _hint(self, name: str) -> str:
        names = self.names()
        if not names:
            return "this library is empty, `voyager learn` fills it"
        near = difflib.get_close_matches(name, names, n=1)
        return f"did you mean {near[0]!r}?" if near else f"skills here: {_some(names)}"


def _spread(names: Sequence[str], most: int) -> tuple[str, ...]:
    return tuple(names[index * len(names) // most] for index in range(most))


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"


def _version(row: sqlite3.Row) -> Version:
    return Version(
        skill=row["skill"],
        number=row["number"],
        program=row["program"],
        certificate=row["certificate"],
        origin=Origin(row["origin"]),
        champion=bool(row["champion"]),
        k=row["k"],
        n=row["n"],
        bound=row["bound"],
        added_at=moment(row["added_at"]),
    )
