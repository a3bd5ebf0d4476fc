"""Balls."""

from __future__ import annotations

import math

import numpy as np

from env.bodies.block import DENSITY, HEAVIEST, LIGHTEST
from env.bodies.lattice import GRASPABLE
from env.kinds import Kind, Part, Shape, register_kind

_ROLLING_FRICTION = 0.002
"""Metres; without it a ball on a level table never comes to rest."""


def draw_ball(rng: np.random.Generator) -> Shape:
    """Draw a ball of 4 to 6 cm diameter."""
    diameter = round(float(rng.uniform(0.04, 0.06)), 4)
    size = (diameter, diameter, diameter)
    mass = min(max(DENSITY * math.pi / 6.0 * diameter * diameter * diameter, LIGHTEST), HEAVIEST)
    return Shape(size, (Part("sphere", size),), round(mass, 4), _ROLLING_FRICTION)


BALL = register_kind(Kind("ball", (GRASPABLE.name,), draw_ball, "A sphere of 4 to 6 cm diameter."))
