"""Goals: what a task asks for, as an expression that physics can check.

    Goal.parse("on(top, bottom) and clear()", {"top": "block", "bottom": "block"})

Terms are the task's parameters, ``gripper``, and ``it`` inside ``count(kind, ...)``,
``every(kind, ...)`` and ``some(kind, ...)``. Predicates are joined by ``and``, ``or``, ``not``;
``eventually``, ``always``, ``held_for(f, seconds)`` and ``then(f, g)`` speak about the whole
episode. ``every`` over no object is false. See `env.predicates` for the predicates,
`env.goal_trace` for time, `env.goal_canonical` for equality and implication.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import env.bodies
import env.predicates  # noqa: F401  (declares the kinds and predicates that goals name)
from env.errors import GoalError, KindError
from env.goal_canonical import canonical, conjuncts, form_implies, normalise
from env.goal_forms import Atom, Binding, Form
from env.goal_report import AtomReport, report, trace_report
from env.goal_syntax import check_fit, check_parameters, parse
from env.goal_trace import SAMPLE_RATE, trace_holds, trace_margin
from env.kinds import is_a
from env.predicates.base import all_predicates, get_predicate
from env.state import GRIPPER, State

GOAL_LANGUAGE_VERSION = 1
"""Raised when the meaning of a goal changes; part of every task hash."""

__all__ = [
    "GOAL_LANGUAGE_VERSION",
    "SAMPLE_RATE",
    "Atom",
    "AtomReport",
    "Binding",
    "Goal",
    "PartVerdict",
    "Verdict",
    "ground",
]


@dataclass(frozen=True, slots=True)
class PartVerdict:
    """The verdict on one top-level conjunct.

    Attributes:
        text: The conjunct.
        holds: Its truth over the trace.
        margin: Its signed margin over the trace.
    """

    text: str
    holds: bool
    margin: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an episode's trace says about a goal.

    Attributes:
        holds: Whether the goal was met. Nothing else decides success.
        margin: Dimensionless signed margin; guides and explains, never decides.
        parts: The same for each top-level conjunct.
    """

    holds: bool
    margin: float
    parts: tuple[PartVerdict, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """A parsed goal: immutable, hashable, picklable.

    Attributes:
        text: The expression as it was given.
        parameters: (name, kind) pairs in the order given.
        form: The expression in normal form.
        canonical: Text that two goals share if and only if they are the same goal, whatever
            their parameters are called.
        renaming: (parameter, canonical name) pairs.
        needs: What states must carry: "distances" or nothing.
        temporal: Whether it needs a whole trace.
    """

    text: str
    parameters: tuple[tuple[str, str], ...]
    form: Form
    canonical: str
    renaming: tuple[tuple[str, str], ...]
    needs: frozenset[str]
    temporal: bool

    @classmethod
    def parse(cls, text: str, parameters: Mapping[str, str]) -> Goal:
        """Read a goal.

        Args:
            text: The expression.
            parameters: Kind by parameter name.

        Raises:
            GoalError: With the column and the nearest valid name.
            KindError: If a parameter's kind is unknown.
        """
        check_parameters(parameters)
        form = normalise(parse(text, parameters))
        shown, renaming = canonical(form, parameters)
        needs: frozenset[str] = frozenset()
        for piece in form.walk():
            if isinstance(piece, Atom):
                needs |= piece.declared.needs
        return cls(
            text=" ".join(text.split()),
            parameters=tuple(parameters.items()),
            form=form,
            canonical=shown,
            renaming=tuple(renaming.items()),
            needs=needs,
            temporal=form.temporal,
        )

    @property
    def conjuncts(self) -> tuple[Form, ...]:
        """The top-level conjuncts of the normal form."""
        return conjuncts(self.form)

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """The distinct atoms over parameters and gripper, in order, negated or not.

        Atoms over ``it`` are not among them: they have no truth value of their own.
        """
        found = dict.fromkeys(
            piece
            for piece in self.form.walk()
            if isinstance(piece, Atom) and "it" not in piece.arguments
        )
        return tuple(found)

    def holds(self, state: State, binding: Binding) -> bool:
        """Whether the goal is true at this instant.

        Args:
            state: The world; must carry what `needs` lists.
            binding: Object name by parameter.

        Raises:
            GoalError: If the goal is temporal or something is not bound.
        """
        return self.form.holds(state, binding)

    def margin(self, state: State, binding: Binding) -> float:
        """Dimensionless signed margin at this instant; see `holds`."""
        return self.form.margin(state, binding)

    def approach(self, state: State, binding: Binding) -> float:
        """Metres still between bodies that must meet for the unmet atoms; see `holds`."""
        return self.form.approach(state, binding)

    def judge(self, trace: Sequence[State], settle: int, binding: Binding) -> Verdict:
        """Judge an episode.

        Args:
            trace: States sampled at 60 Hz of simulated time, the settle window included.
            settle: Index of the first state of the settle window.
            binding: Object name by parameter.

        Raises:
            GoalError: If the settle window is empty or something is not bound.
        """
        parts = tuple(
            PartVerdict(
                part.text,
                trace_holds(part, trace, settle, binding),
                trace_margin(part, trace, settle, binding),
            )
            for part in self.conjuncts
        )
        return Verdict(all(part.holds for part in parts), min(part.margin for part in parts), parts)

    def explain(self, state: State, binding: Binding) -> tuple[AtomReport, ...]:
        """Each atom and quantifier at this instant, with what is missing; see `holds`.

        Works for temporal goals too: the atoms inside are reported as they are now.
        """
        return report(self.form, state, binding)

    def explain_trace(
        self, trace: Sequence[State], settle: int, binding: Binding
    ) -> tuple[AtomReport, ...]:
        """What an episode lacked: atoms at their worst settled instant, temporal parts as a whole.

        Arguments and errors as `judge`.
        """
        return trace_report(self.form, trace, settle, binding)

    def implies(self, other: Goal, renaming: Mapping[str, str]) -> bool:
        """Whether meeting this goal guarantees meeting another: sound, incomplete.

        Conjunct subset after renaming, thresholds by their declared direction, temporal parts
        by equality, otherwise False. Kinds of parameters are not looked at: whether a binding
        is one that this goal's task covers is for the caller to check.

        Args:
            other: The goal that is wanted.
            renaming: My parameter for each parameter of `other`.

        Raises:
            GoalError: If the renaming leaves a parameter out or names one that I do not have.
        """
        mine, wanted = {name for name, _ in self.parameters}, [name for name, _ in other.parameters]
        for name in wanted:
            if renaming.get(name) not in mine:
                raise GoalError(
                    f"parameter {name!r} is renamed to {renaming.get(name)!r}, "
                    f"but this goal has {', '.join(sorted(mine)) or 'none'}"
                )
        if len({renaming[name] for name in wanted}) < len(wanted):
            return False
        return form_implies(self.form, other.form, {name: renaming[name] for name in wanted})

    def check_binding(self, state: State, binding: Binding) -> None:
        """Check once, before an episode, that the goal can be judged under a binding.

        Raises:
            KindError: If an object is missing, of the wrong kind, or bound twice.
        """
        for name, kind in self.parameters:
            bound = binding.get(name)
            body = state.bodies.get(bound) if bound is not None else None
            if body is None:
                raise KindError(f"parameter {name!r} is bound to {bound!r}, which is not there")
            if not is_a(body.kind, kind):
                raise KindError(f"parameter {name!r} must be a {kind}, {bound!r} is a {body.kind}")
        names = [binding[name] for name, _ in self.parameters]
        if len(set(names)) < len(names):
            raise KindError(f"two parameters are bound to one object: {dict(binding)}")

    def __str__(self) -> str:
        """The expression as it was given."""
        return self.text


def ground(
    parameters: Mapping[str, str], predicates: Iterable[str] | None = None
) -> tuple[Atom, ...]:
    """All atoms with default thresholds over gripper and parameters.

    Kinds are respected, no atom relates a thing to itself, and of a symmetric pair one stands
    for both. The order depends on the names of predicates and the order of parameters only.

    Args:
        parameters: Kind by parameter name.
        predicates: Names of the predicates to use; all of them if None.

    Raises:
        GoalError: If a predicate is unknown or the parameters cannot be used.
        KindError: If a kind is unknown.
    """
    check_parameters(parameters)
    kinds = {GRIPPER: GRIPPER, **parameters}
    chosen = all_predicates() if predicates is None else map(get_predicate, sorted(set(predicates)))
    atoms: dict[Atom, None] = {}
    for declared in chosen:
        options = [
            [term for term, kind in kinds.items() if check_fit(kind, wanted)]
            for _, wanted in declared.arguments
        ]
        for terms in itertools.product(*options):
            if len(set(terms)) == len(terms):
                atom = normalise(Atom(declared.name, terms, declared.defaults))
                if isinstance(atom, Atom):
                    atoms[atom] = None
    return tuple(atoms)
