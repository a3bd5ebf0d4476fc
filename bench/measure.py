"""Fair comparison on an unfair machine: interleaved arms, medians, smallest and greatest."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.

    Attributes:
        wall: Seconds on the clock.
        cpu: Seconds of CPU, of this process and of the sandbox's child. On a machine that is
            shared with others this is the steadier number.
    """

    wall: float
    cpu: float


class Stopwatch:
    """Runs from its making."""

    def __init__(self) -> None:
        """Start."""
        self._cpu = process_time()
        self._wall = perf_counter()

    def stop(self, elsewhere: float = 0.0) -> Cost:
        """What has gone by since.

        Args:
            elsewhere: CPU seconds that another process spent meanwhile.
        """
        wall = perf_counter() - self._wall
        return Cost(wall, process_time() - self._cpu + elsewhere)


Arm = Callable[[int], Cost]
"""Carries out one round (its index is given) and tells what counts of it."""
Costs = tuple[Cost, ...]
"""What one arm cost, one for each round."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one thing.

    Attributes:
        median: The middle one.
        least: The smallest.
        most: The greatest.
        count: How many there are.
    """

    median: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Summarise measurements.

        Raises:
            ValueError: If there are none.
        """
        found = list(values)
        if not found:
            raise ValueError("nothing was measured")
        return cls(statistics.median(found), min(found), max(found), len(found))

    def text(self, digits: int = 2) -> str:
        """Median, smallest and greatest for a table cell."""
        return f"{self.median:.{digits}f} ({self.least:.{digits}f}..{self.most:.{digits}f})"

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "median": self.median,
            "least": self.least,
            "most": self.most,
            "count": self.count,
        }


def interleave(arms: Mapping[str, Arm], rounds: int, repeats: int = 1) -> dict[str, Costs]:
    """Run every arm in turn, forwards and backwards: A B C, C B A, A B C...

    Args:
        arms: What is compared, by name.
        rounds: How many different rounds there are (scenes, for example), >= 1.
        repeats: How often each round is run, >= 1. The smallest cost counts: whatever else the
            machine does can only make a run dearer.

    Returns:
        Costs by arm, in the order of the rounds.
    """
    names = list(arms)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for index in range(rounds):
        found: dict[str, list[Cost]] = {name: [] for name in names}
        for again in range(repeats):
            # Turning round cancels a machine that gets steadily slower or faster.
            for name in names if (index + again) % 2 == 0 else names[::-1]:
                found[name].append(arms[name](index))
        for name, seen in found.items():
            costs[name].append(Cost(min(c.wall for c in seen), min(c.cpu for c in seen)))
    return {name: tuple(seen) for name, seen in costs.items()}


@dataclass(frozen=True, slots=True)
class Compared:
    """One arm beside another, round by round.

    Attributes:
        wall_ms: Milliseconds on the clock.
        cpu_ms: Milliseconds of CPU.
        more_ms: Milliseconds of CPU more than the other.
        wall_ratio: How many times as long on the clock.
        cpu_ratio: How many times as much CPU.
    """

    wall_ms: Spread
    cpu_ms: Spread
    more_ms: Spread
    wall_ratio: Spread
    cpu_ratio: Spread

    @classmethod
    def of(cls, costs: Costs, to: Costs) -> Self:
        """Compare the costs of equal rounds."""
        pairs = list(zip(costs, to, strict=True))
        return cls(
            wall_ms=Spread.of(1e3 * cost.wall for cost in costs),
            cpu_ms=Spread.of(1e3 * cost.cpu for cost in costs),
            more_ms=Spread.of(1e3 * (mine.cpu - other.cpu) for mine, other in pairs),
            wall_ratio=Spread.of(mine.wall / other.wall for mine, other in pairs),
            cpu_ratio=Spread.of(mine.cpu / other.cpu for mine, other in pairs),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {name: getattr(self, name).to_json() for name in self.__slots__}


COMPARED_COLUMNS = ("wall ms", "wall ratio", "CPU ms", "CPU ratio")


def compared_cells(compared: Compared) -> tuple[str, ...]:
    """Cells below `COMPARED_COLUMNS`."""
    return (
        f"{compared.wall_ms.median:.1f}",
        compared.wall_ratio.text(),
        f"{compared.cpu_ms.median:.1f}",
        compared.cpu_ratio.text(),
    )
