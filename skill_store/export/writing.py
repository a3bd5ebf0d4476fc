"""An export's folder appears whole or not at all.

It is written beside its place under a name of its own, gets a list of checksums, is forced onto
the disk, and only then takes its name. What stood there before is never touched. Whoever writes
holds a lock, so that the next export to the same place can tell what a killed one left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from skill_store.export.errors import ExportError

CHECKSUMS: Final = "SHA256SUMS"
"""Name of the list of checksums, in the form that `sha256sum -c` reads."""
_SUFFIX: Final = ".unfinished-export"
_INNER: Final = "export"


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to write an export into; it takes its place when the block is left without error.

    Args:
        target: Where it will stand; must not exist, its parents are made.

    Yields:
        An empty folder beside the target. Files written there are listed in `CHECKSUMS`.

    Raises:
        ExportError: If the target exists, or cannot be written.
    """
    require_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear(target)
        prefix = _prefix(target)
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix, suffix=_SUFFIX))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        with _locked(scratch, fcntl.LOCK_EX):  # before `_clear` would take anything
            whole = scratch / _INNER
            whole.mkdir()
            yield whole
            _seal(whole)
            require_free(target)
            whole.rename(target)
            _sync(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def require_free(target: Path) -> None:
    """Check that nothing stands where an export is to stand.

    Raises:
        ExportError: If something does.
    """
    if os.path.lexists(target):
        raise ExportError(f"{target} exists already; choose another place with --out")


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8 with plain line ends, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as indented JSON with sorted keys."""
    write_text(path, json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n")


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder by its path with slashes, sorted; not of the list."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != CHECKSUMS:
            with path.open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def _prefix(target: Path) -> str:
    return f".{target.name}-"


def _clear(target: Path) -> None:
    """Remove what exports to this place left behind when they were killed; spares living ones."""
    for left in target.parent.glob(f"{glob.escape(_prefix(target))}*{_SUFFIX}"):
        # Of somebody else, or taken meanwhile: nothing that would hinder this export.
        with contextlib.suppress(OSError), _locked(left, fcntl.LOCK_EX | fcntl.LOCK_NB):
            # An empty one may be about to be locked by whoever has just made it.
            if [inner.name for inner in left.iterdir()] == [_INNER]:
                shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Hold a folder's lock, which ends with its process.

    Raises:
        OSError: If somebody else holds it and `how` does not wait, or this is no folder.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        os.close(number)


def _seal(folder: Path) -> None:
    """List the checksums and force everything onto the disk."""
    lines = [f"{digest}  {name}\n" for name, digest in checksums(folder).items()]
    write_text(folder / CHECKSUMS, "".join(lines))
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unwritable(target: Path, error: OSError) -> ExportError:
    return ExportError(
        f"{target} cannot be written ({error.strerror or error}); check the rights of its folder "
        "and the space on its disk, or choose another place with --out"
    )
