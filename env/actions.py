"""THE table of what a skill may call.

Each action is declared once, by decorating the function that carries it out: its Python signature
gives names, defaults and types, its docstring the units, errors and meaning. The sandbox's
dispatch, the typed stub `robot.pyi`, the prompt text and the docs page are made from this table
(`env.robot_api`), so they cannot disagree with what runs.

Low level on purpose: look, move the gripper, open, close, wait, read back. There is no `pick`
here; picking is the first thing an agent learns. Positions are (x, y, z) in metres in the world
frame (x forwards from the robot, y to its left, z up from the table top), angles in radians.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from env.errors import BadArgument, NothingHeld, UnknownObject
from env.kinds import all_kinds, is_a
from env.state import BodyState, Vec3
from env.world import World, lying

API_VERSION: Final = 1
"""Raised when a call changes its meaning; stored in every skill."""

_FAR: Final = 2.0
_CLEARANCE: Final = 0.04
_CEILING: Final = 0.45
_EMPTY: Final = 0.001
"""Metres of opening at and below which closed fingers have nothing between them."""


@dataclass(frozen=True, slots=True)
class Action:
    """One row of the table.

    Attributes:
        name: What a skill calls.
        kind: "look" (costs no simulated time) or "act".
        signature: Its Python signature without the world.
        doc: Meaning, units and errors.
        run: Carries it out: ``run(world, *args, **kwargs)``.
    """

    name: str
    kind: str
    signature: inspect.Signature
    doc: str
    run: Callable[..., Any]


_TABLE: dict[str, Action] = {}
ACTIONS: Final[Mapping[str, Action]] = _TABLE
"""All actions by name, looks first, in order of declaration."""


def _action(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def declare(run: Callable[..., Any]) -> Callable[..., Any]:
        full = inspect.signature(run, eval_str=True)
        own = full.replace(parameters=list(full.parameters.values())[1:])
        name = run.__name__.removesuffix("_")
        _TABLE[name] = Action(name, kind, own, inspect.getdoc(run) or "", run)
        return run

    return declare


def invoke(world: World, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Carry out one call of a skill.

    Args:
        world: Where.
        name: Name of the action.
        args: Positional arguments as they came (untrusted).
        kwargs: Keyword arguments as they came (untrusted).

    Returns:
        A JSON-able result.

    Raises:
        ActionError: With numbers; the skill sees it.
    """
    action = _TABLE.get(name)
    if action is None:
        raise BadArgument(f"there is no call {str(name)[:40]!r}; there are: {', '.join(_TABLE)}")
    try:
        bound = action.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise BadArgument(f"{name}{action.signature}: {error}") from None
    return action.run(world, *bound.args, **bound.kwargs)


# -- arguments --------------------------------------------------------------------------------


