"""The road from a task to a skill, on real physics, in the real sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from env.controls import ControlRate, Controls
from env.errors import SandboxError, TaskError
from env.executors import Executor, SerialExecutor, make_executor
from env.outcome import Outcome
from env.program import Closure, Program
from env.replays import replay
from env.task import Task
from skill_store import Library
from tests.env.skills import REACH, REACHING
from voyager.events import Event, Stage
from voyager.learn import brief_for, learn
from voyager.lesson import Choice, Lesson, keep_controls, platform_of
from voyager.writers.base import Brief, Budget, Draft, Ledger
from voyager.writers.trial import TRIAL

# The negative controls take the longest by far; they have tests of their own.
CONTROLS = Controls(REACH.hash, (ControlRate("do_nothing", 0, 20),), 20, 0, 100)
WRONG = Closure.of(
    Program.parse(
        "from robot import Block, open_gripper\n\n\n"
        'def reach(block: Block) -> None:\n    """Stay away."""\n    open_gripper()\n'
    )
)


class FixedWriter:
    """Gives drafts in order, whatever the brief; then none."""

    name = "fixed"

    def __init__(self, *closures: Closure) -> None:
        self.closures = list(closures)
        self.scenes: list[int] = []

    def write(self, brief: Brief) -> Draft | None:
        self.scenes.append(brief.first_scene)
        if not self.closures:
            return None
        return Draft(self.closures.pop(0), brief.first_scene + 20, 20, 20)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with SerialExecutor() as executor:
        yield executor


def test_a_refused_draft_is_followed_by_fresh_practice_and_a_harder_test(
    tmp_path: Path, executor: Executor
) -> None:
    events: list[Event] = []
    writer = FixedWriter(WRONG, REACHING)
    with Library.open(tmp_path, learning=True) as library:
        keep_controls(library, REACH, CONTROLS)
        report = learn(
            REACH,
            library,
            executor=executor,
            steps=10**6,
            writer=writer,
            watch=events.append,
        )
        assert report.learned and report.skill is not None
        assert writer.scenes == [0, 20]
        assert report.certificate is not None and report.certificate.ordinal == 1
        assert report.certificate.n == 40
        assert library.names() == ("reach",)
        (attempt,) = library.journal.attempts()
        assert attempt.outcome == Outcome.SOLVED
        again = learn(REACH, library, executor=executor, steps=1, writer=writer)
        assert again.known and again.skill is not None and again.simulated_steps == 0
    assert [e.stage for e in events][-1] is Stage.ADMITTED
    assert Stage.CERTIFY in {e.stage for e in events}
    spent = [e.simulated_steps for e in events]
    assert spent == sorted(spent)
    assert sum(report.stage_steps.values()) == report.simulated_steps > 0


def test_a_task_that_doing_nothing_solves_is_refused_before_anything_is_written(
    tmp_path: Path, executor: Executor
) -> None:
    task = Task.make("upright(block)", {"block": "block"})
    with Library.open(tmp_path, learning=True) as library:
        with pytest.raises(TaskError, match="start"):
            learn(task, library, executor=executor, steps=10**6, writer=FixedWriter())
        assert library.names() == ()
        (attempt,) = library.journal.attempts()
        assert attempt.outcome == Outcome.REJECTED


def test_a_writer_that_finds_nothing_is_a_limit_not_a_certification(
    tmp_path: Path, executor: Executor
) -> None:
    with Library.open(tmp_path, learning=True) as library:
        keep_controls(library, REACH, CONTROLS)
        report = learn(REACH, library, executor=executor, steps=1, writer=FixedWriter())
        assert report.outcome is Outcome.LIMIT and "practice" in report.reason
        assert report.certificate is None and library.names() == ()
        assert library.reserve(REACH, REACHING) == 0


def test_a_test_that_comes_last_is_run_only_for_a_program_that_is_there(
    tmp_path: Path, executor: Executor
) -> None:
    ledger = Ledger(Budget(10**6))
    with Library.open(tmp_path, learning=True) as library:
        brief = brief_for(REACH, library, executor=executor, ledger=ledger, lanes=4)
        report = Lesson(library, brief, FixedWriter(), test_first=False).run()
        assert report.outcome is Outcome.LIMIT and "controls" not in report.stage_steps
        assert library.journal.tested(platform_of(REACH)) == {}


def test_a_test_that_comes_last_still_refuses_and_is_not_held_against_the_writer(
    tmp_path: Path, executor: Executor
) -> None:
    task = Task.make("upright(block)", {"block": "block"})
    idle = Program.parse(WRONG.entry.source.replace("def reach", "def wake"))
    ledger = Ledger(Budget(10**6))
    with Library.open(tmp_path, learning=True) as library:
        brief = brief_for(task, library, executor=executor, ledger=ledger, lanes=4)
        with pytest.raises(TaskError, match="start"):
            Lesson(library, brief, FixedWriter(Closure.of(idle)), test_first=False).run()
        assert library.names() == ()
        assert ledger.budget.left == 10**6
        (kept,) = library.journal.tested(platform_of(task)).values()
        assert not kept.admitted


class _LosingWriter(FixedWriter):
    def write(self, brief: Brief) -> Draft | None:
        raise SandboxError("the sandbox is gone")


def test_lost_infrastructure_is_not_a_failed_task(tmp_path: Path, executor: Executor) -> None:
    with Library.open(tmp_path, learning=True) as library:
        keep_controls(library, REACH, CONTROLS)
        with pytest.raises(SandboxError):
            learn(REACH, library, executor=executor, steps=10**6, writer=_LosingWriter())
        (attempt,) = library.journal.attempts()
        assert attempt.outcome == Outcome.SANDBOX_LOST
        assert not Outcome(attempt.outcome).about_program


@pytest.mark.slow
def test_one_worker_or_two_learn_the_same_and_it_replays(tmp_path: Path) -> None:
    lift = Task.make("lifted(block)", {"block": "block"})
    found = []
    for workers in (1, 2):
        home = tmp_path / str(workers)
        with make_executor(workers) as some, Library.open(home, learning=True) as library:
            reports = [learn(task, library, executor=some, steps=10**6) for task in (REACH, lift)]
            assert all(report.learned for report in reports)
            found.append([report.to_json() for report in reports])
            skill = library.get("lift")
            assert any(scene.start.handover for scene in skill.certificate.scenes)
            proof = replay(
                skill.certificate,
                skill.task,
                skill.closure,
                executor=some,
                handovers=library.handovers_of(skill.certificate),
            )
            assert proof.identical
    assert found[0] == found[1]


def test_a_refused_program_is_practised_to_learn_where_it_goes_well(
    tmp_path: Path, executor: Executor
) -> None:
    task = Task.make("at(gripper, thing)", {"thing": "graspable"})
    blocks_only = """\
