"""One page of a long list of skills: filtered, sorted and counted by the database itself.

Importing this loads neither physics nor numpy, so that a list can be on the screen at once. States,
origins and kinds are the plain words of the database here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from skill_store.clock import moment
from skill_store.database import Database

PAGE: Final = 200
"""Skills that are read at a time."""


class Order(StrEnum):
    """What a list is sorted by; equal ones by name."""

    FIT = "fit"
    """How well they fit what was asked for: names before words, words before meaning."""
    NAME = "name"
    KIND = "kind"
    BOUND = "bound"
    USES = "uses"
    DEPTH = "depth"
    AGE = "age"
    STATE = "state"


class Facet(StrEnum):
    """Something that splits a list into a few parts."""

    STATE = "state"
    """Where they stand in their lives."""
    KIND = "kind"
    """A word of the goal: a predicate or an operator."""
    ORIGIN = "origin"
    """How the version that stands for the skill came about."""
    EVIDENCE = "evidence"
    """Where the evidence was gathered: the name of a sandbox."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which skills a list holds, and in which order.

    Attributes:
        text: Words that a skill has in its name, instruction, goal or callees, each of them;
            empty for all.
        near: Score by name of skills that are listed although they lack the words.
        chosen: Values by facet, one of which a skill must have; all when a facet is missing.
        order: What the list is sorted by.
        backwards: Whether it begins with what would be last.
    """

    text: str = ""
    near: Mapping[str, float] = field(default_factory=dict)
    chosen: Mapping[Facet, frozenset[str]] = field(default_factory=dict)
    order: Order = Order.AGE
    backwards: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether it leaves any skill out."""
        return bool(self.text.strip()) or any(self.chosen.values())


@dataclass(frozen=True, slots=True)
class Row:
    """One skill as a list shows it.

    Attributes:
        name: Its name.
        kinds: Words of its goal, sorted.
        instruction: Its task in words.
        goal: Its goal as it was written.
        k: Held-out episodes that were solved when it was admitted.
        n: Held-out episodes that its admission asked for.
        bound: Published 95 % lower bound of its success rate; None until it is deepened.
        calls: Calls by other skills in certified episodes.
        kept: Those of them that kept its contract.
        depth: 1 for a skill that calls none, else one more than the deepest that it calls.
        state: Where it stands in its life.
        pinned: Whether only a person may move it.
        version: Number of the version that stands for it.
        origin: How that version came about.
        evidence: Where its evidence was gathered.
        added_at: When it entered the library, UTC.
        score: How near it is to what was asked for, where its words are not.
    """

    name: str
    kinds: tuple[str, ...]
    instruction: str
    goal: str
    k: int
    n: int
    bound: float | None
    calls: int
    kept: int
    depth: int
    state: str
    pinned: bool
    version: int
    origin: str
    evidence: str
    added_at: datetime
    score: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list.

    Attributes:
        rows: The skills.
        offset: How many come before them.
        total: How many the whole list holds.
    """

    rows: tuple[Row, ...]
    offset: int
    total: int


_DEPTHS: Final = """
level (hash, depth) AS (
    SELECT hash, 1 FROM programs
    UNION
    SELECT locks.caller, level.depth + 1 FROM level JOIN locks ON locks.callee = level.hash
),
depths AS MATERIALIZED (SELECT hash, max(depth) AS depth FROM level GROUP BY hash)
"""
# What a question does not ask for is no part of its statement: ten thousand rows are looked at for
# each condition.
_NEAR: Final = "near (name, nearness) AS MATERIALIZED (SELECT key, value FROM json_each(:near))"
_BY_VERSION: Final = """
LEFT JOIN versions ON versions.skill = skills.name AND versions.number = skills.version
"""
_WORD: Final = r"""(
    skills.name LIKE {0} ESCAPE '\' OR skills.instruction LIKE {0} ESCAPE '\'
    OR skills.goal LIKE {0} ESCAPE '\' OR skills.callees LIKE {0} ESCAPE '\'
)"""
_EACH: Final = "SELECT 1 FROM json_each(:rest) AS word"
_SINGLE: Final = 20
"""Words that are looked for each by itself, which is fast; a statement may not grow for ever."""
_REST: Final = f"NOT EXISTS ({_EACH} WHERE NOT {_WORD.format('word.value')})"
_WORDED: Final = """
found (id, score) AS MATERIALIZED (SELECT rowid, NULL FROM skills WHERE {words})
"""
_FOUND: Final = """
found (id, score) AS MATERIALIZED (
    SELECT skills.rowid, CASE WHEN near.nearness IS NULL OR {words} THEN NULL ELSE nearness END
    FROM skills LEFT JOIN near ON near.name = skills.name
    WHERE near.nearness IS NOT NULL OR {words}
)
"""
_CHOSEN: Final[Mapping[Facet, str]] = {
    Facet.STATE: "skills.state IN (SELECT value FROM json_each(:state))",
    Facet.KIND: """skills.task IN (
        SELECT task FROM promises WHERE predicate IN (SELECT value FROM json_each(:kind))
    )""",
    Facet.ORIGIN: """(
        SELECT origin FROM versions WHERE skill = skills.name AND number = skills.version
    ) IN (SELECT value FROM json_each(:origin))""",
    Facet.EVIDENCE: "skills.sandbox IN (SELECT value FROM json_each(:evidence))",
}

_KINDS: Final = """
(SELECT group_concat(predicate, ' ') FROM (
    SELECT predicate FROM promises WHERE promises.task = skills.task ORDER BY predicate
))
"""
_COLUMNS: Final = f"""
SELECT skills.name, {_KINDS} AS kinds, skills.instruction, skills.goal, skills.k, skills.n,
       skills.bound, coalesce(uses.calls, 0) AS calls, coalesce(uses.kept, 0) AS kept,
       skills.program, skills.state, skills.pinned, skills.version, versions.origin,
       skills.sandbox, skills.added_at
