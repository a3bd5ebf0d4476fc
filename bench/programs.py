"""The programs that are measured: written by hand, without callees."""

from __future__ import annotations

from typing import Final

from env.program import Closure, Program
from env.task import Task

BLOCKS: Final = {"top": "block", "bottom": "block"}
PUT_ON: Final = "on(top, bottom) and clear()"
PUT_ON_THEN: Final = "eventually(held(top)) and on(top, bottom)"
"""A temporal goal for the same program; its states hold contacts only."""
PUT_ON_THEN_CLEAR: Final = "eventually(held(top)) and on(top, bottom) and clear()"
"""Another one, which asks for distances 60 times a simulated second."""

_PUT_ON: Final = '''\
from robot import Block, close_gripper, move_by, move_to, open_gripper, position, size, yaw


def put_on(top: Block, bottom: Block) -> None:
    """Put one block on another and get clear."""
    open_gripper()
    move_to(position(top), yaw=yaw(top), via="high")
    close_gripper()
    move_by((0, 0, 0.12))
    x, y, z = position(bottom)
    height = z + size(bottom)[2] / 2 + size(top)[2] / 2 + 0.004
    move_to((x, y, height), yaw=yaw(bottom), via="high")
    open_gripper()
    move_by((0, 0, 0.12))
'''
_REACH: Final = '''\
from robot import Graspable, move_to, open_gripper, position, yaw


def reach(thing: Graspable) -> None:
    """Put the open gripper around something that it could take."""
    open_gripper()
    move_to(position(thing), yaw=yaw(thing), via="high")
'''
_IDLE: Final = '''\
from robot import Block


def idle(top: Block, bottom: Block) -> None:
    """Do nothing."""
'''
_LOOKS: Final = '''\
from robot import Block, {look}


def looks(block: Block, times: int = 0) -> None:
    """Ask the same question again and again."""
    for _ in range(times):
        {look}({argument})
'''
_INNER: Final = '''\
from robot import Block


def inner(block: Block) -> None:
    """Do nothing."""
'''
_OUTER: Final = '''\
from robot import Block
from skills.inner import inner


def outer(block: Block, times: int = 0) -> None:
    """Call the same skill again and again."""
    for _ in range(times):
        inner(block)
'''


def put_on_task(goal: str = PUT_ON) -> Task:
    """The task of putting a block on another, by default without a temporal part."""
    return Task.make(goal, BLOCKS)


def put_on() -> Closure:
    """Grasps a block, sets it on another and gets clear."""
    return Closure.of(Program.parse(_PUT_ON))


def reach_task() -> Task:
    """The task of moving the gripper to a block or a ball."""
    return Task.make("at(gripper, thing)", {"thing": "graspable"})


def reach() -> Closure:
    """Moves the gripper to something, from above."""
    return Closure.of(Program.parse(_REACH))


def idle() -> Closure:
    """Takes the same parameters and does nothing."""
    return Closure.of(Program.parse(_IDLE))


def looks(look: str, argument: str = "") -> Closure:
    """Makes one look call over and over.

    Args:
        look: Name of the call.
        argument: Its argument, as source text.
    """
    return Closure.of(Program.parse(_LOOKS.format(look=look, argument=argument)))


def skill_calls() -> Closure:
    """Calls another skill, which does nothing, over and over."""
    inner = Closure.of(Program.parse(_INNER))
    return Closure.of(Program.parse(_OUTER, {"inner": inner.root}), [inner])
