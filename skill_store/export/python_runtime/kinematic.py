# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""An example robot that lives in memory: geometry only, NO PHYSICS.

Things keep their shape and go where the hand carries them; what is let go comes to rest straight
below. Nothing slips, topples, rolls, pushes or collides. It shows what an adapter looks like and
lets you try a skill in a second. That a skill works here says nothing about whether it works.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from .robot_api import KINDS, BadArgument, Blocked, NothingHeld, UnknownObject, Unreachable

Vec3 = tuple[float, float, float]
_OPEN: Final = 0.08
"""Metres between the fingers when they are open."""
_SHOULDER: Final = (0.0, 0.0, 0.333)
_REACH: Final = 0.80
_FLOOR_OF_CONTAINER: Final = 0.01


@dataclass(frozen=True, slots=True)
class Thing:
    """One object on the table.

    Attributes:
        name: How skills ask for it.
        kind: One of `robot_api.KINDS`.
        colour: A colour word.
        position: (3,) centre of its bounding box, metres.
        size: (3,) edge lengths, metres; zero height for a place, which is a mark without a body.
        yaw: Turn about z, radians.
    """

    name: str
    kind: str
    colour: str
    position: Vec3
    size: Vec3
    yaw: float = 0.0


class KinematicRobot:
    """A gripper among things, without physics; meets `RobotAPI`."""

    def __init__(self, things: Sequence[Thing], *, gripper: Vec3 = (0.4, 0.0, 0.3)) -> None:
        """Set the table.

        Args:
            things: What lies on it; names must differ.
            gripper: (3,) where the gripper starts, metres.
        """
        self._things = {thing.name: thing for thing in things}
        self._at = gripper
        self._yaw = 0.0
        self._width = _OPEN
        self._held: str | None = None
        self.time = 0.0
        """Seconds that were waited for."""
        self.notes: list[str] = []
        """What skills said."""

    # -- look -------------------------------------------------------------------------------

    def objects(self, kind: str | None = None) -> list[str]:
        """See `RobotAPI.objects`."""
        if kind is not None and kind not in KINDS:
            raise BadArgument(f"unknown kind {kind!r}; kinds: {', '.join(sorted(KINDS))}")
        found = self._things.values()
        return sorted(t.name for t in found if kind is None or kind in KINDS[t.kind])

    def kind(self, name: str) -> str:
        """See `RobotAPI.kind`."""
        return self._thing(name).kind

    def colour(self, name: str) -> str:
        """See `RobotAPI.colour`."""
        return self._thing(name).colour

    def position(self, name: str) -> Vec3:
        """See `RobotAPI.position`."""
        return self._thing(name).position

    def yaw(self, name: str) -> float:
        """See `RobotAPI.yaw`."""
        return self._thing(name).yaw

    def size(self, name: str) -> Vec3:
        """See `RobotAPI.size`."""
        return self._thing(name).size

    def gripper_position(self) -> Vec3:
        """See `RobotAPI.gripper_position`."""
        return self._at

    def gripper_width(self) -> float:
        """See `RobotAPI.gripper_width`."""
        return self._width

    def holding(self) -> str | None:
        """See `RobotAPI.holding`."""
        return self._held

    # -- act --------------------------------------------------------------------------------

    def move_to(
        self,
        position: Vec3,
        yaw: float | None = None,
        speed: float = 0.8,
        via: str = "straight",
    ) -> None:
        """See `RobotAPI.move_to`; the way does not matter here, since nothing is in it."""
        if via not in ("straight", "high"):
            raise BadArgument(f'via is {via!r}; it must be "straight" or "high"')
        turn = self._yaw if yaw is None else _within(yaw, "yaw", -7.0, 7.0)
        _within(speed, "speed", 0.05, 1.2)
        for value in position:
            _within(value, "position", -2.0, 2.0)
        if (short := math.dist(position, _SHOULDER) - _REACH) > 0.0:
            raise Unreachable(
                f"the gripper stays {short:.3f} m short of {position}", short_by=short
            )
        below = max(0.0, self._hang() - position[2])
        self._carry((position[0], position[1], position[2] + below), turn)
        if below > 0.012:
            raise Blocked(
                f"stopped {below:.3f} m short, against table", by=["table"], short_by=below
            )

    def move_by(self, offset: Vec3, yaw: float | None = None, speed: float = 0.8) -> None:
        """See `RobotAPI.move_by`."""
        (x, y, z), (dx, dy, dz) = self._at, offset
        self.move_to((x + dx, y + dy, z + dz), yaw, speed)

    def open_gripper(self) -> None:
        """See `RobotAPI.open_gripper`; what was held comes to rest straight below."""
        self._width = _OPEN
        if self._held is not None:
            thing = self._things[self._held]
            x, y, _ = thing.position
            resting = self._support_below(thing) + thing.size[2] / 2
            self._things[thing.name] = replace(thing, position=(x, y, resting))
            self._held = None

    def close_gripper(self, force: float = 40.0) -> str:
        """See `RobotAPI.close_gripper`."""
        _within(force, "force", 5.0, 70.0)
        if self._held is None:
            self._held = self._between_the_fingers()
        if self._held is None:
            self._width = 0.0
            raise NothingHeld("the fingers closed to 0.000 m and hold nothing", width=0.0)
        self._width = min(self._things[self._held].size[:2])
        return self._held

    def wait(self, seconds: float) -> None:
        """See `RobotAPI.wait`."""
        self.time += _within(seconds, "seconds", 0.0, 10.0)

    def say(self, text: str) -> None:
        """See `RobotAPI.say`."""
        if len(text) > 200:
            raise BadArgument("text must be a string of at most 200 characters")
        self.notes.append(text)

    # -- geometry ---------------------------------------------------------------------------

    def _thing(self, name: str) -> Thing:
        if name not in self._things:
            raise UnknownObject(f"there is no object {name!r}; ask objects()", name=name)
        return self._things[name]

    def _hang(self) -> float:
        """How far what is carried reaches below the gripper, metres."""
        if self._held is None:
            return 0.0
        thing = self._things[self._held]
        return self._at[2] - thing.position[2] + thing.size[2] / 2

    def _carry(self, target: Vec3, turn: float) -> None:
        if self._held is not None:
            thing = self._things[self._held]
            moved = (p + t - a for p, t, a in zip(thing.position, target, self._at, strict=True))
            x, y, z = moved
            turned = thing.yaw + turn - self._yaw
            self._things[thing.name] = replace(thing, position=(x, y, z), yaw=turned)
        self._at, self._yaw = target, turn

    def _between_the_fingers(self) -> str | None:
        near = [
            (math.dist(thing.position, self._at), thing.name)
            for thing in self._things.values()
            if "graspable" in KINDS[thing.kind]
            and min(thing.size[:2]) < self._width
            and math.dist(thing.position[:2], self._at[:2]) < min(thing.size[:2]) / 2
            and abs(thing.position[2] - self._at[2]) < thing.size[2] / 2
        ]
        return min(near)[1] if near else None

    def _support_below(self, thing: Thing) -> float:
        """Height of the highest surface below a thing's middle, metres."""
        x, y, z = thing.position
        heights = [0.0]
        for other in self._things.values():
            if other.name == thing.name or "object" not in KINDS[other.kind]:
                continue
            (ox, oy, oz), (width, depth, height) = other.position, other.size
            inside = abs(x - ox) <= width / 2 and abs(y - oy) <= depth / 2
            if inside and oz < z:
                hollow = "container" in KINDS[other.kind]
                heights.append(oz - height / 2 + _FLOOR_OF_CONTAINER if hollow else oz + height / 2)
        return max(heights)


def example() -> KinematicRobot:
    """A small table with one object of each sort."""
    return KinematicRobot(
        [
            Thing("red_block", "block", "red", (0.45, 0.15, 0.02), (0.04, 0.04, 0.04)),
            Thing("blue_block", "block", "blue", (0.50, -0.10, 0.025), (0.05, 0.05, 0.05), 0.4),
            Thing("green_ball", "ball", "green", (0.38, 0.02, 0.025), (0.05, 0.05, 0.05)),
            Thing("white_ball", "ball", "white", (0.36, -0.2, 0.025), (0.05, 0.05, 0.05)),
            Thing("bowl", "bowl", "yellow", (0.60, 0.10, 0.025), (0.17, 0.17, 0.05)),
            Thing("tray", "tray", "grey", (0.60, -0.15, 0.0125), (0.2, 0.16, 0.025)),
            Thing("mark", "place", "purple", (0.45, -0.25, 0.0), (0.1, 0.1, 0.0)),
        ]
    )


def _within(value: Any, what: str, low: float, high: float) -> float:
    if not low <= value <= high:
        raise BadArgument(f"{what} is {value}; it must lie in [{low}, {high}]")
    return float(value)
