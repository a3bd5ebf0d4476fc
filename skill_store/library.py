"""The library of one home: what was certified, and the road into it.

The road has two steps, so that tries can be counted and never forgotten: `reserve` commits the
ordinal of a certification before any held-out seed is drawn, `add` (or `refuse`) writes down how
it ended. A process that dies in between has used up its ordinal for every other program.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from env.certificate import Certificate, Deepening
from env.errors import GoalError, KindError, ProgramError, TaskError, VoyagerError
from env.program import Closure
from env.seeds import short
from env.starts import Handover
from env.task import Task
from skill_store.clock import Clock, moment, stamp, utc_now
from skill_store.database import DATABASE, Database
from skill_store.errors import AdmissionError, StorageError, UnknownSkill
from skill_store.graph import ProgramGraph
from skill_store.home_lock import HomeLock
from skill_store.journal import Journal
from skill_store.skill import Skill, SkillEntry, SkillState

_SKILLS: Final = """
SELECT skills.*, certifications.wording, certificates.k, certificates.n,
       certificates.json AS certificate_json, deepenings.bound, deepenings.json AS deepening_json
FROM skills
JOIN certificates ON certificates.hash = skills.certificate
JOIN certifications ON certifications.task = certificates.task
                   AND certifications.ordinal = certificates.ordinal
