"""Time as the store writes it: UTC, passed in, never part of a hash or a verdict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, UTC-aware."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as text: ISO 8601 in UTC to the microsecond, so that text order is time order.

    Raises:
        ValueError: If the moment carries no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a time zone, got the naive {moment!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
