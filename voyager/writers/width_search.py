"""Best-first width search over the simulator: the search behind the writer without a model.

A node is a plan prefix with a snapshot in every lane (practice scene). Its children append one
step of the grammar: a robot call or a library skill under its contract. A child lives when it
makes an atom true, in all lanes, that no node of its class has made true before (novelty of width
1), or when it comes clearly nearer to the goal than any of them. A class is the number of unmet
goal atoms and whether the gripper is open. Two queues take turns: one orders the open nodes by
unmet goal atoms and distance, the other by unmet goal atoms and length, so that a short cut which
the distance praises cannot starve the plain way. When no node is left, those that were passed
over get a second chance by pairs of atoms (width 2).

After Lipovetzky and Geffner, "Best-First Width Search" (AAAI 2017), run on a simulator as in
Lipovetzky, Ramirez and Geffner, "Classical Planning with Simulators" (IJCAI 2015); the atoms are
those of the goal language, ground over the task's parameters.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from voyager.writers.base import Counts
from voyager.writers.grammar import Step
from voyager.writers.lanes import OPEN, LanePool, Observation

_CHUNK: Final = 4
"""Survivors that are tried in all lanes before looking whether one already leads on."""
_NEARER: Final = 0.85
"""A node is novel too when its distance is below this times the best of its class."""
_WIDEST: Final = 2
_LONGEST: Final = 14
"""Steps in a plan."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A node's value over all lanes: atoms true in all, unmet in the worst, mean distance."""

    true: frozenset[int]
    unmet: int
    distance: float

    @property
    def kind(self) -> tuple[int, bool]:
        """The class within which it must be novel."""
        return self.unmet, OPEN in self.true

    def features(self, width: int) -> frozenset[tuple[int, ...]]:
        """All tuples of up to `width` true atoms."""
        true = sorted(self.true)
        return frozenset(
            itertools.chain(*(itertools.combinations(true, w + 1) for w in range(width)))
        )

    @classmethod
    def over(cls, observations: Sequence[Observation]) -> Seen:
        """Combine the lanes' observations of one node."""
        true = frozenset.intersection(*(o.true for o in observations))
        mean = sum(o.distance for o in observations) / len(observations)
        return cls(true, max(o.unmet for o in observations), mean)


@dataclass(frozen=True, slots=True)
class _Survivor:
    """A child after its first lane.

    Attributes:
        lane: Which lane that was.
        own: What was seen there.
        index: Index of the step.
        guess: What it would be worth if all lanes changed as this one did.
    """

    lane: int
    own: Observation
    index: int
    guess: Seen

    @property
    def rank(self) -> tuple[int, float, int]:
        """Orders survivors, the most promising first."""
        return self.guess.unmet, round(self.guess.distance, 1), self.index


@dataclass(slots=True)
class _Node:
    number: int
    parent: int
    plan: tuple[Step, ...]
    seen: Seen
    lanes: Sequence[Observation] = ()
    """What each lane shows, once the node is kept."""
    open: bool = False
    tried: int = 0
    """Groups of steps whose children were tried."""
    waiting: list[_Survivor] | None = None
    spare: list[_Survivor] = field(default_factory=list)
    """Survivors still to be tried in all lanes, and those passed over for lack of novelty."""


@dataclass(slots=True)
class _Class:
    """What the nodes of one class have shown."""

    features: set[tuple[int, ...]] = field(default_factory=set)
    best: float = float("inf")


