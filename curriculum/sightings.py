"""What came true while a search was looking for something else.

A search tries thousands of short plans. Most lead nowhere, but each shows which atoms the robot
can bring about by accident, on which kinds of objects, and which of them are ever true together.
A curriculum can start from there.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from env.goals import Atom
from env.state import GRIPPER

OFTEN: Final = 50
"""Times that two atoms must each have been seen before "never together" says anything."""


class Sightings:
    """Counts, over the scenes of a search, what tried steps made true."""

    def __init__(self, atoms: Sequence[Atom]) -> None:
        """Begin to count.

        Args:
            atoms: What observations speak about, by index.
        """
        self._atoms = atoms
        self._seen: Counter[tuple[tuple[tuple[str, str], ...], int]] = Counter()
        self._tried: set[tuple[tuple[str, str], ...]] = set()
        self._single: Counter[int] = Counter()
        self._pairs: Counter[tuple[int, int]] = Counter()

    def note(self, kinds: Mapping[str, str], before: frozenset[int], now: frozenset[int]) -> None:
        """Count one observation.

        Args:
            kinds: Leaf kind of the object that each parameter is bound to in this scene.
            before: Indices of the atoms that were true when the scene began.
            now: Indices of the atoms that are true.
        """
        known = sorted(index for index in now if index >= 0)
        self._tried.add(tuple(kinds.items()))
        self._single.update(known)
        self._pairs.update(itertools.combinations(known, 2))
        bound = tuple(kinds.items())
        self._seen.update((bound, index) for index in known if index not in before)

    def summary(self) -> dict[str, Any]:
        """What was seen, JSON-able.

        Returns:
            `seen`: times by `instance` over leaf kinds, 0 where it could have been; `together` and
            `apart`: patterns (see `pattern`) of two atoms that were true at once, or never
            although each was true often.
        """
        seen: Counter[str] = Counter()
        for bound in self._tried:
            seen.update({instance(atom, dict(bound)): 0 for atom in self._atoms})
        for (bound, index), times in self._seen.items():
            seen[instance(self._atoms[index], dict(bound))] += times
        together, apart = set(), set()
        for pair in itertools.combinations(sorted(self._single), 2):
            first, second = (self._atoms[index] for index in pair)
            if self._pairs[pair]:
                together.add(pattern(first, second))
            elif min(self._single[index] for index in pair) >= OFTEN:
                apart.add(pattern(first, second))
        return {
            "seen": dict(sorted(seen.items())),
            "together": sorted(together),
            "apart": sorted(apart - together),
        }


def instance(atom: Atom, kinds: Mapping[str, str]) -> str:
    """An atom with the kinds of its objects in the place of their names: "inside(ball, bowl)"."""
    return f"{atom.predicate}({', '.join(kinds.get(term, term) for term in atom.arguments)})"


def pattern(first: Atom, second: Atom) -> str:
    """Two atoms without kinds, thresholds and names: how they hang together, in one text."""
    return min(_written(pair) for pair in ((first, second), (second, first)))


def _written(atoms: Iterable[Atom]) -> str:
    names: dict[str, str] = {GRIPPER: GRIPPER}
    parts = []
    for atom in atoms:
        terms = [names.setdefault(term, f"p{len(names) - 1}") for term in atom.arguments]
        parts.append(f"{atom.predicate}({', '.join(terms)})")
    return " and ".join(parts)
