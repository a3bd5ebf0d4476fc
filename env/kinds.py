"""Object kinds: a small lattice, and how to draw one object of each.

A kind is declared once (see `env/bodies/`) and registered here; tasks, goals, scenes and the
search know kinds only through this registry, so a new kind is one new declaration.

    block, ball < graspable < object;   bowl, tray < container < object;   place (no body)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from env.errors import KindError
from env.state import Quat, Vec3

_IDENTITY: Quat = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One convex piece of a body, in the body's own frame (origin: centre of the bounding box).

    Attributes:
        shape: "box" (extents: full edge lengths), "sphere" (extents[0]: diameter) or "cylinder"
            (extents[0]: diameter, extents[2]: height along z).
        extents: (3,) metres.
        position: (3,) centre of the part, metres.
        orientation: (4,) quaternion (x, y, z, w).
    """

    shape: str
    extents: Vec3
    position: Vec3 = (0.0, 0.0, 0.0)
    orientation: Quat = _IDENTITY


@dataclass(frozen=True, slots=True)
class BodySpec:
    """One drawn object: all that the simulator needs to build it, but for its pose.

    Attributes:
        kind: Kind name.
        size: (3,) full edge lengths of the bounding box, metres.
        parts: Convex pieces; empty for a kind without a body (a place).
        mass: Kilograms.
        friction: Lateral friction coefficient.
        rolling_friction: Rolling friction coefficient, metres.
        colour: Colour word, see `env.scene.COLOURS`.
    """

    kind: str
    size: Vec3
    parts: tuple[Part, ...]
    mass: float
    friction: float
    rolling_friction: float
    colour: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind draws; the scene adds mass spread, friction and colour.

    Attributes:
        size: (3,) full edge lengths of the bounding box, metres.
        parts: Convex pieces.
        mass: Nominal mass in kilograms (the scene varies it by 50 % either way).
        rolling_friction: Rolling friction coefficient, metres.
    """

    size: Vec3
    parts: tuple[Part, ...]
    mass: float
    rolling_friction: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        name: Lower-case word, used in goals and tasks.
        parents: Names of the kinds it is a case of.
        draw: Draws a shape from a seeded generator; None for an abstract kind, which is drawn
            as one of its concrete descendants.
        doc: One sentence for prompts and docs.
        interior: For a container, the cavity as fractions of `size`: (x, y, floor) where x and
            y scale the bounding box and floor is the thickness of the bottom over the height.
    """

    name: str
    parents: tuple[str, ...]
    draw: Callable[[np.random.Generator], Shape] | None
    doc: str
    interior: Vec3 | None = None

    @property
    def concrete(self) -> bool:
        """Whether objects of exactly this kind exist."""
        return self.draw is not None


_KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> Kind:
    """Add a kind to the lattice.

    Args:
        kind: The new kind; its parents must be registered already.

    Returns:
        The kind, so that the call can stand in an assignment.

    Raises:
        KindError: If the name is taken by another kind or a parent is unknown.
    """
    if kind.name in _KINDS and _KINDS[kind.name] != kind:
        raise KindError(f"the kind {kind.name!r} is already registered; choose another name")
    for parent in kind.parents:
        get_kind(parent)
    _KINDS[kind.name] = kind
    return kind


def get_kind(name: str) -> Kind:
    """Look a kind up.

    Raises:
        KindError: With the nearest known name.
    """
    try:
        return _KINDS[name]
    except KeyError:
        near = difflib.get_close_matches(name, _KINDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(sorted(_KINDS))}"
        raise KindError(f"unknown kind {name!r}; {hint}") from None


def all_kinds() -> Iterator[Kind]:
    """All registered kinds in order of registration."""
    return iter(tuple(_KINDS.values()))


def is_a(name: str, ancestor: str) -> bool:
    """Whether kind `name` is `ancestor` or lies below it in the lattice.

    Raises:
        KindError: If either is unknown.
    """
    get_kind(ancestor)
    return name == ancestor or any(is_a(parent, ancestor) for parent in get_kind(name).parents)


def concrete_kinds(name: str) -> tuple[Kind, ...]:
    """The concrete kinds at or below `name`, in order of registration.

    Raises:
        KindError: If the kind is unknown.
    """
    return tuple(k for k in all_kinds() if k.concrete and is_a(k.name, name))


def related(first: str, second: str) -> bool:
    """Whether some concrete kind is both, so that one object could bind either.

    Raises:
        KindError: If either is unknown.
    """
    return any(is_a(kind.name, second) for kind in concrete_kinds(first))
