"""The one SQLite file of a home: opened, brought to the newest form, and its errors in words.

Every write goes through `Database.transaction`, so that a kill at any instant leaves the file as
it was before or as it is after, never in between.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from skill_store.clock import Clock, utc_now
from skill_store.errors import StorageError
from skill_store.migrations import MIGRATIONS

DATABASE: Final = "library.db"
"""File name of the database inside a home."""
BACKUPS: Final = "backups"
"""Folder inside a home for copies made before the database changes its form."""
ARTIFACTS: Final = "artifacts"
"""Folder inside a home for pictures, films and tracebacks; may be deleted at any time."""
SETTINGS: Final = "voyager.toml"
"""File name of the settings inside a home."""
INDEX_FOLDER: Final = "index"
"""Folder inside a home for a copy of the vectors; may be deleted whenever nobody learns there."""

# Written into the file's header ("VOYA"), so that another program's database is not taken for ours.
_APPLICATION_ID: Final = 0x564F5941
# Two writers meet only for an instant (a reader's first open beside a learner's commit).
_BUSY_SECONDS: Final = 10.0

Parameters = Sequence[Any] | Mapping[str, Any]
"""Values of a statement: by place, or by name."""


class Database:
    """A connection to one library file, in the newest form.

    Not for use from several threads; open one for each. Several processes may have the same file
    open: readers never wait for the writer.

    Attributes:
        path: The file.
        clock: Source of the present moment.
        read_only: Whether this process may only read it.
        migrated: Whether opening it brought it to a newer form.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock = utc_now,
        migrations: Sequence[str] = MIGRATIONS,
    ) -> None:
        """Open the file, making it and its folder when they are not there.

        A file that this process may not write is opened for reading.

        Args:
            path: The database file.
            clock: Source of the present moment.
            migrations: Steps to the newest form; given only by tests.

        Raises:
            StorageError: If the file cannot be opened, or not be written although it has to be
                made or brought to the newest form, is damaged, belongs to another program, or
                was written by a newer version.
        """
        self.path = path
        self.clock = clock
        self.migrated = False
        self._migrations = migrations
        self.read_only = path.is_file() and not _writable(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path.parent, error.strerror or str(error)) from error
        with self._explained():
            self._connection = sqlite3.connect(
                _for_reading(path) if self.read_only else path,
                uri=self.read_only,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=True,
            )
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @property
    def version(self) -> int:
        """The schema version: how many migrations the file has seen."""
        return int(self.one("PRAGMA user_version")[0])

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        self._connection.close()

    def __enter__(self) -> Database:
        """The database itself; leaving closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside happen, or none; committed to the disk when the block is left.

        A block inside another one joins it: everything is committed when the outer one is left.

        Raises:
            StorageError: If a write fails; everything in the block is undone.
        """
        if self._connection.in_transaction:
            yield
            return
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors (a full disk).
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, sql: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """Run one statement.

        Raises:
            StorageError: If the file cannot be read or written.
        """
        with self._explained():
            return self._connection.execute(sql, parameters)

    def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one INSERT and return the new row's id.

        Raises:
            StorageError: If the file cannot be written.
        """
        row = self.execute(sql, parameters).lastrowid
        if row is None:
            raise StorageError(f"{self.path} gave no id for a new row; run `voyager doctor`")
        return row

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query.

        Raises:
            StorageError: If the file cannot be read.
        """
        with self._explained():
            return self._connection.execute(sql, parameters).fetchall()

    def tuples(self, sql: str, parameters: Parameters = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query as plain tuples: for thousands of rows that are read by position.

        Raises:
            StorageError: If the file cannot be read.
        """
        with self._explained():
            cursor = self._connection.cursor()
            cursor.row_factory = None
            yield from cursor.execute(sql, parameters)

    def first(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, or None.

        Raises:
            StorageError: If the file cannot be read.
        """
        with self._explained():
            row: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
            return row

    def one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row:
        """The only row of a query that always has one (a count, a PRAGMA).

        Raises:
            StorageError: If the file cannot be read, or no row comes back.
        """
        row = self.first(sql, parameters)
        if row is None:
            raise StorageError(f"{self.path} gave no answer to {sql!r}; run `voyager doctor`")
        return row

    def copy_to(self, target: Path) -> None:
        """Copy the database as it is at one instant, whoever else reads or writes it meanwhile.

        Args:
            target: The new file, in a folder that is there; it appears when it is whole.

        Raises:
            StorageError: If it cannot be read or written.
        """
        partial = target.with_suffix(".partial")
        try:
            partial.unlink(missing_ok=True)
            with self._explained(), _closing(sqlite3.connect(partial)) as copy:
                self._connection.backup(copy)
            partial.replace(target)
        except OSError as error:
            raise _unwritable(target.parent, error.strerror or str(error)) from error

    def check(self) -> tuple[str, ...]:
        """What SQLite's own integrity check finds wrong; empty when the file is sound.

        Raises:
            StorageError: If the file is too damaged to be checked.
        """
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check")]
        found += [f"row {row[1]} of {row[0]} points nowhere" for row in self._loose_ends()]
        return tuple(line for line in found if line != "ok")

    def _loose_ends(self) -> list[sqlite3.Row]:
        return self.rows("PRAGMA foreign_key_check")

    def _prepare(self) -> None:
        connection = self._connection
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        # An ordinal that was reserved must survive a power cut too: later tests depend on it.
        connection.execute("PRAGMA synchronous = FULL")
        owner, version = self._header()
        if version > len(self._migrations):
            raise StorageError(
                f"{self.path} has form {version}, this version knows forms up to "
                f"{len(self._migrations)}; update the program, or choose another home with --home"
            )
        tables = self.one("SELECT count(*) FROM sqlite_master")[0]
        if owner not in (0, _APPLICATION_ID) or (owner == 0 and tables):
            raise StorageError(
                f"{self.path} is a database of another program; choose another home with --home"
            )
        if version < len(self._migrations):
            if self.read_only:
                raise StorageError(
                    f"{self.path} has the older form {version} and cannot be written; make it "
                    "writable, or copy its folder and open the copy with --home"
                )
            connection.execute("PRAGMA journal_mode = WAL")
            self._migrate(version)
            self.migrated = version > 0

    def _header(self) -> tuple[int, int]:
        owner = int(self.one("PRAGMA application_id")[0])
        return owner, self.version

    def _migrate(self, version: int) -> None:
        if version:
            self._back_up(version)
        with self.transaction():
            # Another process may have done it while this one waited for the lock.
            for step in range(self.version, len(self._migrations)):
                for statement in _statements(self._migrations[step]):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {step + 1}")
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            if loose := self._loose_ends():
                raise StorageError(
                    f"{self.path} cannot be brought to the newest form: {len(loose)} rows point "
                    f"nowhere; it was left as it was"
                )

    def _back_up(self, version: int) -> None:
        folder = self.path.parent / BACKUPS
        moment = self.clock().strftime("%Y%m%dT%H%M%SZ")
        target = folder / f"{self.path.stem}-form{version}-{moment}.db"
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error.strerror or str(error)) from error
        self.copy_to(target)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(self._sentence(error)) from error

    def _sentence(self, error: sqlite3.Error) -> str:
        """One sentence on what went wrong and what to do."""
        name = str(getattr(error, "sqlite_errorname", "") or type(error).__name__)
        for prefix, advice in _ADVICE:
            if name.startswith(prefix):
                return f"{self.path} {advice}"
        return f"{self.path} refused a statement ({name}: {error}); run `voyager doctor`"


