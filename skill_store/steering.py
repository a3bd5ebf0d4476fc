"""What a running explorer is told by its users: to pause, and to go on.

Asked for without the home's lock, in one short write; the explorer looks between two attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from skill_store.clock import moment, stamp
from skill_store.database import Database


@dataclass(frozen=True, slots=True)
class Wish:
    """What a home's explorer is asked for.

    Attributes:
        paused: Whether it is to wait before its next attempt.
        changed_at: When somebody last asked, UTC; None if nobody ever did.
    """

    paused: bool
    changed_at: datetime | None


class Steering:
    """Writes and reads what the explorer of one home is asked for."""

    def __init__(self, database: Database) -> None:
        """Take a database that stays the caller's to close."""
        self._database = database

    def wish(self) -> Wish:
        """What is asked for now.

        Raises:
            StorageError: If it cannot be read.
        """
        row = self._database.first("SELECT paused, changed_at FROM steering WHERE id = 1")
        if row is None:
            return Wish(paused=False, changed_at=None)
        return Wish(bool(row["paused"]), moment(row["changed_at"]))

    @property
    def paused(self) -> bool:
        """Whether the explorer is to wait; see `wish`."""
        return self.wish().paused

    def pause(self) -> bool:
        """Ask the explorer to wait before its next attempt.

        Returns:
            False if that was asked for already.

        Raises:
            StorageError: If it cannot be written.
        """
        return self._ask(paused=True)

    def resume(self) -> bool:
        """Ask the explorer to go on.

        Returns:
            False if nobody had asked it to pause; nothing is written then.

        Raises:
            StorageError: If it cannot be written.
        """
        return self._ask(paused=False)

    def _ask(self, *, paused: bool) -> bool:
        if self.paused == paused:
            return False
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO steering (id, paused, changed_at) VALUES (1, ?1, ?2) "
                "ON CONFLICT (id) DO UPDATE SET paused = ?1, changed_at = ?2",
                (int(paused), stamp(self._database.clock())),
            )
        return True
