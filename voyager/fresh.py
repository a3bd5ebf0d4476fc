"""The test of a program from elsewhere, on scenes that its maker could not know.

Held-out seeds follow from the hashes of task and closure. Whoever makes an archive knows them
before anybody imports it, and could have changed a program until it passes by chance on just those
scenes. So the seeds of this test follow from a number that was drawn here when the archive came.

It rules out the same as admission does ("it succeeds at most 70 % of the time", exact binomial
test), with the level of the first certification halved for each program that failed at the task
before, and shared evenly among three looks. So a good program is done after 20 scenes, and one
that fails now and then gets up to 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Final

from env.practice import Draw
from env.seeds import derive
from env.statistics import FIRST_LEVEL, LOOKS, NULL_RATE, upper_tail
from env.transcript import Episode
from skill_store.export.importing import Arrival
from voyager.events import Stage
from voyager.proving import Proving, told
from voyager.witnesses import witnesses_of

PURPOSE: Final = "import"
"""What its episodes are recorded as."""


@dataclass(frozen=True, slots=True)
class FreshTest:
    """How the test went.

    Attributes:
        episodes: In seed order, up to where it was decided.
        needed: Solved episodes that pass at the last look, and of how many.
        passed: The decision.
    """

    episodes: tuple[Episode, ...]
    needed: tuple[int, int]
    passed: bool

    @property
    def score(self) -> tuple[int, int]:
        """Episodes solved, and of how many."""
        return sum(episode.solved for episode in self.episodes), len(self.episodes)

    @property
    def refusal(self) -> str:
        """Why it was not passed, one sentence; empty if it was."""
        if self.passed:
            return ""
        failed = next(episode for episode in self.episodes if not episode.solved)
        (solved, of), (fewest, look) = self.score, self.needed
        return (
            f"it solved {solved} of {of} scenes that were drawn here, and needs {fewest} of "
            f"{look}; for example, {told(failed)}"
        )


@cache
def needed(tries: int) -> tuple[tuple[int, int], ...]:
    """(solved episodes that pass, look) for each look at which one can pass.

    Args:
        tries: Programs from elsewhere that failed at the task before, >= 0.
    """
    level = FIRST_LEVEL / 2**tries / len(LOOKS)
    return tuple((_fewest(look, level), look) for look in LOOKS if NULL_RATE**look <= level)


def examine(proving: Proving, arrival: Arrival, nonce: str, tries: int) -> FreshTest:
    """Run a program on scenes of this home's own.

    Args:
        proving: Where; is charged and told.
        arrival: The program and its task.
        nonce: What this home drew when it came.
        tries: Programs from elsewhere that failed at the task before.

    Returns:
        How it went.

    Raises:
        TaskError: If its scenes cannot be begun in.
        StorageError: If the library cannot be read.
        SandboxError: If the sandbox failed; nothing is decided.
        SimulatorError: If the simulator failed; nothing is decided.
    """
    rules = needed(tries)
    handovers = proving.handovers(arrival)
    seen: list[Episode] = []
    drawn = solved = 0
    for fewest, look in rules:
        draw = Draw(
            arrival.task,
            arrival.closure,
            lambda index: derive(
                "imported", nonce, arrival.task.hash, arrival.closure.hash, tries, index
            ),
            wanted=look - len(seen),
            executor=proving.executor,
            handovers=handovers,
            first=drawn,
            witnesses=witnesses_of(arrival.task),
        )
        for episode in draw:
            seen.append(episode)
            solved += episode.solved
            text = f"testing {arrival.name} on scenes of this home's own"
            proving.ledger.tell(Stage.PRACTICE, text, solved, len(seen))
            if all(len(seen) - solved > n - k for k, n in rules):
                break
        drawn = draw.next_index
        proving.ledger.budget.spend("practice", draw.steps)
        if len(seen) < look or solved >= fewest:
            break
    return FreshTest(tuple(seen), rules[-1], solved >= fewest and len(seen) == look)


def _fewest(look: int, level: Fraction) -> int:
    fewest = look
    while upper_tail(look, fewest - 1, NULL_RATE) <= level:
        fewest -= 1
    return fewest
