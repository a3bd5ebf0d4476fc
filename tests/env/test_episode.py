"""Episodes on real physics: verdicts, limits, contracts, logs, hand-overs, lost machinery.

The stand-in sandbox runs trusted programs in this process; `test_certify` uses the real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from env.episode import StartUnusable, run_episode
from env.errors import SandboxError, SimulatorError
from env.outcome import Outcome
from env.program import Closure
from env.sandbox.base import RunResult, RunStatus
from env.starts import HANDOVER_SHARE, Handover, bind, plan_start, practice_seed
from env.state import State
from env.task import Task
from env.transcript import Episode, HandoverRecord, Start
from env.world import World
from tests.env.inline_sandbox import InlineSandbox
from tests.env.skills import LIFT, LIFTING, PUT_ON, REACH, REACHING, STACKING, closure

SEED = practice_seed(LIFT, 0)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        yield world


def act(body: str, parameters: str = "block: Block", *callees: Closure) -> Closure:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    imports = "".join(f"from skills.{c.entry.name} import {c.entry.name}\n" for c in callees)
    return closure(
        "from robot import Block, NothingHeld, Unreachable, close_gripper, move_by, move_to\n"
        "from robot import open_gripper, position, wait, yaw\n"
        + f"{imports}\n\ndef act({parameters}) -> None:\n"
        + f'    """Act."""\n{lines}\n',
        *callees,
    )


def test_a_good_program_solves_and_its_calls_are_logged(world: World) -> None:
    episode = run_episode(world, InlineSandbox(), LIFT, LIFTING, SEED)
    assert episode.outcome is Outcome.SOLVED
    assert episode.reason == ""
    assert episode.margin is not None and episode.margin > 0
    assert all(report.holds for report in episode.reports)
    names = [call.name for call in episode.calls]
    assert names == ["open_gripper", "position", "yaw", "move_to", "close_gripper", "move_by"]
    (moved,) = episode.calls[-1].moved
    assert moved[0] == episode.binding["block"]
    assert moved[1] == pytest.approx(0.12, abs=0.01)
    assert [call.line for call in episode.calls] == [6, 7, 7, 7, 8, 9]
    assert {call.skill for call in episode.calls} == {"lift"}
    assert episode.calls[-1].time + episode.calls[-1].duration == episode.time
    assert json.loads(json.dumps(episode.to_json()))["schema"] == "voyager.episode/1"


def test_equal_starts_give_equal_hashes_with_and_without_a_log(world: World) -> None:
    first = run_episode(world, InlineSandbox(), LIFT, LIFTING, SEED)
    run_episode(world, InlineSandbox(), REACH, REACHING, 5)
    with World() as fresh:
        second = run_episode(fresh, InlineSandbox(), LIFT, LIFTING, SEED, log=False)
    assert first.hash == second.hash
    assert first.state_hash == second.state_hash != ""
    assert all(call.moved == () for call in second.calls)
    other = run_episode(world, InlineSandbox(), LIFT, LIFTING, SEED + 1)
    assert other.hash != first.hash


def test_a_program_that_misses_fails_and_is_told_what_is_missing(world: World) -> None:
    episode = run_episode(world, InlineSandbox(), LIFT, act("open_gripper()"), SEED)
    assert episode.outcome is Outcome.FAILED
    assert episode.margin is not None and episode.margin < 0
    assert "block" in episode.reason


def test_the_goal_must_hold_throughout_the_settle_window(world: World) -> None:
    body = (
        "open_gripper()\nmove_to(position(block), yaw=yaw(block), via='high')\n"
        "close_gripper()\nmove_by((0, 0, 0.12))\nopen_gripper()"
    )
    dropped = run_episode(world, InlineSandbox(), LIFT, act(body), SEED)
    assert dropped.outcome is Outcome.FAILED


def test_robot_calls_are_limited(world: World) -> None:
    task = Task.make(LIFT.goal.text, LIFT.kinds, call_limit=7)
    body = "while True:\n    position(block)"
    episode = run_episode(world, InlineSandbox(), task, act(body), SEED)
    assert episode.outcome is Outcome.LIMIT
    assert episode.limit is not None
    assert (episode.limit.name, episode.limit.maximum) == ("calls", 7)
    assert len(episode.calls) == 7
    assert episode.margin is None


def test_simulated_time_is_limited_even_if_the_program_swallows_everything(world: World) -> None:
    task = Task.make(LIFT.goal.text, LIFT.kinds, time_limit=2.5)
    body = "while True:\n    try:\n        wait(1.0)\n    except Exception:\n        pass"
    episode = run_episode(world, InlineSandbox(), task, act(body), SEED)
    assert episode.outcome is Outcome.LIMIT
    assert episode.limit is not None
    assert (episode.limit.name, episode.limit.value) == ("simulated_time", 3.0)


def test_an_uncaught_error_is_reported_with_its_numbers(world: World) -> None:
    episode = run_episode(world, InlineSandbox(), LIFT, act("move_to((1.9, 0, 0.1))"), SEED)
    assert episode.outcome is Outcome.SKILL_ERROR
    assert episode.error is not None and episode.error.type == "Unreachable"
    error = episode.calls[-1].error
    assert error is not None and error["numbers"]["short_by"] > 0.5


def test_a_program_for_other_parameters_is_rejected_before_physics(world: World) -> None:
    episode = run_episode(world, InlineSandbox(), LIFT, STACKING, SEED)
    assert episode.outcome is Outcome.REJECTED
    assert episode.steps == 0
    assert "block" in episode.reason


# -- contracts ------------------------------------------------------------------------------------


def test_kept_contracts_are_recorded(world: World) -> None:
    episode = run_episode(world, InlineSandbox(), PUT_ON, STACKING, 3)
    assert episode.solved, episode.reason
    (check,) = episode.contracts
    assert check.kept is True
    assert check.skill == "lift"
    assert check.arguments == {"block": episode.binding["top"]}
    assert 0 <= check.begun < check.ended < episode.time
    assert {call.depth for call in episode.calls} == {0, 1}


EMPTY = closure(
    'from robot import Block\n\n\ndef lift(block: Block) -> None:\n    """Do not lift."""\n'
).with_contract(LIFT)
HALF_HEARTED = closure(
    "from robot import Block, NothingHeld, close_gripper, gripper_width, move_by, move_to\n"
    "from robot import open_gripper, position, yaw\n\n\n"
    'def lift(block: Block) -> None:\n    """Lift when it is called a second time."""\n'
    "    if gripper_width() < 0.07:\n        open_gripper()\n        return\n"
    "    move_to(position(block), yaw=yaw(block), via='high')\n"
    "    close_gripper()\n    move_by((0, 0, 0.12))\n"
).with_contract(LIFT)
BY_HAND = (
    "open_gripper()\nmove_to(position(block), yaw=yaw(block), via='high')\n"
    "close_gripper()\nmove_by((0, 0, 0.12))"
)


def test_a_solved_goal_does_not_excuse_a_broken_contract(world: World) -> None:
    program = act(f"lift(block)\n{BY_HAND}", "block: Block", EMPTY)
    episode = run_episode(world, InlineSandbox(), LIFT, program, SEED)
    assert episode.outcome is Outcome.FAILED
    assert "lift" in episode.reason and "contract" in episode.reason
    assert episode.margin is not None and episode.margin > 0
    assert [check.kept for check in episode.contracts] == [False]


def test_a_retry_repairs_a_contract(world: World) -> None:
    program = act(
        "try:\n    close_gripper()\nexcept NothingHeld:\n    pass\nlift(block)\nlift(block)",
        "block: Block",
        HALF_HEARTED,
    )
    episode = run_episode(world, InlineSandbox(), LIFT, program, SEED)
    assert [check.kept for check in episode.contracts] == [False, True]
    assert episode.outcome is Outcome.SOLVED


@pytest.mark.parametrize("argument", ["'nothing'", "3"])
def test_a_contract_about_something_that_is_not_there_is_broken(
    world: World, argument: str
) -> None:
    program = act(f"lift({argument})\n{BY_HAND}", "block: Block", EMPTY)
    episode = run_episode(world, InlineSandbox(), LIFT, program, SEED)
    assert [check.kept for check in episode.contracts] == [False]
    assert episode.outcome is Outcome.FAILED


def test_a_callee_that_raises_breaks_its_contract(world: World) -> None:
    raising = closure(
        "from robot import Block, move_to\n\n\ndef lift(block: Block) -> None:\n"
        '    """Reach for the moon."""\n    move_to((1.9, 0, 0.1))\n'
    ).with_contract(LIFT)
    program = act(
        f"try:\n    lift(block)\nexcept Unreachable:\n    pass\n{BY_HAND}", "block: Block", raising
    )
    episode = run_episode(world, InlineSandbox(), LIFT, program, SEED)
    (check,) = episode.contracts
    assert (check.returned, check.kept) == (False, False)
    assert episode.outcome is Outcome.FAILED


@pytest.mark.parametrize(("waits", "kept"), [(1.0, True), (0.1, False)])
def test_a_temporal_contract_is_judged_since_the_call_began(
    world: World, waits: float, kept: bool
) -> None:
    patience = Task.make("held_for(still(block), 0.5)", {"block": "block"})
    wait = closure(
        "from robot import Block, wait\n\n\ndef stay(block: Block) -> None:\n"
        f'    """Wait."""\n    wait({waits})\n'
    ).with_contract(patience)
    # The time before the call must not count: the block lies still there as well.
    program = act(f"wait(2.0)\nstay(block)\n{BY_HAND}", "block: Block", wait)
    episode = run_episode(world, InlineSandbox(), LIFT, program, SEED)
    assert [check.kept for check in episode.contracts] == [kept]
    assert episode.solved is kept


def test_a_temporal_goal_is_judged_over_the_whole_episode(world: World) -> None:
    body = f"{BY_HAND}\nmove_by((0, 0, -0.12))\nopen_gripper()\nmove_by((0, 0, 0.15))"
    lifted = "eventually(lifted(block, 0.08)) and clear()"
    task = Task.make(lifted, {"block": "block"})
    assert run_episode(world, InlineSandbox(), task, act(body), SEED).solved
    never = Task.make(f"always(not lifted(block, 0.08)) and {lifted}", {"block": "block"})
    assert run_episode(world, InlineSandbox(), never, act(body), SEED).outcome is Outcome.FAILED


# -- starts ---------------------------------------------------------------------------------------


def test_a_scene_that_is_solved_already_is_refused_when_fresh_ones_are_wanted(
    world: World,
) -> None:
    task = Task.make("upright(block)", {"block": "block"})
    nothing = act("pass")
    with pytest.raises(StartUnusable, match="already true"):
        run_episode(world, InlineSandbox(), task, nothing, SEED, fresh=True)
    assert run_episode(world, InlineSandbox(), task, nothing, SEED).solved


def start_after(task: Task, handover: Handover, seed: int) -> Start:
    return Start(seed, HandoverRecord(*handover.key, seed))


def test_an_episode_begins_where_another_skill_ended(world: World) -> None:
    handover = Handover(LIFTING, LIFT)
    start = start_after(REACH, handover, 11)
    scene = REACH.sample(11)
    held = bind(LIFT, scene, 11)
    assert held is not None
    begun: list[State] = []

    class Peeking(InlineSandbox):
        def run(self, *args: object, **kwargs: object) -> RunResult:
            begun.append(world.observe())
            return super().run(*args, **kwargs)  # type: ignore[arg-type]

    episode = run_episode(world, Peeking(), REACH, REACHING, start, handover=handover)
    assert begun[1].gripper.holding == held["block"]
    assert begun[1].time == 0.0
    assert begun[1].start[held["block"]] == begun[1].bodies[held["block"]].position
    assert episode.start == start
    assert [call.skill for call in episode.calls] == ["reach"] * len(episode.calls)
    again = run_episode(world, InlineSandbox(), REACH, REACHING, start, handover=handover)
    assert again.hash == episode.hash


def test_a_hand_over_that_fails_makes_the_start_unusable(world: World) -> None:
    handover = Handover(EMPTY, LIFT)
    with pytest.raises(StartUnusable, match="failed"):
        run_episode(
            world,
            InlineSandbox(),
            REACH,
            REACHING,
            start_after(REACH, handover, 11),
            handover=handover,
        )


def test_a_hand_over_that_is_not_at_hand_makes_the_start_unusable(world: World) -> None:
    start = start_after(REACH, Handover(EMPTY, LIFT), 11)
    for handover in (None, Handover(LIFTING, LIFT)):
        with pytest.raises(StartUnusable, match="at hand"):
            run_episode(world, InlineSandbox(), REACH, REACHING, start, handover=handover)


def test_a_fixed_share_of_starts_are_hand_overs() -> None:
    offered = [Handover(LIFTING, LIFT), Handover(REACHING, REACH)]
    planned = [plan_start(PUT_ON, practice_seed(PUT_ON, i), offered) for i in range(200)]
    after = [handover for _, handover in planned if handover is not None]
    assert 0.5 / HANDOVER_SHARE < len(after) / 200 < 2.0 / HANDOVER_SHARE
    assert {handover.key for handover in after} == {handover.key for handover in offered}
    turned = [plan_start(PUT_ON, practice_seed(PUT_ON, i), offered[::-1]) for i in range(200)]
    assert turned == planned
    assert all(plan_start(PUT_ON, seed, ())[1] is None for seed in range(50))


def test_bindings_are_distinct_and_of_the_right_kinds() -> None:
    for seed in range(20):
        scene = PUT_ON.sample(seed)
        kinds = {body.name: body.spec.kind for body in scene.bodies}
        bound = bind(PUT_ON, scene, seed)
        assert bound is not None
        assert len(set(bound.values())) == 2
        assert {kinds[name] for name in bound.values()} == {"block"}
    nothing = Task.make("inside(ball, bowl)", {"ball": "ball", "bowl": "bowl"})
    scene = replace(LIFT.sample(1), bodies=())
    assert bind(nothing, scene, 0) is None


# -- lost machinery -------------------------------------------------------------------------------

BURNT = RunResult(RunStatus.HANG, reason="burnt its CPU", burnt_cpu=True)
SLOW = RunResult(RunStatus.HANG, reason="the machine was busy")
KILLED = RunResult(RunStatus.LOST, reason="killed from outside")
DIED = RunResult(RunStatus.DIED, reason="died by its own doing")


@pytest.mark.parametrize(
    ("script", "outcome", "runs"),
    [
        ((BURNT,), Outcome.SOLVED, 2),
        ((BURNT, BURNT), Outcome.HANG, 2),
        ((BURNT, SLOW), Outcome.SANDBOX_LOST, 2),
        ((KILLED,), Outcome.SOLVED, 2),
        ((KILLED, KILLED), Outcome.SANDBOX_LOST, 2),
        ((SandboxError("gone"),), Outcome.SOLVED, 2),
        ((SandboxError("gone"), SandboxError("gone")), Outcome.SANDBOX_LOST, 2),
        ((DIED,), Outcome.SKILL_ERROR, 1),
    ],
)
def test_what_may_be_the_machines_fault_is_tried_twice(
    world: World, script: tuple[RunResult | Exception, ...], outcome: Outcome, runs: int
) -> None:
    sandbox = InlineSandbox(*script)
    episode = run_episode(world, sandbox, LIFT, LIFTING, SEED)
    assert (episode.outcome, sandbox.runs) == (outcome, runs)
    assert episode.outcome.about_program is (outcome is not Outcome.SANDBOX_LOST)


def test_a_retried_episode_has_the_hash_of_an_untroubled_one(world: World) -> None:
    troubled = run_episode(world, InlineSandbox(KILLED), LIFT, LIFTING, SEED)
    assert troubled.hash == run_episode(world, InlineSandbox(), LIFT, LIFTING, SEED).hash


class Broken(World):
    """A world that blows up once the program has begun to act."""

    def grip(self, *, opening: bool, force: float) -> float:
        raise SimulatorError("the state of 'thing' is not finite")


def test_a_lost_simulator_is_no_verdict() -> None:
    with Broken() as world:
        episode = run_episode(world, InlineSandbox(), LIFT, LIFTING, SEED)
    assert episode.outcome is Outcome.SIMULATOR_LOST
    assert not episode.outcome.about_program
    assert "finite" in episode.reason


def test_blank_episodes_can_be_hashed() -> None:
    episode = Episode(Outcome.REJECTED, "", Start(1), "task", "closure")
    assert len(episode.hash) == 64
    assert not episode.solved
