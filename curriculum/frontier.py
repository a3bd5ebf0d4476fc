"""Proposals without a model: goals just past what the library reaches, the most promising first.

The value of a candidate is learning progress on its arm, times how easy it looks, times how new
it is, over what a try of it costs. An arm is a predicate at a size of goal; where skills promise a
goal piece by piece it is the goal's make, and how well its words went together before. Easy looks
what came true by accident, what a contract promises, and what was seen together with the rest of
the goal; new is what no skill of the same make has; cheap is what was tested already, and what only
puts known skills together.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, NamedTuple

from curriculum.gates import predicates, renamings
from curriculum.growth import Candidate, breadth, candidates, covers, declared_kinds
from curriculum.interference import Order, order
from curriculum.progress import learning_progress
from curriculum.proposer import Proposal
from curriculum.sightings import instance, pattern
from curriculum.situation import Situation
from env.goal_forms import Atom
from env.goals import Goal
from env.kinds import related
from env.seeds import derive
from env.state import GRIPPER
from env.task import Task

_UNSEEN: Final = 0.45
"""Ease of an atom that was neither promised nor seen on all of its kinds, relative to one that was;
less where its predicate hardly comes true by itself."""
_DOUBT: Final = 0.5
"""What is left of this where it never does."""
_OFTEN: Final = 10.0
"""Times in a search for something else for which half of the doubt is gone."""
_UNKNOWN_PAIR: Final = 0.6
"""Ease of two atoms that nobody could have seen at once, relative to two that were."""
_UNSEEN_PAIR: Final = 0.25
"""The same where they could have been seen, and were not."""
_UNDONE: Final = 0.1
"""The same where a skill promises each, and either would undo what the other has done."""
_APART: Final = 0.1
"""The same where each was seen often, and never both at once."""
_NEW_OBJECT: Final = 0.75
"""Ease for each object that the new atom brings into a goal."""
_LONGER: Final = 0.35
"""Ease for each atom that is already there, unless contracts promise all of the goal."""
_COMPOSED_LONGER: Final = 0.7
"""Ease for each atom past the second of a goal that contracts promise piece by piece."""
_AGAIN: Final = 0.5
"""Ease of a task for each time that it was tried in vain."""
_MOST_DOUBLED: Final = 3
"""A task that failed gets twice the effort when it comes back, so many times at most."""
_BEYOND: Final = 0.1
"""Ease of a goal that contains one which was tried in vain."""
COMPOSED: Final = 0.5
"""Steps that a goal is worth whose atoms are all promised already, relative to another: skills
that can be put together at all are put together within a few nodes."""
_EVEN: Final = 0.5
"""Chance of a pairing of which nothing is known."""
_TRUST: Final = 4.0
"""For how many pairings that were tried this counts."""
_TEST: Final = 0.25
"""Cost of testing a goal, relative to an attempt: a test takes half as long, and what is tested
together with the goal is tried later without one, two or three goals in the mean."""
_LATE_TEST: Final = 0.125
"""The same where the test comes last, and about half of the goals never get there."""
_AKIN: Final = 0.5
"""Ease of an atom that a skill promises on other kinds, where its program was not tried."""
_HOPELESS: Final = 0.1
"""The same where it was tried and never worked."""
_MOSTLY: Final = 0.5
"""Share of scenes from which on a program is said to do something."""
_FIRST: Final = 5.5
"""What it is worth to speak about a predicate that nothing certified speaks about yet, relative
to putting certified goals together."""
_WIDER: Final = 2.0
"""The same for what is promised on other kinds only."""
_SAME_OBJECTS: Final = 0.5
"""What a goal is worth that contracts promise piece by piece, and that brings in no new object."""
_ANY_ORDER: Final = 0.25
"""The same where the skills can be run in any order: then there is little to learn."""
_RARE: Final = 0.4
"""How much rarer goals are preferred, as a power of how often their atoms come true by accident."""
_NARROW_ATOM: Final = 0.5
"""Share of what a predicate could be asked for that is left over by a goal about one combination of
kinds; squared for two, and so on. A wide goal that fails says where it is worth asking again."""
_NARROW: Final = 0.65
"""What is lost where a goal that is promised piece by piece is about one combination of kinds;
squared for two, and so on. As above: what fails on wide kinds says with which ones it went well."""
_BREADTH: Final = 0.05
"""What it is worth to speak about twice as many kinds of objects."""
_NOISE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Valued:
    """A candidate with its value and what it is made of.

    Attributes:
        candidate: The goal.
        progress: Learning progress on its arm.
        ease: How easy it looks, relative.
        novelty: How new it is: less for what is made like a certified goal, more for a goal about
            many kinds of objects.
        cost: What a try costs, relative.
        failures: Times that it was tried in vain.
    """

    candidate: Candidate
    progress: float
    ease: float
    novelty: float
    cost: float
    failures: int

    @property
    def value(self) -> float:
        """What may be gained, over what it costs."""
        return self.progress * self.ease * self.novelty / self.cost


class FrontierProposer:
    """Ranks the goals on the frontier; see the module."""

    name = "frontier"

    def propose(self, situation: Situation) -> Iterator[Proposal]:
        """See `Proposer.propose`."""
        ranked = [
            (valued.value * _noise(situation, valued), valued) for valued in values(situation)
        ]
        ranked.sort(key=lambda pair: (-pair[0], pair[1].candidate.task.goal.canonical))
        for _, valued in ranked:
            at_hand = valued.candidate.at_hand and situation.calls
            yield Proposal(
                valued.candidate.task,
                "again" if valued.failures else self.name,
                _why(situation, valued),
                effort=(COMPOSED if at_hand else 1.0) * 2.0 ** min(valued.failures, _MOST_DOUBLED),
                at_hand=at_hand,
            )


def _why(situation: Situation, valued: Valued) -> str:
    candidate = valued.candidate
    parts = [f"one atom from nothing: {candidate.added.text}"]
    if candidate.base is not None:
        parts = [f"one atom more than {candidate.base} promises: {candidate.added.text}"]
    if candidate.promised:
        parts.append("a skill promises it alone")
    if went := candidate.narrowed:
        parts.append(f"with these kinds it went well {went.solved} times of {went.of}")
    if accidents := candidate.accidents(situation.seen):
        parts.append(f"it came true by accident {accidents} times")
    if valued.failures:
        parts.append(f"tried in vain {valued.failures} times, and the library has grown since")
    parts.append(f"learning progress {valued.progress:.2f}, new by {valued.novelty:.2f}")
    return "; ".join(parts)


def values(situation: Situation) -> list[Valued]:
    """Every candidate that may be tried now, with its value."""
    arms: dict[tuple[str, int], list[bool]] = {}
    bases: dict[tuple[str, ...], list[bool]] = {}
    for past in situation.tries:
        atoms = [part.predicate for part in past.task.goal.conjuncts if isinstance(part, Atom)]
        for predicate in dict.fromkeys(atoms):
            rest = sorted(atoms)
            rest.remove(predicate)
            arms.setdefault((predicate, len(atoms)), []).append(past.solved)
            bases.setdefault(tuple(rest), []).append(past.solved)
    made = Counter(_make(contract.goal) for contract in situation.contracts)
    spoken = Counter(predicate for make in made for predicate in set(make))
    rare = _rarity(situation, spoken)
    certified = {contract.task.hash for contract in situation.contracts}
    solved = {past.task.hash for past in situation.tries if past.solved}
    unsolved = list(
        {t.task.hash: t.task for t in situation.tries if t.task.hash not in solved}.values()
    )
    failed = {
        instance(task.goal.conjuncts[0], task.kinds)
        for task in unsolved
        if len(task.goal.conjuncts) == 1 and isinstance(task.goal.conjuncts[0], Atom)
    }
    pairings = [
        _Pairing(past.task, predicates(past.task.goal), past.solved)
        for past in situation.tries
        if len(past.task.goal.conjuncts) > 1
    ]
    found = []
    for candidate in candidates(
        situation.contracts, situation.seen, failed, situation.transfers, situation.narrowings
    ):
        task = candidate.task
        tested, at_hand = task.hash in situation.tested, candidate.at_hand and situation.calls
        if task.hash in certified or task.hash in situation.refused or situation.waits(task):
            continue
        failures = situation.failures(task)
        ease = _ease(situation, candidate) * _AGAIN ** len(failures)
        if not failures and any(_asks_more(task, past) for past in unsolved):
            ease *= _BEYOND
        if candidate.composed:
            # What went well here failed elsewhere, which is no news about it.
            progress = _pairing_progress(task, pairings, anew=candidate.narrowed is not None)
        else:
            progress = learning_progress(arms.get(_arm(candidate), ()))
            if candidate.base is not None:
                # A base from which nothing grows is left alone, whatever is added to it.
                grown = bases.get(tuple(sorted(atom.predicate for atom in candidate.kept)), ())
                progress = math.sqrt(progress * learning_progress(grown))
        found.append(
            Valued(
                candidate,
                progress=progress,
                ease=ease,
                novelty=_novelty(candidate, made, spoken) * _depth(situation, candidate, rare),
                cost=(COMPOSED if at_hand else 1.0)
                + (0.0 if tested else _LATE_TEST if at_hand else _TEST),
                failures=len(failures),
            )
        )
    known = [valued for valued in found if _does(situation, valued.candidate)]
    return [v for v in found if not any(_covered(v, by) for by in known)]


def _does(situation: Situation, candidate: Candidate) -> bool:
    """Whether a known program was seen to do what a goal asks for on other kinds of objects."""
    rate = candidate.transfer(situation.transfers) if candidate.wider else None
    return rate is not None and rate > _MOSTLY


def _covered(valued: Valued, by: Valued) -> bool:
    """Whether another goal asks for the same on more kinds, and is as easy."""
    more, less = by.candidate, valued.candidate
    return (
        less.wider
        and more.added.predicate == less.added.predicate
        and more.signature != less.signature
        and covers(more.signature, less.signature)
        and by.ease >= valued.ease
    )


class _Pairing(NamedTuple):
    """A try of a goal of several atoms, its words, and how it went."""

    task: Task
    words: frozenset[str]
    solved: bool


def _pairing_progress(task: Task, pairings: Sequence[_Pairing], *, anew: bool) -> float:
    """Learning progress on goals like this, times how often its words were put together well.

    A goal is like another one if both are of one make, unless they ask for the same of other kinds
    of objects: that a tower cannot stand on a ball says little about one on a block.
    """
    make, words = _make(task.goal), predicates(task.goal)
    alike = [past for past in pairings if words & past.words]
    chance = (_EVEN * _TRUST + sum(past.solved for past in alike)) / (_TRUST + len(alike))
    own = (p.solved for p in alike if _make(p.task.goal) == make and not _elsewhere(task, p.task))
    return learning_progress(() if anew else own) * chance / _EVEN


def _elsewhere(task: Task, other: Task) -> bool:
    """Whether two goals differ in kinds only, and no objects could be meant by both."""
    if len(task.kinds) != len(other.kinds):
        return False
    wanted = Counter(_words(task, {}))
    same = False
    for names in permutations(task.kinds):
        renaming = dict(zip(other.kinds, names, strict=True))
        if Counter(_words(other, renaming)) == wanted:
            if all(related(kind, task.kinds[renaming[own]]) for own, kind in other.kinds.items()):
                return False
            same = True
    return same


def _words(task: Task, renaming: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Each atom as its predicate and its arguments, with other names for them."""
    for piece in task.goal.form.walk():
        if isinstance(piece, Atom):
            yield piece.predicate, *(renaming.get(term, term) for term in piece.arguments)


