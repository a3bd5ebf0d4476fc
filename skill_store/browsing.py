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
_NO_DEPTHS: Final = "depths (hash, depth) AS (SELECT NULL, 0 WHERE 0)"
"""Nobody asked for the order by depth: the rows of a page get theirs by a question of their own."""

# ?1: a JSON list of words, ?2: a JSON object of scores by name, ?3 to ?6: a JSON list or NULL for
# each facet, in the order of `Facet`.
_NEAR: Final = "near (name, nearness) AS MATERIALIZED (SELECT key, value FROM json_each(?2))"
_FROM: Final = """
FROM skills
LEFT JOIN versions ON versions.skill = skills.name AND versions.number = skills.version
LEFT JOIN near ON near.name = skills.name
"""
_WORDS: Final = r"""NOT EXISTS (
    SELECT 1 FROM json_each(?1) AS word WHERE NOT (
        skills.name LIKE word.value ESCAPE '\' OR skills.instruction LIKE word.value ESCAPE '\'
        OR skills.goal LIKE word.value ESCAPE '\' OR skills.callees LIKE word.value ESCAPE '\'
    )
)"""
_CHOSEN: Final[Mapping[Facet, str]] = {
    Facet.STATE: "(?3 IS NULL OR skills.state IN (SELECT value FROM json_each(?3)))",
    Facet.KIND: """(?4 IS NULL OR EXISTS (
        SELECT 1 FROM promises WHERE promises.task = skills.task
        AND predicate IN (SELECT value FROM json_each(?4))
    ))""",
    Facet.ORIGIN: "(?5 IS NULL OR versions.origin IN (SELECT value FROM json_each(?5)))",
    Facet.EVIDENCE: "(?6 IS NULL OR skills.sandbox IN (SELECT value FROM json_each(?6)))",
}
_WHERE: Final = "\n".join(
    (
        f"WHERE (near.nearness IS NOT NULL OR {_WORDS})",
        *(f"AND {condition}" for condition in _CHOSEN.values()),
    )
)

_KINDS: Final = """
(SELECT group_concat(predicate, ' ') FROM (
    SELECT predicate FROM promises WHERE promises.task = skills.task ORDER BY predicate
))
"""
_COLUMNS: Final = f"""
SELECT skills.name, {_KINDS} AS kinds, skills.instruction, skills.goal, skills.k, skills.n,
       skills.bound, coalesce(uses.calls, 0) AS calls, coalesce(uses.kept, 0) AS kept,
       skills.program, skills.state, skills.pinned, skills.version, versions.origin,
       skills.sandbox, skills.added_at,
       CASE WHEN {_WORDS} THEN NULL ELSE near.nearness END AS score
"""
_BESIDE: Final = """
LEFT JOIN uses ON uses.program = skills.program
LEFT JOIN depths ON depths.hash = skills.program
"""
_STATES: Final = """CASE skills.state
    WHEN 'active' THEN 0 WHEN 'probation' THEN 1 WHEN 'stale' THEN 2 ELSE 3 END"""
