"""The statistics of certification: exact, in integers, with nothing to tune.

Admission tests the hypothesis "the success rate is at most 0.70" by the exact binomial test. The
j-th certification of a task has the level 0.025 / 2^j; these sum to 0.05 over any number of
tries, so that a program without merit cannot be pushed in by trying often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from statistics import NormalDist

NULL_RATE = Fraction(7, 10)
"""The success rate that admission must be able to rule out."""
FIRST_LEVEL = Fraction(1, 40)
"""Level of a task's first certification; each later one has half of its predecessor's."""
FIRST_EPISODES = 20
LATER_EPISODES = 40
LOOKS = (20, 40, 100)
"""Episode counts at which deepening publishes a bound."""
CONFIDENCE = Fraction(95, 100)

_BOUND_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Admission:
    """What one certification asks for.

    Attributes:
        ordinal: How many certifications of this task went before.
        n: Held-out episodes.
        needed: Fewest solved episodes that reject the null rate.
        level: Level of the test.
    """

    ordinal: int
    n: int
    needed: int
    level: float

    def cannot_pass(self, failures: int) -> bool:
        """Whether `failures` unsolved episodes already exclude admission, whatever follows."""
        return failures > self.n - self.needed

    def passes(self, solved: int) -> bool:
        """Whether `solved` of n episodes are enough."""
        return solved >= self.needed


def upper_tail(n: int, k: int, rate: Fraction) -> Fraction:
    """Exact probability of at least `k` successes in `n` independent trials.

    Args:
        n: Trials, >= 0.
        k: Successes, 0 <= k <= n + 1.
        rate: Success rate of one trial, in [0, 1].

    Returns:
        P(X >= k) for X binomial(n, rate), as a fraction.
    """
    miss = 1 - rate
    return sum(
        (math.comb(n, hits) * rate**hits * miss ** (n - hits) for hits in range(k, n + 1)),
        start=Fraction(0),
    )


@cache
def admission(ordinal: int) -> Admission:
    """The rule for a task's `ordinal`-th certification (0, 1, ...).

    20 episodes at first and 40 later; from the ordinal at which even 40 of 40 would not reach
    the level, n grows in steps of 20 until n of n does.

    Args:
        ordinal: How many certifications of the same task went before, >= 0.

    Returns:
        Episodes, successes needed and level.

    Raises:
        ValueError: If `ordinal` is negative.
    """
    if ordinal < 0:
        raise ValueError(f"the ordinal of a certification is {ordinal}; it must be 0 or more")
    level = FIRST_LEVEL / 2**ordinal
    n = FIRST_EPISODES if ordinal == 0 else LATER_EPISODES
    while NULL_RATE**n > level:
        n += FIRST_EPISODES
    needed = n
    while upper_tail(n, needed - 1, NULL_RATE) <= level:
        needed -= 1
    return Admission(ordinal=ordinal, n=n, needed=needed, level=float(level))


def wilson_lower(k: int, n: int, error: Fraction = 1 - CONFIDENCE) -> float:
    """Lower end of Wilson's score interval for a success rate.

    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference".

    Args:
        k: Successes, 0 <= k <= n.
        n: Trials.
        error: Total error of the two-sided interval.

    Returns:
        The bound, rounded down to four decimals so that it never claims more than it may; 0.0
        when n is 0.
    """
    if n == 0:
        return 0.0
    z = NormalDist().inv_cdf(1 - float(error) / 2)
    rate, square = k / n, z * z
    centre = rate + square / (2 * n)
    spread = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n))
    bound: float = max(0.0, (centre - spread) / (1 + square / n))
    digits: int = 10**_BOUND_DIGITS
    return math.floor(bound * digits) / digits


def look_bound(k: int, look: int) -> float:
    """Published bound after the first `look` episodes of deepening.

    The 5 % error is split evenly over the looks, so that all bounds hold together.

    Args:
        k: Episodes solved among the first `look`.
        look: One of `LOOKS`.

    Returns:
        Wilson's lower bound at the look's share of the error.

    Raises:
        ValueError: If `look` is not one of the fixed looks.
    """
    if look not in LOOKS:
        raise ValueError(f"deepening looks at {LOOKS} episodes, not at {look}")
    return wilson_lower(k, look, (1 - CONFIDENCE) / len(LOOKS))
