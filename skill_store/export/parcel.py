"""Taking an archive's text out of whatever it comes in: a folder, a file, a tar or a zip.

Nothing is unpacked onto the disk. Of a tar or zip only the one file is read, with a limit on what
comes out and not on what its header says; links, devices, names that leave the archive and names
that come twice are refused.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final, TypeVar

from skill_store.export.errors import ImportRefused
from skill_store.export.jsonl import FILE
from skill_store.export.writing import CHECKSUMS

LARGEST: Final = 64 * 2**20
"""Bytes of an archive's text, and of what it comes in."""
_LARGEST_LIST: Final = 2**20
_MOST_MEMBERS: Final = 64
_CHUNK: Final = 2**18
_Member = TypeVar("_Member", tarfile.TarInfo, zipfile.ZipInfo)
_Reader = Callable[[str, int], bytes | None]


def unwrap(source: Path) -> bytes:
    """The text of an archive, with its checksum compared where there is one.

    Args:
        source: A folder that `voyager export --format jsonl` made, its `skills.jsonl`, or a
            (gzipped) tar or zip of the folder.

    Raises:
        ImportRefused: If it is none of these, damaged, too large, or tries to trick its reader.
    """
    try:
        if source.is_dir():
            return _checked(lambda name, most: _from_folder(source / name, most))
        # Whoever imports may name a link; inside a folder there is none.
        with _opened(source.resolve()) as stream:
            return _unwrapped(stream)
    except OSError as error:
        if error.errno is None:  # gzip tells damage like this
            raise ImportRefused(f"it is damaged ({error})") from error
        raise ImportRefused(f"it cannot be read ({error.strerror or error})") from error


def _unwrapped(stream: IO[bytes]) -> bytes:
    head = stream.read(4)
    stream.seek(0)
    try:
        if head.startswith(b"PK\x03\x04"):
            content = stream.read()
            # Counted before they are read: a small file may list a million.
            _few(content.count(b"PK\x01\x02") - 1)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return _from_zip(archive)
        if head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=stream) as inner:
                return _plain_or_tar(inner)
        return _plain_or_tar(stream)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise ImportRefused(f"it is damaged ({error or type(error).__name__})") from error
    except (NotImplementedError, RuntimeError) as error:  # zip: encrypted, an unknown method
        raise ImportRefused(f"it is packed in a way that is not read here ({error})") from error


def _plain_or_tar(stream: IO[bytes] | gzip.GzipFile) -> bytes:
    content = _limited(stream, LARGEST + _LARGEST_LIST, "it")
    if content[257:262] != b"ustar":
        return _short_enough(content)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        members: dict[str, tarfile.TarInfo] = {}
        for count, member in enumerate(archive):
            _few(count)
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                raise ImportRefused(f"{member.name!r} in it is no plain file")
            _enter(members, member.name, member)

        def read(name: str, most: int) -> bytes | None:
            member = members.get(name)
            inner = None if member is None else archive.extractfile(member)
            return None if inner is None else _limited(inner, most, name)

        return _checked(read)


def _from_zip(archive: zipfile.ZipFile) -> bytes:
    members: dict[str, zipfile.ZipInfo] = {}
    for count, member in enumerate(archive.infolist()):
        _few(count)
        if member.is_dir():
            continue
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise ImportRefused(f"{member.filename!r} in it is no plain file")
        _enter(members, member.filename, member)

    def read(name: str, most: int) -> bytes | None:
        if name not in members:
            return None
        with archive.open(members[name]) as inner:
            return _limited(inner, most, name)

    return _checked(read)


def _enter(members: dict[str, _Member], name: str, member: _Member) -> None:
    """File a member under its name without the folder that it lies in."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and "\\" not in name
    if not plain or "\0" in name:
        raise ImportRefused(f"the name {name[:80]!r} in it leads out of the archive")
    if path.name not in (FILE, CHECKSUMS) or len(path.parts) > 2:
        return
    if path.name in members:
        raise ImportRefused(f"{path.name!r} is in it twice")
    members[path.name] = member


def _few(count: int) -> None:
    if count >= _MOST_MEMBERS:
        raise ImportRefused(f"it holds more than {_MOST_MEMBERS} files; an archive of skills has 4")


def _from_folder(path: Path, most: int) -> bytes | None:
    if not os.path.lexists(path):
        return None
    with _opened(path) as stream:
        return _limited(stream, most, path.name)


def _checked(read: _Reader) -> bytes:
    content = read(FILE, LARGEST)
    if content is None:
        raise ImportRefused(f"there is no {FILE!r} in it; `voyager export --format jsonl` makes it")
    listed = read(CHECKSUMS, _LARGEST_LIST)
    if listed is not None:
        made = hashlib.sha256(content).hexdigest()
        if f"{made}  {FILE}" not in listed.decode("utf-8", "replace").splitlines():
            raise ImportRefused(f"{FILE!r} is not what its checksum in {CHECKSUMS} says")
    return content


def _short_enough(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise ImportRefused(f"it has more than {LARGEST // 2**20} MiB")
    return content


def _limited(stream: IO[bytes] | gzip.GzipFile, most: int, name: str) -> bytes:
    """All that a stream gives, if that is no more than so many bytes."""
    found = bytearray()
    while chunk := stream.read(_CHUNK):
        found += chunk
        if len(found) > most:
            raise ImportRefused(f"{name} unpacks to more than {most // 2**20} MiB")
    return bytes(found)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A plain file: not a link, and nothing that never ends or waits for a writer."""
    if path.is_symlink():  # the flag below refuses it, too, in the system's own words
        raise ImportRefused(f"{path.name!r} is a link")
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with open(number, "rb") as stream:
        told = os.fstat(number)
        if not stat.S_ISREG(told.st_mode):
            raise ImportRefused(f"{path.name!r} is no plain file")
        if told.st_size > LARGEST + _LARGEST_LIST:
            raise ImportRefused(f"{path.name!r} has more than {LARGEST // 2**20} MiB")
        yield stream
