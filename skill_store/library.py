"""The library of one home: what was certified, and the road into it.

The road has two steps, so that tries can be counted and never forgotten: `reserve` commits the
ordinal of a certification before any held-out seed is drawn, `add` (or `refuse`) writes down how
it ended. A process that dies in between has used up its ordinal for every other program.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from env.certificate import Certificate, Deepening
from env.program import Closure
from env.task import Task
from skill_store.admission import Admission
from skill_store.catalogue import Catalogue
from skill_store.clock import Clock, stamp, utc_now
from skill_store.database import DATABASE, Database, record_text
from skill_store.drafts import Drafts
from skill_store.errors import AdmissionError
from skill_store.exchanges import Exchanges
from skill_store.home_lock import HomeLock
from skill_store.journal import Journal
from skill_store.lessons import Lessons
from skill_store.promises import Promises
from skill_store.queue import Queue
from skill_store.skill import Origin, Skill, SkillState
from skill_store.vectors import VectorTable
from skill_store.versions import Duel, Use, Versions

if TYPE_CHECKING:
    from skill_store.retrieval import Hit, Retrieval


class Library(Catalogue):
    """The skills of one home. Open it with `Library.open`; leaving the block closes it.

    Attributes:
        journal: What happened in this home.
        queue: What users asked for.
        exchanges: Questions to models, and what they cost.
        drafts: Programs that attempts tried on the way.
        lessons: What failures taught.
        vectors: What skills are found by.
    """

    def __init__(self, database: Database, lock: HomeLock | None = None) -> None:
        """Take over an open database and, for a learner, the held lock of its home."""
        super().__init__(database)
        self._lock = lock
        self.journal = Journal(database)
        self.queue = Queue(database, self.journal)
        self.exchanges = Exchanges(database)
        self.drafts = Drafts(database)
        self.lessons = Lessons(database, self.journal)
        self._promises = Promises(database)
        self._admission = Admission(database, self.journal, self._graph)
        self._versions = Versions(database, self._admission)
        self.vectors = VectorTable(database)
        self._retrieval: Retrieval | None = None

    @classmethod
    def open(cls, home: str | Path, *, learning: bool = False, clock: Clock = utc_now) -> Library:
        """Open the library of a home, making both when they are not there.

        Args:
            home: The home folder.
            learning: Take the home's lock until `close`, as `reserve` needs it; readers never do.
            clock: Source of the present moment.

        Returns:
            The library. In a home that this process may not write it can be read all the same.

        Raises:
            HomeBusy: If another process learns in this home.
            StorageError: If the home cannot be read, or not written where it has to be (for
                learning, to be made, or to be brought to the newest form), or is of a newer
                version.
        """
        folder = Path(home)
        lock = HomeLock(folder, clock=clock) if learning else None
        if lock is not None:
            lock.acquire()
        database = None
        try:
            database = Database(folder / DATABASE, clock=clock)
            library = cls(database, lock)
            if learning:
                library.journal.close_interrupted()
                library.exchanges.close_lost()
            if learning or database.migrated:
                library._promises.complete()
        except BaseException:
            if database is not None:
                database.close()
            if lock is not None:
                lock.release()
            raise
        return library

    def close(self) -> None:
        """Close the database and let go of the lock; closing twice is harmless."""
        self.database.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def learning(self) -> bool:
        """Whether this library was opened for learning and holds its home's lock."""
        return self._lock is not None and self._lock.held

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

    def search(self, query: str, limit: int = 5) -> tuple[Hit, ...]:
        """The skills nearest to what somebody says, best first; see `skill_store.retrieval`.

        Warns once when the semantic model is not installed and letters are compared instead.

        Args:
            query: A name or a sentence.
            limit: How many at most.

        Returns:
            Hits; empty when nothing is near.

        Raises:
            StorageError: If the library cannot be read.
        """
        if self._retrieval is None:
            from skill_store.retrieval import Retrieval

            self._retrieval = Retrieval(self)
            if self._retrieval.notice:
                warnings.warn(self._retrieval.notice, stacklevel=2)
        return self._retrieval.search(query, limit)

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
            The ordinal j of the certification: 0 for the first of this task in this home.

        Raises:
            AdmissionError: If the program calls something that is not in this library.
            StorageError: If it cannot be written.
        """
        return self._admission.reserve(task, closure, attempt)

    def take_refusal(self, task: Task, closure: Closure, attempt: int) -> Certificate | None:
        """A refusal of this very program from an attempt that was interrupted afterwards.

        Whoever makes the attempt again comes to the same program; it is not tested a second time,
        so that an interruption buys no try and the attempt ends as it would have.

        Args:
            task: The task.
            closure: The frozen program.
            attempt: The journal's number of the attempt that is made now; owns the refusal then.

        Returns:
            The certificate, or None.

        Raises:
            StorageError: If it cannot be read or written.
        """
        return self._admission.take_refusal(task, closure, attempt)

    def refuse(self, certificate: Certificate) -> None:
        """Close a certification that was not passed; the certificate is kept.

        Raises:
            AdmissionError: If the certificate admits, or belongs to no open certification.
            StorageError: If it cannot be written.
        """
        if certificate.admitted:
            raise AdmissionError("this certificate admits its program; add it instead")
        with self.database.transaction():
            self._admission.decide(certificate)

    def add(
        self,
        task: Task,
        closure: Closure,
        certificate: Certificate,
        origin: Origin = Origin.LEARNED,
    ) -> Skill:
        """Admit a program: it becomes a skill on probation. All of it is written, or nothing.

        If the task has a skill that is not in use (stale or retired, and not pinned), the program
        becomes its champion: a certified program takes the place of one that nobody may call.

        Args:
            task: What it was certified for.
            closure: The program, exactly as it was certified.
            certificate: Its admitting certificate, of a certification opened by `reserve`.
            origin: How it came about.

        Returns:
            The skill, named after the program's function.

        Raises:
            AdmissionError: If the certificate does not admit or is for something else, the task
                has a skill in use or a pinned one already or one of another name, or the name
                belongs to another task.
            StorageError: If it cannot be written.
        """
        name = closure.entry.name
        self._admission.require(task.hash, closure, certificate)
        with self.database.transaction():
            if self._takes_place(name, task):
                self._versions.add(
                    name,
                    closure,
                    certificate,
                    Origin.CHALLENGER if origin is Origin.LEARNED else origin,
                    champion=True,
                )
            else:
                self._admission.decide(certificate)
                self._versions.open(name, task.hash, closure.root, certificate.hash, origin)
            self._promises.keep(task.hash, task.goal)
        return self.get(name)

    # The later life of a skill

    def add_version(
        self,
        name: str,
        closure: Closure,
        certificate: Certificate,
        origin: Origin,
        *,
        champion: bool,
    ) -> Skill:
        """Admit another program for the task of a skill. All of it is written, or nothing.

        Args:
            name: The skill; the program's function must have this name.
            closure: The program, exactly as it was certified.
            certificate: Its admitting certificate, of a certification opened by `reserve`.
            origin: How it came about.
            champion: Whether the skill's name means this version from now on. The skill is on
                probation then. Programs that have an earlier version in their locks keep it.

        Returns:
            The skill as this version has it (`Skill.version` is its number).

        Raises:
            UnknownSkill: If there is no such skill.
            AdmissionError: If the certificate does not admit or is for something else, the
                program is a version already or has another name, or the skill is pinned and is
                to get a new champion that no person wrote.
            StorageError: If it cannot be written.
        """
        self.versions(name)
        number = self._versions.add(name, closure, certificate, origin, champion=champion)
        return self.version(name, number)

    def renew(self, name: str, closure: Closure, certificate: Certificate) -> Skill:
        """Let a skill's own program rest on another certificate. All is written, or nothing.

        The certificate is one more version: the same program, newly proved. The skill is on
        probation then, for what was found out about it under another judge counts no longer; a
        pinned one is renewed too, for it keeps its program.

        Args:
            name: The skill.
            closure: Its champion, exactly as it was certified again.
            certificate: Its admitting certificate, of a certification opened by `reserve`.

        Returns:
            The skill as it is now.

        Raises:
            UnknownSkill: If there is no such skill.
            AdmissionError: If the certificate does not admit or is for something else, or another
                program stands for the skill.
            StorageError: If it cannot be written.
        """
        self.versions(name)
        self._versions.renew(name, closure, certificate)
        return self.get(name)

    def crown(self, name: str, number: int) -> Skill:
        """Let an earlier (or later) version stand for a skill again; one short write.

        Its state is what that version has earned: active with a bound above the rate that
        admission rules out, else on probation. This is also how a retired skill comes back.

        Returns:
            The skill as it is now.

        Raises:
            UnknownSkill: If there is no such skill, or no such version of it.
            StorageError: If it cannot be written.
        """
        known = {version.number: version for version in self.versions(name)}
        if number not in known:
            raise self._no_version(name, number)
        self._versions.crown(known[number])
        return self.get(name)

    def renewals(self) -> Mapping[str, str]:
        """When each program that was certified again was so last, by its hash, as text.

        What its episodes showed before was seen by another judge.

        Raises:
            StorageError: If they cannot be read.
        """
        return self._versions.renewals()

    def set_pinned(self, name: str, pinned: bool) -> None:
        """Pin a skill, so that only a person moves it from then on, or let it go again.

        A pinned skill is not retired or moved by how it does, and gets no new champion that
        nobody wrote. Stale it becomes all the same: its certificate proves nothing then.

        Raises:
            UnknownSkill: If there is no such skill.
            StorageError: If it cannot be written.
        """
        if not self._versions.pin(name, pinned):
            raise self._unknown(name)

    def set_state(self, name: str, state: SkillState) -> None:
        """Move a skill to another state of its life, pinned or not.

        Raises:
            UnknownSkill: If there is no such skill.
            StorageError: If it cannot be written.
        """
        with self.database.transaction():
            changed = self.database.execute(
                "UPDATE skills SET state = ?, changed_at = ? WHERE name = ?",
                (state, self._now(), name),
            ).rowcount
            if not changed:
                raise self._unknown(name)

    def deepen(self, name: str, deepening: Deepening, state: SkillState | None = None) -> Skill:
        """Keep what was found out about a skill on scenes drawn after its admission.

        Args:
            name: The skill.
            deepening: Of its certificate; earlier ones are kept beside it.
            state: Where the skill stands with it; unchanged when None, and when it is pinned.

        Returns:
            The skill as it is now.

        Raises:
            UnknownSkill: If there is no such skill.
            AdmissionError: If the deepening is that of another certificate.
            StorageError: If it cannot be written.
        """
        with self.database.transaction():
            row = self.database.first("SELECT certificate FROM skills WHERE name = ?", (name,))
            if row is None:
                raise self._unknown(name)
            if deepening.certificate != row["certificate"]:
                raise AdmissionError(f"the deepening is not of the certificate that {name!r} has")
            self.database.insert(
                "INSERT INTO deepenings (certificate, look, k, bound, json, added_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    deepening.certificate,
                    deepening.look,
                    deepening.solved,
                    deepening.lower,
                    record_text(deepening.to_json()),
                    self._now(),
                ),
            )
            self.database.execute(
                "UPDATE skills SET state = coalesce(?, state), changed_at = ? "
                "WHERE name = ? AND NOT pinned",
                (state, self._now(), name),
            )
        return self.get(name)

    def keep_duel(
        self,
        name: str,
        champion: str,
        challenger: str,
        *,
        scenes: int,
        won: int,
        lost: int,
        replaced: bool,
        detail: Mapping[str, Any],
    ) -> int:
        """Write down a duel between two versions of a skill; who is champion is set elsewhere.

        Args:
            name: The skill.
            champion: Hash of the program that stood for it.
            challenger: Hash of the program that wanted to.
            scenes: How many scenes both were given.
            won: Scenes that only the challenger solved.
            lost: Scenes that only the champion solved.
            replaced: Whether the challenger became the champion.
            detail: Anything else, JSON-able.

        Returns:
            The duel's number.

        Raises:
            StorageError: If it cannot be written, or skill or programs are not in the library.
        """
        return self._versions.keep_duel(
            name,
            champion,
            challenger,
            scenes=scenes,
            won=won,
            lost=lost,
            replaced=replaced,
            detail=detail,
        )

    def duels(self, name: str | None = None) -> tuple[Duel, ...]:
        """All duels, or those for one skill's name, oldest first.

        Raises:
            StorageError: If they cannot be read.
        """
        return self._versions.duels(name)

    def count_use(self, program: str, calls: int, kept: int) -> None:
        """Add calls of a program in certified episodes of others.

        Args:
            program: Its hash.
            calls: How many calls.
            kept: How many of them kept its contract.

        Raises:
            ValueError: If more are kept than were made, or a number is negative.
            StorageError: If it cannot be written, or the program is not in the library.
        """
        self._versions.count_use(program, calls, kept)

    def uses(self) -> Mapping[str, Use]:
        """How often each program was called, by its hash; one that never was is not in it.

        Raises:
            StorageError: If they cannot be read.
        """
        return self._versions.uses()

    # Inside

    def _takes_place(self, name: str, task: Task) -> bool:
        """Whether a new program for a task stands for a skill that is there, out of use."""
        row = self.database.first(
            "SELECT name, task, state, pinned FROM skills WHERE task = ?1 OR name = ?2 "
            "ORDER BY task = ?1 DESC",
            (task.hash, name),
        )
        if row is None:
            return False
        if row["task"] == task.hash:
            if SkillState(row["state"]).callable or row["pinned"] or row["name"] != name:
                raise AdmissionError(f"the skill {row['name']!r} solves this task already")
            return True
        raise AdmissionError(
            f"the name {name!r} belongs to the skill of another task; "
            f"{self.free_name(name, task.hash)!r} is free"
        )

    def _now(self) -> str:
        return stamp(self.database.clock())
