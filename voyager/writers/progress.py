"""How far a state is from a goal, as numbers that a search can order by.

Heuristics only: the verdict is `env.goals.Goal.judge`. Read off the goal's own form, so a new
predicate needs nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from env.goal_forms import And, Form, Not, Or
from env.goal_operators import Count, Every, Temporal, Then
from env.goal_trace import trace_holds
from env.goals import Binding, Goal
from env.state import State

_FAR: Final = 3.0
"""A margin further below zero than this many scales counts as this many."""
_APPROACH: Final = 0.1
"""Metres of approach that weigh as much as one scale of margin."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one scene is.

    Attributes:
        unmet: Number of atoms (instances of quantified ones) that are not true yet.
        distance: Dimensionless; 0 when nothing is left.
    """

    unmet: int
    distance: float


def progress(goal: Goal, trace: Sequence[State], binding: Binding) -> Progress:
    """Measure a scene.

    Args:
        goal: The goal.
        trace: States so far; the last one is now. For a goal without time the last is enough.
        binding: Object name by parameter.

    Returns:
        Its progress at the end of the trace.
    """
    unmet, distance = 0, 0.0
    for part in goal.conjuncts:
        count, way = _left(part, trace, binding)
        unmet += count
        distance += way
    return Progress(unmet, distance)


def _left(form: Form, trace: Sequence[State], binding: Binding) -> tuple[int, float]:
    now = trace[-1]
    if form.temporal and trace_holds(form, trace, len(trace) - 1, binding):
        return 0, 0.0
    if isinstance(form, And):
        parts = [_left(member, trace, binding) for member in form.members]
        return sum(p[0] for p in parts), sum(p[1] for p in parts)
    if isinstance(form, Or):
        return min(_left(member, trace, binding) for member in form.members)
    if isinstance(form, Then):
        return _left_of_then(form, trace, binding)
    if isinstance(form, Temporal):
        # Not true over the trace yet: one more than what its inside lacks now.
        count, way = _left(form.parts()[0], trace, binding)
        return count + 1, way
    if isinstance(form, Not) and form.inner.temporal:
        return 1, 1.0
    if isinstance(form, Every | Count):
        cases = form.each(now, binding)
        ways = sorted(_left(form.body, trace, case) for case in cases)
        if not ways:
            return 1, _FAR
        if isinstance(form, Count):
            ways = ways[: form.at_least]
        return sum(w[0] for w in ways), sum(w[1] for w in ways)
    if form.holds(now, binding):
        return 0, 0.0
    margin = min(max(-form.margin(now, binding), 0.0), _FAR)
    return 1, margin + form.approach(now, binding) / _APPROACH


def _left_of_then(form: Then, trace: Sequence[State], binding: Binding) -> tuple[int, float]:
    """Stages that are still to come, the next one measured."""
    stage = 0
    for state in trace:
        if stage < len(form.stages) and form.stages[stage].holds(state, binding):
            stage += 1
    if stage == len(form.stages):
        return 0, 0.0
    count, way = _left(form.stages[stage], trace, binding)
    return count + len(form.stages) - stage - 1, way
