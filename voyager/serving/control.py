"""Small Cartesian steps of the gripper: how a policy acts in a world, twenty times a second.

A skill asks for whole motions and waits for them (`env.actions`); a policy corrects itself while
the arm moves. Both go through the same robot (`Robot.plan`, `command`, `grip`) and the same clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from env.bullet import HZ
from env.errors import SimulatorError, Unreachable
from env.robots.base import Drive
from env.state import GripperState, Vec3
from env.world import World

RATE: Final = 20
"""Actions a simulated second."""
TICKS: Final = HZ // RATE
"""Physics steps that one action takes."""
STRIDE: Final = 1.2 / RATE
"""Metres of a full action along one axis: the top speed of `move_to` is 1.2 m/s."""
TURN: Final = 2.5 / RATE
"""Radians of a full action about z: the arm turns its hand by at most 2.5 rad/s."""
GRIP_FORCE: Final = 40.0
"""Newton of each finger, as `close_gripper` has it when nothing else is said."""
LEAD: Final = 0.10
"""Metres by which the target may run ahead of the gripper: it must not wind up against a table."""
WORKSPACE: Final[tuple[Vec3, Vec3]] = ((0.20, -0.60, 0.005), (0.80, 0.60, 0.60))
"""Lowest and highest target of the point between the finger tips, world frame, metres."""
ACTION_SIZE: Final = 5
ACTION_NAMES: Final = ("dx", "dy", "dz", "dyaw", "grip")
_FLIP: Final = 4 * TICKS
"""Rows of a plan that no small step needs: the wrist is at its end and would turn right round."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one action.

    Attributes:
        refused: What of it was not carried out, "" when all was: "turn" (the wrist is at its
            end) or "motion" (out of the arm's reach).
        lead: (3,) target minus gripper when the action was over, world frame, metres.
        turn_lead: The same for the yaw, radians in (-pi/2, pi/2].
    """

    refused: str
    lead: Vec3
    turn_lead: float


class CartesianControl:
    """Moves the gripper of a world by small steps towards a target that it keeps.

    The target is where the actions so far add up to, from where the arm stood at the beginning;
    it stays within WORKSPACE and within LEAD of the gripper.
    """

    def __init__(self, world: World) -> None:
        """Take over the arm of a world that was just reset.

        Args:
            world: Its scene has begun; nobody else moves its robot from now on.

        Raises:
            SimulatorError: If the world is empty.
        """
        if world.scene is None:
            raise SimulatorError("the world is empty; call reset first")
        self._world = world
        start = world.scene.start
        self._target, self._yaw = start.position, start.yaw
        self._joints = self._plan(self._target, self._yaw)
        self._opening: bool | None = None

    def step(self, action: Sequence[float]) -> Moved:
        """Carry out one action: TICKS physics steps.

        Args:
            action: (5,) each in [-1, 1]: x, y and z in strides and yaw in turns, added to the
                target (world frame); the last one opens the gripper above 0, closes it below 0,
                and leaves it as it is at 0.

        Returns:
            What became of it.

        Raises:
            SimulatorError: If the simulator was lost.
        """
        dx, dy, dz, dyaw, grip = (min(1.0, max(-1.0, float(value))) for value in action)
        world, robot = self._world, self._world.robot
        if grip and self._opening is not (grip > 0.0):
            self._opening = grip > 0.0
            robot.grip(opening=self._opening, force=GRIP_FORCE)
        here = robot.gripper(())
        wanted = _held_back(
            [t + STRIDE * d for t, d in zip(self._target, (dx, dy, dz), strict=True)], here
        )
        refused, joints = self._reach(wanted, self._yaw + TURN * dyaw)
        for tick in range(1, TICKS + 1):
            share = tick / TICKS
            row = (u + share * (v - u) for u, v in zip(self._joints, joints, strict=True))
            robot.command(tuple(row))
            world.tick()
        self._joints = joints
        return self.standing(refused)

    def standing(self, refused: str = "") -> Moved:
        """How far the target is ahead of the gripper now.

        Args:
            refused: What of the last action was not carried out.
        """
        here = self._world.robot.gripper(())
        x, y, z = (t - p for t, p in zip(self._target, here.position, strict=True))
        return Moved(refused, (x, y, z), half_turn(self._yaw - here.yaw))

    def _reach(self, target: Vec3, yaw: float) -> tuple[str, Drive]:
        """Take up a target as far as the arm can; also what was refused."""
        for refused, position, turn in (("", target, yaw), ("turn", target, self._yaw)):
            memory = self._world.robot.memory()
            try:
                joints = self._plan(position, turn)
            except Unreachable:
                self._world.robot.remember(memory)
                continue
            self._target, self._yaw = position, turn
            return refused, joints
        return "motion", self._joints

    def _plan(self, position: Vec3, yaw: float) -> Drive:
        distance = math.dist(position, self._target)
        speed = max(2.0 * distance * RATE, STRIDE)
        motion = self._world.robot.plan([(position, yaw)], speed)
        if len(motion.targets) > _FLIP:
            raise Unreachable("the wrist cannot turn further this way")
        return motion.targets[-1]


def _held_back(target: Sequence[float], here: GripperState) -> Vec3:
    """The nearest point to a target in the workspace and near enough to the gripper."""
    away = math.dist(target, here.position)
    share = 1.0 if away <= LEAD else LEAD / away
    low, high = WORKSPACE
    x, y, z = (
        min(most, max(least, p + share * (t - p)))
        for t, p, least, most in zip(target, here.position, low, high, strict=True)
    )
    return x, y, z


def half_turn(angle: float) -> float:
    """The angle in (-pi/2, pi/2] that is the same turn of a two-finger gripper."""
    return angle - math.pi * math.ceil(angle / math.pi - 0.5)
