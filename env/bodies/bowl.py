"""Bowls: eight walls around a floor."""

from __future__ import annotations

import math

import numpy as np

from env.bodies.lattice import CONTAINER
from env.kinds import Kind, Part, Shape, register_kind
from env.state import Vec3

_HEIGHT = 0.05
_WALL = 0.006
_FLOOR = 0.008
_MASS = 0.4
"""Heavy enough not to be dragged along by what is put in."""
_CAVITY = 0.80
"""Level share of the bounding box in which the centre of something inside can lie: a square
that reaches a little past the walls at its corners, where nothing fits on their outer side."""
_SIDES = 8


def draw_bowl(rng: np.random.Generator) -> Shape:
    """Draw an octagonal bowl, 16 to 18 cm wide and 5 cm high."""
    width = round(float(rng.uniform(0.16, 0.18)), 4)
    radius = 0.5 * width
    # Walls as long as the octagon's outer sides: they overlap inside and leave no gap.
    length = _side(radius)
    walls = [
        _turned((_WALL, length, _HEIGHT), radius - 0.5 * _WALL, 0.0, side) for side in range(_SIDES)
    ]
    return Shape((width, width, _HEIGHT), (*_floor(radius - _WALL), *walls), _MASS)


def _side(radius: float) -> float:
    """Length of an octagon's side, given the distance of its sides from the centre."""
    return 2.0 * radius * math.tan(math.pi / _SIDES)


def _turned(extents: Vec3, reach: float, z: float, side: int) -> Part:
    """A box at `reach` from the centre, its x axis turned towards one of the sides."""
    angle = 2.0 * math.pi * side / _SIDES
    return Part(
        "box",
        extents,
        (reach * math.cos(angle), reach * math.sin(angle), z),
        (0.0, 0.0, math.sin(0.5 * angle), math.cos(0.5 * angle)),
    )


def _floor(radius: float) -> list[Part]:
    """An octagonal floor: a bar across, two pieces beside it, and the four slanting corners.

    Not a cylinder: blocks never come to rest on the flat end of one (PyBullet 3.2.7: 3 of 40
    still turned at 0.2 to 0.3 rad/s after 5 s, on boxes none).
    """
    length, z = _side(radius), 0.5 * (_FLOOR - _HEIGHT)
    beside = radius - 0.5 * length
    bar = Part("box", (2.0 * radius, length, _FLOOR), (0.0, 0.0, z))
    pieces = [
        Part("box", (length, beside, _FLOOR), (0.0, sign * 0.5 * (length + beside), z))
        for sign in (1.0, -1.0)
    ]
    deep = 0.5 * length
    corners = [
        _turned((deep, length, _FLOOR), radius - 0.5 * deep, z, side) for side in (1, 3, 5, 7)
    ]
    return [bar, *pieces, *corners]


BOWL = register_kind(
    Kind(
        "bowl",
        (CONTAINER.name,),
        draw_bowl,
        "A round container, about 17 cm wide and 5 cm high.",
        interior=(_CAVITY, _CAVITY, _FLOOR / _HEIGHT),
    )
)
