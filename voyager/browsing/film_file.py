"""A film in a file that grows while it is made: whoever watches reads along behind the maker.

A file begins with `MAGIC`. After that come records, each of them two lengths (4 bytes each, most
significant first), a JSON object, and a picture (PNG) or nothing. `kind` says what a record is:
`head`, then `episode`, then `frame` after `frame`, and `end` or `failed` as the last. A file
without a last record is still being made, or its maker was killed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from env.errors import VoyagerError

FILM_SCHEMA: Final = "voyager.film/1"
MAGIC: Final = b"VOYFILM1"
_LENGTHS: Final = struct.Struct(">II")
_MOST_JSON: Final = 16_000_000
_MOST_PICTURE: Final = 16_000_000
_CHUNK: Final = 4_000_000
"""Bytes that are read at once, so that whoever draws is not held up."""


class FilmUnreadable(VoyagerError):
    """A file is no film, or is damaged."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a film.

    Attributes:
        kind: "head", "episode", "frame", "end" or "failed".
        fields: The JSON object, `kind` included.
        picture: PNG; empty where there is none.
    """

    kind: str
    fields: Mapping[str, Any]
    picture: bytes = b""


class FilmWriter:
    """Writes the records of one film; each is on its way to readers when `add` returns."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin a film in a file that is open for writing and stays the caller's to close."""
        self._file = file
        self._file.write(MAGIC)

    def add(self, kind: str, fields: Mapping[str, Any], picture: bytes = b"") -> None:
        """Append a record.

        Raises:
            OSError: If it cannot be written.
        """
        text = json.dumps({"kind": kind, **fields}, sort_keys=True).encode()
        self._file.write(_LENGTHS.pack(len(text), len(picture)) + text + picture)
        self._file.flush()


class FilmReader:
    """Reads a film, also while it is being made."""

    def __init__(self, path: Path) -> None:
        """Read a film that may not be there yet; nothing is opened."""
        self.path = path
        self._file: IO[bytes] | None = None
        self._rest = b""
        self._begun = False

    def read(self) -> tuple[Record, ...]:
        """The whole records that came since the last call, some of them if there are many.

        Raises:
            FilmUnreadable: If the file is not a film, or is damaged.
            OSError: If it cannot be read.
        """
        if self._file is None:
            try:
                self._file = self.path.open("rb")
            except FileNotFoundError:
                return ()
        self._rest += self._file.read(_CHUNK)
        if not self._begun:
            if len(self._rest) < len(MAGIC):
                return ()
            if not self._rest.startswith(MAGIC):
                raise FilmUnreadable(f"{self.path} is not a film; delete it, it is made anew")
            self._rest = self._rest[len(MAGIC) :]
            self._begun = True
        return tuple(self._whole())

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _whole(self) -> list[Record]:
        found: list[Record] = []
        at = 0
        while len(self._rest) - at >= _LENGTHS.size:
            text, picture = _LENGTHS.unpack_from(self._rest, at)
            if text > _MOST_JSON or picture > _MOST_PICTURE:
                raise self._damaged()
            begin, end = at + _LENGTHS.size, at + _LENGTHS.size + text + picture
            if len(self._rest) < end:
                break
            try:
                fields = json.loads(self._rest[begin : begin + text])
                found.append(Record(str(fields["kind"]), fields, self._rest[begin + text : end]))
            except (ValueError, KeyError, TypeError):
                raise self._damaged() from None
            at = end
        self._rest = self._rest[at:]
        return found

    def _damaged(self) -> FilmUnreadable:
        return FilmUnreadable(f"{self.path} is damaged; delete it, it is made anew")
