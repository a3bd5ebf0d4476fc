"""What a policy sees: one instant of a task's scene as a vector of fixed length.

The layout follows from the task alone, so every scene of a task has the same one:

    gripper | parameter objects | kinds of parameters that may be several | other objects | control

The first two parts are also what `voyager.recordings` writes down of episodes, in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from env.bullet import rotation
from env.errors import KindError
from env.kinds import concrete_kinds
from env.state import BodyState, GripperState, State
from env.task import Task
from voyager.serving.control import Moved

Vector = np.ndarray[Any, np.dtype[np.float32]]
"""(n,) numbers."""

_POSITION: Final = 3.0
_SPEED: Final = 10.0
_SPIN: Final = 50.0
_SIZE: Final = 1.0
_LEAD: Final = 1.0
_WIDTH: Final = 0.2

GRIPPER_FIELDS: Final = (
    ("x", "m", _POSITION),
    ("y", "m", _POSITION),
    ("z", "m", _POSITION),
    ("cos_2yaw", "", 1.0),
    ("sin_2yaw", "", 1.0),
    ("width", "m", _WIDTH),
    ("opening", "0 or 1", 1.0),
)
"""(name, unit, greatest size) of the gripper's numbers. Twice the yaw of its finger axis: half a
turn is the same grasp. `opening`: whether the fingers were last told to open."""
OBJECT_FIELDS: Final = (
    ("x", "m", _POSITION),
    ("y", "m", _POSITION),
    ("z", "m", _POSITION),
    *((f"r{row}{column}", "", 1.0) for row in range(3) for column in range(2)),
    ("vx", "m/s", _SPEED),
    ("vy", "m/s", _SPEED),
    ("vz", "m/s", _SPEED),
    ("wx", "rad/s", _SPIN),
    ("wy", "rad/s", _SPIN),
    ("wz", "rad/s", _SPIN),
    ("size_x", "m", _SIZE),
    ("size_y", "m", _SIZE),
    ("size_z", "m", _SIZE),
    ("held", "0 or 1", 1.0),
)
"""(name, unit, greatest size) of an object's numbers: centre of its bounding box, the first two
columns of its rotation matrix, velocities, edge lengths in its own frame, whether it is held."""
_CONTROL_FIELDS: Final = (
    ("lead_x", "m", _LEAD),
    ("lead_y", "m", _LEAD),
    ("lead_z", "m", _LEAD),
    ("lead_yaw", "rad", math.pi / 2),
)
STATE_SIZE: Final = len(GRIPPER_FIELDS)
OBJECT_SIZE: Final = len(OBJECT_FIELDS)


@dataclass(frozen=True, slots=True)
class Field:
    """One number of an observation.

    Attributes:
        name: For example ``gripper.x`` or ``top.size_z``.
        unit: SI unit; positions and velocities are in the world frame.
        most: It is clipped to [-most, most].
    """

    name: str
    unit: str
    most: float


class Layout:
    """Where each number of a task's observation stands.

    Attributes:
        fields: In order.
        slots: Rows for objects that no parameter names; unused ones are all zero.
    """

    def __init__(self, task: Task) -> None:
        """Lay out the observations of a task.

        Args:
            task: Its parameters and its scenes decide.
        """
        scene = task.scene
        self.slots = sum(most for _, _, most in scene.extras) + scene.distractors[1]
        self._kinds = {name: _concrete(kind) for name, kind in task.parameters}
        drawn = [kind for kind, _, _ in scene.extras]
        drawn += scene.distractor_kinds if scene.distractors[1] else ()
        self._others = tuple(dict.fromkeys(k for kind in drawn for k in _concrete(kind)))
        fields = _named("gripper", GRIPPER_FIELDS)
        for name in self._kinds:
            fields += _named(name, OBJECT_FIELDS)
        for name, kinds in self._kinds.items():
            fields += _flags(name, kinds) if len(kinds) > 1 else []
        for slot in range(self.slots):
            fields += _named(f"other{slot}", OBJECT_FIELDS) + _flags(f"other{slot}", self._others)
        self.fields = tuple(fields + _named("control", _CONTROL_FIELDS))
        self._most = np.array([field.most for field in self.fields], dtype=np.float32)

    @property
    def bounds(self) -> Vector:
        """(n,) greatest size of each number; the smallest is minus that."""
        return self._most.copy()

    def index(self, name: str) -> int:
        """Where a number stands.

        Raises:
            KeyError: If there is none of that name.
        """
        for index, field in enumerate(self.fields):
            if field.name == name:
                return index
        raise KeyError(f"there is no {name!r}; there are {[field.name for field in self.fields]}")

    def vector(self, state: State, binding: Mapping[str, str], control: Moved) -> Vector:
        """One instant as numbers.

        Args:
            state: The world.
            binding: Object name by parameter.
            control: How far the target is ahead.

        Returns:
            (n,) float32, clipped to `bounds`.

        Raises:
            KindError: If an object is of a kind that the task does not allow.
        """
        holding = state.gripper.holding
        numbers = gripper_numbers(state.gripper)
        bound = {name: state.bodies[binding[name]] for name in self._kinds}
        for body in bound.values():
            numbers += object_numbers(body, holding)
        for name, kinds in self._kinds.items():
            if len(kinds) > 1:
                numbers += _one_of(bound[name].kind, kinds)
        named = set(binding.values())
        rest = [body for name, body in sorted(state.bodies.items()) if name not in named]
        for body in rest[: self.slots]:
            numbers += object_numbers(body, holding) + _one_of(body.kind, self._others)
        blank = self.slots - len(rest)
        numbers += [0.0] * (max(0, blank) * (OBJECT_SIZE + len(self._others)))
        numbers += [*control.lead, control.turn_lead]
        seen = np.array(numbers, dtype=np.float32)
        return np.clip(seen, -self._most, self._most)


def gripper_numbers(gripper: GripperState) -> list[float]:
    """The gripper as GRIPPER_FIELDS name it: (7,) world frame, metres."""
    twice = 2.0 * gripper.yaw
    return [
        *gripper.position,
        math.cos(twice),
        math.sin(twice),
        gripper.width,
        float(gripper.opening),
    ]


def object_numbers(body: BodyState, holding: str | None) -> list[float]:
    """An object as OBJECT_FIELDS name it: (19,) world frame, SI units.

    Args:
        body: The object.
        holding: Name of what the gripper holds.
    """
    matrix = rotation(body.orientation)
    turned = [matrix[3 * row + column] for row in range(3) for column in range(2)]
    moving = [*body.velocity, *body.angular_velocity]
    return [*body.position, *turned, *moving, *body.size, float(body.name == holding)]


def _concrete(kind: str) -> tuple[str, ...]:
    return tuple(found.name for found in concrete_kinds(kind))


def _named(owner: str, fields: Sequence[tuple[str, str, float]]) -> list[Field]:
    return [Field(f"{owner}.{name}", unit, most) for name, unit, most in fields]


def _flags(owner: str, kinds: Sequence[str]) -> list[Field]:
    return [Field(f"{owner}.is_{kind}", "0 or 1", 1.0) for kind in kinds]


def _one_of(kind: str, kinds: Sequence[str]) -> list[float]:
    if kind not in kinds:
        raise KindError(f"a scene holds a {kind}, but its task allows only {', '.join(kinds)}")
    return [float(kind == other) for other in kinds]
