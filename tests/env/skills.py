"""Hand-written programs and tasks that the tests of the judge share."""

from __future__ import annotations

from env.program import Closure, Program
from env.task import Task

LIFT = Task.make("held(block) and lifted(block, 0.08)", {"block": "block"})
REACH = Task.make("at(gripper, block)", {"block": "block"})
PUT_ON = Task.make("on(top, bottom) and clear()", {"top": "block", "bottom": "block"})
PUT_IN = Task.make("inside(ball, bowl) and clear()", {"ball": "ball", "bowl": "bowl"})
CARRY = Task.make("at_place(block, spot) and clear()", {"block": "block", "spot": "place"})

_LIFT = '''\
from robot import Block, close_gripper, move_by, move_to, open_gripper, position, yaw


def lift(block: Block) -> None:
    """Grasp a block from above and lift it."""
    open_gripper()
    move_to(position(block), yaw=yaw(block), via="high")
    close_gripper()
    move_by((0, 0, 0.12))
'''
_REACH = '''\
from robot import Block, move_to, open_gripper, position, yaw


def reach(block: Block) -> None:
    """Bring the open gripper around a block."""
    open_gripper()
    move_to(position(block), yaw=yaw(block), via="high")
'''
_PUT_ON = '''\
from robot import Block, move_by, move_to, open_gripper, position, size, yaw
from skills.lift import lift


def put_on(top: Block, bottom: Block) -> None:
    """Put one block on another and get clear."""
    lift(top)
    x, y, z = position(bottom)
    height = z + size(bottom)[2] / 2 + size(top)[2] / 2 + 0.004
    move_to((x, y, height), yaw=yaw(bottom), via="high")
    open_gripper()
    move_by((0, 0, 0.12))
'''


def closure(source: str, *callees: Closure) -> Closure:
    """Parse a program and close it over the closures of its callees."""
    return Closure.of(Program.parse(source, {c.entry.name: c.root for c in callees}), callees)


LIFTING = closure(_LIFT).with_contract(LIFT)
REACHING = closure(_REACH).with_contract(REACH)
STACKING = closure(_PUT_ON, LIFTING)
