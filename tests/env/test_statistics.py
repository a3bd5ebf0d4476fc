"""The admission rule against the numbers of the specification, and the bounds against tables."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from env.statistics import (
    FIRST_LEVEL,
    LOOKS,
    NULL_RATE,
    admission,
    look_bound,
    upper_tail,
    wilson_lower,
)


@pytest.mark.parametrize(
    ("ordinal", "n", "needed"), [(0, 20, 19), (1, 40, 35), (2, 40, 36), (3, 40, 36), (4, 40, 37)]
)
def test_admission_asks_for_the_specified_numbers(ordinal: int, n: int, needed: int) -> None:
    rule = admission(ordinal)
    assert (rule.n, rule.needed) == (n, needed)
    assert rule.level == 0.025 / 2**ordinal


@pytest.mark.parametrize("ordinal", [0, 1, 5, 15, 16, 40])
def test_needed_is_the_fewest_that_rejects(ordinal: int) -> None:
    rule = admission(ordinal)
    level = FIRST_LEVEL / 2**ordinal
    assert upper_tail(rule.n, rule.needed, NULL_RATE) <= level
    assert upper_tail(rule.n, rule.needed - 1, NULL_RATE) > level


def test_many_tries_stay_possible_and_below_five_percent_in_all() -> None:
    rules = [admission(ordinal) for ordinal in range(60)]
    assert all(rule.needed <= rule.n for rule in rules)
    spent = sum(upper_tail(rule.n, rule.needed, NULL_RATE) for rule in rules)
    assert spent < Fraction(5, 100)


def test_stop_rule_fires_with_the_first_failure_too_many() -> None:
    rule = admission(0)
    assert [rule.cannot_pass(failures) for failures in (0, 1, 2)] == [False, False, True]
    assert rule.passes(19)
    assert not rule.passes(18)


def test_negative_ordinal_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        admission(-1)


def test_tail_is_exact() -> None:
    assert upper_tail(2, 1, Fraction(1, 2)) == Fraction(3, 4)
    assert upper_tail(20, 0, NULL_RATE) == 1
    assert upper_tail(20, 21, NULL_RATE) == 0


@pytest.mark.parametrize(
    ("k", "n", "lower"), [(20, 20, 0.8388), (19, 20, 0.7638), (100, 100, 0.9630), (0, 10, 0.0)]
)
def test_wilson_agrees_with_published_values(k: int, n: int, lower: float) -> None:
    assert wilson_lower(k, n) == pytest.approx(lower, abs=2e-4)


@given(st.integers(1, 200), st.data())
def test_wilson_is_monotone_and_below_the_rate(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n - 1))
    assert 0.0 <= wilson_lower(k, n) <= wilson_lower(k + 1, n)
    assert wilson_lower(k, n) <= k / n


def test_looks_share_the_error() -> None:
    for look in LOOKS:
        assert look_bound(look, look) < wilson_lower(look, look)
    with pytest.raises(ValueError, match="21"):
        look_bound(20, 21)


def test_nothing_seen_promises_nothing() -> None:
    assert wilson_lower(0, 0) == 0.0
