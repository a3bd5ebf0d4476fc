"""What a model writes from an empty library, by how the questions to it are spent.

    python -m bench.writing --model openai:gpt-5 --out results/
    python -m bench.writing --model manual:prompts --out results/ --jobs 8

Every arm may ask equally often for a task. A chain mends the last program, best of n begins anew
each time, a tree does both (UCT). Two more arms attempt a task twice: blind, and with a lesson in
between, whose question counts like the others. Every run has an empty home of its own and leaves
one JSON file, so that a bench which was stopped goes on where it stood. With `manual:` and
`replay:` the arms share the answers to equal questions (common random numbers): what differs
between them is then how they go on, not how they began.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.intervals import Share
from bench.report import Report, show, terminal
from env.controls import Controls, run_controls_together
from env.errors import VoyagerError
from env.executors import make_executor
from env.task import Task
from skill_store.library import Library
from voyager.learn import learn
from voyager.lesson import LearnReport, keep_controls, known_controls
from voyager.models.opening import Models, open_models
from voyager.models.settings import ModelsConfig
from voyager.tree import TreeSettings
from voyager.writers.llm import ModelWriter

SCHEMA: Final = "voyager.bench.writing/1"
STEPS: Final = 1_000_000
"""Simulated steps that one attempt may take."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to spend the questions for a task.

    Attributes:
        attempts: One after the other, until the task is learned.
        lessons: Whether a failed attempt is reflected upon, which takes one question.
    """

    attempts: tuple[TreeSettings, ...]
    lessons: bool = False


def arms(calls: int) -> dict[str, Arm]:
    """The arms that are compared, each with the same number of questions for a task.

    Args:
        calls: Questions; an even number, at least 4.
    """
    half = calls // 2
    return {
        "chain": Arm((TreeSettings.chain(calls),)),
        "best of n": Arm((TreeSettings.best_of(calls),)),
        "tree": Arm((TreeSettings(calls, width=2, depth=half),)),
        "blind retry": Arm((TreeSettings.chain(half), TreeSettings.chain(half))),
        "lesson": Arm((TreeSettings.chain(half), TreeSettings.chain(half - 1)), lessons=True),
    }


_BLOCKS: Final = {"a": "block", "b": "block"}
_THREE: Final = {**_BLOCKS, "c": "block"}
EASY: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "pair": ("on(a, b) and clear()", _BLOCKS),
    "tower": ("on(a, b) and on(b, c) and clear()", _THREE),
    "four": ("on(a, b) and on(b, c) and on(c, d)", {**_THREE, "d": "block"}),
    "ball on block": ("on(a, b) and clear()", {"a": "ball", "b": "block"}),
    "bowl": ("inside(a, b) and clear()", {"a": "graspable", "b": "bowl"}),
    "clear the table": ('every("block", inside(it, tray)) and clear()', {"tray": "tray"}),
    "mark": ("at_place(a, p) and upright(a) and clear()", {"a": "block", "p": "place"}),
    "row": (
        "left_of(a, b) and left_of(b, c) and not held(a)",
        {"a": "graspable", "b": "graspable", "c": "graspable"},
    ),
    "side by side": ("touching(a, b) and not on(a, b) and clear()", _BLOCKS),
    "push": ("moved(a, 0.1) and always(not held(a)) and clear()", {"a": "block"}),
}
"""Tasks of taking and putting, and one plain push."""
HARD: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "push onto the mark": (
        "at_place(a, p) and always(not held(a)) and clear()",
        {"a": "block", "p": "place"},
    ),
    "roll aside": (
        "right_of(a, b, 0.1) and still(a) and always(not held(a))",
        {"a": "ball", "b": "block"},
    ),
    "bowl on the mark": ("at(a, p, 0.04) and clear()", {"a": "bowl", "p": "place"}),
    "bowl to the tray": ("touching(a, b) and clear()", {"a": "bowl", "b": "tray"}),
    "serve": ("inside(a, b) and moved(b, 0.1) and clear()", {"a": "ball", "b": "bowl"}),
    "swap": ("then(on(a, b), on(b, a)) and clear()", _BLOCKS),
    "five": (
        "on(a, b) and on(b, c) and on(c, d) and on(d, e) and clear()",
        {**_THREE, "d": "block", "e": "block"},
    ),
    "sort": (
        'every("ball", inside(it, bowl)) and every("block", inside(it, tray)) and clear()',
        {"bowl": "bowl", "tray": "tray"},
    ),
    "huddle": ("touching(a, b) and touching(b, c) and touching(a, c) and clear()", _THREE),
    "behind the tray": (
        "behind(a, b) and touching(a, b) and clear()",
        {"a": "block", "b": "tray"},
    ),
    "tower in the tray": (
        "on(a, b) and inside(b, tray) and clear()",
        {**_BLOCKS, "tray": "tray"},
    ),
}
"""Tasks where things must be pushed, rolled, gathered or put up high."""
TASKS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {**EASY, **HARD}
"""Goal and kinds of each task; none of them is told to a proposer."""


def attempt(arm: Arm, task: Task, model: str, home: Path, *, seed: int = 0) -> dict[str, Any]:
    """Attempt one task in an empty home.

    Args:
        arm: How the questions are spent.
        task: What is wanted.
        model: Who is asked.
        home: Is made; holds the drafts, the lessons and what comes of it.
        seed: Of the run: which practice scenes are looked at.

    Returns:
        What came of it, JSON-able.

    Raises:
        VoyagerError: If the task is refused or the model cannot be asked.
    """
    reports: list[LearnReport] = []
    with Library.open(home, learning=True) as library, make_executor(1) as executor:
        models = open_models(ModelsConfig(write=model, max_usd=0.0), home, library.exchanges)
        for settings in arm.attempts:
            writer = ModelWriter(
                models,
                settings,
                drafts=library.drafts,
                lessons=library.lessons if arm.lessons else None,
            )
            reports.append(
                learn(
                    task,
                    library,
                    executor=executor,
                    steps=STEPS,
                    use_library=False,
                    seed=seed,
                    writer=writer,
                )
            )
            if reports[-1].learned:
                break
        return _record(reports, library, models)


def _record(reports: Sequence[LearnReport], library: Library, models: Models) -> dict[str, Any]:
    drafts = [
        draft
        for report in reports
        if report.attempt is not None
        for draft in library.drafts.of(report.attempt)
    ]
    last = reports[-1]
    certificate = last.certificate
    return {
        "model": models.name,
        "learned": last.learned,
        "attempts": len(reports),
        "questions": library.exchanges.totals().calls,
        "programs": len(drafts),
        "best": max((draft.value or 0.0 for draft in drafts), default=0.0),
        "k": None if certificate is None else certificate.solved,
        "n": None if certificate is None else certificate.n,
        "steps": sum(report.simulated_steps for report in reports),
        "reason": last.reason,
    }


def tested(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """Test the tasks themselves, once for all arms.

    Args:
        names: Of tasks.
        folder: Keeps what came of it.

    Returns:
        By task a file with what the controls did.

    Raises:
        VoyagerError: If a task is refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{_plain(name)}.json" for name in names}
    with make_executor(2) as executor:
        for name in (name for name in names if not files[name].exists()):
            (controls,), _ = run_controls_together((task_of(name),), executor, lambda _: None)
            if controls.refusal:
                raise VoyagerError(f"the task {name!r} is refused: {controls.refusal}")
            files[name].write_text(json.dumps(controls.to_json()), encoding="utf-8")
    return files


