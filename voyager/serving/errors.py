"""Why a request of another program was not carried out."""

from __future__ import annotations

from env.errors import VoyagerError


class NotServed(VoyagerError):
    """A request cannot be met as it was asked: it says what would be, and nothing has happened."""


class NotCallable(NotServed):
    """A skill may not be called: not certified here, out of use, or proved by another judge."""


class TooBusy(NotServed):
    """More requests wait for the simulator than may."""


class TookTooLong(NotServed):
    """A request was stopped at its time limit; what it had begun has not happened."""


class Stopped(NotServed):
    """A request was cancelled, or the simulator was closed before it was carried out."""
