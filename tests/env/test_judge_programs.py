"""Twelve plausible but wrong programs are refused by certification, six right ones pass.

Controls are left out here (`test_controls` has them): what is tried is the test on held-out
scenes alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from env.certification import certify
from env.controls import Controls
from env.executors import SerialExecutor
from env.outcome import Outcome
from env.program import Closure
from env.task import Task
from tests.env.skills import (
    CARRY,
    LIFT,
    LIFTING,
    PUT_IN,
    PUT_ON,
    REACH,
    REACHING,
    STACKING,
    closure,
)

_IMPORTS = """\
from robot import Ball, Block, Bowl, Place
from robot import ActionError, Blocked, NothingHeld
from robot import close_gripper, gripper_position, holding, move_by, move_to, objects
from robot import open_gripper, position, size, wait, yaw
"""
_BLOCKS = "top: Block, bottom: Block"


@pytest.fixture(scope="module")
def executor() -> Iterator[SerialExecutor]:
    with SerialExecutor() as executor:
        yield executor


def act(parameters: str, body: str, *callees: Closure) -> Closure:
    imports = "".join(f"from skills.{c.entry.name} import {c.entry.name}\n" for c in callees)
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return closure(
        f'{_IMPORTS}{imports}\n\ndef act({parameters}) -> None:\n    """Act."""\n{lines}', *callees
    )


def stack(onto: str, *, end: str = "open_gripper()\nmove_by((0, 0, 0.12))") -> str:
    """Grasp `top`, bring it to `onto`, and end in some way."""
    return (
        "open_gripper()\n"
        "move_to(position(top), yaw=yaw(top), via='high')\n"
        "close_gripper()\n"
        "x, y, z = position(bottom)\n"
        "height = z + size(bottom)[2] / 2 + size(top)[2] / 2 + 0.004\n"
        f"move_to({onto}, yaw=yaw(bottom), via='high')\n"
        f"{end}"
    )


WRONG: dict[str, tuple[Task, Closure]] = {
    "constant place": (PUT_ON, act(_BLOCKS, stack("(0.5, 0.0, height)"))),
    "right for small blocks only": (PUT_ON, act(_BLOCKS, stack("(x, y, 0.052)"))),
    "drops late": (
        LIFT,
        act("block: Block", "lift(block)\nmove_by((0, 0, 0.1))\nopen_gripper()", LIFTING),
    ),
    "holds instead of places": (PUT_ON, act(_BLOCKS, stack("(x, y, height)", end="wait(0.5)"))),
    "works from one start pose only": (
        LIFT,
        act(
            "block: Block",
            "open_gripper()\n"
            "x, y, z = position(block)\n"
            "move_by((x - 0.45, y, 0.0), yaw=yaw(block))\n"
            "move_by((0, 0, z - 0.30))\n"
            "close_gripper()\n"
            "move_by((0, 0, 0.12))",
        ),
    ),
    "wrong block": (
        PUT_ON,
        act(_BLOCKS, "top, bottom = bottom, top\n" + stack("(x, y, height)")),
    ),
    "leaves the gripper on it": (
        PUT_ON,
        act(_BLOCKS, stack("(x, y, height)", end="open_gripper()")),
    ),
    "hard-coded name": (LIFT, act("block: Block", "lift('rosal')", LIFTING)),
    "places beside": (
        PUT_ON,
        act(_BLOCKS, stack("(x + size(bottom)[0] / 2 + 0.03, y, height)")),
    ),
    "runs past the limit": (
        Task.make(LIFT.goal.text, LIFT.kinds, time_limit=10.0),
        act("block: Block", "lift(block)\nfor _ in range(8):\n    wait(5.0)", LIFTING),
    ),
    "never opens": (
        PUT_ON,
        act(
            _BLOCKS,
            stack("(x, y, height)", end="move_by((0, 0, 0.12))").replace("open_gripper()\n", "", 1),
        ),
    ),
    "ignores what stands in the way": (
        PUT_ON,
        act(_BLOCKS, stack("(x, y, height)").replace("via='high'", "via='straight'")),
    ),
}

RIGHT: dict[str, tuple[Task, Closure]] = {
    "lift": (LIFT, LIFTING),
    "reach": (REACH, REACHING),
    "put on by calling lift": (PUT_ON, STACKING),
    "put on by hand, with a retry": (
        PUT_ON,
        act(
            _BLOCKS,
            "for _ in range(3):\n"
            "    try:\n"
            "        open_gripper()\n"
            "        move_to(position(top), yaw=yaw(top), via='high')\n"
            "        close_gripper()\n"
            "        if holding() == top:\n"
            "            break\n"
            "    except (Blocked, NothingHeld):\n"
            "        continue\n"
            "x, y, z = position(bottom)\n"
            "height = z + size(bottom)[2] / 2 + size(top)[2] / 2\n"
            "move_to((x, y, height + 0.05), yaw=yaw(bottom), via='high')\n"
            "try:\n"
            "    move_by((0, 0, -0.05), speed=0.2)\n"
            "except Blocked:\n"
            "    pass\n"
            "open_gripper()\n"
            "move_by((0, 0, 0.12))",
        ),
    ),
    "put in": (
        PUT_IN,
        act(
            "ball: Ball, bowl: Bowl",
            "open_gripper()\n"
            "move_to(position(ball), via='high')\n"
            "close_gripper()\n"
            "x, y, z = position(bowl)\n"
            "move_to((x, y, z + size(bowl)[2] / 2 + 0.03), via='high')\n"
            "open_gripper()\n"
            "move_by((0, 0, 0.15))",
        ),
    ),
    "carry to a place": (
        CARRY,
        act(
            "block: Block, spot: Place",
            "lift(block)\n"
            "x, y, _ = position(spot)\n"
            "move_to((x, y, size(block)[2] / 2 + 0.003), yaw=yaw(block), via='high')\n"
            "open_gripper()\n"
            "move_by((0, 0, 0.15))",
            LIFTING,
        ),
    ),
}


def no_controls(task: Task) -> Controls:
    return Controls(task.hash, (), 0, 0, 0)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_program_is_refused(name: str, executor: SerialExecutor) -> None:
    task, program = WRONG[name]
    certificate = certify(task, program, executor=executor, controls=no_controls(task))
    assert not certificate.admitted
    # The stop rule saved the rest.
    assert len(certificate.scenes) - certificate.solved == 2
    assert certificate.scenes[-1].outcome is not Outcome.SOLVED
    wanted = {"hard-coded name": Outcome.SKILL_ERROR, "runs past the limit": Outcome.LIMIT}
    if name in wanted:
        assert certificate.scenes[-1].outcome is wanted[name]


_QUICK = ("lift", "put on by calling lift")
_SLOW = (pytest.mark.slow, pytest.mark.ci)


@pytest.mark.parametrize(
    "name", [name if name in _QUICK else pytest.param(name, marks=_SLOW) for name in RIGHT]
)
def test_a_right_program_passes(name: str, executor: SerialExecutor) -> None:
    task, program = RIGHT[name]
    certificate = certify(task, program, executor=executor, controls=no_controls(task))
    failures = [scene for scene in certificate.scenes if scene.outcome is not Outcome.SOLVED]
    assert certificate.admitted, failures
    assert certificate.solved >= certificate.needed
    assert all(callee.made == callee.kept for callee in certificate.callees)
