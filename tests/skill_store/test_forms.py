"""Homes of every earlier form are opened as they were left on somebody's disk."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from env.outcome import Outcome
from skill_store import Library, Origin, SkillState
from skill_store.database import Database
from skill_store.migrations import MIGRATIONS
from tests.skill_store.samples import LIFT, REACH, STACK, certificate, plain

FORMS = Path(__file__).parent / "forms"
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def unpack(form: int, home: Path) -> Path:
    """A home with a library as the first version that had this form wrote it."""
    home.mkdir(exist_ok=True)
    (home / "library.db").write_bytes(gzip.decompress((FORMS / f"form{form}.db.gz").read_bytes()))
    return home


def test_every_earlier_form_has_a_library_of_its_own() -> None:
    there = {int(path.name.removeprefix("form").split(".")[0]) for path in FORMS.iterdir()}
    assert there == set(range(1, len(MIGRATIONS)))


@pytest.mark.parametrize("form", range(1, len(MIGRATIONS)))
def test_an_older_home_is_brought_to_the_newest_form_after_a_backup(
    form: int, tmp_path: Path
) -> None:
    home = unpack(form, tmp_path)
    before = (home / "library.db").read_bytes()
    with Database(home / "library.db", clock=lambda: NOW) as database:
        assert database.migrated
        assert database.version == len(MIGRATIONS)
        assert database.check() == ()
    with Database(home / "library.db", clock=lambda: NOW) as database:
        assert not database.migrated
    (backup,) = (home / "backups").iterdir()
    assert backup.name == f"library-form{form}-20260401T000000Z.db"
    with Database(backup, migrations=MIGRATIONS[:form]) as copy:
        assert copy.version == form
        assert copy.one("SELECT count(*) FROM skills")[0] == 3
    (home / "library.db").write_bytes(before)
    with Library.open(home) as library:
        assert library.problems() == ()


@pytest.mark.parametrize("form", range(1, len(MIGRATIONS)))
def test_skills_of_an_older_home_go_on_living(form: int, tmp_path: Path) -> None:
    with Library.open(unpack(form, tmp_path)) as library:
        entries = {entry.name: entry for entry in library.entries()}
        assert {name: entry.state for name, entry in entries.items()} == {
            "reach": SkillState.ACTIVE,
            "lift": SkillState.PROBATION,
            "leave": SkillState.RETIRED,
        }
        reach = library.get("reach")
        assert (reach.task, reach.bound) == (REACH, entries["reach"].bound)
        assert reach.certificate.hash == certificate(REACH, plain("reach"), 1).hash
        assert library.get("lift").callees == ("reach",)
        assert library.handovers_of(library.get("lift").certificate) == (reach.handover,)
        (version,) = library.versions("reach")
        assert (version.number, version.origin, version.champion) == (1, Origin.LEARNED, True)
        assert (version.added_at, version.bound) == (reach.added_at, reach.bound)
        assert not entries["reach"].pinned
        # What older forms did not write down is made up for, so that callees are found.
        found = library.database.rows("SELECT predicate FROM promises WHERE task = ?", (LIFT.hash,))
        assert [row["predicate"] for row in found] == ["lifted"]
        assert [skill.name for skill in library.callees_for(STACK)] == ["reach", "lift"]
        (attempt,) = library.journal.attempts(LIFT.hash)
        assert attempt.outcome is Outcome.SOLVED
        (episode,) = library.journal.episodes(reach.program.hash)
        assert episode.outcome is Outcome.FAILED
    with Library.open(tmp_path, learning=True) as library:
        assert library.journal.attempts(STACK.hash)[0].reason == "interrupted"
        assert library.reserve(REACH, plain("reach")) == 2
