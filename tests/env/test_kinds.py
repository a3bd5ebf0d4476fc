"""The lattice of kinds, and what each concrete kind draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

import env.bodies  # noqa: F401  (registers the kinds)
from env import kinds
from env.errors import KindError
from env.kinds import (
    Kind,
    Part,
    Shape,
    all_kinds,
    concrete_kinds,
    get_kind,
    is_a,
    register_kind,
    related,
)
from env.predicates.geometry import rotation
from env.state import Quat

CONCRETE = ["block", "ball", "bowl", "tray", "place"]


def draws(kind: str, number: int = 200) -> list[Shape]:
    draw = get_kind(kind).draw
    assert draw is not None
    rng = np.random.default_rng(7)
    return [draw(rng) for _ in range(number)]


def test_the_lattice() -> None:
    assert {kind.name for kind in all_kinds() if kind.concrete} >= set(CONCRETE)
    assert {k.name for k in concrete_kinds("graspable")} >= {"block", "ball"}
    assert {k.name for k in concrete_kinds("container")} >= {"bowl", "tray"}
    assert "place" not in {k.name for k in concrete_kinds("object")}
    assert is_a("block", "object") and not is_a("object", "block") and not is_a("place", "object")
    assert related("graspable", "block") and related("object", "container")
    assert not related("block", "container")
    assert [get_kind(k).concrete for k in ("object", "graspable", "container")] == [False] * 3


def test_unknown_and_taken_kinds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))
    with pytest.raises(KindError, match="did you mean 'block'"):
        get_kind("blok")
    with pytest.raises(KindError, match="already registered"):
        register_kind(Kind("block", (), None, "Another."))
    with pytest.raises(KindError, match="unknown kind"):
        register_kind(Kind("thing", ("nothing",), None, "Has no parent."))
    stick = register_kind(
        Kind("stick", ("graspable",), lambda rng: Shape((0.2, 0.02, 0.02), (), 0.05), "A stick.")
    )
    assert register_kind(stick) is stick
    assert is_a("stick", "object")


@pytest.mark.parametrize("kind", CONCRETE)
def test_draws_depend_on_the_seed_alone(kind: str) -> None:
    assert draws(kind) == draws(kind)
    if kind != "place":
        assert len(set(draws(kind))) > 100


@pytest.mark.parametrize("kind", CONCRETE)
def test_parts_fill_the_bounding_box_exactly(kind: str) -> None:
    for shape in draws(kind, 20):
        assert all(isinstance(value, float) for value in shape.size)
        if kind == "place":
            assert shape.parts == ()
            continue
        low, high = [math.inf] * 3, [-math.inf] * 3
        for part in shape.parts:
            half = part_extent(part)
            for axis in range(3):
                low[axis] = min(low[axis], part.position[axis] - half[axis])
                high[axis] = max(high[axis], part.position[axis] + half[axis])
        assert high == pytest.approx([0.5 * edge for edge in shape.size], abs=1e-9)
        assert low == pytest.approx([-0.5 * edge for edge in shape.size], abs=1e-9)


def part_extent(part: Part) -> list[float]:
    """Half extents of a part along the axes of its body."""
    if part.shape in ("sphere", "cylinder"):
        assert part.orientation == (0.0, 0.0, 0.0, 1.0)
        return [0.5 * edge for edge in part.extents]
    rows = rotation(part.orientation)
    return [0.5 * sum(abs(row[i]) * part.extents[i] for i in range(3)) for row in rows]


def test_blocks_fit_the_gripper_and_come_in_four_sorts() -> None:
    shapes = draws("block", 400)
    for shape in shapes:
        assert min(shape.size[:2]) <= 0.06
        assert all(0.025 <= edge <= 0.08 for edge in shape.size)
        assert 0.03 <= shape.mass <= 0.15
    assert sum(len(set(shape.size)) == 1 for shape in shapes) > 50
    assert sum(shape.size[2] > 0.06 for shape in shapes) > 50
    assert sum(shape.size[2] < 0.03 for shape in shapes) > 50


def test_balls() -> None:
    for shape in draws("ball"):
        assert 0.04 <= shape.size[0] <= 0.06 and len(set(shape.size)) == 1
        assert shape.parts[0].shape == "sphere"
        assert shape.rolling_friction > 0.0


@pytest.mark.parametrize("kind", ["bowl", "tray"])
def test_the_cavity_of_a_container_is_empty_and_closed(kind: str) -> None:
    """A vertical ray hits only the floor inside the cavity, and walls stand all around it."""
    interior = get_kind(kind).interior
    assert interior is not None
    for shape in draws(kind, 10):
        assert shape.mass == 0.4
        width, depth, height = shape.size
        floor_top = -0.5 * height + interior[2] * height
        room = 0.02  # Half a small block: its centre reaches the cavity's edge at the most.
        for fx in (-1.0, 0.0, 1.0):
            for fy in (-1.0, 0.0, 1.0):
                x = fx * (0.5 * interior[0] * width - room)
                y = fy * (0.5 * interior[1] * depth - room)
                if kind == "bowl" and math.hypot(x, y) > 0.5 * width - 0.008:
                    continue
                heights = [z for z in (part_top(part, x, y) for part in shape.parts) if z]
                assert heights
                assert heights == pytest.approx([floor_top] * len(heights))
        for degrees in range(0, 360, 3):
            c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            along = [0.001 * step for step in range(140)]
            tops = [part_top(part, r * c, r * s) for r in along for part in shape.parts]
            assert any(z == pytest.approx(0.5 * height) for z in tops if z is not None)


def part_top(part: Part, x: float, y: float) -> float | None:
    """Height at which a vertical line leaves a part that stands upright, or None."""
    dx, dy = x - part.position[0], y - part.position[1]
    if part.shape == "cylinder":
        return (
            part.position[2] + 0.5 * part.extents[2]
            if math.hypot(dx, dy) <= 0.5 * part.extents[0]
            else None
        )
    back: Quat = (
        -part.orientation[0],
        -part.orientation[1],
        -part.orientation[2],
        part.orientation[3],
    )
    rows = rotation(back)
    lx, ly = (row[0] * dx + row[1] * dy for row in rows[:2])
    if abs(lx) > 0.5 * part.extents[0] or abs(ly) > 0.5 * part.extents[1]:
        return None
    return part.position[2] + 0.5 * part.extents[2]
