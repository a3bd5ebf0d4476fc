"""Deepening: whose scenes are drawn, and that they are the same after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from env.errors import SandboxError, TaskError
from env.fingerprint import fingerprint
from env.program import Closure
from env.starts import deepening_seed
from skill_store import Library, Origin, SkillState
from skill_store.export.importing import Archive, read_archive
from skill_store.quarantine import Quarantine
from skill_store.skill import Skill
from tests.skill_store.export.archives import archive_of
from tests.skill_store.export.homes import CLOSER, LEAVE, LEAVING, LIFTING, REACHING, make_library
from tests.skill_store.samples import LIFT, REACH, certificate, deepening, plain
from tests.voyager.scripted import Rule, ScriptedExecutor, admit
from voyager.deepening import counted, deepen_skill, imported_seed
from voyager.lesson import keep_controls
from voyager.proving import Proving
from voyager.recertify import Verdict, ahead, certify_imported
from voyager.relocking import relock_dependents
from voyager.writers.base import Budget, Ledger

HERE = fingerprint("panda")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """`lift` and the `reach` that it calls."""
    place = tmp_path_factory.mktemp("archive")
    with make_library(place / "home") as library:
        return read_archive(archive_of(library, place / "out", "lift"))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", learning=True) as library:
        yield library


def take_in(library: Library, archive: Archive) -> Quarantine:
    """Import into a home, and certify there with programs that solve everything."""
    for task in (REACH, LIFT):
        keep_controls(library, task, certificate(task, plain("x")).controls)
    quarantine = Quarantine(library.database)
    quarantine.take(archive)
    found = list(certify_imported(proving(library), quarantine, ahead(quarantine)))
    assert {one.verdict for one in found} <= {Verdict.ADMITTED, Verdict.HERE}
    return quarantine


def always(closure: Closure, seed: int) -> bool | None:
    return True


def proving(library: Library) -> Proving:
    return Proving(library, ScriptedExecutor(always), Ledger(Budget(0), lambda _: None))


def deepened(library: Library, name: str, rule: Rule = always) -> Skill:
    return deepen_skill(library, name, executor=ScriptedExecutor(rule))


def seeds(skill: Skill) -> list[int]:
    assert skill.deepening is not None
    return [scene.start.seed for scene in skill.deepening.scenes]


def foreseen(skill: Skill, count: int = 200) -> list[int]:
    """What whoever made an archive can work out."""
    return [deepening_seed(skill.certificate.hash, index) for index in range(count)]


def test_what_was_learned_here_is_deepened_as_ever(library: Library) -> None:
    admit(library, REACH, REACHING)

    def odd(closure: Closure, seed: int) -> bool | None:
        return None if seed == expected[2] else seed != expected[4]

    expected = foreseen(library.get("reach"))
    first = deepened(library, "reach", odd)
    assert seeds(first) == [*expected[:2], *expected[3:21]]
    assert first.deepening is not None
    assert (first.deepening.solved, first.deepening.drawn, first.deepening.discarded) == (19, 21, 1)
    assert seeds(deepened(library, "reach")) == [*expected[:2], *expected[3:41]]


def test_an_imported_skill_is_deepened_on_scenes_that_nobody_could_foresee(
    library: Library, archive: Archive, tmp_path: Path
) -> None:
    take_in(library, archive)
    known = set(foreseen(library.get("lift")))
    found = deepened(library, "lift", lambda closure, seed: seed in known)
    assert found.deepening is not None
    assert (found.deepening.solved, found.deepening.look) == (0, 20)
    assert found.state is SkillState.RETIRED
    # Another home may have the very same certificate, and draws others all the same.
    with Library.open(tmp_path / "other", learning=True) as other:
        take_in(other, archive)
        elsewhere = deepened(other, "lift")
        assert elsewhere.certificate.hash == found.certificate.hash
        assert not set(seeds(elsewhere)) & set(seeds(found))


def test_looks_of_an_imported_skill_go_on_and_no_interruption_draws_others(
    library: Library, archive: Archive
) -> None:
    quarantine = take_in(library, archive)
    lift = library.get("lift")
    nonce = quarantine.nonce(LIFTING.root)
    own = [imported_seed(nonce, lift.certificate.hash, index) for index in range(120)]
    seen: list[int] = []

    def lost(closure: Closure, seed: int) -> bool | None:
        seen.append(seed)
        if len(seen) == 30:
            raise SandboxError("it cannot stand here")
        return None if seed == own[2] else True

    first = deepened(library, "lift", lost)
    assert seeds(first) == [*own[:2], *own[3:21]]
    with pytest.raises(SandboxError):
        deepened(library, "lift", lost)
    assert library.get("lift").deepening == first.deepening
    second = deepened(library, "lift")
    assert seeds(second) == [*own[:2], *own[3:41]]
    assert seen == own[:30]
    assert second.deepening is not None
    assert (second.deepening.drawn, second.deepening.discarded) == (41, 1)
    assert second.deepening.steps == 40 * 100 + 10
    third = deepened(library, "lift")
    assert seeds(third) == [*own[:2], *own[3:101]]
    with pytest.raises(TaskError, match="all looks"):
        deepened(library, "lift")


def test_a_number_of_this_home_is_drawn_from_as_it_is_written_down() -> None:
    """A change of this would make deepenings that were begun in homes begin anew."""
    assert imported_seed("5a" * 16, "0" * 64, 0) == 2824492153120114677
    assert imported_seed("5b" * 16, "0" * 64, 0) != 2824492153120114677
    assert deepening_seed("0" * 64, 0) != 2824492153120114677


def test_a_deepening_on_scenes_that_could_be_foreseen_is_begun_anew(
    library: Library, archive: Archive
) -> None:
    take_in(library, archive)
    lift = library.get("lift")
    earlier = replace(deepening(lift.certificate, 100, 100), fingerprint=HERE)
    library.deepen("lift", earlier)
    assert counted(library, library.get("lift")) is None
    found = deepened(library, "lift")
    assert len(seeds(found)) == 20
    assert not set(seeds(found)) & set(foreseen(lift))
    assert counted(library, found) == found.deepening
    assert len(seeds(deepened(library, "lift"))) == 40
    # What was learned here goes on with what it has.
    admit(library, LEAVE, LEAVING)
    mine = library.get("leave")
    kept = replace(deepening(mine.certificate, 40, 40), fingerprint=HERE)
    assert counted(library, library.deepen("leave", kept)) == kept
    elsewhere = replace(kept, fingerprint=replace(HERE, machine="another"))
    assert counted(library, library.deepen("leave", elsewhere)) is None


def test_a_program_that_was_here_before_its_import_was_learned_here(
    library: Library, archive: Archive
) -> None:
    keep_controls(library, LIFT, certificate(LIFT, plain("x")).controls)
    Quarantine(library.database).take(archive)
    admit(library, REACH, REACHING)
    quarantine = take_in(library, archive)
    assert quarantine.nonce_of_version(REACHING.root) is None
    reach = deepened(library, "reach")
    assert seeds(reach) == foreseen(reach, 20)
    assert quarantine.nonce_of_version(LIFTING.root) == quarantine.nonce(LIFTING.root)


def test_a_renewed_or_relocked_import_is_one_still(library: Library, archive: Archive) -> None:
    quarantine = take_in(library, archive)
    nonce = quarantine.nonce(LIFTING.root)
    lift = library.get("lift")
    ordinal = library.reserve(LIFT, lift.closure)
    library.renew("lift", lift.closure, certificate(LIFT, lift.closure, ordinal))
    assert library.versions("lift")[-1].origin is Origin.RENEWED
    renewed = deepened(library, "lift")
    assert seeds(renewed)[0] == imported_seed(nonce, renewed.certificate.hash, 0)
    # Another program of this home's for what it calls: the text above it is the maker's.
    closer = replace(certificate(REACH, CLOSER, library.reserve(REACH, CLOSER)), fingerprint=HERE)
    library.add_version("reach", CLOSER, closer, Origin.EDITED, champion=True)
    relock_dependents(proving(library), "reach")
    relocked = library.get("lift")
    assert library.versions("lift")[-1].origin is Origin.RELOCKED
    assert relocked.closure.root != LIFTING.root
    assert quarantine.nonce_of_version(relocked.closure.root) == nonce
    assert seeds(deepened(library, "lift"))[0] == imported_seed(nonce, relocked.certificate.hash, 0)
    assert quarantine.nonce_of_version(CLOSER.root) is None
