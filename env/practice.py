"""Running a program on many scenes: in seed order, skipping scenes that cannot be begun in.

What is computed here depends on the results in seed order only, never on the number of workers
nor on how far they had run ahead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from env.episode import StartUnusable, run_episode
from env.errors import SandboxError, SimulatorError, TaskError
from env.executors import Executor, Lost
from env.outcome import Outcome
from env.program import Closure
from env.starts import Handover, plan_start, practice_seed
from env.task import Task
from env.transcript import Episode, Start
from env.witness import Witness
from env.workers import Bench

_MOST_DISCARDS: Final = 0.90
_FEWEST_CANDIDATES: Final = 200
"""A discard rate is not judged on fewer scenes than these."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A job: one episode.

    Attributes:
        task: What is to be achieved.
        closure: What is run.
        start: Where it begins.
        handover: The skill that `start` names, if any.
        fresh: Whether to skip a scene in which the goal is already true.
        witnesses: Goals to judge beside the task's own.
    """

    task: Task
    closure: Closure
    start: Start
    handover: Handover | None = None
    fresh: bool = True
    witnesses: tuple[Witness, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A scene that no episode could begin in.

    Attributes:
        reason: One sentence.
        steps: Physics steps that it took to find out.
    """

    reason: str
    steps: int


def attempt(bench: Bench, trial: Trial) -> Episode | Skipped:
    """Carry out a trial at a worker's bench; the function that executors map.

    Args:
        bench: Gives the world and the sandbox; both are replaced if one of them fails.
        trial: The job.

    Returns:
        The episode, or why there is none.

    Raises:
        SceneError: If the scene cannot be drawn.
        SandboxError: If the sandbox cannot stand on this machine.
    """
    for _ in range(2):
        world = bench.world()
        steps = world.total_steps
        try:
            episode = run_episode(
                world,
                bench.sandbox(),
                trial.task,
                trial.closure,
                trial.start,
                handover=trial.handover,
                fresh=trial.fresh,
                witnesses=trial.witnesses,
            )
        except StartUnusable as error:
            return Skipped(str(error), world.total_steps - steps)
        if episode.outcome.about_program:
            break
        bench.renew()
    return episode


class Draw:
    """Episodes on usable scenes, in seed order.

    Attributes:
        drawn: Scenes tried so far.
        reasons: How often each reason made a scene unusable.
        steps: Physics steps of everything that was taken into account.
    """

    def __init__(
        self,
        task: Task,
        closure: Closure,
        seed: Callable[[int], int],
        *,
        wanted: int,
        executor: Executor,
        handovers: Sequence[Handover] = (),
        first: int = 0,
        witnesses: Sequence[Witness] = (),
    ) -> None:
        """Prepare to draw; nothing runs before the first `next`.

        Args:
            task: What is to be achieved.
            closure: What is run.
            seed: Seed of the i-th candidate scene.
            wanted: Episodes to deliver.
            executor: Where they run.
            handovers: Certified skills that scenes may begin after.
            first: Index of the first candidate.
            witnesses: Goals to judge beside the task's own; nothing else depends on them.
        """
        self.drawn = 0
        self.reasons: Counter[str] = Counter()
        self.steps = 0
        self._task = task
        self._closure = closure
        self._seed = seed
        self._wanted = wanted
        self._executor = executor
        self._handovers = tuple(handovers)
        self._first = first
        self._witnesses = tuple(witnesses)

    @property
    def discarded(self) -> int:
        """Scenes that could not be begun in so far."""
        return sum(self.reasons.values())

    @property
    def next_index(self) -> int:
        """Index of the first candidate that was not taken into account."""
        return self._first + self.drawn

    def __iter__(self) -> Iterator[Episode]:
        """Deliver the wanted number of episodes.

        Raises:
            TaskError: If more than 90 % of the scenes cannot be begun in.
            SandboxError: If the sandbox failed, also when tried again.
            SimulatorError: If the simulator failed, also when tried again.
        """
        most = max(_FEWEST_CANDIDATES, round(self._wanted / (1.0 - _MOST_DISCARDS)))
        delivered = 0
        while delivered < self._wanted and self.drawn < most:
            # No more than are still missing: executors run ahead, and what runs ahead of the last
            # one wanted keeps the workers from what comes next.
            count = min(self._wanted - delivered, most - self.drawn)
            results = self._executor.map(attempt, self._trials(count))
            try:
                for result in results:
                    self.drawn += 1
                    if isinstance(result, Skipped):
                        self.reasons[result.reason] += 1
                        self.steps += result.steps
                        continue
                    episode = sound(result)
                    self.steps += episode.steps
                    delivered += 1
                    yield episode
            finally:
                close = getattr(results, "close", None)
                if close is not None:
                    close()
        if delivered < self._wanted:
            reason, times = self.reasons.most_common(1)[0]
            raise TaskError(
                f"{self.discarded} of {self.drawn} scenes cannot be begun in, mostly because "
                f"{reason} ({times} times); ask for something that is not so from the start"
            )

    def _trials(self, count: int) -> Iterator[Trial]:
        for index in range(self.next_index, self.next_index + count):
            start, handover = plan_start(self._task, self._seed(index), self._handovers)
            yield Trial(self._task, self._closure, start, handover, witnesses=self._witnesses)


def sound(result: Episode | Lost) -> Episode:
    """Let an episode pass whose outcome says something about the program.

    Args:
        result: What an executor delivered for a trial.

    Returns:
        The episode.

    Raises:
        SimulatorError: If the simulator or its worker was lost.
        SandboxError: If the sandbox was lost.
    """
    if isinstance(result, Lost):
        raise SimulatorError(f"no verdict: {result.detail}; nothing was counted, try again")
    if result.outcome.about_program:
        return result
    sentence = f"no verdict: {result.reason}; nothing was counted, try again"
    if result.outcome is Outcome.SIMULATOR_LOST:
        raise SimulatorError(sentence)
    raise SandboxError(sentence)


@dataclass(frozen=True, slots=True)
class Practice:
    """What a writer may learn from.

    Attributes:
        episodes: In seed order.
        next_index: Where fresh practice scenes begin.
        discarded: Scenes that could not be begun in.
        steps: Physics steps in all.
    """

    episodes: tuple[Episode, ...]
    next_index: int
    discarded: int
    steps: int

    @property
    def solved(self) -> int:
        """Episodes that were solved."""
        return sum(episode.solved for episode in self.episodes)


def practise(
    task: Task,
    closure: Closure,
    *,
    count: int,
    executor: Executor,
    handovers: Sequence[Handover] = (),
    first: int = 0,
    witnesses: Sequence[Witness] = (),
) -> Practice:
    """Run a program on practice scenes; all that writers ever see.

    Args:
        task: What is to be achieved.
        closure: What is run.
        count: Episodes.
        executor: Where they run.
        handovers: Certified skills that scenes may begin after.
        first: Index of the first practice scene; `Practice.next_index` continues.
        witnesses: Goals to judge beside the task's own.

    Returns:
        The episodes.

    Raises:
        TaskError: If more than 90 % of the scenes cannot be begun in.
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    draw = Draw(
        task,
        closure,
        lambda index: practice_seed(task, index),
        wanted=count,
        executor=executor,
        handovers=handovers,
        first=first,
        witnesses=witnesses,
    )
    episodes = tuple(draw)
    return Practice(episodes, draw.next_index, draw.discarded, draw.steps)
