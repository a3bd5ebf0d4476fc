"""Archives for the tests of reading: a sound one, and the same with one thing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skill_store import Library
from skill_store.export import ExportOptions, find_format, gather, write

Records = list[dict[str, Any]]


def archive_of(library: Library, folder: Path, *names: str, everything: bool = False) -> Path:
    """Export skills as an archive."""
    bundle = gather(
        library,
        names=names or None,
        everything=everything,
        allow_uncertified=True,
    )
    write(find_format("jsonl"), bundle, folder, ExportOptions())
    return folder


def records_of(folder: Path) -> Records:
    """The records of an archive without its end."""
    lines = (folder / "skills.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[:-1]]


def sealed(body: str, *, lines: int | None = None) -> bytes:
    """Lines with an end that fits them, as a forger would write it."""
    end = {
        "record": "end",
        "lines": body.count("\n") if lines is None else lines,
        "sha256": hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest(),
    }
    return f"{body}{json.dumps(end)}\n".encode("utf-8", "surrogatepass")


def forged(folder: Path, target: Path, change: Callable[[Records], object]) -> Path:
    """The archive of a folder with its records changed, and checksums that fit again."""
    records = records_of(folder)
    change(records)
    target.write_bytes(sealed("".join(json.dumps(record) + "\n" for record in records)))
    return target


def of_kind(records: Records, kind: str) -> Records:
    """The records of one kind."""
    return [record for record in records if record["record"] == kind]
