"""Trays: a rectangular floor with a low rim."""

from __future__ import annotations

import numpy as np

from env.bodies.lattice import CONTAINER
from env.kinds import Kind, Part, Shape, register_kind

_RIM = 0.025
_FLOOR = 0.005
_MASS = 0.4
"""Heavy enough not to be dragged along by what is put in."""
_WALL_SHARE = 0.03
"""Thickness of a wall over the edge it stands across (about 5 mm)."""


def draw_tray(rng: np.random.Generator) -> Shape:
    """Draw a tray of about 20 x 16 cm with a rim of 2.5 cm."""
    length = round(float(rng.uniform(0.19, 0.21)), 4)
    width = round(float(rng.uniform(0.15, 0.17)), 4)
    thick_x, thick_y = _WALL_SHARE * length, _WALL_SHARE * width
    x, y = 0.5 * (length - thick_x), 0.5 * (width - thick_y)
    parts = (
        Part("box", (length, width, _FLOOR), (0.0, 0.0, 0.5 * (_FLOOR - _RIM))),
        Part("box", (thick_x, width, _RIM), (x, 0.0, 0.0)),
        Part("box", (thick_x, width, _RIM), (-x, 0.0, 0.0)),
        Part("box", (length, thick_y, _RIM), (0.0, y, 0.0)),
        Part("box", (length, thick_y, _RIM), (0.0, -y, 0.0)),
    )
    return Shape((length, width, _RIM), parts, _MASS)


TRAY = register_kind(
    Kind(
        "tray",
        (CONTAINER.name,),
        draw_tray,
        "A flat container, about 20 x 16 cm with a rim of 2.5 cm.",
        interior=(1.0 - 2.0 * _WALL_SHARE, 1.0 - 2.0 * _WALL_SHARE, _FLOOR / _RIM),
    )
)
