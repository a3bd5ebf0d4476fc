"""Blocks: cubes, boxes, flat and tall ones, all of them narrow enough for the gripper."""

from __future__ import annotations

import numpy as np

from env.bodies.lattice import GRASPABLE
from env.kinds import Kind, Part, Shape, register_kind

DENSITY = 500.0
"""Kilograms per cubic metre: soft wood."""
LIGHTEST, HEAVIEST = 0.03, 0.15
"""Nominal masses in kilograms; lighter things jitter, heavier ones strain the grip."""
_TALLEST = 0.07
"""A hand comes down 4.5 cm deep; around the middle of a taller block its palm tips the block."""
_SORTS = ("cube", "box", "flat", "tall")


def draw_block(rng: np.random.Generator) -> Shape:
    """Draw a block; each sort is equally likely, and one level edge is at most 6 cm."""
    sort = _SORTS[int(rng.integers(len(_SORTS)))]

    def edge(low: float, high: float) -> float:
        return round(float(rng.uniform(low, high)), 4)

    if sort == "cube":
        side = edge(0.03, 0.06)
        size = (side, side, side)
    elif sort == "box":
        size = (edge(0.03, 0.06), edge(0.03, 0.06), edge(0.03, 0.06))
    elif sort == "flat":
        size = (edge(0.045, 0.06), edge(0.045, 0.06), edge(0.025, 0.03))
    else:
        size = (edge(0.035, 0.045), edge(0.035, 0.045), edge(0.06, _TALLEST))
    mass = min(max(DENSITY * size[0] * size[1] * size[2], LIGHTEST), HEAVIEST)
    return Shape(size=size, parts=(Part("box", size),), mass=round(mass, 4))


BLOCK = register_kind(
    Kind("block", (GRASPABLE.name,), draw_block, "A box with edges of 2.5 to 7 cm.")
)
