"""Time: the settle window, temporal operators, and what is said about a trace."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from env.errors import GoalError
from env.goal_trace import samples_for
from env.goals import SAMPLE_RATE, Goal
from env.state import State
from tests.env.states import BINDING, PARAMETERS, body, goals, stacked, states, world

ONE = {"x": "block"}
BOUND = {"x": "thing"}


def trace_of(speeds: str) -> list[State]:
    """One state a character: "." the thing is still, "1" to "9" it moves with so many cm/s."""
    return [
        world(
            body(
                "thing",
                "block",
                (0.5, 0.0, 0.02),
                velocity=(0.0 if speed == "." else 0.01 * int(speed), 0.0, 0.0),
            ),
            time=index / SAMPLE_RATE,
        )
        for index, speed in enumerate(speeds)
    ]


@pytest.mark.parametrize(
    ("text", "speeds", "settle", "expected"),
    [
        ("still(x)", "99....", 2, True),
        ("still(x)", "99..9.", 2, False),
        ("not still(x)", "..9999", 2, True),
        ("not still(x)", "..99.9", 2, False),
        ("still(x) or not still(x, 0.05)", "..9.9", 1, True),
        ("still(x) or not still(x, 0.05)", "..3.9", 1, False),
        ("eventually(still(x))", "9.9999", 5, True),
        ("eventually(still(x))", "99999.", 5, True),
        ("eventually(still(x))", "999999", 5, False),
        ("always(still(x))", "......", 5, True),
        ("always(still(x))", "9.....", 5, False),
        ("held_for(still(x), 0.05)", "9....9", 5, True),
        ("held_for(still(x), 0.05)", "9...9.", 5, False),
        ("held_for(still(x), 0.05)", "...", 2, False),
        ("not held_for(still(x), 0.05)", "9...9.", 5, True),
        ("then(still(x), not still(x))", ".9", 1, True),
        ("then(still(x), not still(x))", "99..", 1, False),
        ("then(still(x), still(x))", "9.", 1, False),
        ("then(still(x), then(not still(x), still(x)))", "9.99.", 1, True),
        ("then(still(x), then(not still(x), still(x)))", "99..9", 1, False),
        ("eventually(not still(x)) and still(x)", ".9..", 2, True),
        ("eventually(not still(x)) and still(x)", "....", 2, False),
        ("eventually(not still(x, 0.05)) or still(x)", ".3..", 1, False),
        ("not (eventually(not still(x)) or still(x))", "....", 2, False),
    ],
)
def test_operators(text: str, speeds: str, settle: int, expected: bool) -> None:
    verdict = Goal.parse(text, ONE).judge(trace_of(speeds), settle, BOUND)
    assert verdict.holds is expected
    assert (verdict.margin > 0.0) is expected
    assert all(part.holds for part in verdict.parts) is expected


def test_a_mixed_or_counts_its_instantaneous_members_as_one() -> None:
    """Each instant of the window has one of them, though neither lasts throughout."""
    goal = Goal.parse("eventually(not still(x, 0.5)) or still(x) or not still(x, 0.03)", ONE)
    assert goal.judge(trace_of("9.9.9."), 1, BOUND).holds


def test_samples_span_the_time() -> None:
    assert samples_for(1.0) == 61
    assert samples_for(1 / 60) == 2
    assert samples_for(0.001) == 2
    assert samples_for(0.05) == 4


def test_an_empty_window_is_refused() -> None:
    for settle in (3, 4, -1):
        with pytest.raises(GoalError, match="settle window is empty"):
            Goal.parse("still(x)", ONE).judge(trace_of("..."), settle, BOUND)


@given(st.lists(states(), min_size=1, max_size=6), goals, st.data())
@settings(max_examples=60)
def test_truth_and_margin_agree_over_traces(
    trace: list[State], text: str, data: st.DataObject
) -> None:
    settle = data.draw(st.integers(0, len(trace) - 1))
    verdict = Goal.parse(text, PARAMETERS).judge(trace, settle, BINDING)
    assert verdict.margin >= 0.0 if verdict.holds else verdict.margin <= 0.0
    lines = Goal.parse(text, PARAMETERS).explain_trace(trace, settle, BINDING)
    assert all(bool(line.missing) != line.holds for line in lines)
    if not verdict.holds:
        assert any(line.missing for line in lines)


@given(st.text(".123456789", min_size=1, max_size=9))
@settings(max_examples=60)
def test_margins_by_definition(speeds: str) -> None:
    """`held_for` and `then` against their definitions, written as plain loops."""
    trace = trace_of(speeds)
    still, slow = (Goal.parse(text, ONE) for text in ("still(x)", "still(x, 0.05)"))
    a = [still.margin(state, BOUND) for state in trace]
    b = [-slow.margin(state, BOUND) for state in trace]
    n = len(trace)
    stretches = [min(a[i : i + 3]) for i in range(n - 2)]
    pairs = [min(a[i], b[j]) for i, j in itertools.combinations(range(n), 2)]
    triples = [min(a[i], b[j], a[k]) for i, j, k in itertools.combinations(range(n), 3)]
    for text, options in [
        ("held_for(still(x), 0.03)", stretches),
        ("then(still(x), not still(x, 0.05))", pairs),
        ("then(still(x), then(not still(x, 0.05), still(x)))", triples),
    ]:
        verdict = Goal.parse(text, ONE).judge(trace, n - 1, BOUND)
        assert verdict.margin == max(options, default=-1.0)


def test_what_a_trace_lacked_is_said() -> None:
    goal = Goal.parse("still(x) and held_for(not still(x, 0.05), 0.1) and eventually(held(x))", ONE)
    lines = goal.explain_trace(trace_of("..88.1."), 4, BOUND)
    assert [line.holds for line in lines] == [False, False, False]
    assert lines[0].missing == "x moves at 10 mm/s"
    assert "not still(x, speed=0.05) was true at 0.03 s" in lines[1].missing
    assert "came nearest (the gripper does not hold x" in lines[2].missing
    assert goal.explain_trace(trace_of("..88...."), 4, BOUND)[0].holds


def test_a_stack_that_stands_for_the_whole_window_is_judged_true() -> None:
    goal = Goal.parse("on(top, bottom) and clear()", {"top": "block", "bottom": "block"})
    binding = {"top": "upper", "bottom": "lower"}
    trace = [stacked(dz=0.05)] * 5 + [stacked()] * 61
    assert goal.judge(trace, 5, binding).holds
    assert not goal.judge(trace, 4, binding).holds
