"""The forms a goal is made of, and its two recursions: truth (boolean) and margin (signed).

Both are computed from one instant. Quantifiers and temporal forms stand in `env.goal_operators`.
All forms are immutable, hashable and picklable; they name
predicates and kinds, so a process that evaluates them must have declared the same ones.

Margins combine as in signal temporal logic (Donze and Maler, "Robust satisfaction of temporal
logic over real-valued signals", FORMATS 2010): `and` is min, `or` is max, `not` is minus, over
dimensionless atom margins. True implies a margin >= 0, false a margin <= 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from env.errors import GoalError
from env.predicates.base import Condition, Predicate, get_predicate
from env.predicates.geometry import distance, point_of
from env.state import GRIPPER, State

Binding = Mapping[str, str]
"""Object name for each parameter (and for `it` inside a quantifier)."""

IT = "it"


class Form(ABC):
    """A piece of a goal."""

    __slots__ = ()

    @property
    def temporal(self) -> bool:
        """Whether it needs a trace."""
        return any(part.temporal for part in self.parts())

    def holds(self, state: State, binding: Binding) -> bool:
        """Whether it is true at this instant.

        Raises:
            GoalError: If it is temporal, or names something that the state does not have.
        """
        return self._holds(state, binding)

    def margin(self, state: State, binding: Binding) -> float:
        """Dimensionless signed margin at this instant; raises as `holds`."""
        return self._margin(state, binding)

    def approach(self, state: State, binding: Binding) -> float:
        """Metres still between the bodies that must meet for unmet atoms to become true."""
        return self._approach(state, binding)

    def write(self, names: Mapping[str, str], *, full: bool = False, tidy: bool = False) -> str:
        """The form as text that parses back to it.

        Args:
            names: What to call each term; others keep their name.
            full: Write default thresholds too.
            tidy: Sort what may be sorted, by its text.
        """
        return self._write(names, full, tidy)

    def parts(self) -> tuple[Form, ...]:
        """The forms directly inside."""
        return self._parts()

    @property
    def text(self) -> str:
        """The form as a goal expression."""
        return self.write({})

    def walk(self) -> Iterator[Form]:
        """This form and all inside it, outermost first."""
        yield self
        for part in self.parts():
            yield from part.walk()

    def __str__(self) -> str:
        """The form as a goal expression."""
        return self.text

    @abstractmethod
    def _holds(self, state: State, binding: Binding) -> bool: ...

    @abstractmethod
    def _margin(self, state: State, binding: Binding) -> float: ...

    @abstractmethod
    def _approach(self, state: State, binding: Binding) -> float: ...

    @abstractmethod
    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str: ...

    @abstractmethod
    def _parts(self) -> tuple[Form, ...]: ...


@dataclass(frozen=True, slots=True)
class Atom(Form):
    """A predicate over terms.

    Attributes:
        predicate: Its name.
        arguments: Terms: parameters, "gripper" or "it".
        thresholds: All thresholds in the declared order.
    """

    predicate: str
    arguments: tuple[str, ...]
    thresholds: tuple[float, ...]

    @property
    def declared(self) -> Predicate:
        """The predicate's declaration.

        Raises:
            GoalError: If this process has not declared it.
        """
        return get_predicate(self.predicate)

    def conditions(self, state: State, binding: Binding) -> tuple[Condition, ...]:
        """What must be so, measured; raises as `holds`."""
        names = tuple([binding.get(term, term) for term in self.arguments])
        try:
            return get_predicate(self.predicate).conditions(state, names, self.thresholds)
        except KeyError as error:
            raise GoalError(
                f"cannot measure {self.text}: the state has no {error.args[0]!r}; "
                f"bound are {dict(binding)}, objects are {sorted(state.bodies)}"
            ) from None

    def _holds(self, state: State, binding: Binding) -> bool:
        return all([condition.value > 0.0 for condition in self.conditions(state, binding)])

    def _margin(self, state: State, binding: Binding) -> float:
        return min([c.value / c.scale for c in self.conditions(state, binding)])

    def worst(self, state: State, binding: Binding) -> Condition:
        """The condition with the smallest margin; raises as `holds`."""
        return min(self.conditions(state, binding), key=lambda condition: condition.margin)

    def _approach(self, state: State, binding: Binding) -> float:
        if self.holds(state, binding):
            return 0.0
        declared = self.declared
        names = {GRIPPER: GRIPPER}
        for (argument, _), term in zip(declared.arguments, self.arguments, strict=True):
            names[argument] = binding.get(term, term)
        return sum(
            distance(point_of(state, names[one]), point_of(state, names[other]))
            for one, other in declared.meets
        )

    def sentence(self, condition: Condition, binding: Binding) -> str:
        """What `condition` says is missing; things go by parameter name where they have one."""
        declared = self.declared
        names = {name: term for term, name in binding.items() if term != IT}
        labels = {}
        for (argument, _), term in zip(declared.arguments, self.arguments, strict=True):
            shown = binding.get(IT, IT) if term == IT else term
            labels[argument] = "the gripper" if term == GRIPPER else names.get(shown, shown)
        numbers = {
            threshold.name: number
            for threshold, number in zip(declared.thresholds, self.thresholds, strict=True)
        }
        return condition.sentence(labels, numbers, names)

    def observe(self, expressions: Mapping[str, str]) -> str | None:
        """A Python expression over the robot API that checks the atom roughly.

        Args:
            expressions: Python expression for the name of each term.

        Returns:
            The expression, or None if a skill cannot observe it.
        """
        declared = self.declared
        if declared.observe is None:
            return None
        values = {
            argument: expressions.get(term, term)
            for (argument, _), term in zip(declared.arguments, self.arguments, strict=True)
        }
        for threshold, number in zip(declared.thresholds, self.thresholds, strict=True):
            values[threshold.name] = repr(number)
        text = declared.observe.format(**values)
        return text.replace(f"position({GRIPPER})", "gripper_position()")

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        declared = self.declared
        terms = [names.get(term, term) for term in self.arguments]
        if tidy and declared.symmetric:
            terms[:2] = sorted(terms[:2])
        for threshold, number in zip(declared.thresholds, self.thresholds, strict=True):
            if full or number != threshold.default:
                terms.append(f"{threshold.name}={number!r}")
        return f"{self.predicate}({', '.join(terms)})"

    def _parts(self) -> tuple[Form, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Not(Form):
    """Negation; after `env.goal_canonical.normalise` it stands on atoms and quantifiers only."""

    inner: Form

    def _holds(self, state: State, binding: Binding) -> bool:
        return not self.inner.holds(state, binding)

    def _margin(self, state: State, binding: Binding) -> float:
        return -self.inner.margin(state, binding)

    def _approach(self, state: State, binding: Binding) -> float:
        return 0.0

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        inner = self.inner.write(names, full=full, tidy=tidy)
        return f"not ({inner})" if isinstance(self.inner, And | Or) else f"not {inner}"

    def _parts(self) -> tuple[Form, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class And(Form):
    """Conjunction."""

    members: tuple[Form, ...]

    def _holds(self, state: State, binding: Binding) -> bool:
        return all(member.holds(state, binding) for member in self.members)

    def _margin(self, state: State, binding: Binding) -> float:
        return min(member.margin(state, binding) for member in self.members)

    def _approach(self, state: State, binding: Binding) -> float:
        return sum(member.approach(state, binding) for member in self.members)

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        return _join_texts(" and ", self.members, names, full, tidy)

    def _parts(self) -> tuple[Form, ...]:
        return self.members


@dataclass(frozen=True, slots=True)
class Or(Form):
    """Disjunction."""

    members: tuple[Form, ...]

    def _holds(self, state: State, binding: Binding) -> bool:
        return any(member.holds(state, binding) for member in self.members)

    def _margin(self, state: State, binding: Binding) -> float:
        return max(member.margin(state, binding) for member in self.members)

    def _approach(self, state: State, binding: Binding) -> float:
        return min(member.approach(state, binding) for member in self.members)

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        return _join_texts(" or ", self.members, names, full, tidy)

    def _parts(self) -> tuple[Form, ...]:
        return self.members


def _join_texts(
    word: str, members: tuple[Form, ...], names: Mapping[str, str], full: bool, tidy: bool
) -> str:
    texts = []
    for member in members:
        text = member.write(names, full=full, tidy=tidy)
        texts.append(f"({text})" if isinstance(member, And | Or) else text)
    return word.join(sorted(texts) if tidy else texts)
