"""Predicates on how things move and have moved."""

from __future__ import annotations

import math

from env.predicates.base import Condition, Threshold, predicate
from env.predicates.contact import LENGTH_SCALE
from env.predicates.geometry import distance
from env.state import State, Vec3


def _length(v: Vec3) -> float:
    return math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


@predicate(
    ("x", "object"),
    thresholds=(
        Threshold("speed", 0.01, "m/s", "down"),
        Threshold("turning", 0.1, "rad/s", "down"),
    ),
    verb="keep_still",
)
def still(state: State, x: str, speed: float, turning: float) -> tuple[Condition, ...]:
    """The object x moves slower than `speed` and turns slower than `turning`."""
    body = state.bodies[x]
    v, w = _length(body.velocity), _length(body.angular_velocity)
    return (
        Condition(speed - v, 0.1, "m/s", "{x} moves at {v:speed}", {"v": v}),
        Condition(turning - w, 1.0, "rad/s", "{x} turns at {w:turn}", {"w": w}),
    )


@predicate(
    ("x", "object"),
    thresholds=(Threshold("by", 0.05, "m", "up"),),
    meets=(("gripper", "x"),),
    verb="move",
)
def moved(state: State, x: str, by: float) -> tuple[Condition, ...]:
    """The centre of x is more than `by` from where it was when the episode began."""
    way = distance(state.start[x], state.bodies[x].position)
    missing = "{x} is {way:mm} from where it began, not yet {by:mm}"
    return (Condition(way - by, LENGTH_SCALE, "m", missing, {"way": way}),)