"""
_BESIDE: Final = f"""
{_BY_VERSION}
LEFT JOIN uses ON uses.program = skills.program
"""
_BY_DEPTH: Final = "LEFT JOIN depths ON depths.hash = skills.program"
_STATES: Final = """CASE skills.state
    WHEN 'active' THEN 0 WHEN 'probation' THEN 1 WHEN 'stale' THEN 2 ELSE 3 END"""
_ORDERS: Final[Mapping[Order, tuple[str, str]]] = {
    # A name that begins with the first word comes first, then names with it, then the rest.
    Order.FIT: (
        "score IS NOT NULL, skills.name LIKE substr(:word0, 2) ESCAPE '\\' DESC, "
        "skills.name LIKE :word0 ESCAPE '\\' DESC, score DESC, skills.name",
        "score IS NULL, skills.name LIKE substr(:word0, 2) ESCAPE '\\', "
        "skills.name LIKE :word0 ESCAPE '\\', score, skills.name DESC",
    ),
    Order.NAME: ("skills.name", "skills.name DESC"),
    Order.KIND: ("kinds, skills.name", "kinds DESC, skills.name"),
    # What is not known yet is never first.
    Order.BOUND: (
        "skills.bound DESC NULLS LAST, skills.name",
        "skills.bound NULLS LAST, skills.name",
    ),
    Order.USES: ("calls DESC, skills.name", "calls, skills.name"),
    Order.DEPTH: ("depths.depth DESC, skills.name", "depths.depth, skills.name"),
    Order.AGE: (
        "skills.added_at DESC, skills.name",
        "skills.added_at, skills.name",
    ),
    Order.STATE: (f"{_STATES}, skills.name", f"{_STATES} DESC, skills.name"),
}

_DEEP: Final = """
WITH RECURSIVE level (root, hash, depth) AS (
    SELECT value, value, 1 FROM json_each(?)
    UNION
    SELECT level.root, locks.callee, level.depth + 1
    FROM level JOIN locks ON locks.caller = level.hash
)
SELECT root, max(depth) AS depth FROM level GROUP BY root
"""

_VALUES: Final[Mapping[Facet, tuple[str, str]]] = {
    Facet.STATE: ("skills.state", ""),
    Facet.KIND: ("promises.predicate", "JOIN promises ON promises.task = skills.task"),
    Facet.ORIGIN: ("versions.origin", _BY_VERSION),
    Facet.EVIDENCE: ("skills.sandbox", ""),
}


class Browsing:
    """Answers questions about long lists; reads only."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def page(self, question: Question, offset: int = 0, limit: int = PAGE) -> Page:
        """A stretch of a list, and how long the list is.

        Args:
            question: Which skills, and in which order.
            offset: How many to leave out.
            limit: How many at most.

        Raises:
            StorageError: If the library cannot be read.
        """
        asked = _Asked(question)
        statement = "\n".join(
            (
                asked.beginning,
                f"{_COLUMNS}, {asked.score} AS score, ({asked.count}) AS total",
                asked.source,
                asked.where(),
                f"ORDER BY {_ORDERS[question.order][question.backwards]}",
                "LIMIT :limit OFFSET :offset",
            )
        )
        values = {**asked.values, "limit": limit, "offset": offset}
        rows = self._database.rows(statement, values)
        if rows or not offset:
            total = rows[0]["total"] if rows else 0
        else:
            total = self._database.one(f"{asked.beginning} {asked.count}", asked.values)[0]
        deep = self._depths(row["program"] for row in rows)
        return Page(tuple(_row(row, deep.get(row["program"], 1)) for row in rows), offset, total)

    def place(self, question: Question, name: str) -> int | None:
        """How many skills of a list come before one of them; None when it is not in the list.

        Args:
            question: Which skills, and in which order.
            name: The skill.

        Raises:
            StorageError: If the library cannot be read.
        """
        asked = _Asked(question)
        order = _placed(_ORDERS[question.order][question.backwards], asked.score)
        statement = "\n".join(
            (
                asked.beginning,
                "SELECT place - 1 AS place FROM (",
                f"SELECT skills.name, row_number() OVER (ORDER BY {order}) AS place",
                asked.source,
                asked.where(),
                ") WHERE name = :name",
            )
        )
        row = self._database.first(statement, {**asked.values, "name": name})
        return None if row is None else int(row["place"])

    def counts(self, question: Question) -> Mapping[Facet, Mapping[str, int]]:
        """How many skills there are of each value of each facet, the most frequent first.

        What is chosen of a facet does not narrow that facet's own counts: it is a choice among
        them.

        Raises:
            StorageError: If the library cannot be read.
        """
        asked = _Asked(question)
        # In one statement, so that words are looked for once and not again for each facet.
        parts = (
            f"SELECT '{facet}' AS facet, {value} AS value, count(*) AS number "
            f"{asked.found} {beside} {asked.where(without=facet)} GROUP BY 2"
            for facet, (value, beside) in _VALUES.items()
        )
        told = "\nUNION ALL\n".join(parts)
        statement = f"{asked.beginning} {told} ORDER BY 3 DESC, 2"
        counted: dict[Facet, dict[str, int]] = {facet: {} for facet in Facet}
        for row in self._database.rows(statement, asked.values):
            counted[Facet(row["facet"])][row["value"]] = row["number"]
        return counted

    def revision(self) -> tuple[int, int]:
        """Changes whenever anybody has written into the library.

        Raises:
            StorageError: If the library cannot be read.
        """
        others = int(self._database.one("PRAGMA data_version")[0])
        return others, int(self._database.one("SELECT total_changes()")[0])

    # Inside

    def _depths(self, programs: Iterable[str]) -> dict[str, int]:
        rows = self._database.rows(_DEEP, (json.dumps(list(programs)),))
        return {row["root"]: row["depth"] for row in rows}


