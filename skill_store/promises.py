"""What goals speak about, in single words: finds candidates among many skills by an index.

A contract promises the names of the predicates in its goal, and a word for each operator that
stands in it. Comparing words is no proof of anything: it leaves the few skills whose goals are
worth reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from env.errors import GoalError, KindError
from env.goal_forms import And, Atom, Form, Not, Or
from env.goal_operators import Always, Count, Eventually, Every, HeldFor, Then
from env.goals import Goal
from skill_store.database import Database

_WORDS: Final[tuple[tuple[type[Form], str], ...]] = (
    (Not, "not"),
    (Or, "or"),
    (Count, "count"),
    (Every, "every"),
    (Eventually, "eventually"),
    (Always, "always"),
    (HeldFor, "held_for"),
    (Then, "then"),
)
_OPERATORS: Final = frozenset(word for _, word in _WORDS)


def promised(goal: Goal) -> frozenset[str]:
    """The words under which a goal is found: its predicates, and its operators but `and`.

    Args:
        goal: Of a contract.

    Returns:
        Never empty, because every goal has an atom.
    """
    return _words(goal.form)


def needed(goal: Goal) -> frozenset[str]:
    """The words that any contract must promise which implies a goal.

    If `contract.implies(goal, renaming)` under any renaming, then `needed(goal)` is a subset of
    `promised(contract)`. Of an `or` only what all its members need is needed, because a contract
    may imply just one of them.

    Args:
        goal: That is wanted.

    Returns:
        Possibly empty; then every contract has to be looked at.
    """
    return _needed(goal.form)


def predicates(goal: Goal) -> frozenset[str]:
    """The names of the predicates in a goal."""
    return promised(goal) - _OPERATORS


def _words(form: Form) -> frozenset[str]:
    return frozenset(word for piece in form.walk() if (word := _word(piece)) is not None)


def _word(form: Form) -> str | None:
    if isinstance(form, Atom):
        return form.predicate
    return next((word for sort, word in _WORDS if isinstance(form, sort)), None)


def _needed(form: Form) -> frozenset[str]:
    if isinstance(form, And):
        return frozenset().union(*(_needed(member) for member in form.members))
    if isinstance(form, Or):
        return frozenset.intersection(*(_needed(member) for member in form.members))
    # Everything else is implied by a form of the same operator over the same predicates only.
    return _words(form)


class Promises:
    """Writes the words of tasks into one database."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def keep(self, task: str, goal: Goal) -> None:
        """Store the words of a stored task, inside a transaction of the caller's.

        Args:
            task: Its hash.
            goal: Its goal.

        Raises:
            StorageError: If they cannot be written.
        """
        for word in sorted(promised(goal)):
            self._database.execute(
                "INSERT INTO promises (task, predicate) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (task, word),
            )

    def complete(self) -> int:
        """Store the words of all skills' tasks that have none yet (from an older form).

        A goal that cannot be read here (its extension is not loaded) is left for another time.

        Returns:
            How many tasks were given words.

        Raises:
            StorageError: If they cannot be written.
        """
        rows = self._database.rows(
            "SELECT tasks.hash, json_extract(tasks.json, '$.goal') AS goal, "
            "json_extract(tasks.json, '$.parameters') AS parameters "
            "FROM tasks JOIN skills ON skills.task = tasks.hash "
            "WHERE NOT EXISTS (SELECT 1 FROM promises WHERE promises.task = tasks.hash)"
        )
        readable = {
            row["hash"]: goal
            for row in rows
            if (goal := _read(row["goal"], json.loads(row["parameters"]))) is not None
        }
        if readable:
            with self._database.transaction():
                for task, goal in readable.items():
                    self.keep(task, goal)
        return len(readable)


def _read(text: str, parameters: Iterable[tuple[str, str]]) -> Goal | None:
    try:
        return Goal.parse(text, dict(parameters))
    except (GoalError, KindError):
        return None
