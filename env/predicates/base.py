"""How a predicate is declared: one `@predicate(...)` gives verdict, margin, sentence and heuristic.

A predicate measures a `State` and returns conditions. It is true when every condition's raw value
is positive; its margin is the smallest value over scale, so both always agree in sign. The
same conditions hold the sentence that says what is missing.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import keyword
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from env.errors import GoalError
from env.state import GRIPPER, State

RESERVED_NAMES = frozenset(
    {"gripper", "it", "count", "every", "some", "eventually", "always", "held_for", "then"}
)
"""Names with a meaning of their own in a goal: neither predicates nor parameters."""

Fact = float | str | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that a goal may set on a predicate.

    Attributes:
        name: Keyword in a goal, for example ``h``.
        default: Value when the goal gives none.
        unit: SI unit of the number.
        harder: "up" if a larger number is harder to meet, "down" if a smaller one is. The truth
            must be monotone in it: implication between goals rests on this.
        most: Largest value that makes sense (values must be above 0).
    """

    name: str
    default: float
    unit: str
    harder: Literal["up", "down"]
    most: float = math.inf

    def implies(self, mine: float, wanted: float) -> bool:
        """Whether meeting the number `mine` guarantees meeting `wanted`."""
        return mine >= wanted if self.harder == "up" else mine <= wanted


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must be so for a predicate to be true.

    Attributes:
        value: Signed raw value in `unit`; the condition is met when it is above 0.
        scale: Divides `value` to make it dimensionless, above 0. A measure may choose it by the
            state, so that secondary conditions (see `env.predicates.contact.secondary`) do not
            drown the distances that lead the search.
        unit: Unit of `value`; empty for a bare yes or no.
        missing: Template of the sentence for when it is not met. Argument names, thresholds
            and `facts` stand in braces: ``"{a} is {gap:mm} above {b}"``. Formats: mm, deg, N,
            speed, turn, side (a horizontal offset (x, y) as "31 mm left of"), or Python's own.
        facts: What else the sentence tells; object names are shown as parameter names.
    """

    value: float
    scale: float
    unit: str
    missing: str
    facts: Mapping[str, Fact] | None = None

    @property
    def margin(self) -> float:
        """Dimensionless signed margin."""
        return self.value / self.scale

    def sentence(
        self, labels: Mapping[str, str], numbers: Mapping[str, float], names: Mapping[str, str]
    ) -> str:
        """What is missing, in words.

        Args:
            labels: What to call each argument, by argument name.
            numbers: The thresholds by name.
            names: What to call an object that a fact mentions, by object name.
        """
        shown: dict[str, object] = {key: _Quantity(number) for key, number in numbers.items()}
        for key, fact in (self.facts or {}).items():
            if isinstance(fact, str):
                shown[key] = names.get(fact, fact)
            else:
                shown[key] = _Offset(fact) if isinstance(fact, tuple) else _Quantity(fact)
        return self.missing.format(**{**shown, **labels})


class _Quantity(float):
    """A float that knows how to be read out."""

    def __format__(self, spec: str) -> str:
        if spec == "mm":
            return f"{1000.0 * self:.{1 if abs(self) < 0.01 else 0}f} mm"
        if spec == "deg":
            return f"{math.degrees(self):.0f} degrees"
        if spec == "N":
            return f"{float(self):.2f} N"
        if spec == "speed":
            return f"{1000.0 * self:.0f} mm/s"
        if spec == "turn":
            return f"{float(self):.2f} rad/s"
        return format(float(self), spec or "g")


class _Offset:
    """A horizontal offset as seen from the robot: x points away from it, y to its left."""

    def __init__(self, offset: tuple[float, float]) -> None:
        self._x, self._y = offset

    def __format__(self, spec: str) -> str:
        if abs(self._y) >= abs(self._x):
            return f"{_Quantity(abs(self._y)):mm} {'left' if self._y > 0 else 'right'} of"
        return f"{_Quantity(abs(self._x)):mm} {'behind' if self._x > 0 else 'in front of'}"


Measure = Callable[..., tuple[Condition, ...]]


@dataclass(frozen=True, slots=True)
class Predicate:
    """The one declaration of a predicate.

    Attributes:
        name: Its name in goals.
        arguments: (name, kinds) of each argument; kinds are joined by ``|`` and may contain
            ``gripper``: ``("x", "gripper|object")``.
        thresholds: The numbers a goal may set.
        measure: Called with the state, the object names (or "gripper") and the thresholds.
        meets: Pairs of argument names (or "gripper") that must meet for it to become true.
        needs: What the state must carry beside bodies and contacts: "distances" or nothing.
        doc: One or two sentences for prompts and docs.
        observe: Python expression over the robot API (`math` may be imported) by which a skill
            can check it roughly, with arguments and thresholds in braces; None if it cannot.
            ``position({x})`` becomes ``gripper_position()`` where x is the gripper.
        symmetric: Whether its first two arguments may be swapped.
        verb: What making it true is called, as a skill's name: "put_on".
        module: Where it is declared, so that worker processes can import it.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    thresholds: tuple[Threshold, ...]
    measure: Measure
    meets: tuple[tuple[str, str], ...]
    needs: frozenset[str]
    doc: str
    observe: str | None
    symmetric: bool
    verb: str
    module: str

    @property
    def defaults(self) -> tuple[float, ...]:
        """Default thresholds in order."""
        return tuple(threshold.default for threshold in self.thresholds)

    @property
    def signature(self) -> str:
        """How it is written, for example ``lifted(x: graspable, h=0.05)``."""
        parts = [f"{name}: {kinds}" for name, kinds in self.arguments]
        parts += [f"{threshold.name}={threshold.default:g}" for threshold in self.thresholds]
        return f"{self.name}({', '.join(parts)})"

    def conditions(
        self, state: State, arguments: tuple[str, ...], thresholds: tuple[float, ...]
    ) -> tuple[Condition, ...]:
        """Measure a state; see `measure`."""
        return self.measure(state, *arguments, *thresholds)