LEFT JOIN deepenings ON deepenings.id = (
    SELECT max(id) FROM deepenings WHERE deepenings.certificate = skills.certificate
)
"""


class Library:
    """The skills of one home. Open it with `Library.open`; leaving the block closes it."""

    def __init__(self, database: Database, lock: HomeLock | None = None) -> None:
        """Take over an open database and, for a learner, the held lock of its home."""
        self._database = database
        self._lock = lock
        self._graph = ProgramGraph(database)
        self.journal = Journal(database)

    @classmethod
    def open(cls, home: str | Path, *, learning: bool = False, clock: Clock = utc_now) -> Library:
        """Open the library of a home, making both when they are not there.

        Args:
            home: The home folder.
            learning: Take the home's lock until `close`, as `reserve` needs it; readers never do.
            clock: Source of the present moment.

        Returns:
            The library.

        Raises:
            HomeBusy: If another process learns in this home.
            StorageError: If the home cannot be read or written, or is of a newer version.
        """
        folder = Path(home)
        lock = HomeLock(folder, clock=clock) if learning else None
        if lock is not None:
            lock.acquire()
        try:
            library = cls(Database(folder / DATABASE, clock=clock), lock)
            if learning:
                library.journal.close_interrupted()
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return library

    def close(self) -> None:
        """Close the database and let go of the lock; closing twice is harmless."""
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Library:
        """Leaving the block closes the library."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the library."""
        self.close()

    # Reading

    def entries(self) -> tuple[SkillEntry, ...]:
        """All skills in short form, oldest first.

        Raises:
            StorageError: If they cannot be read.
        """
        called: dict[str, list[str]] = {}
        for row in self._database.rows("SELECT caller, name FROM locks ORDER BY name"):
            called.setdefault(row["caller"], []).append(row["name"])
        rows = self._database.rows(f"{_SKILLS} ORDER BY skills.added_at, skills.name")
        return tuple(_entry(row, tuple(called.get(row["program"], ()))) for row in rows)

    def names(self) -> tuple[str, ...]:
        """Names of all skills, sorted.

        Raises:
            StorageError: If they cannot be read.
        """
        return tuple(
            row["name"] for row in self._database.rows("SELECT name FROM skills ORDER BY 1")
        )

    def get(self, name: str) -> Skill:
        """One skill, whole.

        Raises:
            UnknownSkill: If there is none of that name, with the nearest.
            VoyagerError: If its program, task or certificate cannot be read back (a kind or
                predicate of an extension that is not loaded, for example).
            StorageError: If the library cannot be read.
        """
        row = self._database.first(f"{_SKILLS} WHERE skills.name = ?", (name,))
        if row is None:
            raise UnknownSkill(f"no skill is called {name!r}; {self._hint(name)}")
        return self._skill(row)

    def find(self, task_hash: str) -> Skill | None:
        """The skill that solves exactly this task, or None.

        Raises:
            VoyagerError: As for `get`.
            StorageError: If the library cannot be read.
        """
        row = self._database.first(f"{_SKILLS} WHERE skills.task = ?", (task_hash,))
        return None if row is None else self._skill(row)

    def callees_for(self, task: Task) -> tuple[Skill, ...]:
        """Skills that a program for this task may call, oldest first.

        On probation or active, not the task's own; what cannot be read back is in `problems`.

        Raises:
            StorageError: If the library cannot be read.
        """
        rows = self._database.rows(
            f"{_SKILLS} WHERE skills.task != ? ORDER BY skills.added_at, skills.name", (task.hash,)
        )
        callable_rows = [row for row in rows if SkillState(row["state"]).callable]
        return tuple(
            skill
            for skill, _ in (self._attempted(row) for row in callable_rows)
            if skill is not None
        )

    def problems(self) -> tuple[str, ...]:
        """What is wrong in this library: a damaged file, skills that cannot be read back.

        Raises:
            StorageError: If the file is too damaged to look.
        """
        found = list(self._database.check())
        for row in self._database.rows(f"{_SKILLS} ORDER BY skills.name"):
            skill, problem = self._attempted(row)
            if skill is None:
                found.append(f"the skill {row['name']!r} cannot be used: {problem}")
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

    def handovers_of(self, certificate: Certificate) -> tuple[Handover, ...]:
        """The skills that a certificate's scenes begin after, as its replay needs them.

        Also those that are retired by now, or no longer the champion of their task.

        Raises:
            StorageError: If one is not in this library, or it cannot be read.
            VoyagerError: If one cannot be read back.
        """
        starts = (scene.start.handover for scene in certificate.scenes)
        named = sorted({(start.closure, start.task) for start in starts if start is not None})
        return tuple(self._graph.handover(closure, task) for closure, task in named)

    def free_name(self, wanted: str, task_hash: str) -> str:
        """The name under which a new skill may stand: `wanted`, or `wanted_2`, `wanted_3`...

        A name belongs to one task for good, so that `from skills.NAME import NAME` never changes
        its meaning; the skill of the same task keeps its name.

        Raises:
            StorageError: If the library cannot be read.
        """
        rows = self._database.rows("SELECT name, task FROM skills")
        taken = {row["name"]: row["task"] for row in rows}
        name, number = wanted, 1
        while taken.get(name, task_hash) != task_hash:
            number += 1
            name = f"{wanted}_{number}"
        return name

    # The road into the library

    def reserve(self, task: Task, closure: Closure, attempt: int | None = None) -> int:
        """Open the next certification of a task, on the disk, before its seeds are drawn.

        A certification of the very same program that was opened and never decided (a kill, a
        lost sandbox) is taken up again: its seeds are the same, so nothing is gained by it.

        Args:
            task: The task.
            closure: The frozen program with all that it calls.
            attempt: The journal's number of the attempt.

        Returns:
            The ordinal j of SPEC 2: 0 for the first certification of this task in this home.

        Raises:
            AdmissionError: If the program calls something that is not in this library.
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self.journal.keep_task(task)
            self._graph.keep(closure)
            undecided = self._database.first(
                "SELECT ordinal FROM certifications "
                "WHERE task = ? AND closure = ? AND decided_at IS NULL",
                (task.hash, closure.hash),
            )
            if undecided is not None:
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
                    _text(task.to_json()),
                    attempt,
                    self._now(),
                ),
            )
        return ordinal

    def refuse(self, certificate: Certificate) -> None:
        """Close a certification that was not passed; the certificate is kept.

        Raises:
            AdmissionError: If the certificate admits, or belongs to no open certification.
            StorageError: If it cannot be written.
        """
        if certificate.admitted:
            raise AdmissionError("this certificate admits its program; add it instead")
        with self._database.transaction():
            self._decide(certificate)

    def add(self, task: Task, closure: Closure, certificate: Certificate) -> Skill:
        """Admit a program: it becomes a skill on probation. All of it is written, or nothing.

        Args:
            task: What it was certified for.
            closure: The program, exactly as it was certified.
            certificate: Its admitting certificate, of a certification opened by `reserve`.

        Returns:
            The new skill, named after its function.

        Raises:
            AdmissionError: If the certificate does not admit or is for something else, the task
                has a skill already, or the name belongs to another task.
            StorageError: If it cannot be written.
        """
        name = closure.entry.name
        if not certificate.admitted:
            raise AdmissionError(
                f"{name!r} was not admitted (it solved {certificate.solved} held-out scenes and "
                f"needed {certificate.needed} of {certificate.n}); only a program with an "
                "admitting certificate enters the library"
            )
        if (certificate.task, certificate.closure) != (task.hash, closure.hash):
            raise AdmissionError(
                f"the certificate is for task {short(certificate.task)} and closure "
                f"{short(certificate.closure)}, not for {name!r} ({short(task.hash)}, "
                f"{short(closure.hash)})"
            )
        with self._database.transaction():
            self._refuse_collision(name, task)
            self._decide(certificate)
            now = self._now()
            self._database.execute(
                "INSERT INTO skills (name, task, program, certificate, state, added_at, "
                "changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    task.hash,
                    closure.root,
                    certificate.hash,
                    SkillState.PROBATION,
                    now,
                    now,
                ),
            )
        return self.get(name)

    def deepen(self, name: str, deepening: Deepening, state: SkillState | None = None) -> Skill:
        """Keep what was found out about a skill on scenes drawn after its admission.

        Args:
            name: The skill.
            deepening: Of its certificate; earlier ones are kept beside it.
            state: Where the skill stands with it; unchanged when None.

        Returns:
            The skill as it is now.

        Raises:
            UnknownSkill: If there is no such skill.
            AdmissionError: If the deepening is that of another certificate.
            StorageError: If it cannot be written.
        """
        skill = self.get(name)
        if deepening.certificate != skill.certificate.hash:
            raise AdmissionError(f"the deepening is not of the certificate that {name!r} has")
        with self._database.transaction():
            self._database.insert(
                "INSERT INTO deepenings (certificate, look, k, bound, json, added_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    deepening.certificate,
                    deepening.look,
                    deepening.solved,
                    deepening.lower,
                    _text(deepening.to_json()),
                    self._now(),
                ),
            )
            self._move(name, state or skill.state)
        return self.get(name)

    def set_state(self, name: str, state: SkillState) -> None:
        """Move a skill to another state of its life.

        Raises:
            UnknownSkill: If there is no such skill.
            StorageError: If it cannot be written.
        """
        with self._database.transaction():
            self._move(name, state)

    # Inside

    def _move(self, name: str, state: SkillState) -> None:
        changed = self._database.execute(
            "UPDATE skills SET state = ?, changed_at = ? WHERE name = ?",
            (state, self._now(), name),
        ).rowcount
        if not changed:
            raise UnknownSkill(f"no skill is called {name!r}; {self._hint(name)}")

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
        )

    def _attempted(self, row: sqlite3.Row) -> tuple[Skill | None, str]:
        """One skill, or why it cannot be read back; a bad one must not hide the others."""
        try:
            return self._skill(row), ""
        except StorageError:
            raise
        except VoyagerError as error:
            return None, str(error)

    def _decide(self, certificate: Certificate) -> None:
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
                _text(certificate.to_json()),
                self._now(),
            ),
        )

    def _refuse_collision(self, name: str, task: Task) -> None:
        row = self._database.first(
            "SELECT name, task FROM skills WHERE task = ? OR name = ?", (task.hash, name)
        )
        if row is None:
            return
        if row["task"] == task.hash:
            raise AdmissionError(f"the skill {row['name']!r} solves this task already")
        raise AdmissionError(
            f"the name {name!r} belongs to the skill of another task; "
            f"{self.free_name(name, task.hash)!r} is free"
        )

    def _hint(self, name: str) -> str:
        names = self.names()
        if not names:
            return "this library is empty, `voyager learn` fills it"
        near = difflib.get_close_matches(name, names, n=1)
        return f"did you mean {near[0]!r}?" if near else f"skills here: {', '.join(names)}"

    def _now(self) -> str:
        return stamp(self._database.clock())


def _entry(row: sqlite3.Row, callees: tuple[str, ...]) -> SkillEntry:
    wording = json.loads(row["wording"])
    return SkillEntry(
        name=row["name"],
        state=SkillState(row["state"]),
        instruction=wording["instruction"],
        goal=wording["goal"],
        k=row["k"],
        n=row["n"],
        bound=row["bound"],
        program=row["program"],
        task=row["task"],
        callees=callees,
        added_at=moment(row["added_at"]),
    )


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, allow_nan=False)
