"""Proposers to compare with: goals at random, and goals in a fixed order.

Both speak about the same predicates and kinds as the frontier, but look at nothing that happened.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Final

from curriculum.growth import Candidate, candidates
from curriculum.proposer import Proposal
from curriculum.situation import Contract, Situation
from env.seeds import derive

_MOST: Final = 400
"""Goals that a baseline draws before it gives up for this time."""


class RandomProposer:
    """Goals of one to four atoms, drawn without looking at the library."""

    name = "random"

    def propose(self, situation: Situation) -> Iterator[Proposal]:
        """See `Proposer.propose`; what was tried before is not drawn again."""
        rng = random.Random(derive("random curriculum", situation.seed, situation.number))
        done = _done(situation)
        for _ in range(_MOST):
            candidate = _grow(rng, rng.randint(1, 4))
            if candidate is not None and candidate.task.hash not in done:
                yield Proposal(candidate.task, self.name)


def _grow(rng: random.Random, atoms: int) -> Candidate | None:
    """A goal of so many atoms, grown atom by atom as if each step had been certified."""
    candidate: Candidate | None = None
    for _ in range(atoms):
        made = [] if candidate is None else [Contract("goal", candidate.task)]
        grown = [c for c in candidates(made, {}) if (c.base is None) == (candidate is None)]
        if not grown:
            return None
        candidate = rng.choice(grown)
    return candidate


class FixedProposer:
    """All goals of one atom in a fixed order, then those of two."""

    name = "fixed"

    def propose(self, situation: Situation) -> Iterator[Proposal]:
        """See `Proposer.propose`; what was tried before is left out."""
        done = _done(situation)
        first = list(candidates((), {}))
        second = itertools.chain.from_iterable(
            (c for c in candidates([Contract("goal", one.task)], {}) if c.base is not None)
            for one in first
        )
        for candidate in itertools.chain(first, second):
            if candidate.task.hash not in done:
                yield Proposal(candidate.task, self.name)


def _done(situation: Situation) -> set[str]:
    tried = {past.task.hash for past in situation.tries}
    return tried | {contract.task.hash for contract in situation.contracts} | situation.refused
