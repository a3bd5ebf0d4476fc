from __future__ import annotations

import hashlib
import io
import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skill_store import HomeBusy, Library, StorageError
from skill_store.archive import backup, restore
from skill_store.migrations import MIGRATIONS
from tests.skill_store.samples import LIFT, REACH, certificate, plain
from tests.skill_store.test_forms import unpack

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = "20260401T120000000000Z"


def teach(home: Path, name: str) -> None:
    task = {"reach": REACH, "lift": LIFT}[name]
    with Library.open(home, learning=True) as library:
        closure = plain(name)
        library.add(task, closure, certificate(task, closure, library.reserve(task, closure)))


def names(home: Path) -> tuple[str, ...]:
    with Library.open(home) as library:
        assert library.problems() == ()
        return library.names()


def content(home: Path) -> dict[str, bytes]:
    """Every file of a home but the lock, which says who came last."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name != "voyager.lock"
    }


def repacked(
    archive: Path, change: Callable[[str, bytes], bytes | None], *, more: tuple[str, ...] = ()
) -> Path:
    """The same archive with each member changed, or left out for None."""
    target = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(target, "w:gz") as new:
        for member in old.getmembers():
            stream = old.extractfile(member)
            assert stream is not None
            changed = change(member.name, stream.read())
            if changed is not None:
                member.size = len(changed)
                new.addfile(member, io.BytesIO(changed))
        for name in more:
            new.addfile(tarfile.TarInfo(name), io.BytesIO())
    return target


def test_a_home_comes_back_as_it_was(tmp_path: Path) -> None:
    home, archive = tmp_path / "home", tmp_path / "far" / "away.tar.gz"
    teach(home, "reach")
    (home / "voyager.toml").write_text("seed = 7\n")
    (home / "artifacts").mkdir()
    (home / "artifacts" / "reach.gif").write_bytes(b"film")
    made = backup(home, archive, artifacts=True, clock=lambda: NOW)
    assert (made.path, made.skills, made.form) == (archive, 1, len(MIGRATIONS))
    assert made.made_at == "2026-04-01T12:00:00.000000+00:00"
    assert made.files == ("artifacts/reach.gif", "library.db", "voyager.toml")
    assert made.size == archive.stat().st_size
    assert sorted(archive.parent.iterdir()) == [archive]
    teach(home, "lift")
    (home / "voyager.toml").write_text("seed = 8\n")
    (home / "artifacts" / "reach.gif").write_bytes(b"another")
    (home / "artifacts" / "lift.gif").write_bytes(b"new")
    done = restore(archive, home, clock=lambda: NOW)
    kept = home / "backups" / f"before-restore-{STAMP}"
    assert (done.kept, done.backup) == (kept, made)
    assert names(home) == ("reach",)
    assert (home / "voyager.toml").read_text() == "seed = 7\n"
    assert {path.name for path in (home / "artifacts").iterdir()} == {"reach.gif"}
    assert (home / "artifacts" / "reach.gif").read_bytes() == b"film"
    # Nothing is lost: what was there is a home of its own.
    assert names(kept) == ("lift", "reach")
    assert (kept / "voyager.toml").read_text() == "seed = 8\n"
    assert {path.name for path in (kept / "artifacts").iterdir()} == {"reach.gif", "lift.gif"}
    assert sorted(path.name for path in (home / "backups").iterdir()) == [kept.name]


def test_what_an_archive_does_not_hold_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    teach(home, "reach")
    made = backup(home, clock=lambda: NOW)
    assert made.path == home / "backups" / f"home-{STAMP}.tar.gz"
    assert made.files == ("library.db",)
    (home / "voyager.toml").write_text("seed = 8\n")
    (home / "artifacts").mkdir()
    restore(made.path, home)
    assert (home / "voyager.toml").read_text() == "seed = 8\n"
    assert (home / "artifacts").is_dir()


def test_what_the_user_wrote_comes_back_and_keys_stay_out(tmp_path: Path) -> None:
    home, archive = tmp_path / "home", tmp_path / "archive.tar.gz"
    teach(home, "reach")
    (tmp_path / "dotfiles.toml").write_text("seed = 7\n")
    (home / "voyager.toml").symlink_to(tmp_path / "dotfiles.toml")
    (home / "prices.toml").write_text("as_of = 2026-04-01\n")
    (home / "secrets.toml").write_text('OPENAI_API_KEY = "sk-hidden"\n')
    (home / "artifacts").mkdir()
    (home / "artifacts" / "a").write_text("a")
    (home / "artifacts" / "link").symlink_to(home / "secrets.toml")
    for name in ("live.json", "report.html"):
        (home / name).write_text("made again")
    made = backup(home, archive, artifacts=True)
    assert made.files == ("artifacts/a", "library.db", "prices.toml", "voyager.toml")
    with tarfile.open(archive) as tar:
        held = [tar.extractfile(member) for member in tar.getmembers()]
        assert not any(b"sk-hidden" in one.read() for one in held if one is not None)
    (home / "prices.toml").write_text("as_of = 2026-05-01\n")
    done = restore(archive, home)
    assert done.kept is not None
    assert (home / "prices.toml").read_text() == "as_of = 2026-04-01\n"
    assert (done.kept / "prices.toml").read_text() == "as_of = 2026-05-01\n"
    # The link is kept as one, and what it leads to is as it was.
    assert (home / "voyager.toml").read_text() == "seed = 7\n"
    assert not (home / "voyager.toml").is_symlink() and (done.kept / "voyager.toml").is_symlink()
    assert (home / "secrets.toml").read_text() == 'OPENAI_API_KEY = "sk-hidden"\n'
    # An archive without prices, as all were once, leaves those of the home.
    (home / "prices.toml").unlink()
    older = backup(home, tmp_path / "older.tar.gz").path
    (home / "prices.toml").write_text("as_of = 2026-06-01\n")
    restore(older, home)
    assert (home / "prices.toml").read_text() == "as_of = 2026-06-01\n"
    # Nobody's archive puts keys into a home.
    forged = repacked(archive, _with_keys, more=("secrets.toml",))
    with pytest.raises(StorageError, match=r"'secrets\.toml' is no file of a home"):
        restore(forged, home)
    assert (home / "secrets.toml").read_text() == 'OPENAI_API_KEY = "sk-hidden"\n'


def _with_keys(name: str, data: bytes) -> bytes | None:
    """An archive whose manifest names keys, which are empty, in place of prices."""
    if name == "prices.toml":
        return None
    if name != "manifest.json":
        return data
    record = json.loads(data)
    del record["files"]["prices.toml"]
    record["files"]["secrets.toml"] = {"size": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    return json.dumps(record).encode()


def test_a_home_can_be_made_from_an_archive(tmp_path: Path) -> None:
    teach(tmp_path / "home", "reach")
    made = backup(tmp_path / "home", tmp_path / "archive.tar.gz")
    done = restore(made.path, tmp_path / "other" / "home")
    assert done.kept is None
    assert names(tmp_path / "other" / "home") == ("reach",)


def test_an_archive_of_an_older_form_is_brought_to_the_newest(tmp_path: Path) -> None:
    older = unpack(1, tmp_path / "older")
    teach(tmp_path / "home", "reach")
    archive = backup(tmp_path / "home", tmp_path / "archive.tar.gz").path
    library = (older / "library.db").read_bytes()

    def swap(name: str, data: bytes) -> bytes:
        if name == "library.db":
            return library
        record = json.loads(data)
        record["files"]["library.db"] = {
            "size": len(library),
            "sha256": hashlib.sha256(library).hexdigest(),
        }
        return json.dumps(record).encode()

    restore(repacked(archive, swap), tmp_path / "home")
    assert names(tmp_path / "home") == ("leave", "lift", "reach")
    with Library.open(tmp_path / "home") as opened:
        assert opened.database.version == len(MIGRATIONS)


def test_a_backup_works_beside_a_learner_and_a_restore_does_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    teach(home, "reach")
    script = (
        "import sys\n"
        "from skill_store import Library\n"
        "from tests.skill_store.samples import LIFT, certificate, plain\n"
        "with Library.open(sys.argv[1], learning=True) as library:\n"
        "    closure = plain('lift')\n"
        "    ordinal = library.reserve(LIFT, closure)\n"
        "    library.add(LIFT, closure, certificate(LIFT, closure, ordinal))\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    learner = subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert learner.stdout is not None
        assert learner.stdout.readline() == b"ready\n"
        # What the learner committed stands in the log only, and is in the archive all the same.
        assert (home / "library.db-wal").stat().st_size > 0
        made = backup(home, tmp_path / "archive.tar.gz")
        assert made.skills == 2
        with pytest.raises(HomeBusy) as caught:
            restore(made.path, home)
        assert caught.value.pid == learner.pid
        assert not (home / "backups").exists()
    finally:
        learner.send_signal(signal.SIGKILL)
        learner.communicate()
    # Its log is left behind by the kill, and goes with the library that it belongs to.
    assert (home / "library.db-wal").stat().st_size > 0
    with Library.open(home) as library:
        library.database.execute("UPDATE skills SET state = 'retired'")
        library.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        done = restore(made.path, home)
        assert done.kept is not None
        # A reader that has the old one open goes on with it.
        assert {entry.state.value for entry in library.entries()} == {"retired"}
    assert names(home) == names(done.kept) == ("lift", "reach")
    with Library.open(home) as library:
        assert {entry.state.value for entry in library.entries()} == {"probation"}


def test_the_log_of_a_killed_learner_is_kept_with_its_library(tmp_path: Path) -> None:
    home = tmp_path / "home"
    teach(home, "reach")
    archive = backup(home, tmp_path / "archive.tar.gz").path
    script = (
        "import os, signal, sys\n"
        "from tests.skill_store.samples import LIFT\n"
        "from skill_store import Library\n"
        "Library.open(sys.argv[1], learning=True).queue.add(LIFT)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script, str(home)], cwd=root, check=False)
    assert (home / "library.db-wal").stat().st_size > 0
    done = restore(archive, home)
    assert done.kept is not None
    for folder, waiting in ((home, 0), (done.kept, 1)):
        with Library.open(folder) as library:
            assert len(library.queue.list()) == waiting


def test_a_damaged_home_can_be_restored(tmp_path: Path) -> None:
    home = tmp_path / "home"
    teach(home, "reach")
    archive = backup(home, tmp_path / "archive.tar.gz").path
    (home / "library.db").write_bytes(b"not a database" * 500)
    (home / "library.db-wal").write_bytes(b"nor a log")
    done = restore(archive, home)
    assert done.kept is not None
    assert names(home) == ("reach",)
    assert (done.kept / "library.db").read_bytes().startswith(b"not a database")
    assert (done.kept / "library.db-wal").read_bytes() == b"nor a log"


def _cut(archive: Path) -> Path:
    target = archive.with_name("changed.tar.gz")
    target.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    return target


def _text(archive: Path) -> Path:
    target = archive.with_name("changed.tar.gz")
    target.write_text("no archive")
    return target


def _manifest(**changes: object) -> Callable[[Path], Path]:
    def change(name: str, data: bytes) -> bytes:
        if name != "manifest.json":
            return data
        return json.dumps({**json.loads(data), **changes}).encode()

    return lambda archive: repacked(archive, change)


def _flipped(name: str, data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1]) if name == "library.db" else data


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_cut, "cannot be restored"),
        (_text, "cannot be restored"),
        (lambda a: repacked(a, _flipped), "'library.db' is not what was put in"),
        (lambda a: repacked(a, lambda n, d: d + b"x" if n == "library.db" else d), "bytes, not"),
        (lambda a: repacked(a, lambda n, d: None if n == "library.db" else d), "is missing"),
        (lambda a: repacked(a, lambda n, d: None if n == "manifest.json" else d), "begin with a"),
        (lambda a: repacked(a, lambda n, d: d, more=("extra",)), "'extra' does not belong there"),
        (_manifest(schema="voyager.task/1"), "its manifest is not of the form"),
        (_manifest(files={}), "its manifest is not of the form"),
        (_manifest(files=None), "cannot be restored"),
    ],
    ids=range(10),
)
def test_a_damaged_archive_changes_nothing(
    damage: Callable[[Path], Path], why: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    teach(home, "reach")
    archive = damage(backup(home, tmp_path / "archive.tar.gz").path)
    (home / "backups").mkdir()
    before = content(home)
    with pytest.raises(StorageError) as caught:
        restore(archive, home)
    assert why in str(caught.value)
    assert str(caught.value).endswith("nothing was changed")
    assert content(home) == before
    assert list((home / "backups").iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/outside", "artifacts/../../outside", "other.db"])
def test_an_archive_cannot_write_elsewhere(name: str, tmp_path: Path) -> None:
    teach(tmp_path / "home", "reach")
    archive = backup(tmp_path / "home", tmp_path / "archive.tar.gz").path

    def claim(member: str, data: bytes) -> bytes:
        if member != "manifest.json":
            return data
        record = json.loads(data)
        record["files"][name] = {"size": 0, "sha256": "0" * 64}
        return json.dumps(record).encode()

    with pytest.raises(StorageError, match="is no file of a home"):
        restore(repacked(archive, claim, more=(name,)), tmp_path / "home")
    assert not (tmp_path / "outside").exists()


def test_a_database_that_is_unsound_is_not_restored(tmp_path: Path) -> None:
    home = tmp_path / "home"
    teach(home, "reach")
    with Library.open(home) as library:
        library.database.execute("PRAGMA foreign_keys = OFF")
        library.database.execute("UPDATE skills SET task = 'nowhere'")
    archive = backup(home, tmp_path / "archive.tar.gz").path
    with pytest.raises(StorageError, match=r"its database is unsound: row .* points nowhere"):
        restore(archive, tmp_path / "other")
    assert not (tmp_path / "other" / "library.db").exists()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no library in"):
        backup(tmp_path)
    with pytest.raises(StorageError, match="there is no backup"):
        restore(tmp_path / "nothing.tar.gz", tmp_path)
    assert list(tmp_path.iterdir()) == []
    teach(tmp_path / "home", "reach")
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        backup(tmp_path / "home", tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    with pytest.raises(StorageError, match="cannot be read or written"):
        backup(tmp_path / "home", tmp_path / "taken" / "archive.tar.gz")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "taken"}
