"""What a search may try: calls of the robot API with arguments made from the task.

A step is symbolic: it is evaluated in each practice scene (`Step.perform`) and written as
readable Python (`Step.lines`) from the same data, so what was found is what is written.

The grammar knows no predicate and no kind. A place to go is an object's centre plus an offset
that is linear in object sizes: at it, above it, where another object would rest on it, or beside
it. Relative moves take their lengths from a short list and from the numbers in the goal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

Binding = Mapping[str, str]

HOVER: Final = 0.10
"""Metres above an object's top at which the gripper waits; more than the 5 cm of clear()."""
TOUCH: Final = 0.005
"""Metres of air left under an object when it is set down."""
BESIDE: Final = (0.04, 0.10)
"""Metres of air between an object and what is set down beside it."""
STEPS: Final = (0.05, 0.12, 0.20)
"""Lengths of relative moves, metres."""
_SIDES: Final = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))


class Hands(Protocol):
    """What a step is carried out with in one scene."""

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the robot API.

        Raises:
            ActionError: As the API does.
        """

    def skill(self, program_hash: str, arguments: Mapping[str, str]) -> None:
        """Run a library skill.

        Raises:
            ActionError: If it did not return normally or broke its contract.
        """


@dataclass(frozen=True, slots=True)
class Length:
    """A length that is linear in object sizes: constant + sum of weight * size(object)[axis].

    Attributes:
        constant: Metres.
        terms: (weight, parameter, axis) triples.
    """

    constant: float = 0.0
    terms: tuple[tuple[float, str, int], ...] = ()

    def value(self, hands: Hands, binding: Binding) -> float:
        """Metres in a scene."""
        total = self.constant
        for weight, parameter, axis in self.terms:
            total += weight * float(hands.call("size", binding[parameter])[axis])
        return total

    def code(self, base: str) -> str:
        """A Python expression for ``base`` plus this length."""
        text = base
        for weight, parameter, axis in self.terms:
            size = f"size({parameter})[{axis}]"
            factor = size if abs(weight) == 1.0 else f"size({parameter})[{axis}] * {abs(weight):g}"
            if abs(weight) == 0.5:
                factor = f"{size} / 2"
            text += f" {'-' if weight < 0 else '+'} {factor}"
        if self.constant:
            text += f" {'-' if self.constant < 0 else '+'} {abs(self.constant):g}"
        return text

    @property
    def zero(self) -> bool:
        """Whether it is nothing at all."""
        return not self.terms and self.constant == 0.0


class Step(Protocol):
    """One step of a plan."""

    def perform(self, hands: Hands, binding: Binding) -> None:
        """Carry it out in a scene.

        Raises:
            ActionError: As the robot API does.
        """

    def lines(self) -> list[str]:
        """Python that does the same, one line each, not indented."""

    @property
    def calls(self) -> frozenset[str]:
        """Names of the robot API that the lines use."""


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Move the gripper to an object's centre plus an offset.

    Attributes:
        anchor: Parameter whose position it is relative to.
        offset: (x, y, z) lengths.
        yaw_of: Parameter whose yaw the hand takes, or None to keep the hand's own.
        via: "straight" or "high".
    """

    anchor: str
    offset: tuple[Length, Length, Length]
    yaw_of: str | None
    via: str

    def perform(self, hands: Hands, binding: Binding) -> None:
        """Carry it out; see `Step.perform`."""
        centre = hands.call("position", binding[self.anchor])
        target = tuple(
            c + o.value(hands, binding) for c, o in zip(centre, self.offset, strict=True)
        )
        yaw = None if self.yaw_of is None else hands.call("yaw", binding[self.yaw_of])
        hands.call("move_to", target, yaw=yaw, via=self.via)

    def lines(self) -> list[str]:
        """One or two lines; see `Step.lines`."""
        yaw = "" if self.yaw_of is None else f", yaw=yaw({self.yaw_of})"
        via = "" if self.via == "straight" else f', via="{self.via}"'
        if all(o.zero for o in self.offset):
            return [f"move_to(position({self.anchor}){yaw}{via})"]
        target = ", ".join(o.code(c) for c, o in zip("xyz", self.offset, strict=True))
        return [f"x, y, z = position({self.anchor})", f"move_to(({target}){yaw}{via})"]

    @property
    def calls(self) -> frozenset[str]:
        """Names it uses; see `Step.calls`."""
        sized = any(o.terms for o in self.offset)
        names = {"move_to", "position"} | ({"size"} if sized else set())
        return frozenset(names | ({"yaw"} if self.yaw_of else set()))


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the robot API with constant arguments.

    Attributes:
        name: "open_gripper", "close_gripper", "move_by" or "wait".
        arguments: Constants.
    """

    name: str
    arguments: tuple[Any, ...] = ()

    def perform(self, hands: Hands, binding: Binding) -> None:
        """Carry it out; see `Step.perform`."""
        hands.call(self.name, *self.arguments)

    def lines(self) -> list[str]:
        """One line; see `Step.lines`."""
        return [f"{self.name}({', '.join(repr(a) for a in self.arguments)})"]

    @property
    def calls(self) -> frozenset[str]:
        """Its own name; see `Step.calls`."""
        return frozenset({self.name})


@dataclass(frozen=True, slots=True)
class UseSkill:
    """A call of a library skill.

    Attributes:
        name: Its name.
        program_hash: Which version.
        arguments: (its parameter, ours) pairs in the order of its signature.
    """

    name: str
    program_hash: str
    arguments: tuple[tuple[str, str], ...]

    def perform(self, hands: Hands, binding: Binding) -> None:
        """Carry it out; see `Step.perform`."""
        hands.skill(self.program_hash, {own: binding[ours] for own, ours in self.arguments})

    def lines(self) -> list[str]:
        """One line; see `Step.lines`."""
        return [f"{self.name}({', '.join(ours for _, ours in self.arguments)})"]

    @property
    def calls(self) -> frozenset[str]:
        """It uses the robot API through the skill only; see `Step.calls`."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class ForEach:
    """A call of a library skill for every object of a kind, other than the bound ones.

    Attributes:
        kind: Which objects.
        skill: The call; the loop variable stands in it as `LOOP`.
    """

    kind: str
    skill: UseSkill

    def perform(self, hands: Hands, binding: Binding) -> None:
        """Carry it out; see `Step.perform`."""
        bound = {binding[ours] for _, ours in self.skill.arguments if ours != LOOP}
        for name in hands.call("objects", self.kind):
            if name not in bound:
                self.skill.perform(hands, {**binding, LOOP: name})

    def lines(self) -> list[str]:
        """A loop; see `Step.lines`."""
        others = [ours for _, ours in self.skill.arguments if ours != LOOP]
        head = f'for {LOOP} in objects("{self.kind}"):'
        call = self.skill.lines()[0]
        if not others:
            return [head, f"    {call}"]
        return [head, f"    if {LOOP} not in ({', '.join(others)},):", f"        {call}"]

    @property
    def calls(self) -> frozenset[str]:
        """The loop asks for objects; see `Step.calls`."""
        return frozenset({"objects"})


