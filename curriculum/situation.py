"""What a curriculum knows: contracts of the library, tries of the past, accidents on the way.

All of it is read from the home, so a run that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from curriculum.narrowing import Narrowing
from env.errors import GoalError
from env.goals import Goal
from env.outcome import Outcome
from env.program import Program
from env.task import Task

GROWN: Final = 2
"""Skills by which a library must have grown before a task that failed is tried again."""
ALWAYS: Final = 0.9
"""Share of a skill's episodes at whose end an atom is true, for the skill to be said to do it."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a certified skill promises, and what it was seen to do besides.

    Attributes:
        name: Of the skill.
        task: What it was certified for.
        always: Atoms over its parameters, as texts, that were true at the end of nearly all
            recorded episodes, promised or not.
    """

    name: str
    task: Task
    always: frozenset[str] = frozenset()

    @property
    def goal(self) -> Goal:
        """What it promises."""
        return self.task.goal

    @property
    def moves(self) -> frozenset[str]:
        """The parameters whose objects had moved at the end of nearly all recorded episodes."""
        return frozenset(name for name in self.task.kinds if f"moved({name})" in self.always)

    def in_full(self) -> Goal:
        """What it promises and does besides, as one goal."""
        extra = sorted(self.always)
        texts = [f"({self.goal.text})", *extra]
        try:
            return Goal.parse(" and ".join(texts), self.task.kinds) if extra else self.goal
        except GoalError:  # recorded by an older version, under other names
            return self.goal


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt that said something about its task.

    Attributes:
        task: The task.
        solved: Whether a skill came out of it.
        outcome: How it ended.
        library: Skills that the library had when it began.
    """

    task: Task
    solved: bool
    outcome: Outcome
    library: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A program that did not hold for its task, and went well with some kinds of objects.

    Attributes:
        task: What it was written for.
        program: The program.
    """

    task: Task
    program: Program


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a proposer may look at.

    Attributes:
        contracts: Of the callable skills, oldest first.
        tries: In order.
        seen: How often each atom came true in searches, by `sightings.instance`.
        strayed: How often each predicate did in one search for something else in which it could
            have, on average; as if once in one search before any.
        together: Patterns of two atoms that were seen true at once.
        apart: Patterns of two that were never, though each was often.
        transfers: How known programs did on kinds of objects that they were not made for, and how
            programs that were not good enough did on each of theirs: scenes solved and scenes
            tried, by `sightings.instance`.
        narrowings: With which kinds of objects programs went well that failed now and then, by
            the hash of the task that they were for.
        unfinished: Programs that went well on some kinds of objects only, oldest first.
        tested: Accidents of the control programs by task hash, for tasks that were let in.
        refused: Hashes of tasks that were not, or whose skill a person has set aside for good.
        seed: Of the run.
        number: Choices of this home that were settled before.
        calls: Whether programs may call skills; if not, what they promise is not at hand.
    """

    contracts: tuple[Contract, ...] = ()
    tries: tuple[Try, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    strayed: Mapping[str, float] = field(default_factory=dict)
    together: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    transfers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    narrowings: Mapping[str, Narrowing] = field(default_factory=dict)
    unfinished: tuple[Unfinished, ...] = ()
    tested: Mapping[str, int] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    seed: int = 0
    number: int = 0
    calls: bool = True

    @property
    def widest(self) -> int:
        """Most objects that a task had which was tried."""
        return max((len(past.task.kinds) for past in self.tries), default=0)

    @property
    def moves(self) -> dict[str, frozenset[str]]:
        """The parameters whose objects each skill was seen to move, by its name."""
        return {contract.name: contract.moves for contract in self.contracts if contract.always}

    def waits(self, task: Task) -> bool:
        """Whether a task that failed has to wait until the library has grown."""
        failures = self.failures(task)
        return bool(failures) and len(self.contracts) < failures[-1].library + GROWN

    def failures(self, task: Task) -> tuple[Try, ...]:
        """Tries of a task that came to nothing."""
        return tuple(t for t in self.tries if t.task.hash == task.hash and not t.solved)


def merge_sightings(
    summaries: Iterable[Mapping[str, Any]],
) -> tuple[dict[str, int], frozenset[str], frozenset[str]]:
    """Add up what several attempts have seen.

    Args:
        summaries: From `Sightings.summary`; empty ones are fine.

    Returns:
        `seen`, `together` and `apart`; what was together once is not apart.
    """
    seen: Counter[str] = Counter()
    together: set[str] = set()
    apart: set[str] = set()
    for summary in summaries:
        seen.update(summary.get("seen", {}))
        together.update(summary.get("together", ()))
        apart.update(summary.get("apart", ()))
    return dict(seen), frozenset(together), frozenset(apart - together)
