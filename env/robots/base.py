"""What the world asks of a body that acts: the Robot protocol.

The world steps the physics and keeps the clock; a robot plans and sets motor targets, and reads
itself back. Nothing outside a robot's own file knows its links, joints or limits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from env.bullet import Bullet, Touch
from env.state import GripperState, Vec3

Drive = tuple[float, ...]
"""Joint positions, one for each driven joint of the arm."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A planned motion: one row of joint targets for each physics step.

    Attributes:
        targets: Joint targets in order of time.
        goal: (3,) where the end effector is to be at the end, world frame, metres.
    """

    targets: tuple[Drive, ...]
    goal: Vec3


@dataclass(frozen=True, slots=True)
class RobotStart:
    """Where a robot stands when a scene begins.

    Attributes:
        position: (3,) end effector, world frame, metres.
        yaw: Of the end effector, radians.
        width: Opening of the gripper, metres.
        opening: Whether the gripper holds itself open (else it holds itself shut at `width`).
    """

    position: Vec3
    yaw: float
    width: float
    opening: bool


class Robot(Protocol):
    """A body with one end effector."""

    name: str
    """Name in certificates, in SceneSpec and of its body in the simulator."""
    capabilities: frozenset[str]
    """What it can do: "grasp", "push", later "drive", "walk"."""

    def assets(self) -> tuple[Path, ...]:
        """Model files that decide its physics, for the asset hash."""

    def load(self, bullet: Bullet) -> None:
        """Build it in an empty world."""

    def reset(self, start: RobotStart) -> None:
        """Put it at a start without simulating.

        Raises:
            SceneError: If the start cannot be reached.
        """

    def reachable(self, position: Vec3, yaw: float) -> float:
        """How far the end effector stays short of a pose, metres (0 when it gets there)."""

    def plan(self, waypoints: Sequence[tuple[Vec3, float]], speed: float) -> Motion:
        """Plan through (position, yaw) waypoints from where it is commanded to be now.

        Raises:
            Unreachable: With the distance that is missing.
        """

    def command(self, targets: Drive) -> None:
        """Set the arm's motor targets for the next step."""

    def hold(self) -> None:
        """Make the arm's present joint positions its targets: stop pushing."""

    def grip(self, *, opening: bool, force: float) -> None:
        """Set the gripper's motor targets."""

    def tracking(self) -> tuple[float, float]:
        """Greatest distance of a joint from its target, and greatest joint speed."""

    def gripping_speed(self) -> float:
        """How fast the gripper is opening or closing now, metres per second, >= 0."""

    def gripper(self, touches: Sequence[Touch]) -> GripperState:
        """Read the end effector back."""

    def label(self, link: int) -> str:
        """The contact name of one of its links: GRIPPER or ARM."""

    def gripper_links(self) -> tuple[int, ...]:
        """Links that make up the gripper, for distances."""

    def memory(self) -> object:
        """What it remembers beside the physics (targets, modes); immutable."""

    def remember(self, memory: object) -> None:
        """Take up what `memory` returned and set the motors accordingly."""


_ROBOTS: dict[str, Callable[[], Robot]] = {}


def register_robot(name: str, make: Callable[[], Robot]) -> None:
    """Make a robot known by name."""
    _ROBOTS[name] = make


def make_robot(name: str) -> Robot:
    """Make the robot of that name.

    Raises:
        SceneError: If no such robot is known.
    """
    from env.errors import SceneError

    if name not in _ROBOTS:
        raise SceneError(f"unknown robot {name!r}; known robots: {', '.join(sorted(_ROBOTS))}")
    return _ROBOTS[name]()
