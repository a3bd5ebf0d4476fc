"""Champion against challenger: two frozen programs on the same fresh scenes.

    duel(task, champion, challenger, ...) -> Duel

The scenes are drawn from both closures and the task, so they exist only once both are frozen, and
fighting the same duel again shows the same scenes. What both solve, and what neither solves, says
nothing about which is better: the decision is the exact one-sided sign test (McNemar's test in its
exact form) on the scenes that only one of them solved, at level 0.05, after 60 scenes. A duel ends
before that when the scenes that are left could not change the decision, which costs no error.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from env.certificate import SceneRecord
from env.errors import TaskError
from env.executors import Executor
from env.outcome import Outcome
from env.practice import Skipped, Trial, attempt, sound
from env.program import Closure
from env.seeds import derive
from env.starts import Handover, plan_start
from env.statistics import upper_tail
from env.task import Task

SCENES: Final = 60
"""Scenes on which both are run, unless the decision is certain before."""
LEVEL: Final = Fraction(5, 100)
_MOST_DRAWN: Final = 600
"""Scenes that are tried; with fewer than 60 usable ones among them there is no duel."""


def duel_seed(task: Task, champion: Closure, challenger: Closure, index: int) -> int:
    """Seed of the `index`-th scene of a duel."""
    return derive("duel", task.hash, champion.hash, challenger.hash, index)


def sign_test(won: int, lost: int) -> Fraction:
    """Exact one-sided p-value of `won` against `lost` if either were as likely as the other."""
    return upper_tail(won + lost, won, Fraction(1, 2))


def settled(won: int, lost: int, left: int) -> bool:
    """Whether the scenes that are left can no longer change the decision of a duel."""
    hopeless = sign_test(won + left, lost) > LEVEL
    return hopeless or sign_test(won, lost + left) <= LEVEL


@dataclass(frozen=True, slots=True)
class Pair:
    """One scene, run by both.

    Attributes:
        champion: What the champion did.
        challenger: What the challenger did.
    """

    champion: SceneRecord
    challenger: SceneRecord

    @property
    def won(self) -> bool:
        """Whether only the challenger solved it."""
        return _solved(self.challenger) and not _solved(self.champion)

    @property
    def lost(self) -> bool:
        """Whether only the champion solved it."""
        return _solved(self.champion) and not _solved(self.challenger)


@dataclass(frozen=True, slots=True)
class Duel:
    """A duel and its decision.

    Attributes:
        pairs: The scenes in seed order, up to where the decision was certain.
        discarded: Scenes that no episode could begin in.
        steps: Physics steps in all.
    """

    pairs: tuple[Pair, ...]
    discarded: int
    steps: int

    @property
    def won(self) -> int:
        """Scenes that only the challenger solved."""
        return sum(pair.won for pair in self.pairs)

    @property
    def lost(self) -> int:
        """Scenes that only the champion solved."""
        return sum(pair.lost for pair in self.pairs)

    @property
    def p(self) -> float:
        """P-value of the sign test on the scenes that were run."""
        return float(sign_test(self.won, self.lost))

    @property
    def better(self) -> bool:
        """The decision: whether the challenger was shown to be better."""
        # Certain to stand after the scenes that were left out, see `settled`.
        return sign_test(self.won, self.lost + SCENES - len(self.pairs)) <= LEVEL

    def to_json(self) -> dict[str, Any]:
        """JSON-able: the scenes by seed, and what each did there."""
        return {
            "scenes": len(self.pairs),
            "won": self.won,
            "lost": self.lost,
            "p": self.p,
            "better": self.better,
            "discarded": self.discarded,
            "steps": self.steps,
            "pairs": [
                {
                    "start": pair.champion.start.to_json(),
                    "champion": pair.champion.outcome.value,
                    "challenger": pair.challenger.outcome.value,
                }
                for pair in self.pairs
            ],
        }


def duel(
    task: Task,
    champion: Closure,
    challenger: Closure,
    *,
    executor: Executor,
    handovers: Sequence[Handover] = (),
    watch: Callable[[Pair], None] = lambda pair: None,
) -> Duel:
    """Run two programs on the same fresh scenes and decide whether the second is better.

    Args:
        task: What both are to achieve.
        champion: The program that stands.
        challenger: The one that wants to.
        executor: Where they run; the result does not depend on its workers.
        handovers: Certified skills that scenes may begin after.
        watch: Is shown each scene.

    Returns:
        The duel.

    Raises:
        TaskError: If too many scenes cannot be begun in.
        SandboxError: If the sandbox failed; nothing is decided then.
        SimulatorError: If the simulator failed; likewise.
    """
    results = executor.map(attempt, _trials(task, champion, challenger, handovers))
    pairs: list[Pair] = []
    reasons: Counter[str] = Counter()
    steps = won = lost = 0
    try:
        while len(pairs) < SCENES and not settled(won, lost, SCENES - len(pairs)):
            both = (next(results, None), next(results, None))
            if both[0] is None or both[1] is None:
                reason, times = reasons.most_common(1)[0]
                raise TaskError(
                    f"{reasons.total()} of {_MOST_DRAWN} scenes of the duel cannot be begun in, "
                    f"mostly because {reason} ({times} times); nothing was decided"
                )
            skipped = [result for result in both if isinstance(result, Skipped)]
            ran = [sound(result) for result in both if not isinstance(result, Skipped | None)]
            steps += sum(s.steps for s in skipped) + sum(e.steps for e in ran)
            if skipped:
                reasons[skipped[0].reason] += 1
                continue
            pairs.append(Pair(*(SceneRecord.of(episode) for episode in ran)))
            won, lost = won + pairs[-1].won, lost + pairs[-1].lost
            watch(pairs[-1])
    finally:
        close = getattr(results, "close", None)
        if close is not None:
            close()
    return Duel(tuple(pairs), reasons.total(), steps)


def _trials(
    task: Task, champion: Closure, challenger: Closure, handovers: Sequence[Handover]
) -> Iterator[Trial]:
    """Champion and challenger in turn, each scene twice."""
    for index in itertools.islice(itertools.count(), _MOST_DRAWN):
        seed = duel_seed(task, champion, challenger, index)
        start, handover = plan_start(task, seed, handovers)
        yield Trial(task, champion, start, handover)
        yield Trial(task, challenger, start, handover)


def _solved(record: SceneRecord) -> bool:
    return record.outcome is Outcome.SOLVED
