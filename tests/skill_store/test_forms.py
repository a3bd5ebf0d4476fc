"""Homes of every earlier form are opened as they were left on somebody's disk."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from env.outcome import Outcome
from skill_store import (
    Allowance,
    Library,
    Origin,
    Retrieval,
    SkillState,
    StorageError,
    Totals,
    Use,
)
from skill_store.database import Database
from skill_store.export.importing import Archive, Arrival
from skill_store.lexical import LexicalEmbedder
from skill_store.migrations import MIGRATIONS
from skill_store.quarantine import Quarantine
from skill_store.routing import Decision, routes
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


def test_what_the_second_form_knew_is_kept(tmp_path: Path) -> None:
    with Library.open(unpack(2, tmp_path)) as library:
        first, second = library.versions("lift")
        assert (first.champion, second.origin) == (True, Origin.EDITED)
        assert library.version("lift", 2).task == LIFT
        assert library.get("lift").pinned
        (duel,) = library.duels()
        assert (duel.skill, duel.won, duel.lost, duel.replaced) == ("lift", 2, 5, False)
        assert library.uses() == {library.get("reach").program.hash: Use(20, 19)}
        (request,) = library.queue.list()
        assert (request.task(), request.name) == (STACK, "stack")
        kept = library.journal.controls(STACK.hash, "platform")
        assert kept is not None
        assert kept.admitted
        assert [choice.why for choice in library.journal.decisions()] == [
            "a single atom",
            "another atom",
        ]
        assert [record.decision for record in routes(library)] == [Decision.WRITE]
        # Vectors are read, not made again.
        embedder = LexicalEmbedder()
        assert len(library.vectors.digests(embedder.id, embedder.dimension)) == 6
        assert Retrieval(library, embedder=embedder).search("lift")[0].name == "lift"


def test_the_third_form_lists_skills_from_their_own_rows(tmp_path: Path) -> None:
    for form in (1, 2):
        home = tmp_path / str(form)
        home.mkdir()
        with Library.open(unpack(form, home)) as library:
            told = {entry.name: entry for entry in library.entries()}
            for name, entry in told.items():
                skill = library.get(name)
                assert (entry.instruction, entry.goal) == (
                    skill.task.instruction,
                    skill.task.goal.text,
                )
                assert entry.parameters == skill.task.parameters
                assert (entry.callees, entry.bound) == (skill.callees, skill.bound)
                assert (entry.k, entry.n) == (skill.certificate.solved, skill.certificate.n)


def test_the_third_form_keeps_books_drafts_and_lessons(tmp_path: Path) -> None:
    with Library.open(unpack(2, tmp_path), learning=True) as library:
        assert library.exchanges.totals() == Totals()
        attempt = library.journal.attempts(STACK.hash)[0].id
        library.exchanges.reserve("write", "m", "00", 1, 2, 3, run=1, attempt=attempt)
        library.exchanges.allow(Allowance.CALLS, 5)
        root = library.drafts.add(attempt, None, "p", "x = 1", None, "rejected", "no function")
        library.lessons.add("rejected", STACK, "line 1", "No function.", "Write one.", attempt)
        library.drafts.add(attempt, root, "q", "x = 2", 0.5, "failed", "")
        assert library.database.check() == ()
    with Library.open(tmp_path) as library:
        assert len(library.drafts.of(attempt)) == 2
        assert len(library.lessons.find(None, STACK, 5)) == 1
        assert library.exchanges.allowances() == {Allowance.CALLS: 5}


def test_in_the_third_form_a_program_may_be_certified_again_but_for_one_task_only(
    tmp_path: Path,
) -> None:
    with Library.open(unpack(2, tmp_path), learning=True) as library:
        reach = library.get("reach").closure
        again = certificate(REACH, reach, library.reserve(REACH, reach))
        with library.database.transaction():
            library.database.execute(
                "UPDATE certifications SET admitted = 1, decided_at = 'now' "
                "WHERE task = ? AND ordinal = ?",
                (REACH.hash, again.ordinal),
            )
        ordinal = library.reserve(LIFT, reach)
        with pytest.raises(StorageError, match="one contract"), library.database.transaction():
            library.database.execute(
                "UPDATE certifications SET admitted = 1 WHERE task = ? AND ordinal = ?",
                (LIFT.hash, ordinal),
            )


def test_what_the_third_form_knew_is_kept_in_the_fourth(tmp_path: Path) -> None:
    with Library.open(unpack(3, tmp_path), learning=True) as library:
        # The same program twice: learned, and renewed under another judge.
        first, second, third = library.versions("lift")
        assert [v.origin for v in (first, second, third)] == [
            Origin.LEARNED,
            Origin.EDITED,
            Origin.RENEWED,
        ]
        assert (first.program, third.champion) == (third.program, True)
        assert library.renewals().keys() == {first.program}
        assert library.exchanges.totals().calls == 1  # the other one failed
        assert library.exchanges.allowances() == {Allowance.CALLS: 5, Allowance.USD: 2_000_000}
        attempts = {attempt.task: attempt.id for attempt in library.journal.attempts()}
        assert [draft.value for draft in library.drafts.of(attempts[REACH.hash])] == [None, 0.5]
        (lesson,) = library.lessons.list()
        assert (lesson.used, lesson.helped) == (1, 1)
        # The rules of `versions` hold for the table that took its place.
        with pytest.raises(StorageError, match="CHECK constraint"):
            library.database.execute("UPDATE versions SET origin = 'stolen'")
        assert library.crown("lift", 2).version == 2


@pytest.mark.parametrize("form", range(1, len(MIGRATIONS)))
def test_the_fourth_form_has_room_for_what_comes_from_elsewhere(form: int, tmp_path: Path) -> None:
    with Library.open(unpack(form, tmp_path), learning=True) as library:
        quarantine = Quarantine(library.database)
        assert quarantine.entries() == ()
        touch = plain("touch")
        made = certificate(REACH, touch)
        arrival = Arrival("touch", True, touch, REACH, made, None, ())
        quarantine.take(Archive("a" * 64, NOW, "1", (arrival,)))
        assert [entry.name for entry in quarantine.entries()] == ["touch"]
        database = library.database
        steer = "INSERT INTO steering (id, paused, changed_at) VALUES (?, ?, 'now')"
        database.execute(steer, (1, 1))
        for wrong in ((2, 0), (1, 0)):
            with pytest.raises(StorageError):
                database.execute(steer, wrong)
        ordinal = library.reserve(STACK, stack := plain("stack", first="top"))
        library.add(STACK, stack, certificate(STACK, stack, ordinal), Origin.IMPORTED)
        assert library.versions("stack")[0].origin is Origin.IMPORTED
        assert library.database.check() == ()
