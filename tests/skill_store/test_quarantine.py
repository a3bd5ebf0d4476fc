"""Imported programs are kept apart, and nobody can call them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from env.errors import VoyagerError
from skill_store import AdmissionError, Library, UnknownSkill
from skill_store.errors import StorageError
from skill_store.export.importing import Archive, read_archive
from skill_store.quarantine import Quarantine, QuarantineState
from tests.skill_store.export.archives import archive_of
from tests.skill_store.export.homes import CLOSER, LEAVE, LIFTING, REACHING, admit, make_library
from tests.skill_store.samples import LIFT, REACH, STACK


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """`lift`, the `reach` that it calls, and the `reach` that stands now."""
    place = tmp_path_factory.mktemp("archive")
    with make_library(place / "home") as library:
        return read_archive(archive_of(library, place / "out", "lift", "reach"))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "new", learning=True) as library:
        yield library


@pytest.fixture
def quarantine(library: Library) -> Quarantine:
    return Quarantine(library.database)


def test_what_is_imported_is_shown_and_no_skill(
    library: Library, quarantine: Quarantine, archive: Archive
) -> None:
    intake = quarantine.take(archive)
    assert sorted(intake.added) == ["lift", "reach", "reach"]
    assert (intake.waiting, intake.here, intake.archive) == ((), (), archive.hash)
    shown = {entry.program: entry for entry in quarantine.entries()}
    assert shown.keys() == {REACHING.root, LIFTING.root, CLOSER.root}
    lift, first = shown[LIFTING.root], shown[REACHING.root]
    assert (lift.name, lift.state, lift.why) == ("lift", QuarantineState.WAITING, "")
    assert (lift.goal, lift.calls, lift.k, lift.n, lift.bound) == ("lifted(block)", 1, 19, 20, None)
    assert (first.champion, shown[CLOSER.root].champion) == (False, True)
    assert first.bound is not None
    assert (lift.task, lift.archive, lift.settled_at) == (LIFT.hash, archive.hash, None)
    # No way to call any of it.
    assert library.names() == ()
    assert library.entries() == ()
    assert library.in_use() == ()
    assert library.callees_for(STACK) == library.handovers_for(STACK) == ()
    assert library.find(LIFT.hash) is None
    with pytest.raises(AdmissionError, match="not certified in this library"):
        library.reserve(LIFT, LIFTING)
    with pytest.raises(StorageError, match="is not in"):
        library.closure(LIFTING.root)
    assert library.problems() == ()


def test_all_that_came_can_be_read_back(quarantine: Quarantine, archive: Archive) -> None:
    quarantine.take(archive)
    came = {arrival.closure.root: arrival for arrival in archive.arrivals}
    for entry in quarantine.entries():
        whole = quarantine.whole(entry.id)
        assert whole == came[entry.program]
        assert whole.closure.programs == came[entry.program].closure.programs
        assert whole.closure.contracts == came[entry.program].closure.contracts
    assert quarantine.lock(quarantine.named("lift")[0].id) == (REACHING.root,)
    with pytest.raises(StorageError, match="number 99"):
        quarantine.whole(99)


def test_the_same_archive_changes_nothing(quarantine: Quarantine, archive: Archive) -> None:
    quarantine.take(archive)
    before = quarantine.entries()
    intake = quarantine.take(archive)
    assert (intake.added, len(intake.waiting)) == ((), 3)
    assert quarantine.entries() == before


def test_what_is_certified_here_needs_no_quarantine(
    library: Library, quarantine: Quarantine, archive: Archive
) -> None:
    admit(library, REACH, REACHING)
    intake = quarantine.take(archive)
    assert sorted(intake.added) == ["lift", "reach"]
    assert intake.here == ("reach",)
    assert quarantine.certified(REACHING.root)
    assert quarantine.of_program(REACHING.root) is None


def test_a_program_has_one_contract_wherever_it_comes_from(
    library: Library, quarantine: Quarantine, archive: Archive
) -> None:
    admit(library, LEAVE, REACHING)
    with pytest.raises(AdmissionError, match="known here with another task"):
        quarantine.take(archive)
    assert quarantine.entries() == ()
    other = replace(archive.arrivals[-1], task=LEAVE)
    quarantine.take(replace(archive, arrivals=(other,)))
    with pytest.raises(AdmissionError, match="known here with another task"):
        quarantine.take(replace(archive, arrivals=(archive.arrivals[-1],)))


def test_what_was_decided_is_kept(quarantine: Quarantine, archive: Archive) -> None:
    quarantine.take(archive)
    quarantine.settle(LIFTING.root, QuarantineState.REFUSED, "it did not hold")
    (lift,) = quarantine.entries(QuarantineState.REFUSED)
    assert (lift.name, lift.why) == ("lift", "it did not hold")
    assert lift.settled_at is not None
    assert len(quarantine.entries(QuarantineState.WAITING)) == 2


def test_what_is_no_skill_can_be_forgotten(quarantine: Quarantine, archive: Archive) -> None:
    quarantine.take(archive)
    quarantine.settle(CLOSER.root, QuarantineState.ADMITTED, "certified")
    with pytest.raises(UnknownSkill, match="no imported skill is called 'lost'"):
        quarantine.drop(["lift", "lost"])
    assert len(quarantine.entries()) == 3
    assert quarantine.drop(["lift", "reach"]) == 2
    assert [entry.program for entry in quarantine.entries()] == [CLOSER.root]


def test_damage_in_the_database_is_one_sentence(
    library: Library, quarantine: Quarantine, archive: Archive
) -> None:
    quarantine.take(archive)
    library.database.execute("UPDATE quarantine SET evidence = '{}' WHERE name = 'lift'")
    (lift,) = quarantine.named("lift")
    with pytest.raises(VoyagerError, match="'lift' cannot be read back"):
        quarantine.whole(lift.id)
    for entry in quarantine.named("reach"):
        assert quarantine.whole(entry.id).name == "reach"
