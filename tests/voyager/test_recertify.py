"""Imported programs become skills on the road of all others, callees before their callers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from env.errors import SandboxError
from env.outcome import Outcome
from env.program import Closure, Program
from env.starts import heldout_seed, practice_seed
from skill_store import Library, Origin, SkillState
from skill_store.export.importing import Archive, read_archive
from skill_store.quarantine import Quarantine, QuarantineState
from tests.skill_store.export.archives import archive_of
from tests.skill_store.export.homes import CLOSER, LIFTING, REACHING, make_library
from tests.skill_store.samples import LIFT, REACH, STACK, certificate, plain
from tests.voyager.scripted import Rule, ScriptedExecutor, admit
from voyager.lesson import keep_controls
from voyager.proving import Proving
from voyager.recertify import Recertified, Verdict, ahead, certify_imported
from voyager.writers.base import Budget, Ledger


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """`lift`, the `reach` that it calls, and the `reach` that stands now."""
    place = tmp_path_factory.mktemp("archive")
    with make_library(place / "home") as library:
        return read_archive(archive_of(library, place / "out", "lift", "reach"))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "new", learning=True) as library:
        for task in (REACH, LIFT):
            keep_controls(library, task, certificate(task, plain("x")).controls)
        yield library


@pytest.fixture
def quarantine(library: Library, archive: Archive) -> Quarantine:
    made = Quarantine(library.database)
    made.take(archive)
    return made


def always(closure: Closure, seed: int) -> bool | None:
    return True


def run(
    library: Library,
    quarantine: Quarantine,
    name: str | None = None,
    rule: Rule = always,
) -> dict[str, Recertified]:
    """Certify, and tell what came of each program by its hash."""
    proving = Proving(library, ScriptedExecutor(rule), Ledger(Budget(0), lambda _: None))
    found = certify_imported(proving, quarantine, ahead(quarantine, name))
    return {one.program: one for one in found}


def test_what_holds_is_a_skill_with_the_hashes_that_it_came_with(
    library: Library, quarantine: Quarantine, archive: Archive
) -> None:
    found = run(library, quarantine)
    assert {one.verdict for one in found.values()} == {Verdict.ADMITTED}
    # Callees first: `lift` calls the first `reach`.
    order = list(found)
    assert order.index(REACHING.root) < order.index(LIFTING.root)
    came = {arrival.closure.root: arrival for arrival in archive.arrivals}
    lift = library.get("lift")
    assert lift.closure.hash == came[LIFTING.root].closure.hash
    assert lift.task.hash == came[LIFTING.root].task.hash
    assert lift.source == came[LIFTING.root].closure.entry.source
    assert lift.state is SkillState.PROBATION
    # The evidence is this home's own.
    assert lift.certificate.hash != came[LIFTING.root].certificate.hash
    assert lift.deepening is None
    assert {e.state for e in quarantine.entries()} == {QuarantineState.ADMITTED}
    kept = quarantine.whole(quarantine.named("lift")[0].id)
    assert kept.certificate == came[LIFTING.root].certificate
    # The one that stood for the skill where it came from stands for it here.
    first, second = library.versions("reach")
    assert (first.program, second.program) == (REACHING.root, CLOSER.root)
    assert (first.origin, second.origin) == (Origin.IMPORTED, Origin.IMPORTED)
    assert second.champion
    assert found[CLOSER.root].champion
    assert library.problems() == ()
    assert library.journal.attempts(LIFT.hash)[0].outcome is Outcome.SOLVED
    assert {skill.name for skill in library.callees_for(STACK)} == {"reach", "lift"}
    assert run(library, quarantine) == {}


def test_one_name_takes_what_it_calls_with_it(library: Library, quarantine: Quarantine) -> None:
    found = run(library, quarantine, "lift")
    assert list(found) == [REACHING.root, LIFTING.root]
    (waiting,) = quarantine.entries(QuarantineState.WAITING)
    assert waiting.program == CLOSER.root


def test_what_does_not_hold_stays_out_and_so_does_what_calls_it(
    library: Library, quarantine: Quarantine
) -> None:
    found = run(library, quarantine, rule=lambda closure, seed: closure.root != REACHING.root)
    assert found[REACHING.root].verdict is Verdict.REFUSED
    assert "0 of 19 scenes that were drawn here, and needs 82 of 100" in found[REACHING.root].why
    assert found[LIFTING.root].verdict is Verdict.BLOCKED
    assert "calls 'reach', which is not certified here" in found[LIFTING.root].why
    assert found[CLOSER.root].verdict is Verdict.ADMITTED
    assert library.names() == ("reach",)
    states = {entry.program: entry.state for entry in quarantine.entries()}
    assert states == {
        REACHING.root: QuarantineState.REFUSED,
        LIFTING.root: QuarantineState.WAITING,
        CLOSER.root: QuarantineState.ADMITTED,
    }
    # By its name it is tried again, with what it calls; the next test is a stricter one.
    found = run(library, quarantine, "lift")
    assert [one.verdict for one in found.values()] == [Verdict.ADMITTED, Verdict.ADMITTED]
    assert [one.fresh for one in found.values()] == [(20, 20), (20, 20)]
    # It takes the place of no program that stands here already.
    assert not found[REACHING.root].champion
    assert library.get("reach").closure.root == CLOSER.root


def test_whoever_knew_the_held_out_scenes_gains_nothing(
    library: Library, quarantine: Quarantine
) -> None:
    """Its seeds follow from hashes, so a maker may try programs until one passes them all."""
    known = {heldout_seed(REACH, REACHING, 0, index) for index in range(100)}
    known |= {practice_seed(REACH, index) for index in range(100)}
    found = run(library, quarantine, "lift", lambda closure, seed: seed in known)
    assert found[REACHING.root].verdict is Verdict.REFUSED
    assert found[REACHING.root].certificate is None
    assert found[REACHING.root].fresh == (0, 19)


def test_fresh_scenes_are_a_homes_own_and_no_interruption_draws_others(
    library: Library, quarantine: Quarantine, archive: Archive, tmp_path: Path
) -> None:
    def first_seeds(library: Library, quarantine: Quarantine) -> list[int]:
        seen: list[int] = []

        def lost(closure: Closure, seed: int) -> bool | None:
            seen.append(seed)
            if len(seen) == 5:
                raise SandboxError("it cannot stand here")
            return True

        with pytest.raises(SandboxError):
            run(library, quarantine, "lift", lost)
        return seen

    one = first_seeds(library, quarantine)
    assert first_seeds(library, quarantine) == one
    with Library.open(tmp_path / "other", learning=True) as other:
        elsewhere = Quarantine(other.database)
        elsewhere.take(archive)
        assert not set(first_seeds(other, elsewhere)) & set(one)


def test_a_refused_certificate_is_kept(library: Library, quarantine: Quarantine) -> None:
    seen: list[int] = []

    def only_in_practice(closure: Closure, seed: int) -> bool | None:
        seen.append(seed)
        return len(seen) <= 20

    found = run(library, quarantine, "reach", only_in_practice)
    first = next(iter(found.values()))
    assert first.verdict is Verdict.REFUSED
    assert first.certificate is not None
    assert not first.certificate.admitted
    kept = library.database.one("SELECT count(*) FROM certificates WHERE task = ?", (REACH.hash,))
    assert kept[0] == len([one for one in found.values() if one.certificate is not None])


def test_a_skill_that_was_learned_here_is_not_displaced(
    library: Library, quarantine: Quarantine
) -> None:
    mine = _other("reach")
    admit(library, REACH, mine)
    found = run(library, quarantine)
    assert {one.verdict for one in found.values()} == {Verdict.ADMITTED}
    assert library.get("reach").closure.root == mine.root
    assert [v.origin for v in library.versions("reach")] == [
        Origin.LEARNED,
        Origin.IMPORTED,
        Origin.IMPORTED,
    ]
    assert library.get("lift").closure.programs.keys() == {LIFTING.root, REACHING.root}


def test_a_stale_skill_gives_way(library: Library, quarantine: Quarantine) -> None:
    admit(library, REACH, _other("reach"))
    library.set_state("reach", SkillState.STALE)
    run(library, quarantine, "lift")
    assert library.get("reach").closure.root == REACHING.root
    assert library.versions("reach")[1].origin is Origin.IMPORTED


def test_a_name_or_a_task_that_is_taken_is_told_before_anything_is_run(
    library: Library, quarantine: Quarantine
) -> None:
    admit(library, STACK, _stacking("reach"))
    found = run(library, quarantine)
    assert found[REACHING.root].verdict is Verdict.REFUSED
    assert "belongs to the skill of another task" in found[REACHING.root].why
    assert library.journal.attempts(REACH.hash) == ()


def test_the_same_task_under_another_name_is_no_version(
    library: Library, quarantine: Quarantine
) -> None:
    admit(library, REACH, _other("touch"))
    found = run(library, quarantine)
    assert "has the skill 'touch' for the very same task" in found[CLOSER.root].why


def test_what_was_learned_here_meanwhile_needs_no_test(
    library: Library, quarantine: Quarantine
) -> None:
    admit(library, REACH, REACHING)
    found = run(library, quarantine, "lift")
    assert found[REACHING.root].verdict is Verdict.HERE
    assert found[LIFTING.root].verdict is Verdict.ADMITTED


def test_a_lost_sandbox_decides_nothing(library: Library, quarantine: Quarantine) -> None:
    def lost(closure: Closure, seed: int) -> bool | None:
        raise SandboxError("it cannot stand here")

    with pytest.raises(SandboxError):
        run(library, quarantine, rule=lost)
    assert {e.state for e in quarantine.entries()} == {QuarantineState.WAITING}
    found = run(library, quarantine)
    assert {one.verdict for one in found.values()} == {Verdict.ADMITTED}


def test_what_cannot_be_read_back_hides_no_other(library: Library, quarantine: Quarantine) -> None:
    library.database.execute(
        "UPDATE quarantine SET wording = replace(wording, 'lifted', 'levitating') "
        "WHERE name = 'lift'"
    )
    found = run(library, quarantine)
    assert found[LIFTING.root].verdict is Verdict.BLOCKED
    assert "levitating" in found[LIFTING.root].why
    assert found[REACHING.root].verdict is Verdict.ADMITTED
    (waiting,) = quarantine.entries(QuarantineState.WAITING)
    assert waiting.name == "lift"


def _other(name: str) -> Closure:
    """Another program for `REACH`."""
    return Closure.of(
        Program.parse(
            "from robot import Block, move_to, position\n\n\n"
            f'def {name}(block: Block) -> None:\n    """Mine."""\n'
            "    x, y, z = position(block)\n    move_to((x, y, z))\n"
        )
    )


def _stacking(name: str) -> Closure:
    """A program for `STACK`."""
    return Closure.of(
        Program.parse(
            "from robot import Block, move_to, position\n\n\n"
            f'def {name}(top: Block, bottom: Block) -> None:\n    """Mine."""\n'
            "    move_to(position(top))\n"
        )
    )
