# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""What the skills ask of a robot: any object with these methods will do.

Made from the table of calls that the skills were certified with; do not edit.

Lengths are metres, angles radians, forces newton. The frame is the robot's: x forwards from its
base, y to its left, z up from the table top. Poses and sizes are taken as exact.
"""
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

API_VERSION: Final = 1
"""Raised when a call changes its meaning."""

LOOKS: Final[tuple[str, ...]] = (
    "objects",
    "kind",
    "colour",
    "position",
    "yaw",
    "size",
    "gripper_position",
    "gripper_width",
    "holding",
)
"""Calls that only look; they move nothing."""

ACTS: Final[tuple[str, ...]] = (
    "move_to",
    "move_by",
    "open_gripper",
    "close_gripper",
    "wait",
    "say",
)
"""Calls that act, or let time pass."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "object": ("object",),
    "graspable": ("graspable", "object"),
    "container": ("container", "object"),
    "block": ("block", "graspable", "object"),
    "ball": ("ball", "graspable", "object"),
    "bowl": ("bowl", "container", "object"),
    "place": ("place",),
    "tray": ("tray", "container", "object"),
}
"""A kind of object, and it with all kinds above it."""

KIND_TYPES: Final[Mapping[str, str]] = {
    "object": "Object",
    "graspable": "Graspable",
    "container": "Container",
    "block": "Block",
    "ball": "Ball",
    "bowl": "Bowl",
    "place": "Place",
    "tray": "Tray",
}
"""What skills import from `robot` to annotate a parameter."""


class ActionError(Exception):
    """Base of these errors; a skill may catch it.

    Attributes:
        message: One sentence with the numbers in SI units.
        numbers: The same numbers by name (JSON-able), for example ``{"short_by": 0.12}``.
    """

    def __init__(self, message: str, **numbers: float | str | list[str]) -> None:
        super().__init__(message)
        self.message = message
        self.numbers: Mapping[str, float | str | list[str]] = numbers


class Unreachable(ActionError):
    """The gripper cannot get to the asked position; ``short_by`` says by how many metres."""


class Blocked(ActionError):
    """Something stopped the motion; ``by`` names what, ``short_by`` the metres left to go."""


class NothingHeld(ActionError):
    """The fingers closed and met nothing; ``width`` is the opening that is left in metres."""


class UnknownObject(ActionError):
    """A call named an object that is not in this scene; ``name`` is what was asked for."""


class BadArgument(ActionError):
    """An argument of a robot call has the wrong type or lies outside its range."""


ERRORS: Final[tuple[type[ActionError], ...]] = (
    Unreachable,
    Blocked,
    NothingHeld,
    UnknownObject,
    BadArgument,
)
"""Errors that a skill may expect, and catch."""


class RobotAPI(Protocol):
    """A robot with one gripper, and the objects that it is told about."""

    def objects(self, kind: str | None = None) -> list[str]:
        """Names of the objects in the scene, sorted, optionally only those of a kind (or below it)."""
        ...

    def kind(self, name: str) -> str:
        """Kind of an object, for example "block"."""
        ...

    def colour(self, name: str) -> str:
        """Colour word of an object, for example "red"."""
        ...

    def position(self, name: str) -> tuple[float, float, float]:
        """Centre of an object's bounding box: (x, y, z), metres."""
        ...

    def yaw(self, name: str) -> float:
        """Turn of an object about z, radians; a grasp at this yaw meets its sides squarely."""
        ...

    def size(self, name: str) -> tuple[float, float, float]:
        """Edge lengths of an object as it lies now, metres; the last one is its height."""
        ...

    def gripper_position(self) -> tuple[float, float, float]:
        """Point between the finger tips: (x, y, z), metres."""
        ...

    def gripper_width(self) -> float:
        """Opening between the fingers, metres (0 shut, 0.08 wide open)."""
        ...

    def holding(self) -> str | None:
        """Name of the object that the closed fingers press from both sides, or None."""
        ...

    def move_to(
        self,
        position: tuple[float, float, float],
        yaw: float | None = None,
        speed: float = 0.8,
        via: str = "straight",
    ) -> None:
        """Move the point between the finger tips to a position, pointing down.

        `yaw` turns the hand (radians; None keeps it; angles half a turn apart are the same grasp).
        `via="straight"` goes in a straight line. `via="high"` rises first until what the gripper
        carries clears the highest object, crosses over, and comes down from above. `speed` is the
        top speed, 0.05 to 1.2 m/s.

        Raises Unreachable (short_by) before moving, Blocked (by, short_by) when something stops it.
        """
        ...

    def move_by(
        self,
        offset: tuple[float, float, float],
        yaw: float | None = None,
        speed: float = 0.8,
    ) -> None:
        """Move the gripper in a straight line by (dx, dy, dz) metres from where it is.

        Arguments and errors as for `move_to`.
        """
        ...

    def open_gripper(self) -> None:
        """Open the fingers fully and wait until they rest."""
        ...

    def close_gripper(self, force: float = 40.0) -> str:
        """Close the fingers until they meet something; returns the name of what they hold.

        `force` is that of each finger, 5 to 70 newton; they go on pressing with it.

        Raises NothingHeld (width) when nothing is between them; the gripper then stays shut.
        """
        ...

    def wait(self, seconds: float) -> None:
        """Hold still for a while, 0 to 10 simulated seconds."""
        ...

    def say(self, text: str) -> None:
        """Leave a note of at most 200 characters in the log; nothing moves."""
        ...
