"""What learning costs, goal after goal, with the library on and off.

Budgets are in simulated steps. With the library on, all goals of the road share one budget and one
library, so a deep goal pays for the shallow ones that it is built on. With the library off, each
goal has the whole budget to itself and no skill to call: the same steps in all to get to a goal.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.measure import Stopwatch
from bench.report import Report
from env.errors import TaskError
from env.executors import Executor
from env.outcome import Outcome
from env.task import Task
from skill_store.library import Library
from voyager.events import Watch, nobody
from voyager.learn import LearnReport, learn

BUDGET: Final = 4_000_000
"""Simulated steps in all."""
_BLOCK: Final = {"block": "block"}
GOALS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "reach": ("at(gripper, block)", _BLOCK),
    "lift": ("lifted(block)", _BLOCK),
    "put_on": ("on(top, bottom) and clear()", {"top": "block", "bottom": "block"}),
    "bowl": ("inside(block, bowl) and clear()", {"block": "block", "bowl": "bowl"}),
    "tray": ("inside(block, tray) and clear()", {"block": "block", "tray": "tray"}),
    "tower": (
        "on(top, middle) and on(middle, bottom) and clear()",
        {"top": "block", "middle": "block", "bottom": "block"},
    ),
}
"""Goal and parameters by short name, in the order in which they are learned."""
STAGES: Final = ("controls", "search", "practice", "certify")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One goal that was learned, or not.

    Attributes:
        goal: Its short name.
        library: Whether skills of the library could be called.
        seed: Of the run.
        report: What `learn` said, or why the task was refused.
        before: Steps that the road had used up before, with the library on.
        minutes: On the clock.
    """

    goal: str
    library: bool
    seed: int
    report: LearnReport | str
    before: int
    minutes: float

    @property
    def in_all(self) -> int:
        """Simulated steps from an empty home to the end of this lesson."""
        return self.before + (0 if isinstance(self.report, str) else self.report.simulated_steps)

    @property
    def name(self) -> tuple[str, str, str]:
        """The first cells of its lines."""
        return self.goal, str(self.seed), "on" if self.library else "off"

    def cells(self) -> tuple[str, ...]:
        """Its line in the table of outcomes."""
        told = self.report
        if isinstance(told, str):
            return (*self.name, "refused", *[""] * (len(_COLUMNS) - 4))
        made = told.certificate
        return (
            *self.name,
            told.outcome.value,
            "" if made is None else f"{made.solved}/{len(made.scenes)}",
            f"{told.nodes:,}",
            f"{told.branching}",
            f"{told.generated:,}",
            f"{told.simulated_steps:,}",
            f"{self.in_all:,}",
            f"{self.minutes:.1f}",
        )

    def stage_cells(self) -> tuple[str, ...]:
        """Its line in the table of stages."""
        spent = {} if isinstance(self.report, str) else self.report.stage_steps
        return (*self.name, *(f"{spent.get(stage, 0):,}" for stage in STAGES))

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        told = self.report
        return {
            "goal": self.goal,
            "expression": GOALS[self.goal][0],
            "library": self.library,
            "seed": self.seed,
            "refused": told if isinstance(told, str) else None,
            "report": None if isinstance(told, str) else told.to_json(),
            "source": None
            if isinstance(told, str) or told.skill is None
            else told.skill.closure.entry.source,
            "steps_in_all": self.in_all,
            "minutes": self.minutes,
        }


_COLUMNS: Final = (
    "goal",
    "seed",
    "library",
    "outcome",
    "k/n",
    "nodes",
    "branching",
    "tried",
    "steps",
    "in all",
    "min",
)


def search(
    executor: Executor,
    *,
    goals: Sequence[str] = tuple(GOALS),
    seeds: Sequence[int] = (0,),
    budget: int = BUDGET,
    lanes: int = 4,
    libraries: Sequence[bool] = (True, False),
    watch: Watch = nobody,
    journal: Callable[[list[Report]], None] = lambda reports: None,
) -> list[Report]:
    """Learn goals one after another, each time from an empty home.

    Args:
        executor: Where to simulate; changes nothing but the minutes.
        goals: Short names from `GOALS`.
        seeds: Of the runs; each is a road of its own.
        budget: Simulated steps in all.
        lanes: Practice scenes side by side.
        libraries: Whether to measure with the library on, off, or both.
        watch: Is told what happens.
        journal: Gets the reports as far as they are, after every goal.

    Returns:
        A report on outcomes and one on where the steps went.

    Raises:
        StorageError: If the temporary home cannot be written.
        SandboxError: If the sandbox failed.
        SimulatorError: If the simulator failed.
    """
    done: list[Lesson] = []
    for seed in seeds:
        for library in libraries:
            for lesson in road(executor, goals, seed, budget, lanes, library, watch):
                done.append(lesson)
                journal(tables(done, budget))
    return tables(done, budget)


def road(
    executor: Executor,
    goals: Sequence[str],
    seed: int,
    budget: int,
    lanes: int,
    library: bool,
    watch: Watch = nobody,
) -> Iterator[Lesson]:
    """Learn goals one after another in a fresh home; see `search`."""
    used = 0
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as home,
        Library.open(Path(home), learning=True) as skills,
    ):
        for goal in goals:
            text, parameters = GOALS[goal]
            before = used if library else 0
            stopwatch = Stopwatch()
            told: LearnReport | str = LearnReport(Outcome.LIMIT, "no steps were left for it")
            try:
                if before < budget:
                    told = learn(
                        Task.make(text, parameters),
                        skills,
                        executor=executor,
                        steps=budget - before,
                        lanes=lanes,
                        name=goal,
                        use_library=library,
                        seed=seed,
                        watch=watch,
                    )
                    used += told.simulated_steps
            except TaskError as error:
                told = str(error)
            yield Lesson(goal, library, seed, told, before, stopwatch.stop().wall / 60.0)


def tables(lessons: Sequence[Lesson], budget: int) -> list[Report]:
    """The two tables of some lessons."""
    outcomes = Report(
        name="search",
        title=f"Learning from an empty home, {budget:,} simulated steps in all",
        columns=_COLUMNS,
        rows=tuple(lesson.cells() for lesson in lessons),
        notes=(
            "library on: the goals share the budget and the library; "
            "off: each goal has the whole budget, and robot calls only",
            "in all: steps from an empty home to the end of this line",
        ),
        record={"budget": budget, "lessons": [lesson.to_json() for lesson in lessons]},
    )
    stages = Report(
        name="search_stages",
        title="The same steps by stage",
        columns=("goal", "seed", "library", *STAGES),
        rows=tuple(lesson.stage_cells() for lesson in lessons),
        record={"stages": list(STAGES), "see": "search.lessons[].report.stage_steps"},
    )
    return [outcomes, stages]