def _arm(candidate: Candidate) -> tuple[str, int]:
    return candidate.added.predicate, len(candidate.kept) + 1


def _make(goal: Goal) -> tuple[str, ...]:
    """What a goal is made of: its predicates, sorted, without objects and numbers."""
    return tuple(sorted(piece.predicate for piece in goal.form.walk() if isinstance(piece, Atom)))


def _asks_more(task: Task, other: Task) -> bool:
    """Whether whoever does a task would also do another one."""
    return predicates(other.goal) <= predicates(task.goal) and any(
        task.goal.implies(other.goal, renaming) for renaming in renamings(task, other)
    )


def _novelty(
    candidate: Candidate, made: Mapping[tuple[str, ...], int], spoken: Mapping[str, int]
) -> float:
    """How new a goal is: its make, its kinds and its words.

    Words count as in count-based exploration (Bellemare et al., "Unifying count-based exploration
    and intrinsic motivation", 2016): by one over the root of how many makes have them.
    """
    make = _make(candidate.task.goal)
    worn = math.prod(1.0 + spoken.get(predicate, 0) for predicate in make) ** (-0.5 / len(make))
    if candidate.base is None:
        wide = 1.0 + _BREADTH * math.log2(max(breadth(candidate.signature), 1))
        first = _WIDER if candidate.akin else _FIRST
        return first * _share(candidate) * wide * worn
    again = 1.0 / (1.0 + made.get(make, 0))
    return worn * again * (1.0 if candidate.new_objects else _SAME_OBJECTS)


