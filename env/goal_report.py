"""Saying how far a goal is from being met, and what is missing, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from env.goal_canonical import conjuncts
from env.goal_forms import IT, Atom, Binding, Form, Not
from env.goal_operators import Count, Every, Temporal
from env.goal_trace import trace_holds, trace_margin
from env.state import State


@dataclass(frozen=True, slots=True)
class AtomReport:
    """One atom or quantifier (negated or not) at one instant, or a temporal part of a trace.

    Attributes:
        text: As it would be written in a goal.
        holds: Its truth.
        value: Signed raw value of its worst condition, in `unit`.
        unit: SI unit; "objects" for a quantifier, empty for a bare yes or no.
        margin: Dimensionless signed margin.
        missing: Sentence that says what is missing; empty when it holds.
        within: The temporal form around it, or empty. What it says is then about one instant.
    """

    text: str
    holds: bool
    value: float
    unit: str
    margin: float
    missing: str
    within: str = ""


def report(form: Form, state: State, binding: Binding, within: str = "") -> tuple[AtomReport, ...]:
    """Report each literal of a normal form at one instant, in the order of the form.

    Args:
        form: In normal form.
        state: The instant.
        binding: Object names by parameter.
        within: Text of the temporal form around it.

    Raises:
        GoalError: If something is not bound.
    """
    negated = isinstance(form, Not)
    plain = form.inner if isinstance(form, Not) else form
    if isinstance(plain, Atom | Count | Every):
        return (_literal(form, plain, negated, state, binding, within),)
    inner = form.text if isinstance(plain, Temporal) else within
    return tuple(line for part in plain.parts() for line in report(part, state, binding, inner))


def _literal(
    form: Form,
    plain: Atom | Count | Every,
    negated: bool,
    state: State,
    binding: Binding,
    within: str,
) -> AtomReport:
    holds, margin = form.holds(state, binding), form.margin(state, binding)
    sign = -1.0 if negated else 1.0
    if isinstance(plain, Atom):
        worst = plain.worst(state, binding)
        value, unit = sign * worst.value, worst.unit
        missing = plain.sentence(worst, binding)
    else:
        value, missing = _quantifier(plain, state, binding)
        value, unit = sign * value, "objects"
    if holds:
        missing = ""
    elif negated:
        missing = f"{plain.text} is true and must not be"
    return AtomReport(form.text, holds, value, unit, margin, missing, within)


def _quantifier(form: Count | Every, state: State, binding: Binding) -> tuple[float, str]:
    """How many objects more (or fewer) than asked for satisfy it, and what to mend first."""
    cases = form.each(state, binding)
    unmet = [case for case in cases if not form.body.holds(state, case)]
    met = len(cases) - len(unmet)
    wanted = form.at_least if isinstance(form, Count) else max(len(cases), 1)
    if len(cases) < wanted:
        missing = f"there are {len(cases)} objects of kind {form.kind}, {wanted} are needed"
        return float(met - wanted), missing
    missing = f"{met} of {len(cases)} objects of kind {form.kind} are so, {wanted} must be"
    nearest = max(unmet, key=lambda case: form.body.margin(state, case), default=None)
    if nearest is not None:
        lines = [line for line in report(form.body, state, nearest) if not line.holds]
        if lines:
            missing += f"; nearest to it is {nearest[IT]}: {lines[0].missing}"
    return float(met - wanted), missing


def trace_report(
    form: Form, trace: Sequence[State], settle: int, binding: Binding
) -> tuple[AtomReport, ...]:
    """Report a whole trace.

    Instantaneous conjuncts are reported at the instant of the settle window at which they were
    worst, temporal ones as a whole, with the instant at which their parts came nearest.

    Args:
        form: In normal form.
        trace: All samples.
        settle: Index of the first sample of the settle window.
        binding: Object names by parameter.

    Raises:
        GoalError: If the window is empty or something is not bound.
    """
    lines: list[AtomReport] = []
    for part in conjuncts(form):
        margin = trace_margin(part, trace, settle, binding)
        if not part.temporal:
            worst = min(trace[settle:], key=lambda state: part.margin(state, binding))
            lines += report(part, worst, binding)
            continue
        holds = trace_holds(part, trace, settle, binding)
        missing = "" if holds else _nearest_instants(part, trace, binding)
        lines.append(AtomReport(part.text, holds, margin, "", margin, missing))
    return tuple(lines)


def _nearest_instants(form: Form, trace: Sequence[State], binding: Binding) -> str:
    """For each instantaneous piece of a temporal form: when it came nearest, and what it lacked."""
    told = []
    for piece in _instantaneous(form):
        best = max(trace, key=lambda state: piece.margin(state, binding))
        unmet = [line.missing for line in report(piece, best, binding) if not line.holds]
        state = "was true" if piece.holds(best, binding) else f"came nearest ({unmet[0]})"
        told.append(f"{piece.text} {state} at {best.time:.2f} s")
    return "; ".join(told) + "; the condition on time was not met"


def _instantaneous(form: Form) -> tuple[Form, ...]:
    if not form.temporal:
        return (form,)
    return tuple(piece for part in form.parts() for piece in _instantaneous(part))


__all__ = ["AtomReport", "report", "trace_report"]
