from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skill_store.clock import moment, stamp
from skill_store.database import Database
from skill_store.errors import StorageError
from skill_store.migrations import MIGRATIONS

RELEASED = ("abd4ff68000d", "a59a0fe57a9b", "d6bbcd16971f", "d4bfa905c677")
"""First digits of the SHA-256 of each released migration; append, never edit."""

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

GROWN = (
    *MIGRATIONS,
    "ALTER TABLE skills ADD COLUMN colour TEXT;\nCREATE TABLE extra (x TEXT) STRICT;",
)


def _tables(database: Database) -> set[str]:
    return {row["name"] for row in database.rows("SELECT name FROM sqlite_master")}


def _sentence(error: pytest.ExceptionInfo[StorageError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert not text.endswith(".")
    return text


def _add_run(database: Database) -> int:
    with database.transaction():
        return database.insert(
            "INSERT INTO runs (command, seed, config, started_at) VALUES ('x', 0, '{}', 'now')"
        )


def test_released_migrations_are_never_edited() -> None:
    assert len(MIGRATIONS) == len(RELEASED)
    for step, digits in zip(MIGRATIONS, RELEASED, strict=True):
        assert hashlib.sha256(step.encode()).hexdigest().startswith(digits)


def test_the_first_migration_makes_the_first_form(tmp_path: Path) -> None:
    with Database(tmp_path / "library.db", migrations=MIGRATIONS[:1]) as database:
        assert database.version == 1
        assert _tables(database) >= {
            "runs",
            "tasks",
            "programs",
            "locks",
            "attempts",
            "certifications",
            "certificates",
            "skills",
            "episodes",
        }
        assert database.check() == ()
        assert database.one("PRAGMA journal_mode")[0] == "wal"


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "home" / "library.db"
    with Database(path) as database:
        _add_run(database)
    with Database(path) as database:
        assert database.version == len(MIGRATIONS)
        assert database.one("SELECT count(*) FROM runs")[0] == 1
    assert not (path.parent / "backups").exists()


def test_a_migration_backs_up_first_and_keeps_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Database(path) as database:
        _add_run(database)
    with Database(path, clock=lambda: NOW, migrations=GROWN) as database:
        assert database.version == len(GROWN)
        assert "extra" in _tables(database)
        assert database.one("SELECT count(*) FROM runs")[0] == 1
    backup = tmp_path / "backups" / f"library-form{len(MIGRATIONS)}-20260301T120000Z.db"
    with Database(backup) as before:
        assert before.version == len(MIGRATIONS)
        assert before.one("SELECT count(*) FROM runs")[0] == 1


def test_a_migration_that_fails_leaves_the_old_form(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    Database(path).close()
    broken = (*MIGRATIONS, "CREATE TABLE extra (x TEXT) STRICT;\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(StorageError, match="nowhere"):
        Database(path, migrations=broken)
    with Database(path) as database:
        assert database.version == len(MIGRATIONS)
        assert "extra" not in _tables(database)


def test_a_newer_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    Database(path, migrations=GROWN).close()
    before = path.read_bytes()
    with pytest.raises(StorageError) as caught:
        Database(path)
    forms = f"has form {len(GROWN)}, this version knows forms up to {len(MIGRATIONS)}; update"
    assert forms in _sentence(caught)
    assert path.read_bytes() == before


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.commit()
    foreign.close()
    with pytest.raises(StorageError) as caught:
        Database(path)
    assert "is a database of another program" in _sentence(caught)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError) as caught:
        Database(path)
    assert "is not a database; move it away" in _sentence(caught)


def test_a_damaged_database_is_named_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Database(path) as database:
        for _ in range(500):
            _add_run(database)
        page = int(database.one("PRAGMA page_size")[0])
    content = bytearray(path.read_bytes())
    for start in range(page, len(content), page):
        content[start : start + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught, Database(path) as database:
        database.rows("SELECT * FROM runs")
    assert "is damaged; move it away and copy the newest file of the folder" in _sentence(caught)


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    with Database(tmp_path / "library.db") as database:
        _add_run(database)
        database.execute(f"PRAGMA max_page_count = {database.one('PRAGMA page_count')[0]}")
        with pytest.raises(StorageError) as caught, database.transaction():
            database.execute(
                "INSERT INTO runs (command, seed, config, started_at) "
                "VALUES ('y', 0, hex(zeroblob(100000)), 'now')"
            )
        assert "the disk is full; free some space" in _sentence(caught)
        assert database.one("SELECT count(*) FROM runs")[0] == 1
        assert database.check() == ()


def test_a_home_below_a_file_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        Database(tmp_path / "file" / "home" / "library.db")
    assert "cannot write in" in _sentence(caught)
    assert "choose another home with --home" in _sentence(caught)


def test_a_folder_in_the_databases_place_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "library.db").mkdir()
    with pytest.raises(StorageError) as caught:
        Database(tmp_path / "library.db")
    assert "cannot be opened; check the rights" in _sentence(caught)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_is_unwritable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="check"):
            Database(tmp_path / "library.db")
    finally:
        tmp_path.chmod(0o700)


def test_an_error_inside_a_transaction_undoes_all_of_it(tmp_path: Path) -> None:
    with Database(tmp_path / "library.db") as database:
        with pytest.raises(KeyError), database.transaction():
            database.execute(
                "INSERT INTO runs (command, seed, config, started_at) VALUES ('x', 0, '', '')"
            )
            raise KeyError
        assert database.one("SELECT count(*) FROM runs")[0] == 0
        _add_run(database)


def test_a_row_that_points_nowhere_is_refused(tmp_path: Path) -> None:
    with (
        Database(tmp_path / "library.db") as database,
        pytest.raises(StorageError, match="SQLITE_CONSTRAINT_FOREIGNKEY"),
        database.transaction(),
    ):
        database.execute("INSERT INTO attempts (task, started_at) VALUES ('none', 'now')")


def test_a_reader_sees_the_last_commit_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with Database(path) as writer, Database(path) as reader:
        _add_run(writer)
        with writer.transaction():
            writer.execute("UPDATE runs SET command = 'changed'")
            assert reader.one("SELECT command FROM runs")[0] == "x"
        assert reader.one("SELECT command FROM runs")[0] == "changed"


def test_a_kill_in_the_middle_of_a_transaction_loses_only_that(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    insert = "INSERT INTO runs (command, seed, config, started_at) VALUES ('x', 0, '', '')"
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from skill_store.database import Database\n"
        f"insert = {insert!r}\n"
        "database = Database(Path(sys.argv[1]))\n"
        "with database.transaction():\n"
        "    database.execute(insert)\n"
        "with database.transaction():\n"
        "    database.execute(insert)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Database(path) as database:
        assert database.one("SELECT count(*) FROM runs")[0] == 1
        assert database.check() == ()


def test_moments_are_utc_and_sort_as_text() -> None:
    assert moment(stamp(NOW)) == NOW
    assert stamp(NOW) < stamp(NOW.replace(microsecond=1)) < stamp(NOW.replace(second=1))
    with pytest.raises(ValueError, match="time zone"):
        stamp(datetime(2026, 3, 1))  # noqa: DTZ001
