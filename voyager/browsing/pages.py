"""Stretches of the list of skills, read from a home that somebody else may be writing to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skill_store import DATABASE
from skill_store.browsing import Browsing, Facet, Page, Question
from skill_store.database import Database

STRETCH: Final = 200
"""Skills that are read at a time."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An answer to a question about the list.

    Attributes:
        question: What was asked.
        page: The stretch that was wanted.
        home_total: How many skills the home holds, whatever was asked.
    """

    question: Question
    page: Page
    home_total: int


def read_page(home: Path, question: Question, offset: int = 0, limit: int = STRETCH) -> Listing:
    """Read a stretch of the list.

    Args:
        home: The home folder.
        question: Which skills, and in which order.
        offset: How many to leave out.
        limit: How many at most.

    Raises:
        StorageError: If the library cannot be read.
    """
    with Database(home / DATABASE) as database:
        page = Browsing(database).page(question, offset, limit)
        total = database.one("SELECT count(*) FROM skills")[0] if question.narrowed else page.total
        return Listing(question, page, int(total))


def read_place(home: Path, question: Question, name: str) -> int | None:
    """Where a skill stands in a list, counted from 0; None when it is not in it.

    Raises:
        StorageError: If the library cannot be read.
    """
    with Database(home / DATABASE) as database:
        return Browsing(database).place(question, name)


def read_counts(home: Path, question: Question) -> Mapping[Facet, Mapping[str, int]]:
    """How many skills there are of each value of each facet.

    Raises:
        StorageError: If the library cannot be read.
    """
    with Database(home / DATABASE) as database:
        return Browsing(database).counts(question)


class Watch:
    """Says whether anybody has written into a home since it was last asked; for one thread."""

    def __init__(self, home: Path) -> None:
        """Open the library of a home.

        Raises:
            StorageError: If it cannot be read.
        """
        self._database = Database(home / DATABASE)
        self._browsing = Browsing(self._database)
        self._seen = self._browsing.revision()

    def changed(self) -> bool:
        """Whether something was written since the last call.

        Raises:
            StorageError: If the library cannot be read.
        """
        now = self._browsing.revision()
        changed, self._seen = now != self._seen, now
        return changed

    def close(self) -> None:
        """Close the connection."""
        self._database.close()
