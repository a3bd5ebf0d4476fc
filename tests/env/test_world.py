"""The world: rebuilt bitwise, clocked, restorable."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from pathlib import Path

import pytest

from env.actions import invoke
from env.errors import SimulatorError
from env.scene import SceneSpec, sample
from env.state import TABLE, State
from env.world import World, lying

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {"top": "block", "bottom": "block"}


def numbers(state: State) -> str:
    """All numbers of a state, exactly."""
    parts = [state.gripper.position, state.gripper.yaw, state.gripper.width]
    for body in state.bodies.values():
        parts += [body.name, body.position, body.orientation, body.velocity]
    parts += [sorted(state.contacts.items())]
    return repr(parts)


def stack(world: World, seed: int) -> str:
    """Build a scene, put one block on the other, and digest every state on the way."""
    scene = sample(SceneSpec(), PARAMETERS, seed)
    digest = hashlib.sha256(numbers(world.reset(scene)).encode())
    top, bottom = scene.binding["top"], scene.binding["bottom"]

    def call(name: str, *args: object, **kwargs: object) -> object:
        result = invoke(world, name, args, kwargs)
        digest.update(numbers(world.observe(frozenset({"distances"}))).encode())
        return result

    call("open_gripper")
    call("move_to", call("position", top), yaw=call("yaw", top), via="high")
    call("close_gripper")
    call("move_by", (0.0, 0.0, 0.1))
    x, y, z = call("position", bottom)  # type: ignore[misc]
    height = (call("size", bottom)[2] + call("size", top)[2]) / 2  # type: ignore[index]
    call("move_to", (x, y, z + height + 0.005), yaw=call("yaw", bottom), via="high")
    call("open_gripper")
    call("move_by", (0.0, 0.0, 0.1))
    return digest.hexdigest()


def test_a_rebuilt_scene_is_bitwise_the_same_whatever_was_there_before() -> None:
    with World() as world:
        first = stack(world, 3)
        other = stack(world, 4)
        assert stack(world, 3) == first != other
    with World() as fresh:
        assert stack(fresh, 3) == first


def test_another_process_builds_bitwise_the_same_scene() -> None:
    with World() as world:
        here = stack(world, 5)
    code = (
        "from tests.env.test_world import stack; from env.world import World; "
        "print(stack(World(), 5))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_worlds_side_by_side_do_not_disturb_each_other() -> None:
    with World() as one, World() as other:
        alone = stack(one, 6)
        one.reset(sample(SceneSpec(), PARAMETERS, 6))
        stack(other, 7)
        assert stack(one, 6) == alone


def test_objects_rest_on_the_table_at_the_start() -> None:
    with World() as world:
        for seed in range(5):
            state = world.reset(sample(SceneSpec(), PARAMETERS, seed))
            for body in state.bodies.values():
                assert max(map(abs, body.velocity)) < 0.02
                if body.kind != "place":
                    assert state.touching(body.name) == {TABLE}
                    assert math.isclose(
                        sum(c.lift for c in state.contacts[body.name]),
                        next(b for b in world.scene.bodies if b.name == body.name).spec.mass * 9.81,  # type: ignore[union-attr]
                        rel_tol=0.25,
                    )


def test_the_clock_starts_at_zero_and_counts_physics_steps() -> None:
    with World() as world:
        state = world.reset(sample(SceneSpec(), PARAMETERS, 0))
        assert state.time == 0.0
        assert set(state.start) == set(state.bodies)
        invoke(world, "wait", [0.5], {})
        assert world.steps == 120 and world.time == 0.5
        assert world.total_steps > 120


def test_the_settle_window_is_sampled_at_60_hz() -> None:
    with World() as world:
        world.reset(sample(SceneSpec(), PARAMETERS, 0))
        window = world.settle(1.0, frozenset({"distances"}))
        assert len(window) == 60
        assert window[-1].time == 1.0
        assert all(state.distances for state in window)
        assert world.trace == []


def test_acts_are_sampled_only_while_recording() -> None:
    with World() as world:
        world.reset(sample(SceneSpec(), PARAMETERS, 0))
        invoke(world, "wait", [0.5], {})
        assert world.trace == []
        world.record(frozenset())
        invoke(world, "wait", [0.5], {})
        assert [round(state.time, 6) for state in world.trace[:2]] == [
            round(0.5 + 1 / 60, 6),
            round(0.5 + 2 / 60, 6),
        ]
        assert len(world.trace) == 30


def test_a_snapshot_brings_back_bodies_motors_and_clock() -> None:
    with World() as world:
        scene = sample(SceneSpec(), PARAMETERS, 1)
        world.reset(scene)
        top = scene.binding["top"]
        invoke(world, "open_gripper", [], {})
        kept = world.snapshot()
        before = world.observe()
        aim = invoke(world, "position", [top], {})
        invoke(world, "move_to", [aim], {"via": "high"})
        invoke(world, "close_gripper", [], {})
        there = world.observe()
        assert there.gripper.holding == top
        world.restore(kept)
        after = world.observe()
        # Contact forces are sums whose order a restored engine does not keep; the rest is exact.
        assert after.bodies == before.bodies and after.gripper == before.gripper
        assert world.steps < 100
        # The motors hold the old pose again: nothing drifts towards where the arm was sent.
        world.settle(0.5)
        here = world.observe().gripper
        assert here.opening and math.dist(here.position, scene.start.position) < 0.002
        world.drop(kept)
        with pytest.raises(SimulatorError, match="dropped"):
            world.restore(kept)


def test_an_empty_world_says_so() -> None:
    with World() as world, pytest.raises(SimulatorError, match="reset"):
        world.observe()


def test_a_block_that_lies_on_its_side_is_measured_as_it_lies() -> None:
    with World() as world:
        state = world.reset(sample(SceneSpec(), PARAMETERS, 0))
        body = state.bodies[world.scene.binding["top"]]  # type: ignore[union-attr]
        size, _ = lying(body)
        assert size == body.size
        half = math.sqrt(0.5)
        tipped = type(body)(
            **{
                **{f: getattr(body, f) for f in body.__slots__},
                "orientation": (half, 0.0, 0.0, half),
            }
        )
        assert lying(tipped)[0][2] == body.size[1]