_PREDICATES: dict[str, Predicate] = {}


def register_predicate(declared: Predicate) -> Predicate:
    """Add a predicate to the goal language.

    Args:
        declared: The predicate; usually made by the `predicate` decorator.

    Returns:
        The same predicate.

    Raises:
        GoalError: If the name is taken or not usable, or the declaration contradicts itself.
    """
    name = declared.name
    _check_declaration(declared)
    known = _PREDICATES.get(name)
    if known is not None and _origin(known) != _origin(declared):
        raise GoalError(
            f"the predicate {name!r} is already declared in {known.module}; choose another name"
        )
    _PREDICATES[name] = declared
    return declared


def _origin(declared: Predicate) -> tuple[str, str]:
    return declared.module, getattr(declared.measure, "__qualname__", "")


def _check_declaration(declared: Predicate) -> None:
    name = declared.name
    words = [n for n, _ in declared.arguments] + [t.name for t in declared.thresholds]
    for word in [name, *words]:
        if not word.isidentifier() or keyword.iskeyword(word) or word in RESERVED_NAMES:
            raise GoalError(f"{word!r} in predicate {name!r} cannot be used as a name in a goal")
    if len(set(words)) != len(words):
        raise GoalError(f"predicate {name!r} uses one name twice: {', '.join(words)}")
    known = {n for n, _ in declared.arguments} | {GRIPPER}
    for pair in declared.meets:
        if not set(pair) <= known:
            raise GoalError(f"predicate {name!r}: meets {pair} names no argument or 'gripper'")
    if declared.symmetric and len({kinds for _, kinds in declared.arguments[:2]}) != 1:
        raise GoalError(f"predicate {name!r}: symmetric arguments must have the same kinds")
    for threshold in declared.thresholds:
        if not 0.0 < threshold.default <= threshold.most:
            raise GoalError(
                f"predicate {name!r}: default {threshold.name}={threshold.default:g} must be above "
                f"0 and at most {threshold.most:g}"
            )


def predicate(
    *arguments: tuple[str, str],
    thresholds: tuple[Threshold, ...] = (),
    meets: tuple[tuple[str, str], ...] = (),
    needs: frozenset[str] = frozenset(),
    observe: str | None = None,
    symmetric: bool = False,
    name: str | None = None,
    verb: str | None = None,
) -> Callable[[Measure], Measure]:
    """Declare a predicate: the decorated function measures it, its docstring describes it.

    Args:
        *arguments: (name, kinds) pairs, see `Predicate.arguments`.
        thresholds: See `Predicate`.
        meets: See `Predicate`.
        needs: See `Predicate`.
        observe: See `Predicate`.
        symmetric: See `Predicate`.
        name: Name in goals; the function's own name if None.
        verb: See `Predicate`; "make_" and the name if None.

    Returns:
        A decorator that registers the predicate and returns the function unchanged.

    Raises:
        GoalError: When decorating, as `register_predicate`.
    """

    def declare(measure: Measure) -> Measure:
        doc = inspect.getdoc(measure) or ""
        register_predicate(
            Predicate(
                name=name or measure.__name__,
                arguments=arguments,
                thresholds=thresholds,
                measure=measure,
                meets=meets,
                needs=needs,
                doc=" ".join(doc.split("\n\n")[0].split()),
                observe=observe,
                symmetric=symmetric,
                verb=verb or f"make_{name or measure.__name__}",
                module=declared_in(measure),
            )
        )
        return measure

    return declare


def declared_in(function: Callable[..., object]) -> str:
    """Name of the module in which a function was written (looks through `functools.partial`)."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__module__", None) or type(function).__module__)


def get_predicate(name: str) -> Predicate:
    """Look a predicate up.

    Raises:
        GoalError: With the nearest known name.
    """
    try:
        return _PREDICATES[name]
    except KeyError:
        near = difflib.get_close_matches(name, _PREDICATES, n=1)
        known = ", ".join(sorted(_PREDICATES))
        hint = f"did you mean {near[0]!r}?" if near else f"known predicates: {known}"
        raise GoalError(f"unknown predicate {name!r}; {hint}") from None


def all_predicates() -> Iterator[Predicate]:
    """All registered predicates, sorted by name (so that module load order never matters)."""
    return iter(sorted(_PREDICATES.values(), key=lambda declared: declared.name))