def _rarity(situation: Situation, spoken: Iterable[str]) -> dict[str, float]:
    """How rarely each predicate that is promised comes true by accident: 1 for the rarest.

    As Skew-Fit (Pong et al., 2020) does it: goals in proportion to a negative power of how often
    the agent has been there.
    """
    times = {predicate: situation.strayed.get(predicate, 1.0) for predicate in spoken}
    least = min(times.values(), default=1.0)
    return {predicate: (least / count) ** _RARE for predicate, count in times.items()}


def _depth(situation: Situation, candidate: Candidate, rare: Mapping[str, float]) -> float:
    """What a goal is worth for being hard to come by, where contracts promise each piece of it.

    Such goals look equally easy. Those count that hardly come true by themselves, for which it
    matters what is done first, and that are about more kinds of objects.
    """
    if not candidate.at_hand:
        return 1.0
    make = _make(candidate.task.goal)
    worth = math.prod(rare.get(predicate, 1.0) for predicate in make) ** (1.0 / len(make))
    if candidate.wider:
        return worth
    if order(candidate, situation.contracts) is Order.ANY:
        worth *= _ANY_ORDER
    if candidate.narrowed is not None:
        return worth  # on wider kinds it cannot be had
    return worth * (1.0 - _NARROW ** breadth(candidate.task.kinds.values()))


