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
from bench.measure import Arm, Spread, interleave, ratio
from bench.overhead import Rig
from bench.programs import put_on, put_on_task
from bench.report import Report
from env.bullet import HZ, Bullet
from env.episode import SETTLE_SECONDS, run_episode
from env.errors import VoyagerError
from env.program import Closure
from env.sandbox import Sandbox
from env.state import BodyState
from env.task import Task
from env.world import World

RAW: Final = "stepSimulation alone"
TARGETS: Final = "+ motor targets"
ACTING: Final = "+ world, robot, calls"
REBUILT: Final = "+ scene built anew"
EPISODE: Final = "+ sandbox, log, judge"
SAMPLED: Final = "acting, contacts sampled at 60 Hz"
SAMPLED_FAR: Final = "acting, distances sampled too"
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
        self, world: World, sandbox: Sandbox, task: Task, closure: Closure, seeds: Sequence[int]
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

    def raw(self, index: int) -> float:
        """Only the time inside stepSimulation, while the tape is played."""
        bullet, spent = self._ready(index), 0.0
        for note in self._tapes[index]:
            if note is None:
                begin = perf_counter()
                bullet.step()
                spent += perf_counter() - begin
            else:
                bullet.drive(*note)
        return spent

    def targets(self, index: int) -> float:
        """Playing the tape."""
        bullet = self._ready(index)
        begin = perf_counter()
        for note in self._tapes[index]:
            if note is None:
                bullet.step()
            else:
                bullet.drive(*note)
        spent = perf_counter() - begin
        self._check(index)
        return spent

    def acting(self, index: int, needs: frozenset[str] | None = None) -> float:
        """The program as a plain function, and the settle second; sampled if `needs` is given."""
        self._ready(index)
        world = self._world
        binding = dict(self._task.sample(self._seeds[index]).binding)
        begin = perf_counter()
        world.record(needs)
        self._function(**binding)
        _settle(world)
        spent = perf_counter() - begin
        self._check(index)
        return spent

    def rebuilt(self, index: int) -> float:
        """The same with the scene's building and its quarter of a second of rest."""
        gc.collect()
        begin = perf_counter()
        scene = self._task.sample(self._seeds[index])
        self._world.reset(scene)
        self._function(**scene.binding)
        _settle(self._world)
        return perf_counter() - begin

    def episode(self, index: int) -> float:
        """The whole episode."""
        gc.collect()
        begin = perf_counter()
        run_episode(
            self._world, self._sandbox, self._task, self._closure, self._seeds[index], fresh=True
        )
        return perf_counter() - begin

    def _ready(self, index: int) -> Bullet:
        self._world.reset(self._task.sample(self._seeds[index]))
        gc.collect()
        return self._world.bullet

    def _check(self, index: int) -> None:
        if self._world.observe().bodies != self._ends[index]:
            raise VoyagerError("the runs that are compared do not end in the same state")


def _settle(world: World) -> None:
    for _ in range(round(SETTLE_SECONDS * HZ)):
        world.tick()


def stepping(world: World, sandbox: Sandbox, rounds: int, repeats: int) -> Report:
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
    times = interleave(arms, rounds, repeats)
    rows, record = [], []
    for arm, seconds in times.items():
        milliseconds = Spread.of(seconds).scaled(1e3)
        a_step = Spread.of(s / n for s, n in zip(seconds, runs.steps, strict=True)).scaled(1e6)
        over = ratio(times, arm, RAW)
        rows.append((arm, milliseconds.text(1), f"{a_step.median:.1f}", over.text(3, " x")))
        record.append(
            {
                "arm": arm,
                "ms": milliseconds.to_json(),
                "us_a_step": a_step.to_json(),
                "ratio": over.to_json(),
            }
        )
    steps = Spread.of(runs.steps)
    return Report(
        name="stepping",
        title="An episode against raw stepping (put on, the same physics in every line)",
        columns=("component", "ms", "us a step", "x raw"),
        rows=tuple(rows),
        notes=(
            f"{rounds} scenes, fastest of {repeats} runs each; "
            f"{steps.median:.0f} steps ({steps.least:.0f}..{steps.most:.0f}) without building",
        ),
        record={"rounds": rounds, "repeats": repeats, "steps": steps.to_json(), "arms": record},
    )
