"""The full ratio to raw stepping, by component.

A run of the put-on program is taped at the engine: every step and every motor command. The tape is
played again on the rebuilt scene, so raw stepping is timed under exactly the same physics.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Final

from bench.in_process import function_of
from bench.measure import (
    COMPARED_COLUMNS,
    Arm,
    Compared,
    Cost,
    Spread,
    Stopwatch,
    compared_cells,
    interleave,
)
from bench.metered import Metered
from bench.overhead import Rig
from bench.programs import put_on, put_on_task
from bench.report import Report
from env.bullet import HZ, Bullet
from env.episode import SETTLE_SECONDS, run_episode
from env.errors import VoyagerError
from env.program import Closure
from env.state import BodyState
from env.task import Task
from env.world import World

RAW: Final = "stepSimulation alone"
TARGETS: Final = "+ motor targets"
ACTING: Final = "+ world, robot, calls"
REBUILT: Final = "+ scene built anew"
EPISODE: Final = "+ sandbox, log, judge"
SAMPLED: Final = "calls, sampled at 60 Hz"
SAMPLED_FAR: Final = "calls, distances as well"
_NEEDS: Final = {SAMPLED: frozenset[str](), SAMPLED_FAR: frozenset({"distances"})}

_Drive = tuple[str, Sequence[int], Sequence[float], Sequence[float], Sequence[float]]


class _Taped(Bullet):
    """A client that notes its motor commands, and None for each step."""

    def __init__(self) -> None:
        self.tape: list[_Drive | None] = []
        super().__init__()

    def step(self) -> None:
        """Advance, and note it."""
        self.tape.append(None)
        super().step()

    def drive(
        self,
        name: str,
        indices: Sequence[int],
        targets: Sequence[float],
        forces: Sequence[float],
        gains: Sequence[float],
    ) -> None:
        """Set targets, and note them."""
        self.tape.append((name, indices, targets, forces, gains))
        super().drive(name, indices, targets, forces, gains)


class _Runs:
    """The arms, on scenes with a tape each."""

    def __init__(
        self, world: World, sandbox: Metered, task: Task, closure: Closure, seeds: Sequence[int]
    ) -> None:
        self._world = world
        self._sandbox = sandbox
        self._task = task
        self._closure = closure
        self._seeds = seeds
        self._function = function_of(closure, world)
        taped = [self._record(seed) for seed in seeds]
        self._tapes = [tape for tape, _ in taped]
        self._ends = [end for _, end in taped]
        self.steps = [tape.count(None) for tape in self._tapes]

    def _record(self, seed: int) -> tuple[list[_Drive | None], Mapping[str, BodyState]]:
        with World() as world:
            world.bullet.close()
            world.bullet = bullet = _Taped()
            scene = self._task.sample(seed)
            world.reset(scene)
            bullet.tape.clear()
            function_of(self._closure, world)(**scene.binding)
            _settle(world)
            return bullet.tape, world.observe().bodies

    def raw(self, index: int) -> Cost:
        """Only what is spent inside stepSimulation, while the tape is played."""
        bullet, stepping = self._ready(index), 0.0
        watch = Stopwatch()
        for note in self._tapes[index]:
            if note is None:
                begin = perf_counter()
                bullet.step()
                stepping += perf_counter() - begin
            else:
                bullet.drive(*note)
        whole = watch.stop()
        # A CPU clock is too slow to be read at every step.
        return Cost(stepping, whole.cpu - (whole.wall - stepping))

    def targets(self, index: int) -> Cost:
        """Playing the tape."""
        bullet = self._ready(index)
        watch = Stopwatch()
        for note in self._tapes[index]:
            if note is None:
                bullet.step()
            else:
                bullet.drive(*note)
        return self._done(index, watch.stop())

    def acting(self, index: int, needs: frozenset[str] | None = None) -> Cost:
        """The program as a plain function, and the settle second; sampled if `needs` is given."""
        self._ready(index)
        world = self._world
        binding = dict(self._task.sample(self._seeds[index]).binding)
        watch = Stopwatch()
        world.record(needs)
        self._function(**binding)
        _settle(world)
        return self._done(index, watch.stop())

    def rebuilt(self, index: int) -> Cost:
        """The same with the scene's building and its quarter of a second of rest."""
        gc.collect()
        watch = Stopwatch()
        scene = self._task.sample(self._seeds[index])
        self._world.reset(scene)
        self._function(**scene.binding)
        _settle(self._world)
        return self._done(index, watch.stop())

    def episode(self, index: int) -> Cost:
        """The whole episode."""
        gc.collect()
        child = self._sandbox.cpu_s
        seed = self._seeds[index]
        watch = Stopwatch()
        run_episode(self._world, self._sandbox, self._task, self._closure, seed, fresh=True)
        return self._done(index, watch.stop(self._sandbox.cpu_s - child))

    def _ready(self, index: int) -> Bullet:
        self._world.reset(self._task.sample(self._seeds[index]))
        gc.collect()
        return self._world.bullet

    def _done(self, index: int, cost: Cost) -> Cost:
        if self._world.observe().bodies != self._ends[index]:
            raise VoyagerError("the runs that are compared do not end in the same state")
        return cost


def _settle(world: World) -> None:
    for _ in range(round(SETTLE_SECONDS * HZ)):
        world.tick()


def stepping(world: World, sandbox: Metered, rounds: int, repeats: int) -> Report:
    """Measure an episode's components against the engine's own time.

    Args:
        world: Is reset.
        sandbox: A started sandbox.
        rounds: Scenes.
        repeats: How often each arm runs each of them; the fastest counts.

    Returns:
        The report.

    Raises:
        VoyagerError: If the arms do not simulate the same thing.
    """
    task, closure = put_on_task(), put_on()
    seeds = list(Rig(world, sandbox, task, closure).solved_seeds(rounds))
    runs = _Runs(world, sandbox, task, closure, seeds)
    arms: dict[str, Arm] = {
        RAW: runs.raw,
        TARGETS: runs.targets,
        ACTING: runs.acting,
        REBUILT: runs.rebuilt,
        EPISODE: runs.episode,
        SAMPLED: lambda index: runs.acting(index, _NEEDS[SAMPLED]),
        SAMPLED_FAR: lambda index: runs.acting(index, _NEEDS[SAMPLED_FAR]),
    }
    costs = interleave(arms, rounds, repeats)
    rows, record = [], []
    for arm, spent in costs.items():
        line = Compared.of(spent, costs[RAW])
        a_step = Spread.of(1e6 * c.cpu / n for c, n in zip(spent, runs.steps, strict=True))
        rows.append((arm, *compared_cells(line), f"{a_step.median:.1f}"))
        record.append({"arm": arm, **line.to_json(), "cpu_us_a_step": a_step.to_json()})
    steps = Spread.of(runs.steps)
    return Report(
        name="stepping",
        title="An episode against raw stepping (put on, the same physics in every line)",
        columns=("component", *COMPARED_COLUMNS, "us a step"),
        rows=tuple(rows),
        notes=(
            f"{rounds} scenes, the best of {repeats} runs each; "
            f"{steps.median:.0f} steps ({steps.least:.0f}..{steps.most:.0f}) without building",
        ),
        record={"rounds": rounds, "repeats": repeats, "steps": steps.to_json(), "arms": record},
    )
