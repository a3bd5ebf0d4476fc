from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from env.outcome import Outcome
from env.program import Closure
from env.task import Task
from env.transcript import HandoverRecord
from skill_store import (
    AdmissionError,
    HomeBusy,
    Library,
    Skill,
    SkillState,
    StorageError,
    UnknownSkill,
)
from tests.skill_store.samples import (
    LIFT,
    REACH,
    STACK,
    calling,
    certificate,
    deepening,
    plain,
)


class Ticking:
    """A clock that goes on by a second each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def _learn(library: Library, task: Task, closure: Closure) -> Skill:
    ordinal = library.reserve(task, closure)
    return library.add(task, closure, certificate(task, closure, ordinal))


def test_a_skill_comes_back_as_it_went_in(tmp_path: Path) -> None:
    closure = plain("reach")
    with Library.open(tmp_path / "home", learning=True, clock=Ticking()) as library:
        added = _learn(library, REACH, closure)
    with Library.open(tmp_path / "home") as library:
        skill = library.get("reach")
    assert skill == added
    assert skill.state is SkillState.PROBATION
    assert skill.source == closure.entry.source
    assert skill.closure.hash == closure.hash
    assert skill.closure.contracts == {closure.root: REACH}
    assert skill.task == REACH
    assert skill.certificate.hash == certificate(REACH, closure).hash
    assert (skill.deepening, skill.bound) == (None, None)
    assert skill.doc == "Go there."
    assert skill.handover.key == (closure.hash, REACH.hash)


def test_the_list_is_read_in_order_of_arrival(tmp_path: Path) -> None:
    with Library.open(tmp_path, clock=Ticking()) as library:
        assert library.entries() == ()
        reach = plain("reach")
        _learn(library, REACH, reach)
        _learn(library, LIFT, calling("lift", reach))
        entries = library.entries()
        assert library.names() == ("lift", "reach")
    assert [entry.name for entry in entries] == ["reach", "lift"]
    assert [entry.callees for entry in entries] == [(), ("reach",)]
    assert entries[1].goal == "lifted(block)"
    assert (entries[1].k, entries[1].n, entries[1].bound) == (20, 20, None)
    assert entries[0].added_at < entries[1].added_at


def test_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        with pytest.raises(UnknownSkill, match="this library is empty"):
            library.get("reach")
        _learn(library, REACH, plain("reach"))
        with pytest.raises(UnknownSkill, match="no skill is called 'raech'; did you mean 'reach'"):
            library.get("raech")
        with pytest.raises(UnknownSkill, match="skills here: reach"):
            library.set_state("zzz", SkillState.RETIRED)


def test_closures_and_dependents_follow_the_locks(tmp_path: Path) -> None:
    with Library.open(tmp_path, clock=Ticking()) as library:
        reach = plain("reach")
        lift = calling("lift", reach)
        stack_task = Task.make("near(block, other)", {"block": "block", "other": "block"})
        stack = calling("stack", lift)
        _learn(library, REACH, reach)
        _learn(library, LIFT, lift)
        _learn(library, stack_task, stack)
        whole = library.closure(stack.root)
        assert whole.hash == stack.hash
        assert {key: task.hash for key, task in whole.contracts.items()} == {
            reach.root: REACH.hash,
            lift.root: LIFT.hash,
            stack.root: stack_task.hash,
        }
        assert library.dependents(reach.root) == ("lift", "stack")
        assert library.dependents(stack.root) == ()
        with pytest.raises(StorageError, match="is not in"):
            library.closure("0" * 64)


def test_what_a_program_calls_must_be_certified_here(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        with pytest.raises(AdmissionError, match=r"'lift' calls 'reach' .* not certified"):
            library.reserve(LIFT, calling("lift", plain("reach")))
        # Nothing of the refused reservation stays behind.
        assert library.reserve(LIFT, plain("lift")) == 0


def test_each_certification_gets_the_next_ordinal(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        for ordinal in range(3):
            closure = plain(f"reach{ordinal}")
            assert library.reserve(REACH, closure) == ordinal
            library.refuse(certificate(REACH, closure, ordinal, solved=10))
        assert library.reserve(LIFT, plain("lift")) == 0
        assert library.names() == ()
    with Library.open(tmp_path) as library:
        # The same program again is another try as well, once it was decided.
        assert library.reserve(REACH, plain("reach0")) == 3


def test_a_refusal_of_an_interrupted_attempt_is_taken_over_and_not_tested_again(
    tmp_path: Path,
) -> None:
    closure = plain("reach")
    refused = certificate(REACH, closure, 0, solved=15)
    with Library.open(tmp_path, learning=True) as library:
        first = library.journal.begin_attempt(REACH)
        assert library.take_refusal(REACH, closure, first) is None
        library.reserve(REACH, closure, first)
        library.refuse(refused)
        # Its own refusals do not bind an attempt that goes on.
        assert library.take_refusal(REACH, closure, first) is None
    with Library.open(tmp_path, learning=True) as library:
        again = library.journal.begin_attempt(REACH)
        assert library.take_refusal(REACH, plain("other"), again) is None
        assert library.take_refusal(REACH, closure, again) == refused
        assert library.take_refusal(REACH, closure, again) is None
        library.journal.end_attempt(again, Outcome.FAILED, "nothing held")
        later = library.journal.begin_attempt(REACH)
        assert library.take_refusal(REACH, closure, later) is None
        assert library.reserve(REACH, closure, later) == 1


def test_an_attempt_takes_over_the_certification_of_an_interrupted_one(tmp_path: Path) -> None:
    closure = plain("reach")
    with Library.open(tmp_path, learning=True) as library:
        library.reserve(REACH, closure, library.journal.begin_attempt(REACH))
    with Library.open(tmp_path, learning=True) as library:
        attempt = library.journal.begin_attempt(REACH)
        assert library.reserve(REACH, closure, attempt) == 0
        # Somebody who makes no attempt takes nothing from the one who does.
        assert library.reserve(REACH, closure) == 0
        rows = library.database.rows("SELECT ordinal, attempt FROM certifications")
        assert [tuple(row) for row in rows] == [(0, attempt)]


def test_renaming_parameters_does_not_buy_a_try(tmp_path: Path) -> None:
    renamed = Task.make("at(gripper, cube)", {"cube": "block"}, instruction="Go to the cube.")
    with Library.open(tmp_path) as library:
        closure = plain("reach")
        library.reserve(REACH, closure)
        library.refuse(certificate(REACH, closure, 0, solved=0))
        other = plain("reach", first="cube")
        assert library.reserve(renamed, other) == 1
        skill = library.add(renamed, other, certificate(renamed, other, 1))
        # The skill keeps the wording that its program was written for.
        assert skill.task.parameters == (("cube", "block"),)
        skill.task.check_program(skill.program)
        assert library.find(REACH.hash) == skill
        assert library.entries()[0].instruction == "Go to the cube."


def test_a_kill_during_certification_never_gives_the_ordinal_back(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from skill_store import Library\n"
        "from tests.skill_store.samples import REACH, plain\n"
        "library = Library.open(sys.argv[1], learning=True)\n"
        "attempt = library.journal.begin_attempt(REACH)\n"
        "assert library.reserve(REACH, plain('first'), attempt) == 0\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    with Library.open(tmp_path, learning=True) as library:
        assert library.problems() == ()
        (attempt,) = library.journal.attempts(REACH.hash)
        assert (attempt.outcome, attempt.reason) == (None, "interrupted")
        assert library.reserve(REACH, plain("second")) == 1
        # The very same test of the very same program may be finished.
        assert library.reserve(REACH, plain("first")) == 0


def test_only_an_admitting_certificate_of_this_very_program_admits(tmp_path: Path) -> None:
    closure, other = plain("reach"), plain("rush")
    with Library.open(tmp_path) as library:
        with pytest.raises(AdmissionError, match="was not opened here"):
            library.add(REACH, closure, certificate(REACH, closure))
        library.reserve(REACH, closure)
        with pytest.raises(AdmissionError, match="solved 18 held-out scenes and needed 19 of 20"):
            library.add(REACH, closure, certificate(REACH, closure, solved=18))
        with pytest.raises(AdmissionError, match="the certificate is for task"):
            library.add(REACH, other, certificate(REACH, closure))
        with pytest.raises(AdmissionError, match="the certificate is for task"):
            library.add(LIFT, closure, certificate(REACH, closure))
        with pytest.raises(AdmissionError, match="was not opened here"):
            library.add(REACH, closure, certificate(REACH, closure, ordinal=1))
        with pytest.raises(AdmissionError, match="add it instead"):
            library.refuse(certificate(REACH, closure))
        assert library.names() == ()
        library.add(REACH, closure, certificate(REACH, closure))
        with pytest.raises(AdmissionError, match="'reach' solves this task already"):
            library.add(REACH, closure, certificate(REACH, closure))


def test_a_failed_admission_leaves_nothing_behind(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        _learn(library, REACH, plain("go"))
        closure = plain("go", doc="Another one.", first="it_")
        task = Task.make("lifted(it_)", {"it_": "block"})
        ordinal = library.reserve(task, closure)
        admitting = certificate(task, closure, ordinal)
        with pytest.raises(AdmissionError, match="belongs to the skill of another task; 'go_2'"):
            library.add(task, closure, admitting)
        assert library.names() == ("go",)
        # The certification is still open, so it can be refused or added under no other guise.
        assert library.reserve(task, closure) == ordinal


def test_names_are_unique_and_belong_to_a_task(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        assert library.free_name("go", REACH.hash) == "go"
        _learn(library, REACH, plain("go"))
        assert library.free_name("go", REACH.hash) == "go"
        assert library.free_name("go", LIFT.hash) == "go_2"
        _learn(library, LIFT, plain("go_2"))
        assert library.free_name("go", STACK.hash) == "go_3"


def test_callees_are_the_living_skills_of_other_tasks(tmp_path: Path) -> None:
    with Library.open(tmp_path, clock=Ticking()) as library:
        _learn(library, REACH, plain("reach"))
        _learn(library, LIFT, plain("lift"))
        assert [skill.name for skill in library.callees_for(STACK)] == ["reach", "lift"]
        assert [skill.name for skill in library.callees_for(LIFT)] == ["reach"]
        library.set_state("reach", SkillState.RETIRED)
        assert [skill.name for skill in library.callees_for(STACK)] == ["lift"]
        assert library.get("reach").state is SkillState.RETIRED


def test_deepening_gives_the_bound_and_keeps_the_state_unless_told(tmp_path: Path) -> None:
    with Library.open(tmp_path, clock=Ticking()) as library:
        skill = _learn(library, REACH, plain("reach"))
        first = deepening(skill.certificate, 20, 20)
        assert library.deepen("reach", first).state is SkillState.PROBATION
        second = deepening(skill.certificate, 40, 39)
        deepened = library.deepen("reach", second, SkillState.ACTIVE)
        assert deepened.state is SkillState.ACTIVE
        assert deepened.deepening == second
        assert deepened.bound == second.lower == library.entries()[0].bound
        foreign = deepening(certificate(LIFT, plain("lift")), 20, 20)
        with pytest.raises(AdmissionError, match="not of the certificate that 'reach' has"):
            library.deepen("reach", foreign)


def test_a_replay_finds_the_skills_that_its_scenes_begin_after(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        reach = _learn(library, REACH, plain("reach"))
        closure = plain("lift")
        after = HandoverRecord(*reach.handover.key, seed=7)
        ordinal = library.reserve(LIFT, closure)
        lift = library.add(LIFT, closure, certificate(LIFT, closure, ordinal, after=after))
        library.set_state("reach", SkillState.RETIRED)
        (handover,) = library.handovers_of(lift.certificate)
        assert handover == reach.handover
        assert library.handovers_of(reach.certificate) == ()
        lost = HandoverRecord("0" * 64, "1" * 64, seed=7)
        with pytest.raises(StorageError, match="begins after a skill"):
            library.handovers_of(certificate(LIFT, closure, after=lost))


def test_one_skill_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    with Library.open(tmp_path, clock=Ticking()) as library:
        _learn(library, REACH, plain("reach"))
        lift = _learn(library, LIFT, plain("lift"))
    edited = sqlite3.connect(tmp_path / "library.db")
    edited.execute(
        "UPDATE programs SET source = replace(source, 'move_to', 'wave_to') WHERE hash = ?",
        (lift.program.hash,),
    )
    edited.commit()
    edited.close()
    with Library.open(tmp_path) as library:
        assert len(library.entries()) == 2
        assert [skill.name for skill in library.callees_for(STACK)] == ["reach"]
        assert library.get("reach").name == "reach"
        (problem,) = library.problems()
        assert problem.startswith("the skill 'lift' cannot be used: ")


def test_one_learner_many_readers(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as learner:
        with pytest.raises(HomeBusy):
            Library.open(tmp_path, learning=True)
        with Library.open(tmp_path) as reader:
            _learn(learner, REACH, plain("reach"))
            assert reader.names() == ("reach",)
    with Library.open(tmp_path, learning=True):
        pass


def test_a_library_that_cannot_open_lets_go_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_text("no database" * 500)
    for _ in range(2):
        with pytest.raises(StorageError, match="is not a database"):
            Library.open(tmp_path, learning=True)


def test_the_journal_keeps_runs_attempts_and_episodes(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True, clock=Ticking()) as library:
        journal = library.journal
        run = journal.begin_run("learn", 3, {"workers": 2})
        lost = journal.begin_attempt(REACH, run)
        journal.end_attempt(lost, Outcome.SANDBOX_LOST, "the worker died", simulated_steps=10)
        won = journal.begin_attempt(REACH, run)
        skill = _learn(library, REACH, plain("reach"))
        journal.end_attempt(
            won, Outcome.SOLVED, "certified", simulated_steps=9, detail={"nodes": 4}
        )
        journal.end_run(run)
        journal.record_episode(
            program=skill.program.hash,
            task=REACH.hash,
            purpose="use",
            seed=5,
            outcome=Outcome.FAILED,
            margin=-0.5,
            detail={"steps": 12},
        )
        journal.begin_attempt(LIFT)
    with Library.open(tmp_path, learning=True) as library:
        first, second = library.journal.attempts(REACH.hash)
        assert (first.outcome, first.reason, first.simulated_steps) == (
            Outcome.SANDBOX_LOST,
            "the worker died",
            10,
        )
        assert (second.run, second.outcome, second.detail) == (run, Outcome.SOLVED, {"nodes": 4})
        assert second.ended_at is not None
        assert second.started_at < second.ended_at
        (open_one,) = library.journal.attempts(LIFT.hash)
        assert (open_one.outcome, open_one.reason) == (None, "interrupted")
        assert len(library.journal.attempts()) == 3
        (episode,) = library.journal.episodes(skill.program.hash)
        assert (episode.purpose, episode.seed, episode.margin) == ("use", 5, -0.5)
        assert library.journal.episodes(skill.program.hash, "certify") == ()
        with pytest.raises(StorageError, match="FOREIGNKEY"):
            library.journal.record_episode(
                program="0" * 64,
                task=REACH.hash,
                purpose="use",
                seed=5,
                outcome=Outcome.SOLVED,
                margin=None,
                detail={},
            )