class _Asked:
    """A question as parts of a statement, and the values in it."""

    def __init__(self, question: Question) -> None:
        words = [f"%{_plain(word)}%" for word in question.text.split()]
        single = {f"word{place}": word for place, word in enumerate(words[:_SINGLE])}
        self._chosen = {facet: sorted(values) for facet, values in question.chosen.items()}
        steps = []
        self.found = "FROM skills"
        """Skills with the words."""
        self.score = "NULL"
        if words:
            told = [_WORD.format(f":{name}") for name in single]
            told += [_REST] if words[_SINGLE:] else []
            steps += [_NEAR] if question.near else []
            steps.append((_FOUND if question.near else _WORDED).format(words=" AND ".join(told)))
            self.found = "FROM found JOIN skills ON skills.rowid = found.id"
            self.score = "found.score"
        self.source = f"{self.found} {_BESIDE}"
        """The same with all that rows tell."""
        if question.order is Order.DEPTH:
            steps.append(_DEPTHS)
            self.source += _BY_DEPTH
        self.beginning = f"WITH RECURSIVE {', '.join(steps)}" if steps else ""
        self.values: dict[str, Any] = {
            "word0": None,
            **single,
            "rest": json.dumps(words[_SINGLE:]),
            "near": json.dumps(dict(question.near)),
            **{facet.value: json.dumps(values) for facet, values in self._chosen.items()},
        }

    @property
    def count(self) -> str:
        """How many skills there are, as a question."""
        return f"SELECT count(*) {self.found} {self.where()}"

    def where(self, without: Facet | None = None) -> str:
        """The conditions that come from facets, but for one of them."""
        told = [_CHOSEN[facet] for facet, v in self._chosen.items() if v and facet is not without]
        return f"WHERE {' AND '.join(told)}" if told else ""


def _plain(word: str) -> str:
    """A word in which nothing is a wildcard."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _placed(order: str, score: str) -> str:
    """An order in the words of the columns, for a window that knows no names of results."""
    told = order.replace("kinds", _KINDS).replace("calls", "coalesce(uses.calls, 0)")
    return told.replace("score", f"({score})")


def _row(row: sqlite3.Row, depth: int) -> Row:
    return Row(
        name=row["name"],
        kinds=tuple((row["kinds"] or "").split()),
        instruction=row["instruction"],
        goal=row["goal"],
        k=row["k"],
        n=row["n"],
        bound=row["bound"],
        calls=row["calls"],
        kept=row["kept"],
        depth=depth,
        state=row["state"],
        pinned=bool(row["pinned"]),
        version=row["version"],
        origin=row["origin"] or "",
        evidence=row["sandbox"],
        added_at=moment(row["added_at"]),
        score=row["score"],
    )