def _share(candidate: Candidate) -> float:
    """How much of what a predicate could be asked for is new in a goal; less than in proportion."""
    could = max(breadth(kinds) for kinds in declared_kinds(candidate.added.declared))
    most = 1.0 - _NARROW_ATOM ** max(could, len(candidate.fresh))
    return (1.0 - _NARROW_ATOM ** len(candidate.fresh)) / most


def _ease(situation: Situation, candidate: Candidate) -> float:
    if candidate.narrowed is not None:
        return candidate.narrowed.rate  # its program is there, however many objects
    ease = 1.0
    if not candidate.promised and not situation.tested.get(candidate.task.hash, 0):
        unseen = _unseen(situation, candidate.added.predicate)
        ease = unseen + (1.0 - unseen) * candidate.evidence(situation.seen)
        transfer = None
        if candidate.base is None:
            transfer = candidate.transfer(situation.transfers)
        if transfer is not None:
            return max(transfer, _HOPELESS)  # its program is there, however many objects
        if candidate.wider:
            ease = _AKIN
    kept: Sequence[Atom] = candidate.kept
    for atom in kept:
        both = pattern(atom, candidate.added)
        if both in situation.apart:
            ease *= _APART
        elif both not in situation.together:
            ease *= _unseen_pair(situation, candidate, atom)
    if candidate.composed:
        ease *= _COMPOSED_LONGER ** (len(kept) - 1)
    else:
        ease *= _LONGER ** len(kept)
    return ease * _NEW_OBJECT**candidate.new_objects


def _unseen(situation: Situation, predicate: str) -> float:
    """Ease of an atom that did not come true on all of its kinds, by how often it did on any."""
    strayed = situation.strayed.get(predicate, 0.0)
    return _UNSEEN * (_DOUBT + (1.0 - _DOUBT) * strayed / (strayed + _OFTEN))


def _unseen_pair(situation: Situation, candidate: Candidate, atom: Atom) -> float:
    """Ease of an atom that is there and the new one, which nobody has seen at once."""
    if candidate.composed:
        # What takes a skill each comes true at once hardly ever by accident.
        return _UNDONE if order(candidate, situation.contracts) is Order.NONE else 1.0
    # Nobody could have seen it where no task had so many objects.
    objects = ({*atom.arguments} | {*candidate.added.arguments}) - {GRIPPER}
    return _UNSEEN_PAIR if len(objects) <= situation.widest else _UNKNOWN_PAIR


def _noise(situation: Situation, valued: Valued) -> float:
    """A factor around 1 that differs by seed, so that runs do not all take one road."""
    canonical = valued.candidate.task.goal.canonical
    rng = random.Random(derive("curriculum", situation.seed, situation.number, canonical))
    return 1.0 + _NOISE * (2.0 * rng.random() - 1.0)
