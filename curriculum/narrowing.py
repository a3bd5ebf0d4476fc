"""With which kinds of objects a program works that does not work with all that were asked for.

Programs that fail now and then often fail with one kind of object: a ball rolls off where a block
stays. The widest kinds under those asked for on which episodes went well are found as a version
space is narrowed (Mitchell, "Generalization as search", 1982), in the lattice of kinds, with room
for noise. What holds there is asked for next, as in hindsight experience replay (Andrychowicz et
al., 2017); only a certificate says that it does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from env.kinds import all_kinds, is_a
from env.task import Task

_Seen = tuple[Mapping[str, str], bool]
_FEWEST: Final = 5
"""Episodes that must speak for kinds."""
_WELL: Final = 0.9
"""Share of them that must have been solved."""
_ENOUGH: Final = 0.95
"""Share of all episodes with which there is nothing left to be wished for."""
_LUCK: Final = 0.05
"""Chance that as many would have been solved if the kinds made no difference, at most."""
_NEARLY: Final = 0.75
"""Share of episodes from which on a program is nearly good enough on all kinds."""
_LUCK_NEARLY: Final = 0.25
"""The same chance for such a one: a little better is enough, and few failures say little."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """Kinds with which a program went well.

    Attributes:
        kinds: Kind by parameter; at least one is narrower than what was asked for.
        solved: Episodes with such objects that were solved.
        of: Episodes with such objects.
    """

    kinds: Mapping[str, str]
    solved: int
    of: int

    @property
    def rate(self) -> float:
        """Chance that the next such episode is solved, by Laplace's rule of succession."""
        return (self.solved + 1) / (self.of + 2)

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON-able data."""
        return {"kinds": dict(self.kinds), "solved": self.solved, "of": self.of}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Narrower:
        """Read a record back.

        Raises:
            KeyError: If a field is missing.
        """
        kinds = {str(name): str(kind) for name, kind in record["kinds"].items()}
        return cls(kinds, int(record["solved"]), int(record["of"]))


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A task, and with which kinds of objects a program for it went well.

    Attributes:
        task: What the program was for.
        found: The kinds, by the parameters of this task.
    """

    task: Task
    found: Narrower

    def kinds_for(self, task: Task) -> dict[str, str] | None:
        """The kinds by the parameters of an equal task, which may call them otherwise."""
        for own in itertools.permutations(self.found.kinds, len(task.kinds)):
            mine = dict(zip(task.kinds, own, strict=True))
            alike = all(self.task.kinds.get(mine[n]) == kind for n, kind in task.kinds.items())
            if alike and self.task.goal.implies(task.goal, mine):
                return {name: self.found.kinds[mine[name]] for name in task.kinds}
        return None


def narrower(kinds: Mapping[str, str], seen: Sequence[_Seen]) -> Narrower | None:
    """The kinds under those asked for with which a program went well.

    Args:
        kinds: Asked for, by parameter.
        seen: For each episode the concrete kinds of its objects by parameter, and whether it was
            solved.

    Returns:
        Those in which the fewest parameters are narrower, of them those that luck explains least;
        None if it went well nowhere, or no better than elsewhere by Fisher's exact test.
    """
    if not seen or _share(seen) >= _ENOUGH:
        return None
    options = [
        [kind, *sorted(k.name for k in all_kinds() if k.name != kind and is_a(k.name, kind))]
        for kind in kinds.values()
    ]
    most = _LUCK_NEARLY if nearly(seen) else _LUCK
    found: list[tuple[int, float, int, tuple[str, ...]]] = []
    for chosen in itertools.product(*options):
        under = dict(zip(kinds, chosen, strict=True))
        told = [(leaves, solved) for leaves, solved in seen if _within(leaves, under)]
        if len(told) < _FEWEST or _share(told) < _WELL:
            continue
        if (luck := _luck(told, seen)) <= most:
            changed = sum(kinds[name] != kind for name, kind in under.items())
            found.append((changed, luck, -len(told), chosen))
    if not found:
        return None
    *_, fewer, best = min(found)
    under = dict(zip(kinds, best, strict=True))
    solved = sum(done for leaves, done in seen if _within(leaves, under))
    return Narrower(under, solved, -fewer)


def nearly(seen: Sequence[_Seen]) -> bool:
    """Whether a program is nearly good enough on all kinds: then more episodes are worth while."""
    return bool(seen) and _share(seen) >= _NEARLY


def _share(seen: Sequence[_Seen]) -> float:
    return sum(solved for _, solved in seen) / len(seen)


def _luck(told: Sequence[_Seen], seen: Sequence[_Seen]) -> float:
    """Chance of at least as many solved ones among as many episodes drawn at random."""
    all_solved, solved = (sum(done for _, done in some) for some in (seen, told))
    ways = (
        math.comb(all_solved, more) * math.comb(len(seen) - all_solved, len(told) - more)
        for more in range(solved, min(all_solved, len(told)) + 1)
    )
    return sum(ways) / math.comb(len(seen), len(told))


def _within(leaves: Mapping[str, str], kinds: Mapping[str, str]) -> bool:
    return all(is_a(leaves[name], kind) for name, kind in kinds.items())
