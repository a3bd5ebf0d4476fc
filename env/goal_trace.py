"""Judging a form over a trace that is sampled at 60 Hz of simulated time.

What holds no temporal operator must be true at every sample of the settle window; temporal forms
are judged over the whole trace, the window included. Where instantaneous members of an `or`
stand beside temporal ones, they count as one: at each sample of the window one of them is true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from env.errors import GoalError
from env.goal_forms import And, Binding, Form, Not, Or
from env.goal_operators import Always, Eventually, HeldFor, Then
from env.state import State

SAMPLE_RATE = 60
"""Samples per simulated second."""
_TOO_SHORT = -1.0
"""Margin when the trace has no sample on which something could have become true."""


def samples_for(seconds: float) -> int:
    """How many consecutive samples span at least `seconds`."""
    return max(1, math.ceil(seconds * SAMPLE_RATE - 1e-6)) + 1


def trace_holds(form: Form, trace: Sequence[State], settle: int, binding: Binding) -> bool:
    """Truth of a normalised form over a trace.

    Args:
        form: Normalised by `env.goal_canonical.normalise`.
        trace: All samples of the episode.
        settle: Index of the first sample of the settle window.
        binding: Object names by parameter.

    Raises:
        GoalError: If the settle window is empty.
    """
    _check(trace, settle)
    if not form.temporal:
        return all(form.holds(state, binding) for state in trace[settle:])
    if isinstance(form, Not):
        return not trace_holds(form.inner, trace, settle, binding)
    if isinstance(form, And):
        return all(trace_holds(member, trace, settle, binding) for member in form.members)
    if isinstance(form, Or):
        return any(trace_holds(member, trace, settle, binding) for member in _grouped(form))
    if isinstance(form, Eventually):
        return any(form.inner.holds(state, binding) for state in trace)
    if isinstance(form, Always):
        return all(form.inner.holds(state, binding) for state in trace)
    if isinstance(form, HeldFor):
        needed, run = samples_for(form.seconds), 0
        for state in trace:
            run = run + 1 if form.inner.holds(state, binding) else 0
            if run == needed:
                return True
        return False
    if isinstance(form, Then):
        stage = 0
        for state in trace:
            # Taking each stage at its first chance leaves the most samples for the rest.
            if form.stages[stage].holds(state, binding):
                stage += 1
                if stage == len(form.stages):
                    return True
        return False
    raise GoalError(f"cannot judge {form.text} over a trace")


def trace_margin(form: Form, trace: Sequence[State], settle: int, binding: Binding) -> float:
    """Signed margin of a normalised form over a trace; arguments and errors as `trace_holds`."""
    _check(trace, settle)
    if not form.temporal:
        return min(form.margin(state, binding) for state in trace[settle:])
    if isinstance(form, Not):
        return -trace_margin(form.inner, trace, settle, binding)
    if isinstance(form, And):
        return min(trace_margin(member, trace, settle, binding) for member in form.members)
    if isinstance(form, Or):
        return max(trace_margin(member, trace, settle, binding) for member in _grouped(form))
    if isinstance(form, Eventually):
        return max(form.inner.margin(state, binding) for state in trace)
    if isinstance(form, Always):
        return min(form.inner.margin(state, binding) for state in trace)
    if isinstance(form, HeldFor):
        margins = [form.inner.margin(state, binding) for state in trace]
        return _best_stretch(margins, samples_for(form.seconds))
    if isinstance(form, Then):
        return _best_sequence([[f.margin(s, binding) for s in trace] for f in form.stages])
    raise GoalError(f"cannot judge {form.text} over a trace")


def _check(trace: Sequence[State], settle: int) -> None:
    if not 0 <= settle < len(trace):
        raise GoalError(f"the settle window is empty: it begins at sample {settle} of {len(trace)}")


def _grouped(form: Or) -> tuple[Form, ...]:
    """The members of a mixed `or`, the instantaneous ones joined into one."""
    instant = tuple(member for member in form.members if not member.temporal)
    temporal = tuple(member for member in form.members if member.temporal)
    return (*temporal, Or(instant)) if instant else temporal


def _best_stretch(margins: list[float], needed: int) -> float:
    """Largest over all stretches of `needed` samples of the smallest margin in it."""
    if len(margins) < needed:
        return _TOO_SHORT
    best = -math.inf
    window: list[int] = []  # Indices of increasing margins: the first is the window's minimum.
    first = 0
    for index, margin in enumerate(margins):
        while len(window) > first and margins[window[-1]] >= margin:
            window.pop()
        window.append(index)
        if window[first] <= index - needed:
            first += 1
        if index >= needed - 1:
            best = max(best, margins[window[first]])
    return best


def _best_sequence(stages: list[list[float]]) -> float:
    """Largest over all strictly increasing sample choices of the smallest stage margin."""
    length = len(stages[0])
    if length < len(stages):
        return _TOO_SHORT
    later = [math.inf] * (length + 1)
    for margins in reversed(stages):
        # later[i]: best value of the remaining stages over samples i, i + 1, ...
        best = [-math.inf] * (length + 1)
        for index in range(length - 1, -1, -1):
            best[index] = max(best[index + 1], min(margins[index], later[index + 1]))
        later = best
    return later[0]
