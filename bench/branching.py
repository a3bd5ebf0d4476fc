"""Whether the search stays narrow as the library grows: steps to choose from by library size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.measure import Cost, Spread, Stopwatch, interleave
from bench.report import Report
from bench.search import GOALS
from env.program import Closure, Program, kind_annotation
from env.starts import Handover
from env.task import Task
from voyager.writers.macros import macros
from voyager.writers.search import steps_for

SIZES: Final = (0, 10, 40, 160)
_FORMS: Final = (
    ("lifted(block, {number})", {"block": "block"}),
    ("on(top, bottom) and near(top, bottom, {number})", {"top": "block", "bottom": "block"}),
    (
        "inside(block, bowl) and near(block, bowl, {number})",
        {"block": "block", "bowl": "bowl"},
    ),
    ("at(gripper, block, {number}) and not held(block)", {"block": "block"}),
    ("inside(block, tray) and not lifted(block, {number})", {"block": "block", "tray": "tray"}),
)
_SOURCE: Final = '''\
from robot import {kinds}


def {name}({parameters}) -> None:
    """Stands for a skill of that contract."""
'''


def branching(rounds: int, sizes: Sequence[int] = SIZES) -> Report:
    """Count what a search for a tower may append to a plan, beside libraries of made-up skills.

    Args:
        rounds: How often the choice is timed.
        sizes: Skills in the library.

    Returns:
        The report.
    """
    text, parameters = GOALS["tower"]
    task = Task.make(text, parameters)
    rows, record = [], []
    for size in sizes:
        skills = [made_up_skill(index) for index in range(size)]

        def choose(index: int, skills: Sequence[Handover] = skills) -> Cost:
            watch = Stopwatch()
            steps_for(task, skills)
            return watch.stop()

        offered = macros(task, skills)
        chosen = len(offered.reaching) + len(offered.related)
        steps = sum(map(len, steps_for(task, skills)))
        spent = Spread.of(1e3 * c.wall for c in interleave({"": choose}, rounds)[""])
        rows.append((str(size), str(chosen), str(steps), spent.text(1)))
        record.append(
            {"skills": size, "skill_calls": chosen, "steps": steps, "ms": spent.to_json()}
        )
    return Report(
        name="branching",
        title=f"Branching beside a growing library: {text}",
        columns=("skills", "skill calls offered", "steps to choose from", "ms to choose"),
        rows=tuple(rows),
        record={"rounds": rounds, "goal": text, "sizes": record},
    )


def made_up_skill(index: int) -> Handover:
    """A skill with a contract of its own that does nothing; only its contract is looked at."""
    form, parameters = _FORMS[index % len(_FORMS)]
    number = 0.05 + 0.001 * (index // len(_FORMS))
    task = Task.make(form.format(number=f"{number:.3f}"), parameters)
    kinds = {name: kind_annotation(kind) for name, kind in parameters.items()}
    source = _SOURCE.format(
        kinds=", ".join(sorted(set(kinds.values()))),
        name=f"skill_{index}",
        parameters=", ".join(f"{name}: {kind}" for name, kind in kinds.items()),
    )
    return Handover(Closure.of(Program.parse(source)).with_contract(task), task)
