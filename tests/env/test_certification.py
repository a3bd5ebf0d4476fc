"""Certification, deepening and replay: decisions, records, and independence of the workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from env.certificate import Certificate, Deepening
from env.certification import certify, deepen
from env.controls import Controls
from env.errors import ProgramError, SandboxError, SimulatorError, TaskError
from env.executors import Executor, Lost, ProcessExecutor, SerialExecutor
from env.outcome import Outcome
from env.practice import practise, sound
from env.program import Closure
from env.replays import ReplayVerdict, replay
from env.sandbox.base import RunResult, RunStatus
from env.starts import Handover, heldout_seed, practice_seed
from env.task import Task
from env.transcript import Episode
from tests.env.inline_sandbox import InlineSandbox
from tests.env.skills import LIFT, LIFTING, PUT_ON, REACH, REACHING, STACKING, closure

NOTHING = closure(
    'from robot import Block\n\n\ndef nothing(block: Block) -> None:\n    """Do nothing."""\n'
)
LIBRARY = (Handover(LIFTING, LIFT), Handover(REACHING, REACH))


def no_controls(task: Task) -> Controls:
    return Controls(task.hash, (), 0, 0, 0)


@pytest.fixture(scope="module")
def executor() -> Iterator[SerialExecutor]:
    with SerialExecutor(InlineSandbox) as executor:
        yield executor


@pytest.fixture(scope="module")
def stacking(executor: SerialExecutor) -> Certificate:
    return certify(
        PUT_ON, STACKING, executor=executor, handovers=LIBRARY, controls=no_controls(PUT_ON)
    )


def test_a_good_program_is_admitted_and_the_record_is_complete(stacking: Certificate) -> None:
    assert stacking.admitted
    assert (stacking.n, stacking.needed, stacking.level) == (20, 19, 0.025)
    assert len(stacking.scenes) == 20
    assert stacking.solved >= 19
    assert stacking.admission_bound > 0.7
    assert stacking.task == PUT_ON.hash
    assert stacking.closure == STACKING.hash
    assert stacking.drawn == 20 + stacking.discarded
    (lift,) = stacking.callees
    assert (lift.skill, lift.made, lift.kept) == ("lift", 20, 20)
    assert stacking.variation["friction"] == [0.5, 1.2]
    assert stacking.steps >= sum(scene.steps for scene in stacking.scenes)
    assert stacking.fingerprint.robot.startswith("panda ")
    margins = [scene.margin for scene in stacking.scenes if scene.outcome is Outcome.SOLVED]
    assert all(margin is not None and margin >= 0 for margin in margins)


def test_seeds_are_held_out_in_order_and_bound_to_the_program(stacking: Certificate) -> None:
    drawn = [heldout_seed(PUT_ON, STACKING, 0, i) for i in range(stacking.drawn)]
    seeds = [scene.start.seed for scene in stacking.scenes]
    assert [seed for seed in drawn if seed in seeds] == seeds
    other = {heldout_seed(PUT_ON, STACKING, 1, i) for i in range(50)}
    other |= {heldout_seed(PUT_ON, REACHING, 0, i) for i in range(50)}
    other |= {practice_seed(PUT_ON, i) for i in range(50)}
    assert len(other) == 150
    assert not other & set(seeds)


def test_hand_overs_are_frozen_into_the_certificate(stacking: Certificate) -> None:
    after = [scene.start.handover for scene in stacking.scenes if scene.start.handover]
    assert after
    assert {(h.closure, h.task) for h in after} <= {handover.key for handover in LIBRARY}


def test_a_certificate_reads_back_exactly(stacking: Certificate) -> None:
    read = Certificate.from_json(json.loads(json.dumps(stacking.to_json())))
    assert read == stacking
    assert read.hash == stacking.hash


def test_an_altered_certificate_is_refused(stacking: Certificate) -> None:
    record = stacking.to_json()
    with pytest.raises(TaskError, match="hash"):
        Certificate.from_json(record | {"admitted": False})
    with pytest.raises(TaskError, match="malformed"):
        Certificate.from_json({k: v for k, v in record.items() if k != "scenes"})
    with pytest.raises(TaskError, match="schema"):
        Certificate.from_json(record | {"schema": "voyager.certificate/0"})


def test_the_stop_rule_ends_a_hopeless_certification(executor: SerialExecutor) -> None:
    seen: list[Episode] = []
    certificate = certify(
        LIFT, NOTHING, executor=executor, controls=no_controls(LIFT), watch=seen.append
    )
    assert not certificate.admitted
    assert [scene.outcome for scene in certificate.scenes] == [Outcome.FAILED] * 2
    assert certificate.drawn == 2
    assert len(seen) == 2
    assert certificate.admission_bound == 0.0


def test_later_certifications_ask_for_more(executor: SerialExecutor) -> None:
    certificate = certify(LIFT, NOTHING, executor=executor, ordinal=3, controls=no_controls(LIFT))
    assert (certificate.n, certificate.needed, certificate.level) == (40, 36, 0.025 / 8)
    assert len(certificate.scenes) == 5


# -- what is refused before any episode ---------------------------------------------------------


def test_the_contract_of_every_callee_must_be_known(executor: SerialExecutor) -> None:
    unknown = Closure(STACKING.root, STACKING.programs)
    with pytest.raises(ProgramError, match="lift"):
        certify(PUT_ON, unknown, executor=executor, controls=no_controls(PUT_ON))


def test_a_program_for_other_parameters_is_refused(executor: SerialExecutor) -> None:
    with pytest.raises(ProgramError, match="parameters"):
        certify(PUT_ON, LIFTING, executor=executor, controls=no_controls(PUT_ON))


def test_controls_of_another_task_are_refused(executor: SerialExecutor) -> None:
    with pytest.raises(TaskError, match="another task"):
        certify(LIFT, LIFTING, executor=executor, controls=no_controls(REACH))


# -- scenes that are skipped, machinery that fails ------------------------------------------------


def test_scenes_that_are_solved_already_are_skipped_and_counted(executor: SerialExecutor) -> None:
    task = Task.make("left_of(block, bowl)", {"block": "block", "bowl": "bowl"})
    nothing = closure(
        "from robot import Block, Bowl\n\n\n"
        'def nothing(block: Block, bowl: Bowl) -> None:\n    """Do nothing."""\n'
    )
    practice = practise(task, nothing, count=8, executor=executor)
    assert practice.solved == 0
    assert len(practice.episodes) == 8
    assert practice.discarded > 0
    assert practice.next_index == 8 + practice.discarded
    more = practise(task, nothing, count=2, executor=executor, first=practice.next_index)
    seeds = [episode.start.seed for episode in practice.episodes + more.episodes]
    assert len(set(seeds)) == 10
    assert seeds == sorted(seeds, key=[practice_seed(task, i) for i in range(60)].index)


def test_a_hand_over_that_never_works_is_skipped(executor: SerialExecutor) -> None:
    useless = Handover(NOTHING, LIFT)
    practice = practise(REACH, REACHING, count=12, executor=executor, handovers=[useless])
    assert practice.discarded > 0
    assert all(episode.start.handover is None for episode in practice.episodes)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (RunResult(RunStatus.LOST, reason="killed"), SandboxError),
        (SandboxError("gone"), SandboxError),
        (SimulatorError("not finite"), SimulatorError),
    ],
)
def test_failing_machinery_gives_no_certificate(
    result: RunResult | Exception, error: type[Exception]
) -> None:
    with (
        SerialExecutor(lambda: InlineSandbox(*[result] * 5)) as broken,
        pytest.raises(error, match="no verdict"),
    ):
        certify(LIFT, LIFTING, executor=broken, controls=no_controls(LIFT))


def test_a_lost_worker_is_no_verdict() -> None:
    with pytest.raises(SimulatorError, match="no verdict"):
        sound(Lost("a worker process died"))


# -- deepening ------------------------------------------------------------------------------------


def test_deepening_publishes_a_bound_from_fresh_scenes(executor: SerialExecutor) -> None:
    certificate = certify(REACH, REACHING, executor=executor, controls=no_controls(REACH))
    first = deepen(certificate, REACH, REACHING, executor=executor)
    assert (first.look, len(first.scenes)) == (20, 20)
    assert 0.0 < first.lower < 0.8388
    spent = {scene.start.seed for scene in certificate.scenes}
    assert not spent & {scene.start.seed for scene in first.scenes}
    assert Deepening.from_json(json.loads(json.dumps(first.to_json()))) == first
    second = deepen(certificate, REACH, REACHING, executor=executor, previous=first)
    assert (second.look, second.scenes[:20]) == (40, first.scenes)
    assert len({scene.start.seed for scene in second.scenes}) == 40
    with pytest.raises(TaskError, match="another certificate"):
        deepen(replace(certificate, steps=0), REACH, REACHING, executor=executor, previous=first)
    last = replace(second, look=100)
    with pytest.raises(TaskError, match="all looks"):
        deepen(certificate, REACH, REACHING, executor=executor, previous=last)


def test_only_what_was_admitted_is_deepened(
    stacking: Certificate, executor: SerialExecutor
) -> None:
    refused = replace(stacking, admitted=False)
    with pytest.raises(TaskError, match="admitted"):
        deepen(refused, PUT_ON, STACKING, executor=executor)
    with pytest.raises(TaskError, match="another program"):
        deepen(stacking, PUT_ON, LIFTING, executor=executor)


# -- replay ---------------------------------------------------------------------------------------


def shortened(certificate: Certificate, count: int) -> Certificate:
    return replace(certificate, scenes=certificate.scenes[:count])


def test_a_replay_is_identical(stacking: Certificate, executor: SerialExecutor) -> None:
    report = replay(stacking, PUT_ON, STACKING, executor=executor, handovers=LIBRARY)
    assert report.identical
    assert report.same_platform
    assert report.verdict is ReplayVerdict.IDENTICAL
    assert json.loads(json.dumps(report.to_json()))["verdict"] == "identical"


@pytest.mark.parametrize(
    ("machine", "margin", "outcome", "verdict"),
    [
        (None, 1e-9, Outcome.SOLVED, ReplayVerdict.BROKEN),
        (None, 0.0, Outcome.FAILED, ReplayVerdict.BROKEN),
        ("riscv64", 1e-9, Outcome.SOLVED, ReplayVerdict.AGREES),
        ("riscv64", 5.0, Outcome.SOLVED, ReplayVerdict.OTHER_PLATFORM),
        ("riscv64", 0.0, Outcome.FAILED, ReplayVerdict.OTHER_PLATFORM),
    ],
)
def test_a_difference_is_judged_by_the_platform(
    stacking: Certificate,
    executor: SerialExecutor,
    machine: str | None,
    margin: float,
    outcome: Outcome,
    verdict: ReplayVerdict,
) -> None:
    first = stacking.scenes[0]
    assert first.margin is not None
    other = replace(first, margin=first.margin + margin, outcome=outcome)
    altered = replace(stacking, scenes=(other, stacking.scenes[1]))
    if machine is not None:
        here = altered.fingerprint
        altered = replace(altered, fingerprint=replace(here, machine=machine))
    report = replay(altered, PUT_ON, STACKING, executor=executor, handovers=LIBRARY)
    assert report.verdict is verdict
    assert [scene.identical for scene in report.scenes] == [False, True]
    assert report.scenes[0].detail
    assert report.differences == (() if machine is None else ("machine",))


def test_a_replay_needs_the_skills_that_scenes_begin_after(
    stacking: Certificate, executor: SerialExecutor
) -> None:
    with pytest.raises(TaskError, match="library"):
        replay(stacking, PUT_ON, STACKING, executor=executor)
    with pytest.raises(TaskError, match="another task"):
        replay(stacking, LIFT, STACKING, executor=executor)


# -- the real sandbox, and workers ----------------------------------------------------------------


def test_one_worker_or_two_give_the_same_certificate_which_replays_in_a_fresh_process() -> None:
    def certified(executor: Executor) -> Certificate:
        return certify(
            PUT_ON, STACKING, executor=executor, handovers=LIBRARY, controls=no_controls(PUT_ON)
        )

    with SerialExecutor() as serial:
        alone = certified(serial)
    with ProcessExecutor(2) as pair:
        together = certified(pair)
        stopped = certify(LIFT, NOTHING, executor=pair, controls=no_controls(LIFT))
    assert alone.admitted
    assert alone.hash == together.hash
    assert stopped.drawn == 2
    with ProcessExecutor(1) as fresh:
        report = replay(shortened(alone, 6), PUT_ON, STACKING, executor=fresh, handovers=LIBRARY)
    assert report.verdict is ReplayVerdict.IDENTICAL
