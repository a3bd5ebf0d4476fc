"""Waiting between two attempts, for as long as a user wants an explorer to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from skill_store.database import Database
from skill_store.steering import Steering
from voyager.news import Phase

_LOOK_S: Final = 0.5
"""Between two looks whether a pause is over."""


@contextmanager
def unpaused(database: Database) -> Iterator[None]:
    """Begin a run without the pause that was asked of an earlier one, and leave none behind.

    Whoever starts an explorer wants it to work. To be entered before anybody can see the run, so
    that a pause that is asked of it is never taken for an old one.

    Raises:
        StorageError: If it cannot be written.
    """
    Steering(database).resume()
    yield
    Steering(database).resume()


def wait_while_paused(
    database: Database, stop: Callable[[], bool], tell: Callable[[Phase, str], None]
) -> float:
    """Wait until nobody wants a pause any more, or the run is asked to stop.

    Args:
        database: Of the home.
        stop: Whether the run was asked to stop.
        tell: Is told when the pause begins and when it is over.

    Returns:
        Seconds that it took; 0.0 if nobody wanted a pause.

    Raises:
        StorageError: If it cannot be read what is wanted.
    """
    steering = Steering(database)
    if not steering.paused:
        return 0.0
    began = time.monotonic()
    tell(Phase.PAUSED, "a user asked for a pause; it goes on after: voyager explorer resume")
    while steering.paused and not stop():
        time.sleep(_LOOK_S)
    if not stop():
        tell(Phase.RESUMED, "the pause is over")
    return time.monotonic() - began
