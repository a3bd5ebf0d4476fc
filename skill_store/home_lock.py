"""One learner a home: a lock that the kernel lets go of when its holder dies.

Only learning takes it. Reading (list, show, verify, run) needs no lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final

from skill_store.clock import Clock, moment, stamp, utc_now
from skill_store.errors import HomeBusy, StorageError

LOCK_FILE: Final = "voyager.lock"
"""File name of the lock inside a home."""

_NOTE_LIMIT: Final = 4096
_TRIES: Final = 4
"""Looks at a lock that is taken: whoever asks who holds it touches it for an instant."""
_BETWEEN_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who learns in a home.

    Attributes:
        pid: Its process; None if its note cannot be read.
        started_at: When it took the lock, UTC; likewise.
        command: What it was started as; likewise empty.
    """

    pid: int | None
    started_at: datetime | None
    command: str


def holder(home: Path) -> Holder | None:
    """Who learns in a home right now; None if nobody does. Takes nothing and waits for nobody.

    Raises:
        StorageError: If the lock cannot be looked at.
    """
    path = home / LOCK_FILE
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            f"cannot read {path} ({error.strerror}); check the rights of its folder"
        ) from error
    try:
        # Shared, and let go of at once: it fails only while somebody holds it for learning.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _noted(file)
    except OSError as error:
        raise StorageError(
            f"cannot lock {path} ({error.strerror}); its file system may not support locks"
        ) from error
    finally:
        os.close(file)
    return None


class HomeLock:
    """An exclusive `flock` on a file of the home, held from `acquire` to `release` or death.

    What the file says (process, start, command) is a note for people; a note without a lock
    means nothing, so that nothing has to be cleaned up after a kill.
    """

    def __init__(self, home: Path, command: str | None = None, clock: Clock = utc_now) -> None:
        """Prepare a lock; nothing is opened yet.

        Args:
            home: The home folder, made when it is not there.
            command: What to note as the command; the process's own arguments when None.
            clock: Source of the present moment.
        """
        self.path = home / LOCK_FILE
        self._command = " ".join(sys.argv) if command is None else command
        self._clock = clock
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            HomeBusy: If another process (or another lock of this one) holds it.
            StorageError: If the file cannot be made.
        """
        if self._file is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Not inheritable (the default of os.open): workers must not keep it alive.
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StorageError(
                f"cannot write {self.path} ({error.strerror}); check the rights of its folder, "
                "or choose another home with --home"
            ) from error
        try:
            self._lock(file)
            self._write_note(file)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def release(self) -> None:
        """Let go; releasing a lock that is not held is harmless."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            # The file stays: deleting it would let two processes lock two files of one name.
            os.ftruncate(file, 0)
        finally:
            os.close(file)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def __enter__(self) -> HomeLock:
        """Acquire."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release."""
        self.release()

    def _lock(self, file: int) -> None:
        try:
            for _ in range(_TRIES - 1):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                time.sleep(_BETWEEN_S)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _noted(file).pid
            who = "another voyager" if pid is None else f"another voyager (pid {pid})"
            raise HomeBusy(
                f"{who} is learning in {self.path.parent}; wait for it, or use another --home", pid
            ) from None
        except OSError as error:
            raise StorageError(
                f"cannot lock {self.path} ({error.strerror}); its file system may not support "
                "locks, choose another home with --home"
            ) from error

    def _write_note(self, file: int) -> None:
        note = {
            "schema": "voyager.lock/1",
            "pid": os.getpid(),
            "started_at": stamp(self._clock()),
            "command": self._command,
        }
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(note).encode()[:_NOTE_LIMIT], 0)
        except OSError as error:
            raise StorageError(
                f"cannot write {self.path} ({error.strerror}); free some space and run again"
            ) from error


def _noted(file: int) -> Holder:
    try:
        note = json.loads(os.pread(file, _NOTE_LIMIT, 0))
        return Holder(int(note["pid"]), moment(note["started_at"]), str(note["command"]))
    except (ValueError, KeyError, TypeError, OSError):
        return Holder(None, None, "")