from robot import Graspable, kind, move_to, open_gripper, position


def reach(thing: Graspable) -> None:
    \"""Reach a thing unless it is a ball.\"""
    open_gripper()
    if kind(thing) != "ball":
        move_to(position(thing), via="high")
"""
    program = Program.parse(blocks_only)
    ledger = Ledger(Budget(10**6))
    with Library.open(tmp_path, learning=True) as library:
        keep_controls(library, task, replace(CONTROLS, task=task.hash))
        brief = brief_for(task, library, executor=executor, ledger=ledger, lanes=4)
        choice = Choice(library.journal.begin_run("explore", 0, {}), 0, "frontier", "", 0)
        lesson = Lesson(library, brief, FixedWriter(*[Closure.of(program)] * 4), choice)
        report = lesson.run()
        (attempt,) = library.journal.attempts()
    assert report.outcome is Outcome.FAILED and report.certificate is not None
    assert lesson.narrower is not None and lesson.narrower.kinds == {"thing": "block"}
    assert lesson.unfinished == program
    assert attempt.detail["narrower"] == lesson.narrower.to_json()
    # Certification has seen other scenes, and says nothing about where it goes well.
    assert report.stage_steps["practice"] > 0
    # Three quarters and more of the first twenty were solved: then some more are looked at.
    assert sum(ledger.counts.practised.values()) == 3 * TRIAL // 2


def test_a_task_is_worded_as_when_the_home_first_met_it(tmp_path: Path, executor: Executor) -> None:
    first = Task.make("on(a, b)", {"a": "block", "b": "block"})
    swapped = Task.make("on(b, a)", {"a": "block", "b": "block"}, instruction="Stack them.")
    new = Task.make("near(x, y)", {"x": "block", "y": "block"})
    assert swapped.hash == first.hash
    with Library.open(tmp_path, learning=True) as library:
        library.journal.begin_attempt(first)

        def worded(task: Task) -> Task:
            ledger = Ledger(Budget(10**6))
            return brief_for(task, library, executor=executor, ledger=ledger, lanes=4).task

        # Episodes of equal tasks are read together: one name must not mean two things.
        assert worded(swapped) == first
        assert worded(new) is new
        asked = Task.make("on(a, b)", first.kinds, instruction="Stack them.")
        assert worded(asked) is asked