def task_of(name: str) -> Task:
    """A task by its name."""
    goal, kinds = TASKS[name]
    return Task.make(goal, kinds)


def table(runs: Sequence[Mapping[str, Any]], calls: int) -> Report:
    """One line an arm, and what each arm did with each task."""
    rows = []
    names = list(dict.fromkeys(run["arm"] for run in runs))
    for name in names:
        mine = [run for run in runs if run["arm"] == name]
        learned = [run for run in mine if run["learned"]]
        first = sum(run["questions"] for run in learned) / len(learned) if learned else None
        rows.append(
            (
                name,
                Share.of(len(learned), len(mine)).text(),
                "-" if first is None else f"{first:.2f}",
                str(sum(run["questions"] for run in mine)),
                f"{sum(run['best'] for run in mine) / len(mine):.3f}",
            )
        )
    models = ", ".join(sorted({run["model"] for run in runs}))
    return Report(
        name="writing",
        title=f"Programs from {models}, at most {calls} questions a task",
        columns=(
            "arm",
            "certified",
            "questions until then",
            "questions in all",
            "best in practice",
        ),
        rows=tuple(rows),
        notes=(_differing(runs, names),),
        record={"runs": list(runs)},
    )


def _differing(runs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    tasks = dict.fromkeys(run["task"] for run in runs)
    learned = {(run["arm"], run["task"]) for run in runs if run["learned"]}
    apart = [
        f"{task} ({', '.join(arm for arm in names if (arm, task) in learned) or 'none'})"
        for task in tasks
        if not all((arm, task) in learned for arm in names)
    ]
    return "not learned by all arms: " + ("; ".join(apart) or "no task")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.writing", description=__doc__)
    parser.add_argument("--model", required=True, help="who is asked, as for voyager learn")
    parser.add_argument("--calls", type=int, default=4, help="questions a task (%(default)s)")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(HARD))
    parser.add_argument("--arms", nargs="+", choices=list(arms(4)), default=list(arms(4)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder for homes and records")
    parser.add_argument("--one", nargs=2, metavar=("ARM", "TASK"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.calls < 4 or options.calls % 2:
        parser.error("--calls must be an even number, at least 4")
    if options.one:
        arm, task = options.one
        print(json.dumps(_one(arm, task, options)))
        return 0
    tested(options.tasks, options.out / "controls")
    with ThreadPoolExecutor(options.jobs) as pool:
        # The arms of a task one after the other, so that each finds the answers of those before.
        found = list(
            pool.map(lambda task: [_run(arm, task, options) for arm in options.arms], options.tasks)
        )
    runs = [run for of_task in found for run in of_task]
    show(table(runs, options.calls), terminal())
    return 0


def _one(arm: str, task: str, options: argparse.Namespace) -> dict[str, Any]:
    wanted = task_of(task)
    home = options.out / "homes" / _name(arm, task, options)
    shutil.rmtree(home, ignore_errors=True)  # of a run that was stopped half-way
    file = tested([task], options.out / "controls")[task]
    with Library.open(home, learning=True) as library:
        if known_controls(library, wanted) is None:
            controls = Controls.from_json(json.loads(file.read_text(encoding="utf-8")))
            keep_controls(library, wanted, controls)
    found = attempt(arms(options.calls)[arm], wanted, options.model, home, seed=options.seed)
    about = {"arm": arm, "task": task, "goal": wanted.goal.text, "seed": options.seed}
    return {"schema": SCHEMA, **about, "calls": options.calls, **found}


def _run(arm: str, task: str, options: argparse.Namespace) -> Mapping[str, Any]:
    """One run in a process of its own, or its record from before."""
    path = options.out / f"{_name(arm, task, options)}.json"
    if not path.exists():
        command = [sys.executable, "-m", "bench.writing", "--out", str(options.out)]
        command += ["--model", options.model, "--calls", str(options.calls)]
        command += ["--seed", str(options.seed), "--one", arm, task]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{arm}, {task}: {done.stderr.strip()[-500:]}")
        path.write_text(done.stdout.splitlines()[-1], encoding="utf-8")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _name(arm: str, task: str, options: argparse.Namespace) -> str:
    return f"{_plain(arm)}-{_plain(task)}-{options.calls}-{options.seed}"


def _plain(name: str) -> str:
    return name.replace(" ", "_")


if __name__ == "__main__":
    sys.exit(main())