class WidthSearch:
    """One search; `plans` can be asked for more after each plan."""

    def __init__(self, pool: LanePool, groups: Sequence[Sequence[Step]], counts: Counts) -> None:
        """Prepare.

        Args:
            pool: The lanes, at their starts.
            groups: What may be appended, in order of preference. A node gets the children of a
                later group only when it is its turn once more.
            counts: What was tried; added to.
        """
        self._pool = pool
        self._steps = tuple(itertools.chain.from_iterable(groups))
        ends = tuple(itertools.accumulate(len(group) for group in groups))
        self._spans = [
            range(end - len(group), end) for end, group in zip(ends, groups, strict=True) if group
        ]
        self._classes: dict[tuple[int, bool], _Class] = {}
        self._width = 1
        self._greedy: list[tuple[int, float, int, int]] = []
        self._short: list[tuple[int, int, int]] = []
        self._turn = 0
        self._nodes: dict[int, _Node] = {}
        self._counts = counts
        self._partly: tuple[int, tuple[Step, ...]] = (0, ())
        root = _Node(0, 0, (), Seen.over(pool.roots), pool.roots)
        self._note(root.seen)
        self._push(root)

    @property
    def closest(self) -> tuple[Step, ...]:
        """The plan that came nearest in all lanes, the oldest of several; empty if none did."""
        best = min(
            self._nodes.values(), key=lambda n: (n.seen.unmet, round(n.seen.distance, 6), n.number)
        )
        return best.plan

    @property
    def partly(self) -> tuple[Step, ...]:
        """The plan that made the goal true in most lanes, the oldest of several; empty if none."""
        return self._partly[1]

    def plans(self, go_on: Callable[[], bool]) -> Iterator[tuple[Step, ...]]:
        """Plans that make the goal true in all lanes, as they are found.

        Args:
            go_on: Is asked between simulations whether to go on.

        Yields:
            Plans; the search goes on after each when the next one is asked for.
        """
        while go_on():
            node = self._pop()
            if node is None:
                if self._widen():
                    continue
                return
            if not node.lanes and not self._keep(node):
                continue
            if not node.waiting and node.tried < len(self._spans):
                self._try_children(node)
            yield from self._try_survivors(node, go_on)
            if not node.open and not node.waiting and node.tried < len(self._spans):
                self._push(node)

    def _widen(self) -> bool:
        """Give what was passed over a second chance; False when that was done before."""
        if self._width == _WIDEST:
            return False
        self._width += 1
        self._classes = {}
        for node in self._nodes.values():
            self._note(node.seen)
        for node in list(self._nodes.values()):
            if node.spare:
                node.waiting, node.spare = node.spare, []
                self._push(node)
        return bool(self._greedy)

    def _pop(self) -> _Node | None:
        """The next node of the queue whose turn it is that is still open."""
        self._turn += 1
        queues: tuple[list[Any], ...] = (self._greedy, self._short)
        for queue in queues if self._turn % 2 else queues[::-1]:
            while queue:
                node = self._nodes[heapq.heappop(queue)[-1]]
                if node.open:
                    node.open = False
                    return node
        return None

    def _push(self, node: _Node) -> None:
        self._nodes[node.number] = node
        node.open = True
        unmet, length = node.seen.unmet, len(node.plan)
        near = round(node.seen.distance, 1)
        heapq.heappush(self._greedy, (unmet, near, length, node.number))
        heapq.heappush(self._short, (unmet, length, node.number))

    def _keep(self, node: _Node) -> bool:
        """Take a node's snapshots; False if it cannot be reached again."""
        seen = self._pool.keep(node.parent, node.plan[-1], node.number)
        if any(o.error is not None for o in seen):
            return False
        node.lanes = seen
        return True

    def _try_children(self, node: _Node) -> None:
        """Try every step in one lane each and note which are worth all lanes."""
        self._counts.expanded += not node.tried
        node.waiting = []
        if len(node.plan) >= _LONGEST:
            node.tried = len(self._spans)
            return
        lanes = self._pool.count
        span = self._spans[node.tried]
        node.tried += 1
        shares = [span[lane::lanes] for lane in range(lanes)]
        wanted = [(lane, [self._steps[i] for i in share]) for lane, share in enumerate(shares)]
        found = self._pool.attempt(node.number, wanted)
        self._counts.generated += len(span)
        for lane, (share, seen) in enumerate(zip(shares, found, strict=True)):
            for index, observation in zip(share, seen, strict=True):
                if observation.error is None:
                    before, now = node.lanes[lane], node.seen
                    # Only what changed counts: that a block happens to lie left of another in
                    # this lane is not news, though it is not true in all lanes.
                    gained = observation.true - before.true
                    lost = before.true - observation.true
                    guess = Seen(
                        (now.true | gained) - lost,
                        max(now.unmet + observation.unmet - before.unmet, 0),
                        max(now.distance + observation.distance - before.distance, 0.0),
                    )
                    survivor = _Survivor(lane, observation, index, guess)
                    (node.waiting if self._promising(survivor) else node.spare).append(survivor)
        node.waiting.sort(key=lambda survivor: survivor.rank)
        node.spare.sort(key=lambda survivor: survivor.rank)

    def _try_survivors(self, node: _Node, go_on: Callable[[], bool]) -> Iterator[tuple[Step, ...]]:
        while node.waiting and go_on():
            chunk: list[_Survivor] = []
            while node.waiting and len(chunk) < _CHUNK:
                survivor = node.waiting.pop(0)
                # Its sisters may have shown meanwhile all that it had to show.
                (chunk if self._promising(survivor) else node.spare).append(survivor)
            leads_on = False
            for index, seen in self._everywhere(node, chunk):
                if not self._novel(seen):
                    continue
                self._note(seen)
                self._counts.nodes += 1
                child = _Node(len(self._nodes), node.number, (*node.plan, self._steps[index]), seen)
                if seen.unmet == 0:
                    self._nodes[child.number] = child
                    yield child.plan
                    continue
                self._push(child)
                leads_on |= seen.unmet < node.seen.unmet
            if leads_on and node.waiting:
                self._push(node)
                return

    def _everywhere(self, node: _Node, chunk: Sequence[_Survivor]) -> list[tuple[int, Seen]]:
        """Try survivors in the lanes where they were not tried yet."""
        lanes = range(self._pool.count)
        wanted = [(lane, [self._steps[s.index] for s in chunk if s.lane != lane]) for lane in lanes]
        found = {
            lane: iter(s)
            for lane, s in zip(lanes, self._pool.attempt(node.number, wanted), strict=True)
        }
        valued = []
        for survivor in chunk:
            seen = [survivor.own if lane == survivor.lane else next(found[lane]) for lane in lanes]
            solved = sum(o.error is None and o.unmet == 0 for o in seen)
            if solved > self._partly[0]:
                self._partly = solved, (*node.plan, self._steps[survivor.index])
            if all(o.error is None for o in seen):
                valued.append((survivor.index, Seen.over(seen)))
        return valued

    def _promising(self, survivor: _Survivor) -> bool:
        """Whether to try a child in all lanes.

        A lane that was ahead of the others shows no news where they would, so the guess can be
        wrong; it saves most of the work, and counts no longer once the plain way has failed.
        """
        return self._width > 1 or self._novel(survivor.guess)

    def _novel(self, seen: Seen) -> bool:
        known = self._classes.get(seen.kind)
        if known is None or seen.unmet == 0:
            return True
        fresh = not seen.features(self._width) <= known.features
        return fresh or seen.distance < _NEARER * known.best

    def _note(self, seen: Seen) -> None:
        known = self._classes.setdefault(seen.kind, _Class())
        known.features |= seen.features(self._width)
        known.best = min(known.best, seen.distance)
