"""A kind and a predicate of a user's own: a puck, and being held above something."""

from __future__ import annotations

import numpy as np

from env import Condition, Kind, Part, Shape, Threshold, predicate, register_kind
from env.predicates.geometry import bottom, level_distance, top
from env.state import State


def draw_puck(rng: np.random.Generator) -> Shape:
    """Draw a puck: a flat cylinder, 4 to 6 cm across."""
    width, height = float(rng.uniform(0.04, 0.06)), float(rng.uniform(0.025, 0.035))
    size = (width, width, height)
    return Shape(size, (Part("cylinder", size),), mass=0.06, rolling_friction=0.001)


PUCK = register_kind(Kind("puck", ("graspable",), draw_puck, "A flat cylinder, 4 to 6 cm across."))


@predicate(
    ("a", "graspable"),
    ("b", "object"),
    thresholds=(Threshold("gap", 0.03, "m", "up"),),
    meets=(("gripper", "a"), ("a", "b")),
    verb="hold_over",
)
def hovering_over(state: State, a: str, b: str, gap: float) -> tuple[Condition, ...]:
    """The object a is in the air over the middle of b, at least `gap` above its top."""
    upper, lower = state.bodies[a], state.bodies[b]
    aside = level_distance(upper.position, lower.position)
    air = bottom(upper) - top(lower)
    return (
        Condition(0.02 - aside, 0.1, "m", "{a} is {aside:mm} beside {b}", {"aside": aside}),
        Condition(air - gap, 0.1, "m", "{a} is only {air:mm} above {b}", {"air": air}),
    )
