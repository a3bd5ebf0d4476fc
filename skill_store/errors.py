"""The errors of the store."""

from __future__ import annotations

from env.errors import VoyagerError


class StorageError(VoyagerError):
    """The home cannot be read or written: missing rights, full disk, damaged or newer file."""


class HomeBusy(StorageError):
    """Another process learns in this home.

    Attributes:
        pid: Its process id, or None when it left no readable note.
    """

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class UnknownSkill(VoyagerError):
    """A name was asked for that no skill has; the message names the nearest."""


class AdmissionError(VoyagerError):
    """A program may not enter the library: no admitting certificate, or one for something else."""
