"""Whether a long run keeps its memory: one world and one sandbox, thousands of episodes.

What is read is the resident memory of this process (world, engine, judge) and of its children
(the sandbox's warmed parent), as the kernel tells it; so this bench is for Linux only.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from bench.programs import put_on, put_on_task, reach, reach_task
from bench.report import Report
from env.episode import StartUnusable, run_episode
from env.errors import VoyagerError
from env.seeds import derive
from env.workers import Bench

EPISODES: Final = 5_000
READINGS: Final = 10
_PUT_ON_EVERY: Final = 20
"""One episode in so many grasps and stacks; the others only reach."""
_PAGE_KB: Final = os.sysconf("SC_PAGE_SIZE") // 1024

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """Resident memory at one moment.

    Attributes:
        episodes: How many were run before.
        own_kb: Of this process, kilobytes.
        children_kb: Of all processes that it started, and of theirs.
        seconds: On the clock since the first episode.
    """

    episodes: int
    own_kb: int
    children_kb: int
    seconds: float


def memory(episodes: int = EPISODES, watch: Told = lambda done: None) -> Report:
    """Run episodes on one bench and read the memory now and then.

    Args:
        episodes: How many, >= 1.
        watch: Is told how many are done.

    Returns:
        The report.

    Raises:
        VoyagerError: If the kernel does not tell the memory of processes, or world or sandbox
            cannot be made.
    """
    readings = list(_readings(episodes, watch))
    # The first episodes fill caches and pools; what counts is what comes after them.
    settled = readings[1:]
    own = slope([(one.episodes, one.own_kb) for one in settled])
    children = slope([(one.episodes, one.children_kb) for one in settled])
    return Report(
        name="memory",
        title="Memory of one world and one sandbox",
        columns=("episodes", "process MB", "sandbox MB", "seconds"),
        rows=tuple(
            (
                f"{one.episodes:,}",
                f"{one.own_kb / 1024:.1f}",
                f"{one.children_kb / 1024:.1f}",
                f"{one.seconds:.0f}",
            )
            for one in readings
        ),
        notes=(
            f"growth after the first reading: {own:+.3f} KB an episode in the process, "
            f"{children:+.3f} in the sandbox",
            "each episode on a scene of its own, of one to five objects of four kinds",
        ),
        record={
            "own_kb_an_episode": own,
            "sandbox_kb_an_episode": children,
            "readings": [
                {name: getattr(one, name) for name in Reading.__slots__} for one in readings
            ],
        },
    )


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Growth along the straight line that fits best; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    x, y = np.array(points, float).T
    return float(np.polyfit(x, y, 1)[0])


def _readings(episodes: int, watch: Told) -> Iterator[Reading]:
    tasks = ((put_on_task(), put_on()), (reach_task(), reach()))
    every = max(1, -(-episodes // READINGS))
    with closing(Bench()) as bench:
        world, sandbox = bench.world(), bench.sandbox()
        begun = perf_counter()
        for index in range(episodes):
            task, closure = tasks[index % _PUT_ON_EVERY > 0]
            seed = derive("bench memory", index)
            # In an unusable scene the world was reset all the same.
            with suppress(StartUnusable):
                run_episode(world, sandbox, task, closure, seed, fresh=True)
            done = index + 1
            watch(done)
            if done % every == 0 or done == episodes:
                gc.collect()
                yield Reading(done, resident(os.getpid()), _of_children(), perf_counter() - begun)


def resident(process: int) -> int:
    """Resident memory of a process in kilobytes.

    Raises:
        VoyagerError: If the kernel does not tell.
    """
    try:
        told = Path(f"/proc/{process}/statm").read_text(encoding="ascii")
    except OSError as error:
        raise VoyagerError(f"the memory of a process cannot be read here: {error}") from error
    return int(told.split()[1]) * _PAGE_KB


def _of_children() -> int:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets and may hold anything, also spaces and brackets.
            after = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(path.parent.name)] = int(after[1])
    found, generation = 0, {os.getpid()}
    while generation := {pid for pid, parent in parents.items() if parent in generation}:
        found += sum(resident(pid) for pid in generation)
    return found
