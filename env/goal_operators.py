"""Quantifiers over the objects of a kind, and temporal forms.

Temporal forms have no truth at one instant; they are judged over a trace by `env.goal_trace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from env.errors import GoalError
from env.goal_forms import IT, Atom, Binding, Form
from env.kinds import is_a
from env.state import State

_NOTHING_THERE = -1.0
"""Margin for each object that a quantifier lacks: no motion can mend that."""


def _candidates(kind: str, body: Form, state: State, binding: Binding) -> list[dict[str, str]]:
    """The bindings of `it`, by sorted object name.

    Bindings are injective, those of `it` too: an object that the body already names by a
    parameter is no candidate ("every block near top" is about the *other* blocks).
    """
    named = {
        binding.get(term)
        for form in body.walk()
        if isinstance(form, Atom)
        for term in form.arguments
    }
    return [
        {**binding, IT: name}
        for name in sorted(state.bodies)
        if name not in named and is_a(state.bodies[name].kind, kind)
    ]


@dataclass(frozen=True, slots=True)
class Count(Form):
    """At least so many objects of a kind satisfy a form over `it`.

    Attributes:
        kind: Over which objects `it` ranges.
        body: Instantaneous form over `it`.
        at_least: The number, >= 1.
    """

    kind: str
    body: Form
    at_least: int

    def each(self, state: State, binding: Binding) -> list[dict[str, str]]:
        """The bindings of `it`."""
        return _candidates(self.kind, self.body, state, binding)

    def number(self, state: State, binding: Binding) -> int:
        """How many objects satisfy the body."""
        return sum(self.body.holds(state, case) for case in self.each(state, binding))

    def _holds(self, state: State, binding: Binding) -> bool:
        return self.number(state, binding) >= self.at_least

    def _margin(self, state: State, binding: Binding) -> float:
        margins = sorted(
            (self.body.margin(state, c) for c in self.each(state, binding)), reverse=True
        )
        if len(margins) < self.at_least:
            return _NOTHING_THERE * (self.at_least - len(margins))
        return margins[self.at_least - 1]

    def _approach(self, state: State, binding: Binding) -> float:
        ways = sorted(
            0.0 if self.body.holds(state, case) else self.body.approach(state, case)
            for case in self.each(state, binding)
        )
        return sum(ways[: self.at_least])

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        body = self.body.write(names, full=full, tidy=tidy)
        return f'count("{self.kind}", {body}) >= {self.at_least}'

    def _parts(self) -> tuple[Form, ...]:
        return (self.body,)


@dataclass(frozen=True, slots=True)
class Every(Form):
    """All objects of a kind satisfy a form over `it`; false when there is none.

    Attributes:
        kind: Over which objects `it` ranges.
        body: Instantaneous form over `it`.
    """

    kind: str
    body: Form

    def each(self, state: State, binding: Binding) -> list[dict[str, str]]:
        """The bindings of `it`."""
        return _candidates(self.kind, self.body, state, binding)

    def _holds(self, state: State, binding: Binding) -> bool:
        cases = self.each(state, binding)
        return bool(cases) and all(self.body.holds(state, case) for case in cases)

    def _margin(self, state: State, binding: Binding) -> float:
        margins = [self.body.margin(state, case) for case in self.each(state, binding)]
        return min(margins, default=_NOTHING_THERE)

    def _approach(self, state: State, binding: Binding) -> float:
        return sum(self.body.approach(state, case) for case in self.each(state, binding))

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        return f'every("{self.kind}", {self.body.write(names, full=full, tidy=tidy)})'

    def _parts(self) -> tuple[Form, ...]:
        return (self.body,)


class Temporal(Form):
    """A form over the whole trace; has no truth at one instant."""

    __slots__ = ()

    @property
    def temporal(self) -> bool:
        """True: it needs a trace."""
        return True

    def _holds(self, state: State, binding: Binding) -> bool:
        raise GoalError(f"{self.text} needs a whole trace; it has no truth at one instant")

    def _margin(self, state: State, binding: Binding) -> float:
        raise GoalError(f"{self.text} needs a whole trace; it has no margin at one instant")

    def _approach(self, state: State, binding: Binding) -> float:
        return sum(part.approach(state, binding) for part in self.parts())


@dataclass(frozen=True, slots=True)
class Eventually(Temporal):
    """True at some sample of the trace."""

    inner: Form

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        return f"eventually({self.inner.write(names, full=full, tidy=tidy)})"

    def _parts(self) -> tuple[Form, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class Always(Temporal):
    """True at every sample of the trace, the first one included."""

    inner: Form

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        return f"always({self.inner.write(names, full=full, tidy=tidy)})"

    def _parts(self) -> tuple[Form, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class HeldFor(Temporal):
    """True at all samples of some stretch of the trace that is `seconds` long."""

    inner: Form
    seconds: float

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        return f"held_for({self.inner.write(names, full=full, tidy=tidy)}, {self.seconds!r})"

    def _parts(self) -> tuple[Form, ...]:
        return (self.inner,)


@dataclass(frozen=True, slots=True)
class Then(Temporal):
    """Each stage is true at some sample, strictly later than the stage before it.

    Attributes:
        stages: Two or more instantaneous forms; ``then(f, then(g, h))`` has three.
    """

    stages: tuple[Form, ...]

    def _write(self, names: Mapping[str, str], full: bool, tidy: bool) -> str:
        *first, text = [stage.write(names, full=full, tidy=tidy) for stage in self.stages]
        for stage in reversed(first):
            text = f"then({stage}, {text})"
        return text

    def _parts(self) -> tuple[Form, ...]:
        return self.stages
