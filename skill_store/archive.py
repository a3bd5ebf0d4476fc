"""A whole home in one file, and back: what `voyager home backup` and `restore` do.

    backup(home, Path("robot.tar.gz"))
    restore(Path("robot.tar.gz"), home)

An archive is a gzipped tar whose first member, the manifest, names every other with its size and
hash. A backup works beside a running learner. A restore takes the home's lock, checks the whole
archive before it touches anything, and moves what was there into the folder of backups.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from skill_store.clock import Clock, stamp, utc_now
from skill_store.database import ARTIFACTS, BACKUPS, DATABASE, SETTINGS, Database
from skill_store.errors import StorageError
from skill_store.home_lock import HomeLock

SCHEMA: Final = "voyager.backup/1"
PRICES: Final = "prices.toml"
"""File name of what models cost, as the user of a home set it."""

_WRITTEN: Final = (SETTINGS, PRICES)
"""Files of a home that its user wrote. Keys (`secrets.toml`) are not among them: they stay out."""
_MANIFEST: Final = "manifest.json"
_LARGEST_MANIFEST: Final = 16 * 2**20
_CHUNK: Final = 2**20
_DAY: Final = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """What an archive holds.

    Attributes:
        path: The archive.
        made_at: When it was made, ISO 8601 in UTC.
        form: Form of its database.
        skills: How many skills it holds.
        files: Names of its files.
        size: Bytes of the archive.
    """

    path: Path
    made_at: str
    form: int
    skills: int
    files: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Restored:
    """How a restore ended.

    Attributes:
        backup: What was put into the home.
        kept: Folder with what was there before; None when there was nothing.
    """

    backup: Backup
    kept: Path | None


def backup(
    home: Path, target: Path | None = None, *, artifacts: bool = False, clock: Clock = utc_now
) -> Backup:
    """Put library, journal, settings and prices into one file, whoever learns there meanwhile.

    Keys to providers stay out of it.

    Args:
        home: The home folder.
        target: The archive; a new file in the home's folder of backups when None.
        artifacts: Whether pictures, films and tracebacks go with them.
        clock: Source of the present moment.

    Returns:
        What the archive holds.

    Raises:
        StorageError: If there is no library, the target exists already, or something cannot be
            read or written.
    """
    database = home / DATABASE
    if not database.is_file():
        raise StorageError(f"there is no library in {home}, so there is nothing to back up")
    now = clock()
    path = target or home / BACKUPS / f"home-{now.strftime(_DAY)}.tar.gz"
    if path.exists():
        raise StorageError(f"{path} exists already; choose another file for the backup")
    with _unwritable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as scratch:
            copy = Path(scratch) / DATABASE
            with Database(database, clock=clock) as source:
                form = source.version
                source.copy_to(copy)
            with Database(copy) as whole:
                skills = int(whole.one("SELECT count(*) FROM skills")[0])
            files = {DATABASE: copy, **_beside(home, Path(scratch), artifacts)}
            manifest = {
                "schema": SCHEMA,
                "made_at": stamp(now),
                "form": form,
                "skills": skills,
                "files": {name: _described(file) for name, file in files.items()},
            }
            partial = Path(scratch) / "archive"
            _pack(partial, manifest, files)
            # Linking, unlike renaming, never replaces what somebody else put there meanwhile.
            os.link(partial, path)
    return _told(path, manifest)


def restore(archive: Path, home: Path, *, clock: Clock = utc_now) -> Restored:
    """Make a home what it was when an archive was made.

    The archive is unpacked and checked beside the home's files, its database brought to the
    newest form, and only then put in their place. What was there is moved, never deleted.

    Args:
        archive: What `backup` made.
        home: The home folder, made when it is not there.
        clock: Source of the present moment.

    Returns:
        What was restored, and where the former content is.

    Raises:
        HomeBusy: If a process learns in this home.
        StorageError: If the archive cannot be read, is damaged or holds something else, or the
            home cannot be written. The home is as it was then.
    """
    if not archive.is_file():
        raise StorageError(f"there is no backup {archive}")
    with HomeLock(home, clock=clock), _unwritable(home):
        folder = home / BACKUPS
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as scratch:
            unpacked = Path(scratch)
            manifest = _unpack(archive, unpacked)
            _check(unpacked / DATABASE, archive)
            kept = folder / f"before-restore-{clock().strftime(_DAY)}"
            moved = _exchange(home, unpacked, kept)
    return Restored(_told(archive, manifest), kept if moved else None)


def _beside(home: Path, scratch: Path, artifacts: bool) -> dict[str, Path]:
    """Copies of the files other than the database, by their name in the archive.

    Copies, because a learner may write a picture anew while it is being packed.
    """
    # Settings may be a link to where their user keeps such files; artifacts are ours, and none is.
    sources = [home / name for name in _WRITTEN]
    if artifacts:
        sources += [p for p in sorted((home / ARTIFACTS).rglob("*")) if not p.is_symlink()]
    found = {}
    for source in sources:
        if source.is_file():
            name = source.relative_to(home).as_posix()
            found[name] = scratch / name
            found[name].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, found[name])
    return found


def _described(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return {"size": stream.tell(), "sha256": digest}


def _pack(target: Path, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    text = json.dumps(manifest, indent=2, sort_keys=True).encode()
    with target.open("wb") as stream:
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            _put(tar, _MANIFEST, io.BytesIO(text), len(text))
            for name, file in files.items():
                with file.open("rb") as content:
                    _put(tar, name, content, manifest["files"][name]["size"])
        stream.flush()
        os.fsync(stream.fileno())


def _put(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    tar.addfile(member, content)


def _unpack(archive: Path, folder: Path) -> Mapping[str, Any]:
    """Write an archive's files into a folder, each as its manifest describes it, or none."""
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            manifest = _manifest(tar, archive)
            wanted = dict(manifest["files"])
            while (member := tar.next()) is not None:
                if member.name not in wanted or not member.isfile():
                    raise _damaged(archive, f"{member.name!r} does not belong there")
                _take(tar, member, wanted.pop(member.name), folder / _inside(member.name, archive))
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(archive, str(error) or type(error).__name__) from error
    except OSError as error:
        # gzip tells damage as an OSError without a number.
        if error.errno is not None:
            raise
        raise _damaged(archive, str(error)) from error
    if wanted:
        raise _damaged(archive, f"{min(wanted)!r} is missing")
    return manifest


