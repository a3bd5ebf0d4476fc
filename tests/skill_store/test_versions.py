"""Later versions of a skill: admission, champions, pins, duels and uses."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from env.certificate import Certificate
from env.program import Closure, Program
from env.task import Task
from skill_store import (
    AdmissionError,
    Library,
    Origin,
    Skill,
    SkillState,
    StorageError,
    UnknownSkill,
    Use,
)
from tests.skill_store.samples import LIFT, REACH, calling, certificate, deepening, plain


def slower(name: str) -> Closure:
    """Another program of the same name: one that goes there twice."""
    source = plain(name).entry.source
    return Closure.of(Program.parse(source + source.splitlines()[-1] + "\n"))


def learn(library: Library, task: Task, closure: Closure) -> Skill:
    return library.add(task, closure, admitting(library, task, closure))


def admitting(library: Library, task: Task, closure: Closure) -> Certificate:
    return certificate(task, closure, library.reserve(task, closure))


def add(
    library: Library,
    closure: Closure,
    origin: Origin = Origin.CHALLENGER,
    *,
    champion: bool,
) -> Skill:
    evidence = admitting(library, REACH, closure)
    return library.add_version("reach", closure, evidence, origin, champion=champion)


def test_a_new_skill_has_one_version(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        skill = learn(library, REACH, plain("reach"))
        (version,) = library.versions("reach")
    assert (skill.version, skill.pinned) == (1, False)
    assert (version.skill, version.number, version.origin) == ("reach", 1, Origin.LEARNED)
    assert version.champion
    assert (version.program, version.certificate) == (skill.program.hash, skill.certificate.hash)
    assert (version.k, version.n, version.bound) == (20, 20, None)
    assert version.added_at == skill.added_at


def test_a_challenger_that_lost_is_kept_beside_the_champion(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        first = learn(library, REACH, plain("reach"))
        second = add(library, slower("reach"), champion=False)
        assert second.version == 2
        assert second.closure.hash == slower("reach").hash
        assert library.get("reach") == first
        assert library.version("reach", 2) == second
        assert [v.champion for v in library.versions("reach")] == [True, False]
        assert library.entries()[0].program == first.program.hash
        # It has a contract of its own, so that others may have it in their locks.
        assert library.closure(second.program.hash).contracts == {second.program.hash: REACH}


def test_a_new_champion_takes_the_name_and_is_on_probation(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        first = learn(library, REACH, plain("reach"))
        library.deepen("reach", deepening(first.certificate, 40, 40), SkillState.ACTIVE)
        caller = learn(library, LIFT, calling("lift", plain("reach")))
        second = add(library, slower("reach"), champion=True)
        assert library.get("reach") == second == library.find(REACH.hash)
        assert (second.state, second.bound, second.version) == (SkillState.PROBATION, None, 2)
        (reach, _) = library.entries()
        assert (reach.version, reach.program, reach.bound) == (2, second.program.hash, None)
        # Who was certified with the earlier version goes on calling it.
        assert caller.program.hash in library.get("lift").closure.programs
        assert library.get("lift").closure.contracts[first.program.hash] == REACH
        assert library.dependents(first.program.hash) == ("lift",)
        assert library.dependents(second.program.hash) == ()
        assert library.problems() == ()


def test_an_earlier_version_is_champion_again_with_what_it_earned(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        first = learn(library, REACH, plain("reach"))
        library.deepen("reach", deepening(first.certificate, 40, 40), SkillState.ACTIVE)
        add(library, slower("reach"), champion=True)
        library.set_state("reach", SkillState.RETIRED)
        back = library.crown("reach", 1)
        assert (back.program, back.state, back.version) == (first.program, SkillState.ACTIVE, 1)
        assert back.bound is not None
        again = library.crown("reach", 2)
        assert (again.state, again.version) == (SkillState.PROBATION, 2)
        assert len(library.versions("reach")) == 2


def test_unknown_skills_and_versions_are_named(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        learn(library, REACH, plain("reach"))
        for call in (
            lambda: library.versions("raech"),
            lambda: library.version("raech", 1),
            lambda: library.crown("raech", 1),
            lambda: library.set_pinned("raech", True),
            lambda: library.add_version(
                "raech",
                plain("raech"),
                certificate(REACH, plain("raech")),
                Origin.EDITED,
                champion=False,
            ),
        ):
            with pytest.raises(UnknownSkill, match="did you mean 'reach'"):
                call()
        for call in (lambda: library.version("reach", 2), lambda: library.crown("reach", 2)):
            with pytest.raises(UnknownSkill, match=r"'reach' has no version 2; .* from 1 to 1"):
                call()


def test_a_version_needs_all_that_a_skill_needs(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        learn(library, REACH, plain("reach"))
        other = slower("reach")

        def refused(match: str, closure: Closure, evidence: Certificate) -> None:
            with pytest.raises(AdmissionError, match=match):
                library.add_version("reach", closure, evidence, Origin.EDITED, champion=True)

        refused("must be a function of that name", plain("rush"), certificate(REACH, other, 1))
        refused("was not admitted", other, certificate(REACH, other, 1, solved=5))
        refused("the certificate is for task", other, certificate(LIFT, other, 1))
        refused("was not opened here", other, certificate(REACH, other, 1))
        ordinal = library.reserve(REACH, plain("reach"))
        same = certificate(REACH, plain("reach"), ordinal)
        refused("is version 1 of 'reach' already", plain("reach"), same)
        assert len(library.versions("reach")) == 1
        assert library.get("reach").version == 1


def test_a_pinned_skill_is_moved_by_people_only(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        skill = learn(library, REACH, plain("reach"))
        library.set_pinned("reach", True)
        assert library.get("reach").pinned
        assert library.entries()[0].pinned
        deep = library.deepen("reach", deepening(skill.certificate, 40, 40), SkillState.ACTIVE)
        assert deep.state is SkillState.PROBATION
        assert deep.bound is not None
        closure = slower("reach")
        evidence = admitting(library, REACH, closure)
        for origin in (Origin.CHALLENGER, Origin.RELOCKED):
            with pytest.raises(AdmissionError, match="'reach' is pinned"):
                library.add_version("reach", closure, evidence, origin, champion=True)
        # The refusal left the certification open: what it admits may still stand beside.
        library.add_version("reach", closure, evidence, Origin.CHALLENGER, champion=False)
        assert library.crown("reach", 2).version == 2
        library.set_state("reach", SkillState.RETIRED)
        assert library.get("reach").state is SkillState.RETIRED
        library.set_pinned("reach", False)
        assert not library.get("reach").pinned


def test_what_a_person_wrote_may_replace_a_pinned_champion(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        learn(library, REACH, plain("reach"))
        library.set_pinned("reach", True)
        edited = add(library, slower("reach"), Origin.EDITED, champion=True)
        assert (edited.version, edited.pinned) == (2, True)
        assert library.versions("reach")[1].origin is Origin.EDITED


def test_a_retired_skill_stays_readable(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        skill = learn(library, REACH, plain("reach"))
        library.set_state("reach", SkillState.RETIRED)
        assert library.get("reach").closure == skill.closure
        assert library.version("reach", 1).state is SkillState.RETIRED
        assert library.callees_for(LIFT) == ()
        assert library.handovers_for(LIFT) == ()


def test_a_kill_in_the_middle_of_a_new_champion_changes_nothing(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from skill_store import Library, Origin\n"
        "from tests.skill_store.samples import REACH, certificate, plain\n"
        "from tests.skill_store.test_versions import add, learn, slower\n"
        "with Library.open(sys.argv[1], learning=True) as library:\n"
        "    learn(library, REACH, plain('reach'))\n"
        "    library._versions._crown = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    add(library, slower('reach'), champion=True)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    with Library.open(tmp_path, learning=True) as library:
        assert len(library.versions("reach")) == 1
        # Its certification is still open, and finished under the same ordinal.
        assert library.reserve(REACH, slower("reach")) == 1
        assert library.problems() == ()


def test_a_champion_that_is_no_version_is_a_problem(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        learn(library, REACH, plain("reach"))
        library.database.execute("UPDATE skills SET version = 7")
        assert library.problems() == ("the skill 'reach' names a version that is not there",)


def test_duels_are_written_down(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        learn(library, REACH, plain("reach"))
        add(library, slower("reach"), champion=False)
        first, second = (version.program for version in library.versions("reach"))
        number = library.keep_duel(
            "reach", first, second, scenes=40, won=3, lost=9, replaced=False, detail={"p": 0.1}
        )
        (duel,) = library.duels("reach")
        assert (duel.id, duel.champion, duel.challenger) == (number, first, second)
        assert (duel.scenes, duel.won, duel.lost, duel.replaced) == (40, 3, 9, False)
        assert duel.detail == {"p": 0.1}
        assert library.duels() == (duel,)
        assert library.duels("lift") == ()
        with pytest.raises(StorageError, match="FOREIGNKEY"):
            library.keep_duel(
                "lift", first, second, scenes=1, won=0, lost=0, replaced=False, detail={}
            )


def test_uses_add_up(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        program = learn(library, REACH, plain("reach")).program.hash
        assert library.uses() == {}
        library.count_use(program, 10, 9)
        library.count_use(program, 5, 5)
        assert library.uses() == {program: Use(15, 14)}
        for calls, kept in ((1, 2), (-1, -1), (3, -1)):
            with pytest.raises(ValueError, match="kept the contract"):
                library.count_use(program, calls, kept)
        with pytest.raises(StorageError, match="FOREIGNKEY"):
            library.count_use("0" * 64, 1, 1)
