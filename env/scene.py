"""From a scene description and a seed to placed objects.

`SceneSpec` says what may vary and how much; `sample` draws one `Scene` from it. Everything is a
function of (spec, parameters, seed), so a scene is named by three small values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np

import env.bodies  # noqa: F401  (declares the kinds that are drawn)
from env.errors import SceneError
from env.kinds import BodySpec, concrete_kinds
from env.robots import DEFAULT_ROBOT, RobotStart
from env.state import ARM, FLOOR, GRIPPER, TABLE, Vec3

COLOURS: Final[Mapping[str, tuple[float, float, float]]] = {
    "red": (0.85, 0.20, 0.18),
    "orange": (0.95, 0.55, 0.15),
    "yellow": (0.95, 0.82, 0.20),
    "green": (0.25, 0.65, 0.30),
    "teal": (0.15, 0.62, 0.65),
    "blue": (0.20, 0.40, 0.80),
    "purple": (0.52, 0.30, 0.70),
    "pink": (0.92, 0.50, 0.65),
    "brown": (0.50, 0.34, 0.22),
    "white": (0.92, 0.92, 0.90),
}
_LETTERS: Final = ("bdfgklmnprstvz", "aeiou")
_RESERVED: Final = frozenset({GRIPPER, ARM, TABLE, FLOOR, "it"})
_TRIES: Final = 60
_PLACEMENTS: Final = 80


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """What a scene may look like.

    Attributes:
        extras: (kind, fewest, most) for objects that a task needs beside its parameters, for
            example ``(("block", 2, 4),)`` for *every block*.
        distractors: (fewest, most) further objects that have nothing to do with the task.
        distractor_kinds: Kinds that they are drawn from. A list and not "any kind", so that a kind
            that is declared later leaves all scenes as they were.
        mass_spread: Masses are nominal times 1 +- this.
        friction: (lowest, highest) lateral friction coefficient.
        reach: (nearest, farthest) distance of objects from the robot's base, metres.
        sweep: Greatest sideways offset over the distance ahead (a slope, not an angle).
        gap: Least distance between the objects' bounding circles, metres.
        robot: Name of the robot.
    """

    extras: tuple[tuple[str, int, int], ...] = ()
    distractors: tuple[int, int] = (0, 3)
    distractor_kinds: tuple[str, ...] = ("block", "ball", "bowl", "tray")
    mass_spread: float = 0.5
    friction: tuple[float, float] = (0.5, 1.2)
    reach: tuple[float, float] = (0.36, 0.66)
    sweep: float = 0.75
    gap: float = 0.055
    robot: str = DEFAULT_ROBOT

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises:
            SceneError: With the value and what it should be.
        """
        low, high = self.distractors
        if not 0 <= low <= high <= 8:
            raise SceneError(f"distractors {self.distractors} must be 0 <= fewest <= most <= 8")
        if high and not self.distractor_kinds:
            raise SceneError("distractors are asked for, but distractor_kinds is empty")
        if not 0.0 <= self.mass_spread < 1.0:
            raise SceneError(f"mass_spread {self.mass_spread} must lie in [0, 1)")
        for name in ("friction", "reach"):
            low_value, high_value = getattr(self, name)
            if not 0.0 < low_value <= high_value:
                raise SceneError(f"{name} ({low_value}, {high_value}) must be 0 < low <= high")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, lossless."""
        return {name: _thawed(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SceneSpec:
        """Read back what `to_json` wrote.

        Raises:
            SceneError: If a field is unknown or a value cannot be drawn from.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise SceneError(f"unknown scene field {unknown[0]!r}; known: {sorted(known)}")
        frozen = {k: _frozen(v) for k, v in data.items()}
        return cls(**frozen)