def _manifest(tar: tarfile.TarFile, archive: Path) -> Mapping[str, Any]:
    first = tar.next()
    if first is None or first.name != _MANIFEST or first.size > _LARGEST_MANIFEST:
        raise _damaged(archive, "it does not begin with a manifest")
    stream = tar.extractfile(first)
    record = json.loads(b"" if stream is None else stream.read())
    if record["schema"] != SCHEMA or DATABASE not in record["files"]:
        raise _damaged(archive, f"its manifest is not of the form {SCHEMA}")
    return dict(record)


def _inside(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts
    if not plain or (name not in (DATABASE, *_WRITTEN) and path.parts[0] != ARTIFACTS):
        raise _damaged(archive, f"{name!r} is no file of a home")
    return path


def _take(
    tar: tarfile.TarFile, member: tarfile.TarInfo, described: Mapping[str, Any], target: Path
) -> None:
    stream = tar.extractfile(member)
    if stream is None or member.size != described["size"]:
        raise ValueError(f"{member.name!r} has {member.size} bytes, not {described['size']}")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != described["sha256"]:
        raise ValueError(f"{member.name!r} is not what was put in")


def _check(path: Path, archive: Path) -> None:
    with Database(path) as database:
        problems = database.check()
    # The copy that a change of form leaves is the archive itself.
    shutil.rmtree(path.parent / BACKUPS, ignore_errors=True)
    if problems:
        raise _damaged(archive, f"its database is unsound: {problems[0]}")


def _exchange(home: Path, unpacked: Path, kept: Path) -> bool:
    """Move the home's files away and the unpacked ones to their place; whether there were any."""
    names = [name for name in (ARTIFACTS, *_WRITTEN) if (unpacked / name).exists()]
    # A log belongs to its database: what a killed learner left there is part of the library, and
    # would be played into the next one. The file is not opened, because it may be damaged.
    logs = (f"{DATABASE}-shm", f"{DATABASE}-wal")
    there = [name for name in (DATABASE, *logs, *names) if (home / name).exists()]
    if there:
        kept.mkdir()
    if DATABASE in there:
        # Linked now, replaced at last: there is no instant at which the home has no library.
        os.link(home / DATABASE, kept / DATABASE)
    for name in there:
        if name != DATABASE:
            (home / name).rename(kept / name)
    for name in (*names, DATABASE):
        (unpacked / name).replace(home / name)
    return bool(there)


def _told(path: Path, manifest: Mapping[str, Any]) -> Backup:
    return Backup(
        path=path,
        made_at=str(manifest["made_at"]),
        form=int(manifest["form"]),
        skills=int(manifest["skills"]),
        files=tuple(sorted(manifest["files"])),
        size=path.stat().st_size,
    )


def _damaged(archive: Path, why: str) -> StorageError:
    return StorageError(f"{archive} cannot be restored: {why}; nothing was changed")


@contextlib.contextmanager
def _unwritable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise StorageError(
            f"{place} cannot be read or written ({error.strerror or error}); check its rights "
            "and the space on its disk"
        ) from error
