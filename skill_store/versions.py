"""What becomes of a skill: new versions, another champion, pins, duels, and how it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from env.certificate import Certificate
from env.program import Closure
from skill_store.admission import Admission
from skill_store.clock import moment, stamp
from skill_store.database import Database, record_text
from skill_store.errors import AdmissionError
from skill_store.skill import Origin, SkillState, Version


@dataclass(frozen=True, slots=True)
class Duel:
    """Champion against challenger on fresh scenes that both were given.

    Attributes:
        id: Number in this home.
        skill: Name of the skill.
        champion: Hash of the program that stood for it.
        challenger: Hash of the program that wanted to.
        scenes: How many scenes both were given.
        won: Scenes that only the challenger solved.
        lost: Scenes that only the champion solved.
        replaced: Whether the challenger is the champion since.
        detail: What else was recorded.
        fought_at: When, UTC.
    """

    id: int
    skill: str
    champion: str
    challenger: str
    scenes: int
    won: int
    lost: int
    replaced: bool
    detail: Mapping[str, Any]
    fought_at: datetime


class Use(NamedTuple):
    """How often a program was called in certified episodes, and how often it kept its contract."""

    calls: int
    kept: int


class Versions:
    """Writes the later life of skills into one database; names are checked by the caller."""

    def __init__(self, database: Database, admission: Admission) -> None:
        """Take a database that stays the caller's to close, and who decides certifications."""
        self._database = database
        self._admission = admission

    def open(self, name: str, task: str, program: str, certificate: str, origin: Origin) -> None:
        """Write a new skill with its first version, inside the caller's transaction."""
        now = self._now()
        self._database.execute(
            "INSERT INTO skills (name, task, program, certificate, state, added_at, changed_at, "
            "version) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
            (name, task, program, certificate, SkillState.PROBATION, now, now),
        )
        self._append(name, 1, program, certificate, origin, now)

    def add(
        self,
        name: str,
        closure: Closure,
        certificate: Certificate,
        origin: Origin,
        *,
        champion: bool,
    ) -> int:
        """See `Library.add_version`; returns the number of the version."""
        with self._database.transaction():
            skill = self._database.one(
                "SELECT task, pinned, (SELECT max(number) FROM versions WHERE skill = name) AS "
                "last FROM skills WHERE name = ?",
                (name,),
            )
            self._check(name, skill["task"], closure, certificate)
            if champion and skill["pinned"] and origin is not Origin.EDITED:
                raise AdmissionError(
                    f"{name!r} is pinned, so nothing takes its place by itself; "
                    f"`voyager skills unpin {name}` first"
                )
            self._admission.decide(certificate)
            number = int(skill["last"]) + 1
            self._append(name, number, closure.root, certificate.hash, origin, self._now())
            if champion:
                self._crown(name, number, SkillState.PROBATION)
        return number

    def renew(self, name: str, closure: Closure, certificate: Certificate) -> int:
        """See `Library.renew`; returns the number of the version."""
        with self._database.transaction():
            skill = self._database.one(
                "SELECT task, program, state, (SELECT max(number) FROM versions "
                "WHERE skill = name) AS last FROM skills WHERE name = ?",
                (name,),
            )
            if closure.root != skill["program"]:
                raise AdmissionError(
                    f"another program stands for {name!r} now, so this certificate does not renew "
                    "it; renew the one that stands"
                )
            self._admission.require(skill["task"], closure, certificate)
            self._admission.decide(certificate)
            number = int(skill["last"]) + 1
            self._append(name, number, closure.root, certificate.hash, Origin.RENEWED, self._now())
            # Whoever retired it meanwhile did not ask whether it still works.
            retired = skill["state"] == SkillState.RETIRED
            self._crown(name, number, SkillState.RETIRED if retired else SkillState.PROBATION)
        return number

    def crown(self, version: Version) -> None:
        """See `Library.crown`."""
        with self._database.transaction():
            self._crown(version.skill, version.number, SkillState.earned(version.bound))

    def pin(self, name: str, pinned: bool) -> bool:
        """See `Library.set_pinned`; returns whether there is such a skill."""
        with self._database.transaction():
            return bool(
                self._database.execute(
                    "UPDATE skills SET pinned = ? WHERE name = ?", (int(pinned), name)
                ).rowcount
            )

    def renewals(self) -> dict[str, str]:
        """See `Library.renewals`."""
        rows = self._database.rows(
            "SELECT program, max(added_at) AS moment FROM versions WHERE origin = 'renewed' "
            "GROUP BY program"
        )
        return {row["program"]: row["moment"] for row in rows}

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
        """See `Library.keep_duel`."""
        with self._database.transaction():
            return self._database.insert(
                "INSERT INTO duels (skill, champion, challenger, scenes, won, lost, replaced, "
                "json, fought_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    champion,
                    challenger,
                    scenes,
                    won,
                    lost,
                    int(replaced),
                    record_text(detail),
                    self._now(),
                ),
            )

    def duels(self, name: str | None) -> tuple[Duel, ...]:
        """See `Library.duels`."""
        rows = self._database.rows(
            "SELECT * FROM duels WHERE ?1 IS NULL OR skill = ?1 ORDER BY id", (name,)
        )
        return tuple(
            Duel(
                id=row["id"],
                skill=row["skill"],
                champion=row["champion"],
                challenger=row["challenger"],
                scenes=row["scenes"],
                won=row["won"],
                lost=row["lost"],
                replaced=bool(row["replaced"]),
                detail=json.loads(row["json"]),
                fought_at=moment(row["fought_at"]),
            )
            for row in rows
        )

    def count_use(self, program: str, calls: int, kept: int) -> None:
        """See `Library.count_use`."""
        if not 0 <= kept <= calls:
            raise ValueError(f"of {calls} calls, {kept} cannot have kept the contract")
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO uses (program, calls, kept) VALUES (?, ?, ?) "
                "ON CONFLICT (program) DO UPDATE SET calls = calls + excluded.calls, "
                "kept = kept + excluded.kept",
                (program, calls, kept),
            )

    def uses(self) -> dict[str, Use]:
        """See `Library.uses`."""
        rows = self._database.rows("SELECT program, calls, kept FROM uses ORDER BY program")
        return {row["program"]: Use(row["calls"], row["kept"]) for row in rows}

    def _check(self, name: str, task: str, closure: Closure, certificate: Certificate) -> None:
        if closure.entry.name != name:
            raise AdmissionError(
                f"a version of {name!r} must be a function of that name, not {closure.entry.name!r}"
            )
        self._admission.require(task, closure, certificate)
        other = self._database.first(
            "SELECT skill, number FROM versions WHERE program = ?", (closure.root,)
        )
        if other is not None:
            raise AdmissionError(
                f"this very program is version {other['number']} of {other['skill']!r} already"
            )

    def _append(
        self, name: str, number: int, program: str, certificate: str, origin: Origin, now: str
    ) -> None:
        self._database.execute(
            "INSERT INTO versions (skill, number, program, certificate, origin, added_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (name, number, program, certificate, origin, now),
        )

    def _crown(self, name: str, number: int, state: SkillState) -> None:
        self._database.execute(
            "UPDATE skills SET version = number, program = versions.program, "
            "certificate = versions.certificate, state = ?, changed_at = ? "
            "FROM versions WHERE versions.skill = skills.name AND skills.name = ? AND number = ?",
            (state, self._now(), name, number),
        )

    def _now(self) -> str:
        return stamp(self._database.clock())
