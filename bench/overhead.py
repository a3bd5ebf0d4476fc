"""What sandbox, log and judge cost: the same program on the same rebuilt worlds, side by side.

All arms rebuild the scene, carry out the same robot calls and hold the motor targets for the same
second; that they end in bitwise the same state is checked.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bench.in_process import Direct, function_of
from bench.measure import (
    COMPARED_COLUMNS,
    Arm,
    Compared,
    Cost,
    Stopwatch,
    compared_cells,
    interleave,
)
from bench.metered import Metered
from bench.programs import PUT_ON, PUT_ON_THEN, PUT_ON_THEN_CLEAR, put_on, put_on_task
from bench.report import Report
from env.bullet import HZ
from env.episode import SETTLE_SECONDS, Conductor, StartUnusable, run_episode
from env.errors import VoyagerError
from env.program import Closure
from env.sandbox import Limits
from env.seeds import derive
from env.task import Task
from env.transcript import state_digest
from env.world import World

TARGET: Final = 1.25
"""How much longer an episode may take than the same program in-process."""
BARE: Final = "in-process"
SAMPLED: Final = "in-process, sampled"
SANDBOX: Final = "sandbox"
LOG: Final = "sandbox + log"
EPISODE: Final = "sandbox + log + judge"


class Rig:
    """One task and one program, and all the ways to run it."""

    def __init__(self, world: World, sandbox: Metered, task: Task, closure: Closure) -> None:
        """Take a world and a started sandbox of somebody else.

        Args:
            world: Is reset in every run.
            sandbox: Runs the program where an arm says so.
            task: Gives the scenes and the goal.
            closure: The program; its parameters are the task's.
        """
        self.world = world
        self.task = task
        self._sandbox = sandbox
        self._closure = closure
        self._function = function_of(closure, world)
        self._ends: dict[int, tuple[str, int]] = {}
        self._limits = Limits(calls=task.call_limit + 1, skill_calls=task.call_limit + 1)

    def bare(self, seed: int) -> Cost:
        """Call the function, settle; nothing is sampled."""
        before = self._ready()
        watch = Stopwatch()
        binding = self._reset(seed)
        self._function(**binding)
        self._hold()
        return self._done(seed, before, watch)

    def sampled(self, seed: int) -> Cost:
        """The same, with the states taken that a judge would look at."""
        world, needs = self.world, self.task.goal.needs
        before = self._ready()
        watch = Stopwatch()
        binding = self._reset(seed)
        if self.task.goal.temporal:
            world.record(needs)
        self._function(**binding)
        world.settle(SETTLE_SECONDS, needs)
        world.record(None)
        return self._done(seed, before, watch)

    def sandboxed(self, seed: int) -> Cost:
        """Run it in the sandbox, settle; calls are carried out and nothing more."""
        before = self._ready()
        watch = Stopwatch()
        binding = self._reset(seed)
        self._sandbox.run(self._closure, binding, Direct(self.world), self._limits)
        self._hold()
        return self._done(seed, before, watch)

    def logged(self, seed: int) -> Cost:
        """Run it in the sandbox, note every call and what it displaced, settle."""
        before = self._ready()
        watch = Stopwatch()
        binding = self._reset(seed)
        state = self.world.observe(self.task.goal.needs)
        conductor = Conductor(self.world, self.task, self._closure, state, log=True)
        self._sandbox.run(self._closure, binding, conductor, self._limits)
        self.world.record(None)
        self._hold()
        return self._done(seed, before, watch)

    def episode(self, seed: int) -> Cost:
        """The whole episode, as certification runs it."""
        before = self._ready()
        watch = Stopwatch()
        run_episode(self.world, self._sandbox, self.task, self._closure, seed, fresh=True)
        return self._done(seed, before, watch)

    def solved_seeds(self, count: int) -> Iterator[int]:
        """Seeds of scenes that the program solves, so that every arm runs all of it.

        Raises:
            VoyagerError: If it solves too few.
        """
        for index in range(10 * count + 10):
            seed = derive("bench", self.task.goal.text, index)
            try:
                episode = run_episode(
                    self.world, self._sandbox, self.task, self._closure, seed, fresh=True
                )
            except StartUnusable:
                continue
            if episode.solved:
                yield seed
                count -= 1
                if count == 0:
                    return
        raise VoyagerError("the program of the bench solves too few scenes to be measured on")

    def _ready(self) -> tuple[int, float]:
        gc.collect()  # what earlier arms left behind is not this one's to clear away
        return self.world.total_steps, self._sandbox.cpu_s

    def _reset(self, seed: int) -> dict[str, str]:
        scene = self.task.sample(seed)
        self.world.reset(scene)
        return dict(scene.binding)

    def _hold(self) -> None:
        for _ in range(round(SETTLE_SECONDS * HZ)):
            self.world.tick()

    def _done(self, seed: int, before: tuple[int, float], watch: Stopwatch) -> Cost:
        steps, child = before
        cost = watch.stop(self._sandbox.cpu_s - child)
        end = (state_digest(self.world.observe()), self.world.total_steps - steps)
        if self._ends.setdefault(seed, end) != end:
            raise VoyagerError(f"two ways to run the program end differently on seed {seed}")
        return cost


def overhead(world: World, sandbox: Metered, rounds: int, repeats: int) -> list[Report]:
    """Measure the put-on program: a plain goal by component, temporal goals as a whole.

    Args:
        world: Is reset.
        sandbox: A started sandbox.
        rounds: Scenes.
        repeats: How often each arm runs each of them; the fastest counts.

    Returns:
        One report a goal.

    Raises:
        VoyagerError: If the arms do not simulate the same thing.
    """
    closure = put_on()
    plain = Rig(world, sandbox, put_on_task(), closure)
    reports = [
        _report(
            "overhead",
            f"Sandbox, log and judge: {PUT_ON}",
            plain,
            {
                BARE: plain.bare,
                SAMPLED: plain.sampled,
                SANDBOX: plain.sandboxed,
                LOG: plain.logged,
                EPISODE: plain.episode,
            },
            rounds,
            repeats,
        )
    ]
    for name, goal in (
        ("overhead_temporal", PUT_ON_THEN),
        ("overhead_temporal_distances", PUT_ON_THEN_CLEAR),
    ):
        rig = Rig(world, sandbox, put_on_task(goal), closure)
        arms = {BARE: rig.bare, SAMPLED: rig.sampled, EPISODE: rig.episode}
        title = f"Temporal goal, trace at 60 Hz: {goal}"
        reports.append(_report(name, title, rig, arms, rounds, repeats))
    return reports


def _report(
    name: str, title: str, rig: Rig, arms: Mapping[str, Arm], rounds: int, repeats: int
) -> Report:
    seeds = list(rig.solved_seeds(rounds))
    costs = interleave({arm: _on(run, seeds) for arm, run in arms.items()}, rounds, repeats)
    compared = {arm: Compared.of(cost, costs[BARE]) for arm, cost in costs.items()}
    whole = compared[EPISODE]
    wall, cpu = whole.wall_ratio.median, whole.cpu_ratio.median
    return Report(
        name=name,
        title=title,
        columns=("rebuild, program, settle", *COMPARED_COLUMNS),
        rows=tuple((arm, *compared_cells(line)) for arm, line in compared.items()),
        notes=(
            f"{rounds} scenes, the best of {repeats} runs each; target for the last line "
            f"<= {TARGET}: {'met' if wall <= TARGET else 'missed'} ({wall:.3f}; by CPU {cpu:.3f})",
        ),
        record={
            "rounds": rounds,
            "repeats": repeats,
            "target": TARGET,
            "wall_ratio": wall,
            "cpu_ratio": cpu,
            "arms": [{"arm": arm, **line.to_json()} for arm, line in compared.items()],
        },
    )


def _on(run: Arm, seeds: Sequence[int]) -> Arm:
    return lambda index: run(seeds[index])
