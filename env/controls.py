"""Negative controls: programs that must not solve a task that is worth learning.

Each is an ordinary program and runs through the same sandbox, episode and judge as a skill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from env.errors import TaskError
from env.executors import Executor
from env.practice import Draw
from env.program import Closure, Program, kind_annotation
from env.starts import practice_seed
from env.task import Task
from env.transcript import Episode

CONTROL_SCENES: Final = 20
MOST_SOLVED: Final = 2
"""A task is refused if a control solves more of the scenes than these."""

_DO_NOTHING: Final = '''\
{imports}

def do_nothing({parameters}) -> None:
    """Do nothing."""
'''
_HOLD_STILL: Final = '''\
{imports}
from robot import wait


def hold_still({parameters}) -> None:
    """Wait for three seconds."""
    wait(3.0)
'''
_OPEN_AND_CLOSE: Final = '''\
{imports}
from robot import NothingHeld, close_gripper, open_gripper


def open_and_close({parameters}) -> None:
    """Close the gripper where it is, and open it again."""
    try:
        close_gripper()
    except NothingHeld:
        pass
    open_gripper()
'''
_MOVE_AT_RANDOM: Final = '''\
import random

{imports}
from robot import Blocked, NothingHeld, Unreachable, close_gripper, move_to, open_gripper


def move_at_random({parameters}) -> None:
    """Wander through the workspace, now and then opening or closing the gripper."""
    for _ in range(6):
        target = (random.uniform(0.3, 0.7), random.uniform(-0.4, 0.4), random.uniform(0.02, 0.3))
        try:
            move_to(target, yaw=random.uniform(-1.5, 1.5))
            if random.random() < 0.5:
                open_gripper()
            else:
                close_gripper()
        except (Blocked, NothingHeld, Unreachable):
            pass
'''
_SOURCES: Final = (_DO_NOTHING, _HOLD_STILL, _OPEN_AND_CLOSE, _MOVE_AT_RANDOM)


@dataclass(frozen=True, slots=True)
class ControlRate:
    """How a control did.

    Attributes:
        name: Of the control.
        solved: Scenes that it solved.
        scenes: Scenes that it was run on (fewer than `CONTROL_SCENES` once it solved too many).
    """

    name: str
    solved: int
    scenes: int

    def to_json(self) -> dict[str, Any]:
        """The rate as JSON-able data."""
        return {"name": self.name, "solved": self.solved, "scenes": self.scenes}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ControlRate:
        """Read a record back.

        Raises:
            KeyError: If a field is missing.
        """
        return cls(str(record["name"]), int(record["solved"]), int(record["scenes"]))


@dataclass(frozen=True, slots=True)
class Controls:
    """What the controls did with a task that they did not solve too often.

    Attributes:
        task: Hash of the task.
        rates: One for each control.
        drawn: Practice scenes tried, by the control that tried most.
        discarded: Those of them in which the goal was true at the start.
        steps: Physics steps in all.
    """

    task: str
    rates: tuple[ControlRate, ...]
    drawn: int
    discarded: int
    steps: int

    def to_json(self) -> dict[str, Any]:
        """The controls as JSON-able data."""
        return {
            "task": self.task,
            "rates": [rate.to_json() for rate in self.rates],
            "drawn": self.drawn,
            "discarded": self.discarded,
            "steps": self.steps,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Controls:
        """Read a record back.

        Raises:
            KeyError: If a field is missing.
        """
        return cls(
            task=str(record["task"]),
            rates=tuple(ControlRate.from_json(rate) for rate in record["rates"]),
            drawn=int(record["drawn"]),
            discarded=int(record["discarded"]),
            steps=int(record["steps"]),
        )


def control_programs(task: Task) -> tuple[Program, ...]:
    """The controls, written for a task's parameters."""
    kinds = sorted({kind_annotation(kind) for _, kind in task.parameters})
    imports = f"from robot import {', '.join(kinds)}" if kinds else ""
    parameters = ", ".join(f"{name}: {kind_annotation(kind)}" for name, kind in task.parameters)
    return tuple(
        Program.parse(source.format(imports=imports, parameters=parameters)) for source in _SOURCES
    )


def run_controls(
    task: Task, executor: Executor, watch: Callable[[Episode], None] | None = None
) -> Controls:
    """Admit a task: no control may solve more than 2 of 20 practice scenes.

    The scenes are the task's practice scenes without hand-overs, so that the answer is a property
    of the task and not of the library.

    Args:
        task: The task.
        executor: Where the episodes run.
        watch: Is shown each episode that counts.

    Returns:
        The rates; they depend on the task and the platform only, so they may be kept.

    Raises:
        TaskError: If a control solves too many scenes (with all rates), or if the goal is
            already true in more than 90 % of the scenes.
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    rates: list[ControlRate] = []
    drawn = discarded = steps = 0
    for program in control_programs(task):
        draw = Draw(
            task,
            Closure.of(program),
            lambda index: practice_seed(task, index),
            wanted=CONTROL_SCENES,
            executor=executor,
        )
        solved = scenes = 0
        for episode in draw:
            scenes += 1
            solved += episode.solved
            if watch is not None:
                watch(episode)
            if solved > MOST_SOLVED:
                break
        rates.append(ControlRate(program.name, solved, scenes))
        steps += draw.steps
        if draw.drawn > drawn:
            drawn, discarded = draw.drawn, draw.discarded
    if any(rate.solved > MOST_SOLVED for rate in rates):
        told = ", ".join(f"{rate.name} solved {rate.solved} of {rate.scenes}" for rate in rates)
        raise TaskError(
            f"the goal needs no skill: {told}; at most {MOST_SOLVED} of {CONTROL_SCENES} are "
            "allowed, so ask for more"
        )
    return Controls(task.hash, tuple(rates), drawn, discarded, steps)