def _thawed(value: Any) -> Any:
    return [_thawed(v) for v in value] if isinstance(value, list | tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class PlacedBody:
    """One object of a scene.

    Attributes:
        name: Opaque name, drawn anew for every seed.
        spec: What it is.
        position: (3,) centre of its bounding box, world frame, metres.
        yaw: Turn about z, radians.
    """

    name: str
    spec: BodySpec
    position: Vec3
    yaw: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A drawn scene.

    Attributes:
        seed: What it was drawn with.
        binding: Object name for each task parameter (injective).
        bodies: All objects.
        start: Where the robot stands.
        robot: Name of the robot.
    """

    seed: int
    binding: Mapping[str, str]
    bodies: tuple[PlacedBody, ...]
    start: RobotStart
    robot: str


def sample(spec: SceneSpec, parameters: Mapping[str, str], seed: int) -> Scene:
    """Draw a scene.

    Args:
        spec: What may vary.
        parameters: Kind for each task parameter.
        seed: Any whole number >= 0.

    Returns:
        The scene; the same three arguments always give the same one.

    Raises:
        KindError: If a kind is unknown.
        SceneError: If the objects do not fit on the table.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    for _ in range(_TRIES):
        scene = _attempt(spec, parameters, seed, rng)
        if scene is not None:
            return scene
    wanted = ", ".join(parameters.values())
    raise SceneError(
        f"no room on the table for {wanted} and {spec.extras}; ask for fewer or smaller objects"
    )


def _attempt(
    spec: SceneSpec, parameters: Mapping[str, str], seed: int, rng: np.random.Generator
) -> Scene | None:
    wanted: list[tuple[str | None, str]] = [(name, kind) for name, kind in parameters.items()]
    for kind, low, high in spec.extras:
        wanted += [(None, kind)] * int(rng.integers(low, high + 1))
    low, high = spec.distractors
    for _ in range(int(rng.integers(low, high + 1))):
        wanted.append((None, spec.distractor_kinds[int(rng.integers(len(spec.distractor_kinds)))]))

    names, taken = _names(rng, len(wanted)), list[tuple[float, float, float]]()
    bodies, binding = [], {}
    # Large things first, or they never find room; the order of drawing stays fixed.
    drawn = [(param, _draw(kind, spec, rng)) for param, kind in wanted]
    order = sorted(range(len(drawn)), key=lambda i: -max(drawn[i][1].size[:2]))
    for i in order:
        parameter, body = drawn[i]
        spot = _spot(body, spec, taken, rng)
        if spot is None:
            return None
        taken.append((*spot, _radius(body)))
        yaw = float(rng.uniform(-math.pi, math.pi))
        bodies.append(PlacedBody(names[i], body, (*spot, body.size[2] / 2), yaw))
        if parameter is not None:
            binding[parameter] = names[i]
    ordered = {name: binding[name] for name in parameters}
    bodies.sort(key=lambda b: b.name)
    return Scene(seed, ordered, tuple(bodies), _start(rng), spec.robot)


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct opaque words."""
    found: list[str] = []
    while len(found) < count:
        word = "".join(_LETTERS[i % 2][int(rng.integers(len(_LETTERS[i % 2])))] for i in range(5))
        if word not in found and word not in _RESERVED:
            found.append(word)
    return found


def _draw(kind: str, spec: SceneSpec, rng: np.random.Generator) -> BodySpec:
    choices = concrete_kinds(kind)
    chosen = choices[int(rng.integers(len(choices)))]
    if chosen.draw is None:
        raise SceneError(f"the kind {chosen.name!r} cannot be drawn")
    shape = chosen.draw(rng)
    colours = tuple(COLOURS)
    return BodySpec(
        kind=chosen.name,
        size=shape.size,
        parts=shape.parts,
        mass=shape.mass * float(rng.uniform(1.0 - spec.mass_spread, 1.0 + spec.mass_spread)),
        friction=float(rng.uniform(*spec.friction)),
        rolling_friction=shape.rolling_friction,
        colour=colours[int(rng.integers(len(colours)))],
    )


def _radius(body: BodySpec) -> float:
    return math.hypot(body.size[0], body.size[1]) / 2


def _spot(
    body: BodySpec,
    spec: SceneSpec,
    taken: list[tuple[float, float, float]],
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """A free (x, y) in the workspace, or None."""
    near, far = spec.reach
    for _ in range(_PLACEMENTS):
        x = float(rng.uniform(0.0, far))
        y = float(rng.uniform(-far, far))
        distance = math.hypot(x, y)
        # |y| <= x tan(sweep), written without an angle so that no platform's atan2 decides.
        if not near <= distance <= far or abs(y) > x * spec.sweep:
            continue
        if all(math.dist((x, y), (u, v)) >= r + _radius(body) + spec.gap for u, v, r in taken):
            return x, y
    return None


def _start(rng: np.random.Generator) -> RobotStart:
    """A start pose well above the table, the gripper anywhere between shut and open."""
    position = (
        float(rng.uniform(0.35, 0.60)),
        float(rng.uniform(-0.25, 0.25)),
        float(rng.uniform(0.18, 0.42)),
    )
    yaw = float(rng.uniform(-math.pi / 2, math.pi / 2))
    opening = bool(rng.integers(2))
    width = 0.08 if opening else float(rng.uniform(0.0, 0.08))
    return RobotStart(position, yaw, width, opening)