LOOP: Final = "thing"
"""Name of the loop variable in what is written."""


def primitives(
    parameters: Mapping[str, str],
    numbers: Iterable[float],
    *,
    movable: Callable[[str], bool],
) -> tuple[Step, ...]:
    """All primitive steps for a task, in a fixed order.

    Args:
        parameters: Kind by parameter name.
        numbers: Metric thresholds in the goal, metres; relative moves reach past them.
        movable: Whether objects of a kind can be set down somewhere (are graspable).

    Returns:
        The steps.
    """
    found: list[Step] = [Call("open_gripper"), Call("close_gripper")]
    for anchor in parameters:
        others = [q for q, kind in parameters.items() if q != anchor and movable(kind)]
        found += _around(anchor, others, graspable=movable(parameters[anchor]))
    lengths = sorted({*STEPS, *(round(1.25 * n + 0.03, 3) for n in numbers if 0.05 <= n <= 0.3)})
    found += [Call("move_by", ((0.0, 0.0, length),)) for length in lengths]
    found.append(Call("move_by", ((0.0, 0.0, -STEPS[0]),)))
    found += [Call("move_by", ((STEPS[1] * dx, STEPS[1] * dy, 0.0),)) for dx, dy in _SIDES]
    found.append(Call("wait", (1.0,)))
    return tuple(found)


def _around(anchor: str, others: Sequence[str], *, graspable: bool) -> list[Step]:
    """Steps to and around one object."""
    nothing = Length()
    found: list[Step] = []
    for yaw_of in (anchor, None) if graspable else (None,):
        for via in ("high", "straight"):
            found.append(MoveTo(anchor, (nothing, nothing, nothing), yaw_of, via))
        above = Length(HOVER, ((0.5, anchor, 2),))
        found.append(MoveTo(anchor, (nothing, nothing, above), yaw_of, "high"))
    for other in others:
        rest = Length(TOUCH, ((0.5, anchor, 2), (0.5, other, 2)))
        for yaw_of in (anchor, None):
            found.append(MoveTo(anchor, (nothing, nothing, rest), yaw_of, "high"))
        level = Length(TOUCH, ((0.5, other, 2), (-0.5, anchor, 2)))
        for air in BESIDE:
            for dx, dy in _SIDES:
                x, y = (_aside(side, anchor, other, air) for side in (dx, dy))
                found.append(MoveTo(anchor, (x, y, level), None, "high"))
    return found


def _aside(side: float, anchor: str, other: str, air: float) -> Length:
    """A sideways length that leaves air between two objects, whatever their yaws (roughly)."""
    if side == 0.0:
        return Length()
    return Length(side * air, ((side * 0.5, anchor, 0), (side * 0.5, other, 0)))