_ORDERS: Final[Mapping[Order, tuple[str, str]]] = {
    # A name that begins with the first word comes first, then names with it, then the rest.
    Order.FIT: (
        "score IS NOT NULL, skills.name LIKE substr(?1 ->> 0, 2) ESCAPE '\\' DESC, "
        "skills.name LIKE ?1 ->> 0 ESCAPE '\\' DESC, score DESC, skills.name",
        "score IS NULL, skills.name LIKE substr(?1 ->> 0, 2) ESCAPE '\\', "
        "skills.name LIKE ?1 ->> 0 ESCAPE '\\', score, skills.name DESC",
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
    Facet.KIND: (
        "promises.predicate",
        "JOIN promises ON promises.task = skills.task",
    ),
    Facet.ORIGIN: ("versions.origin", ""),
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
        asked = _parameters(question)
        depths = _DEPTHS if question.order is Order.DEPTH else _NO_DEPTHS
        statement = "\n".join(
            (
                f"WITH RECURSIVE {_NEAR}, {depths}",
                _COLUMNS,
                _FROM,
                _BESIDE,
                _WHERE,
                f"ORDER BY {_ORDERS[question.order][question.backwards]}",
                "LIMIT ?7 OFFSET ?8",
            )
        )
        rows = self._database.rows(statement, (*asked, limit, offset))
        deep = self._depths(row["program"] for row in rows)
        found = tuple(_row(row, deep.get(row["program"], 1)) for row in rows)
        return Page(found, offset, self._total(asked, offset, limit, len(found)))

    def place(self, question: Question, name: str) -> int | None:
        """How many skills of a list come before one of them; None when it is not in the list.

        Args:
            question: Which skills, and in which order.
            name: The skill.

        Raises:
            StorageError: If the library cannot be read.
        """
        depths = _DEPTHS if question.order is Order.DEPTH else _NO_DEPTHS
        order = _ORDERS[question.order][question.backwards]
        statement = "\n".join(
            (
                f"WITH RECURSIVE {_NEAR}, {depths}",
                f", list AS ({_COLUMNS}, row_number() OVER (ORDER BY {_placed(order)}) AS place",
                _FROM,
                _BESIDE,
                _WHERE,
                ") SELECT place - 1 AS place FROM list WHERE name = ?7",
            )
        )
        row = self._database.first(statement, (*_parameters(question), name))
        return None if row is None else int(row["place"])

    def counts(self, question: Question) -> Mapping[Facet, Mapping[str, int]]:
        """How many skills there are of each value of each facet, the most frequent first.

        What is chosen of a facet does not narrow that facet's own counts: it is a choice among
        them.

        Raises:
            StorageError: If the library cannot be read.
        """
        return {facet: self._counted(facet, question) for facet in Facet}

    def revision(self) -> tuple[int, int]:
        """Changes whenever anybody has written into the library.

        Raises:
            StorageError: If the library cannot be read.
        """
        others = int(self._database.one("PRAGMA data_version")[0])
        return others, int(self._database.one("SELECT total_changes()")[0])

    # Inside

    def _counted(self, facet: Facet, question: Question) -> dict[str, int]:
        free = {key: chosen for key, chosen in question.chosen.items() if key is not facet}
        asked = _parameters(Question(question.text, question.near, free))
        value, beside = _VALUES[facet]
        statement = "\n".join(
            (
                f"WITH {_NEAR} SELECT {value} AS value, count(*) AS number",
                _FROM,
                beside,
                _WHERE,
                "GROUP BY 1 ORDER BY 2 DESC, 1",
            )
        )
        return {row["value"]: row["number"] for row in self._database.rows(statement, asked)}

    def _total(self, asked: tuple[Any, ...], offset: int, limit: int, found: int) -> int:
        if found < limit and (found or not offset):
            return offset + found
        statement = "\n".join((f"WITH {_NEAR} SELECT count(*)", _FROM, _WHERE))
        return int(self._database.one(statement, asked)[0])

    def _depths(self, programs: Iterable[str]) -> dict[str, int]:
        rows = self._database.rows(_DEEP, (json.dumps(list(programs)),))
        return {row["root"]: row["depth"] for row in rows}


def _parameters(question: Question) -> tuple[Any, ...]:
    words = [f"%{_plain(word)}%" for word in question.text.split()]
    chosen = (sorted(question.chosen.get(facet, ())) for facet in Facet)
    return (
        json.dumps(words),
        json.dumps(dict(question.near)),
        *(json.dumps(values) if values else None for values in chosen),
    )


def _plain(word: str) -> str:
    """A word in which nothing is a wildcard."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _placed(order: str) -> str:
    """An order in the words of the columns, for a window that knows no names of results."""
    score = f"(CASE WHEN {_WORDS} THEN NULL ELSE near.nearness END)"
    told = order.replace("kinds", _KINDS).replace("calls", "coalesce(uses.calls, 0)")
    return told.replace("score", score)


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
