"""What a home forgets: details that nobody looks at any more, never evidence.

    collect(home, Retention(...)) -> Collected

Programs, certificates, deepenings and the recorded episodes of every version of every skill are
kept for good, and so are the outcomes of all attempts, the drafts of those that led to a skill,
lessons, and the books about questions to models.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from env.seeds import short
from skill_store.clock import Clock, stamp, utc_now
from skill_store.database import ARTIFACTS, DATABASE, Database
from skill_store.errors import HomeBusy, StorageError
from skill_store.home_lock import HomeLock

# As `voyager.gallery` names them: skill, first digits of the certificate, sort of picture.
_PICTURE: Final = re.compile(r"(\w+-[0-9a-f]{12})(?:\.\w+)?\.(?:png|gif)")
_BATCH: Final = 500
"""Rows that are changed in one write, so that a running learner never waits for long."""

_OLD_DETAILS: Final = """
UPDATE attempts SET detail = NULL WHERE id IN (
    SELECT id FROM attempts WHERE detail IS NOT NULL AND ended_at < ? ORDER BY id LIMIT ?
)
"""
_LOOSE_EPISODES: Final = """
DELETE FROM episodes WHERE id IN (
    SELECT id FROM episodes
    WHERE at < ? AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.program = episodes.program)
    AND id < (SELECT max(id) FROM episodes)  -- or its number would be given out again
    ORDER BY id LIMIT ?
)
"""
# The youngest first, so that no draft loses its parent before itself.
_OLD_DRAFTS: Final = """
DELETE FROM drafts WHERE id IN (
    SELECT drafts.id FROM drafts JOIN attempts ON attempts.id = drafts.attempt
    WHERE attempts.ended_at < ? AND attempts.outcome IS NOT 'solved'
    ORDER BY drafts.id DESC LIMIT ?
)
"""


@dataclass(frozen=True, slots=True)
class Retention:
    """After how many days something is forgotten; 0 keeps it for good.

    Attributes:
        details: What an attempt noted beside its outcome.
        episodes: Recorded episodes of programs that are no version of a skill.
        errors: Tracebacks.
        pictures: Pictures and films of certificates that no skill rests on now.
        drafts: Programs that attempts tried on the way and that led to no skill.
    """

    details: int
    episodes: int
    errors: int
    pictures: int
    drafts: int


@dataclass(frozen=True, slots=True)
class Collected:
    """What was forgotten.

    Attributes:
        details: Attempts that lost their notes.
        episodes: Recorded episodes.
        errors: Tracebacks.
        pictures: Pictures and films.
        drafts: Drafts of attempts.
        freed: Bytes that the home is smaller now.
        compacted: Whether the database gave its free space back; not while a process learns.
    """

    details: int
    episodes: int
    errors: int
    pictures: int
    drafts: int
    freed: int
    compacted: bool


def collect(home: Path, retention: Retention, *, clock: Clock = utc_now) -> Collected:
    """Forget what is older than it has to be; works beside a running learner.

    Args:
        home: The home folder.
        retention: How long things are kept.
        clock: Source of the present moment.

    Returns:
        What was forgotten.

    Raises:
        StorageError: If there is no library, or something cannot be read or written.
    """
    path = home / DATABASE
    if not path.is_file():
        raise StorageError(f"there is no library in {home}, so there is nothing to clear")
    now = clock()
    with Database(path, clock=clock) as database:
        before = _size(home)
        details = _in_batches(database, _OLD_DETAILS, now, retention.details)
        episodes = _in_batches(database, _LOOSE_EPISODES, now, retention.episodes)
        drafts = _in_batches(database, _OLD_DRAFTS, now, retention.drafts)
        errors = _delete(_errors(home), now, retention.errors)
        pictures = _delete(_loose_pictures(home, database), now, retention.pictures)
        compacted = _compact(home, database, clock)
        freed = before - _size(home)
    return Collected(details, episodes, errors, pictures, drafts, max(freed, 0), compacted)


def _in_batches(database: Database, sql: str, now: datetime, days: int) -> int:
    if not days:
        return 0
    oldest = stamp(now - timedelta(days=days))
    total = 0
    while True:
        with database.transaction():
            changed = database.execute(sql, (oldest, _BATCH)).rowcount
        total += changed
        if changed < _BATCH:
            return total


def _errors(home: Path) -> Iterator[Path]:
    yield from sorted((home / ARTIFACTS).glob("error-*.txt"))


def _loose_pictures(home: Path, database: Database) -> Iterator[Path]:
    rows = database.rows("SELECT name, certificate FROM skills")
    needed = {f"{row['name']}-{short(row['certificate'])}" for row in rows}
    for path in sorted((home / ARTIFACTS).glob("*")):
        found = _PICTURE.fullmatch(path.name)
        if found is not None and found[1] not in needed:
            yield path


def _delete(paths: Iterator[Path], now: datetime, days: int) -> int:
    if not days:
        return 0
    oldest = (now - timedelta(days=days)).timestamp()
    deleted = 0
    for path in paths:
        try:
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
                deleted += 1
        except OSError as error:
            raise StorageError(
                f"{path} cannot be deleted ({error.strerror}); check the rights of its folder"
            ) from error
    return deleted


def _compact(home: Path, database: Database, clock: Clock) -> bool:
    """Give free space back, unless somebody learns here: that takes the file for a while."""
    with contextlib.suppress(HomeBusy), HomeLock(home, clock=clock):
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True
    return False


def _size(home: Path) -> int:
    """Bytes of the database with its log, and of the artifacts."""
    total = 0
    for file in (*home.glob(f"{DATABASE}*"), *(home / ARTIFACTS).rglob("*")):
        # A learner beside us may take a file away.
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total
