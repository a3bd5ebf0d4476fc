"""The tests' side of `tests.voyager.crash.driver`: homes to explore in, and the orders."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from env.controls import ControlRate, Controls
from env.scene import SceneSpec
from env.task import Task
from skill_store import Library
from voyager.lesson import keep_controls

ROOT = Path(__file__).parents[3]
_EMPTY = SceneSpec(distractors=(0, 0))
"""Nothing lies about: such scenes cost least."""
WIDTHS = (0.12, 0.10, 0.08, 0.06, 0.05)
"""Each task is a little stricter than the one before, so that no skill does the next one."""


def tasks(number: int) -> list[Task]:
    return [
        Task.make(f"at(gripper, x, {within})", {"x": "place"}, scene=_EMPTY)
        for within in WIDTHS[:number]
    ]


def known_controls(task: Task) -> Controls:
    """What the controls would have done with a task, put down by hand."""
    return Controls(task.hash, (ControlRate("do_nothing", 0, 20),), 20, 0, 100)


def prepare(home: Path, wanted: Sequence[Task], untested: int = 0) -> Path:
    """A home in which somebody has asked for tasks.

    All but the first few count as tested, because that takes longer than all the rest.
    """
    with Library.open(home, learning=True) as library:
        for task in wanted[untested:]:
            keep_controls(library, task, known_controls(task))
        for task in wanted:
            library.queue.add(task)
    return home


class Ending(NamedTuple):
    """How a run ended."""

    killed: bool
    status: int


@dataclass(frozen=True)
class Driver:
    """A driver's process."""

    process: subprocess.Popen[str]

    def run(self, home: Path, tasks: int, *, book: bool = True, **more: Any) -> Ending:
        """Explore in a home until `tasks` attempts are made, or the chosen instant comes.

        Keyword arguments: `write`, `number` and `when` for the number-th write of a name (None:
        of any), or `seconds` after the run has begun, or after it was started if `starting`;
        `stop`, to end as soon as it has begun; `settle`, as soon as no request waits; `trace`, a
        file for the names of all writes.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        order = {"home": str(home), "tasks": tasks, "book": book, **more}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ending(**json.loads(self.process.stdout.readline()))


@contextmanager
def driving() -> Iterator[Driver]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.voyager.crash.driver"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Driver(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
