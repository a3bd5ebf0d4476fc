"""Places: marks on the table. They have no body, so nothing touches them and they never move."""

from __future__ import annotations

import numpy as np

from env.kinds import Kind, Shape, register_kind

_EDGE = 0.06


def draw_place(rng: np.random.Generator) -> Shape:
    """A square mark of 6 cm; all places are alike, so the generator is left untouched."""
    return Shape(size=(_EDGE, _EDGE, 0.0), parts=(), mass=0.0)


PLACE = register_kind(Kind("place", (), draw_place, "A mark on the table, without a body."))
