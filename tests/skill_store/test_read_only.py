"""Homes that this process may read and not write: somebody else's, or on a read-only disk."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from env.errors import VoyagerError
from skill_store import Library
from skill_store.archive import backup
from skill_store.database import Database
from tests.skill_store.samples import LIFT, REACH, STACK, calling, certificate, plain
from tests.skill_store.test_forms import unpack

_NOBODY = 65534


@pytest.fixture
def home() -> Iterator[Path]:
    """A home in a place that every user can reach (pytest's own folders are private)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    _close(folder, 0o755, 0o644)
    shutil.rmtree(folder)


def _close(home: Path, folder: int, file: int) -> None:
    for path in home.rglob("*"):
        path.chmod(folder if path.is_dir() else file)
    home.chmod(folder)


def as_reader(home: Path, look: Callable[[], Any]) -> Any:
    """What a function returns, or the error it ends with, where the home cannot be written."""
    _close(home, 0o555, 0o444)
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:  # nothing is closed to root
                os.setgid(_NOBODY)
                os.setuid(_NOBODY)
            found = look()
        except VoyagerError as error:
            found = f"{type(error).__name__}: {error}"
        except BaseException as error:
            found = repr(error)
        os.write(sending, json.dumps(found).encode())
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    return json.loads(told)


def teach(home: Path) -> None:
    with Library.open(home, learning=True) as library:
        reach = plain("reach")
        for task, closure in ((REACH, reach), (LIFT, calling("lift", reach))):
            ordinal = library.reserve(task, closure)
            library.add(task, closure, certificate(task, closure, ordinal))
        library.queue.add(STACK)


def _listed(home: Path) -> list[Any]:
    with Library.open(home) as library:
        entries = [(entry.name, list(entry.callees)) for entry in library.entries()]
        return [entries, library.get("lift").name, len(library.queue.list()), library.problems()]


LISTED = [[["reach", []], ["lift", ["reach"]]], "lift", 1, []]


def test_a_home_that_cannot_be_written_can_be_listed(home: Path) -> None:
    teach(home)
    assert as_reader(home, lambda: _listed(home)) == LISTED
    assert {path.name for path in home.iterdir()} == {"library.db", "voyager.lock"}


def test_it_can_be_listed_while_its_owner_learns(home: Path) -> None:
    teach(home)
    with Library.open(home, learning=True) as library:
        library.set_pinned("reach", True)
        assert (home / "library.db-wal").stat().st_size > 0

        def pinned() -> list[bool]:
            with Library.open(home) as reader:
                return [entry.pinned for entry in reader.entries()]

        assert as_reader(home, pinned) == [True, False]


def test_writing_there_is_refused_in_a_sentence(home: Path) -> None:
    teach(home)

    def ask() -> None:
        with Library.open(home) as library:
            library.set_pinned("reach", True)

    assert "cannot be written; check its rights" in as_reader(home, ask)
    refused = as_reader(home, lambda: Library.open(home, learning=True) and None)
    assert refused.startswith("StorageError: cannot write ")


def test_an_older_form_there_says_what_to_do(home: Path) -> None:
    unpack(1, home)
    told = as_reader(home, lambda: Database(home / "library.db").version)
    assert "has the older form 1 and cannot be written; make it writable, or copy" in told
    assert {path.name for path in home.iterdir()} == {"library.db"}


def test_it_can_be_backed_up_elsewhere(home: Path) -> None:
    teach(home)
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o777)  # noqa: S103
        made = as_reader(home, lambda: backup(home, Path(place) / "a.tar.gz").skills)
    assert made == 2
    told = as_reader(home, lambda: backup(home).skills)
    assert "cannot be read or written (Permission denied)" in told