def record_text(record: Mapping[str, Any]) -> str:
    """A record as it is kept in a column: JSON with sorted keys, and nothing that JSON lacks."""
    return json.dumps(record, sort_keys=True, allow_nan=False)


_ADVICE: Final = (
    (
        "SQLITE_FULL",
        "could not be written because the disk is full; free some space and run the command "
        "again (what was stored before is intact)",
    ),
    (
        "SQLITE_CORRUPT",
        f"is damaged; move it away and copy the newest file of the folder {BACKUPS} beside it "
        "to its place, or choose another home with --home",
    ),
    (
        "SQLITE_NOTADB",
        f"is not a database; move it away (the folder {BACKUPS} beside it may hold a copy), or "
        "choose another home with --home",
    ),
    ("SQLITE_READONLY", "cannot be written; check its rights, or choose another home with --home"),
    (
        "SQLITE_CANTOPEN",
        "cannot be opened; check the rights of its folder, or choose another home with --home",
    ),
    ("SQLITE_PERM", "cannot be opened; check its rights, or choose another home with --home"),
    (
        "SQLITE_BUSY",
        f"has been kept busy by another process for {_BUSY_SECONDS:.0f} s; wait and run the "
        "command again",
    ),
    (
        "SQLITE_IOERR",
        "could not be read or written (input/output error); check the disk, then run the "
        "command again",
    ),
)


@contextmanager
def _closing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    finally:
        connection.close()


def _statements(script: str) -> Iterator[str]:
    """The single statements of a script (`executescript` would commit in between)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError(f"a migration ends in the middle of a statement: {pending.strip()!r}")


def _writable(path: Path) -> bool:
    """Whether a database may be written: that takes its folder too."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _for_reading(path: Path) -> str:
    """How to open a database that may not be written.

    Readers, too, write into the index of the log beside the file. Where there is no log, nobody
    has the file open for writing, and SQLite may take it as it stands.
    """
    log = path.with_name(f"{path.name}-wal")
    return f"{path.absolute().as_uri()}?mode=ro{'' if log.exists() else '&immutable=1'}"


def _unwritable(path: Path, reason: str) -> StorageError:
    return StorageError(
        f"cannot write in {path} ({reason}); check its rights, or choose another home with --home"
    )