def _number(value: Any, what: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadArgument(f"{what} must be a number, not {type(value).__name__}")
    if not low <= value <= high:  # also false for nan
        raise BadArgument(f"{what} is {value}; it must lie in [{low}, {high}]")
    return float(value)


def _vector(value: Any, what: str) -> Vec3:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise BadArgument(f"{what} must be three numbers (x, y, z) in metres")
    x, y, z = (_number(v, f"{what}[{i}]", -_FAR, _FAR) for i, v in enumerate(value))
    return x, y, z


def _body(world: World, name: Any) -> BodyState:
    body = world.body(name) if isinstance(name, str) else None
    if body is None:
        raise UnknownObject(
            f"there is no object {str(name)[:40]!r} in this scene; ask objects()",
            name=str(name)[:40],
        )
    return body


def _turn(world: World, yaw: Any) -> float:
    if yaw is None:
        return world.robot.gripper(()).yaw
    return _number(yaw, "yaw", -7.0, 7.0)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200:
        raise BadArgument("text must be a string of at most 200 characters")
    return value


# -- look -------------------------------------------------------------------------------------


@_action("look")
def objects(world: World, kind: str | None = None) -> list[str]:
    """Names of the objects in the scene, sorted, optionally only those of a kind (or below it)."""
    bodies = world.observe().bodies
    if kind is None:
        return sorted(bodies)
    known = [k.name for k in all_kinds()]
    if kind not in known:
        raise BadArgument(f"unknown kind {str(kind)[:40]!r}; kinds: {', '.join(sorted(known))}")
    return sorted(name for name, body in bodies.items() if is_a(body.kind, kind))


@_action("look")
def kind_(world: World, name: str) -> str:
    """Kind of an object, for example "block"."""
    return _body(world, name).kind


@_action("look")
def colour(world: World, name: str) -> str:
    """Colour word of an object, for example "red"."""
    return _body(world, name).colour


@_action("look")
def position(world: World, name: str) -> tuple[float, float, float]:
    """Centre of an object's bounding box: (x, y, z), metres."""
    return _body(world, name).position


@_action("look")
def yaw(world: World, name: str) -> float:
    """Turn of an object about z, radians; a grasp at this yaw meets its sides squarely."""
    return lying(_body(world, name))[1]


@_action("look")
def size(world: World, name: str) -> tuple[float, float, float]:
    """Edge lengths of an object as it lies now, metres; the last one is its height."""
    return lying(_body(world, name))[0]


@_action("look")
def gripper_position(world: World) -> tuple[float, float, float]:
    """Point between the finger tips: (x, y, z), metres."""
    return world.robot.gripper(()).position


@_action("look")
def gripper_width(world: World) -> float:
    """Opening between the fingers, metres (0 shut, 0.08 wide open)."""
    return world.robot.gripper(()).width


@_action("look")
def holding(world: World) -> str | None:
    """Name of the object that the closed fingers press from both sides, or None."""
    return world.observe().gripper.holding


# -- act --------------------------------------------------------------------------------------


@_action("act")
def move_to(
    world: World,
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
    target = _vector(position, "position")
    turn = _turn(world, yaw)
    top_speed = _number(speed, "speed", 0.05, 1.2)
    if via == "straight":
        waypoints = [(target, turn)]
    elif via == "high":
        waypoints = _over(world, target, turn)
    else:
        raise BadArgument(f'via is {str(via)[:20]!r}; it must be "straight" or "high"')
    world.follow(world.robot.plan(waypoints, top_speed))


def _over(world: World, target: Vec3, turn: float) -> list[tuple[Vec3, float]]:
    """Up, across, down: waypoints at a height that clears every object not held."""
    state = world.observe()
    here, held = state.gripper.position, state.gripper.holding
    hang, top = 0.01, 0.0
    for name, body in state.bodies.items():
        half = lying(body)[0][2] / 2
        if name == held:
            hang = max(hang, here[2] - body.position[2] + half)
        elif math.hypot(body.position[0], body.position[1]) < 1.0:
            top = max(top, body.position[2] + half)
    # Where the arm cannot go any higher it crosses as high as it can.
    height = max(here[2], target[2], min(top + hang + _CLEARANCE, _CEILING))
    rise = ((here[0], here[1], height), state.gripper.yaw)
    cross = ((target[0], target[1], height), turn)
    return [rise, cross, (target, turn)] if height > here[2] else [cross, (target, turn)]


@_action("act")
def move_by(
    world: World,
    offset: tuple[float, float, float],
    yaw: float | None = None,
    speed: float = 0.8,
) -> None:
    """Move the gripper in a straight line by (dx, dy, dz) metres from where it is.

    Arguments and errors as for `move_to`.
    """
    dx, dy, dz = _vector(offset, "offset")
    x, y, z = world.robot.gripper(()).position
    target = (x + dx, y + dy, z + dz)
    top_speed = _number(speed, "speed", 0.05, 1.2)
    world.follow(world.robot.plan([(target, _turn(world, yaw))], top_speed))


@_action("act")
def open_gripper(world: World) -> None:
    """Open the fingers fully and wait until they rest."""
    world.grip(opening=True, force=40.0)


@_action("act")
def close_gripper(world: World, force: float = 40.0) -> str:
    """Close the fingers until they meet something; returns the name of what they hold.

    `force` is that of each finger, 5 to 70 newton; they go on pressing with it.

    Raises NothingHeld (width) when nothing is between them; the gripper then stays shut.
    """
    width = world.grip(opening=False, force=_number(force, "force", 5.0, 70.0))
    held = world.observe().gripper.holding
    if held is None or width <= _EMPTY:
        raise NothingHeld(f"the fingers closed to {width:.3f} m and hold nothing", width=width)
    return held


@_action("act")
def wait(world: World, seconds: float) -> None:
    """Hold still for a while, 0 to 10 simulated seconds."""
    for _ in range(round(_number(seconds, "seconds", 0.0, 10.0) * 240)):
        world.tick()


@_action("act")
def say(world: World, text: str) -> None:
    """Leave a note of at most 200 characters in the log; nothing moves."""
    _text(text)
