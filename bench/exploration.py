"""What exploring finds, by arm and seed, at equal simulated steps.

    python -m bench.exploration --steps 2000000 --seeds 0 1 2 --out results/

Arms: the frontier curriculum with the library, the same without (no skill may be called), and
goals at random and in a fixed order, both with the library. Every run begins in an empty home of
its own and leaves one JSON file, so that a bench which was stopped goes on where it stood. What a
run finds does not depend on its workers; with `--jobs 2` two runs share the machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any, Final

from rich.console import Console

from bench.report import Report, show
from skill_store.library import Library
from voyager.config import Config, Curriculum, ExploreConfig
from voyager.explorer import Explorer
from voyager.report.chronicle import gather

SCHEMA: Final = "voyager.bench.exploration/1"
DEEP: Final = 3
"""A milestone is deep from this level on."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to explore.

    Attributes:
        curriculum: Who proposes.
        library: Whether programs may call skills, and scenes begin after them.
        colour: In the plot.
    """

    curriculum: Curriculum
    library: bool
    colour: str


ARMS: Final[Mapping[str, Arm]] = {
    "frontier": Arm(Curriculum.FRONTIER, True, "#1b6ca8"),
    "frontier, no library": Arm(Curriculum.FRONTIER, False, "#d1495b"),
    "random": Arm(Curriculum.RANDOM, True, "#8a8a8a"),
    "fixed order": Arm(Curriculum.FIXED, True, "#c98a1b"),
}


def explore(arm: str, seed: int, steps: int, workers: int = 1) -> dict[str, Any]:
    """Explore once from an empty home.

    Args:
        arm: Name of an arm.
        seed: Of the run.
        steps: Simulated steps after which it ends.
        workers: Processes; changes nothing but the wall time.

    Returns:
        The run's record: when each skill was certified and each milestone reached.

    Raises:
        VoyagerError: If the run cannot be made.
    """
    chosen = ARMS[arm]
    config = Config(
        workers=workers,
        seed=seed,
        library=chosen.library,
        explore=ExploreConfig(steps=steps, curriculum=chosen.curriculum),
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        report = Explorer(config, home=Path(home)).run()
        with Library.open(home) as library:
            told = gather(library, datetime.now(UTC))
    return {
        "schema": SCHEMA,
        "arm": arm,
        "seed": seed,
        "steps": steps,
        "report": report.to_json(),
        "skills": [
            {
                "name": one.name,
                "goal": one.entry.goal,
                "parameters": [list(pair) for pair in one.entry.parameters],
                "calls": list(one.entry.callees),
                "depth": one.depth,
                "k": one.entry.k,
                "n": one.entry.n,
                "at_steps": one.at_steps,
                "program": one.entry.program,
            }
            for one in told.skills
        ],
        "milestones": [
            {
                "name": one.reached.milestone.name,
                "level": one.reached.milestone.level,
                "at_steps": one.at_steps,
            }
            for one in told.milestones
        ],
    }


def table(runs: Sequence[Mapping[str, Any]]) -> Report:
    """One line for each run, and one for the mean of each arm."""
    columns = ("arm", "seed", "skills", "that call", "milestones", f"of level {DEEP}+",
               f"steps to first of level {DEEP}+", "attempts", "steps", "wall s")  # fmt: skip
    rows = []
    for arm in ARMS:
        mine = [run for run in runs if run["arm"] == arm]
        cells = [_numbers(run) for run in mine]
        for run, numbers in zip(mine, cells, strict=True):
            rows.append((arm, str(run["seed"]), *map(_shown, numbers)))
        if len(cells) > 1:
            firsts = [
                None if None in column else mean(column) for column in zip(*cells, strict=True)
            ]
            rows.append((arm, "mean", *map(_shown, firsts)))
    return Report(
        name="exploration",
        title="Exploring from an empty home",
        columns=columns,
        rows=tuple(rows),
        notes=(
            "a milestone counts when a contract implies it; no proposer can see the milestones",
        ),
        record={"runs": list(runs)},
    )


def _numbers(run: Mapping[str, Any]) -> list[float | None]:
    reached = [one for one in run["milestones"] if one["at_steps"] is not None]
    deep = [one["at_steps"] for one in reached if one["level"] >= DEEP]
    return [
        len(run["skills"]),
        sum(bool(skill["calls"]) for skill in run["skills"]),
        len(reached),
        len(deep),
        min(deep, default=None),
        run["report"]["attempts"],
        run["report"]["simulated_steps"],
        run["report"]["wall_s"],
    ]


def _shown(value: float | None) -> str:
    if value is None:
        return "not reached"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:,.1f}"


def plot(runs: Sequence[Mapping[str, Any]]) -> str:
    """An SVG with certified tasks and milestones over simulated steps, one line a run."""
    until = max((run["report"]["simulated_steps"] for run in runs), default=1)
    panels = (
        ("certified tasks", [[s["at_steps"] for s in run["skills"]] for run in runs]),
        (
            "milestones",
            [
                [m["at_steps"] for m in run["milestones"] if m["at_steps"] is not None]
                for run in runs
            ],
        ),
    )
    width, height, left, gap = 420, 260, 50, 70
    body = []
    for number, (title, curves) in enumerate(panels):
        most = max((len(curve) for curve in curves), default=0) or 1
        x0 = left + number * (width + gap)
        body.append(f'<text x="{x0}" y="18" font-weight="bold">{title}</text>')
        for share in (0.0, 0.5, 1.0):
            y = 30 + height * (1 - share)
            body.append(
                f'<line x1="{x0}" x2="{x0 + width}" y1="{y}" y2="{y}" stroke="#ccc"/>'
                f'<text x="{x0 - 6}" y="{y + 4}" text-anchor="end">{most * share:.3g}</text>'
                f'<text x="{x0 + width * share}" y="{46 + height}" text-anchor="middle">'
                f"{until * share / 1e6:.2g} M</text>"
            )
        for run, curve in zip(runs, curves, strict=True):
            points, count = [(0.0, 0)], 0
            for at in sorted(curve):
                points += [(at, count), (at, count + 1)]
                count += 1
            points.append((run["report"]["simulated_steps"], count))
            drawn = " ".join(
                f"{x0 + width * x / until:.1f},{30 + height * (1 - y / most):.1f}"
                for x, y in points
            )
            body.append(
                f'<polyline points="{drawn}" fill="none" stroke-width="1.6" '
                f'stroke="{ARMS[run["arm"]].colour}"/>'
            )
    for number, (name, arm) in enumerate(ARMS.items()):
        x = left + number * 210
        body.append(
            f'<rect x="{x}" y="{72 + height}" width="14" height="4" fill="{arm.colour}"/>'
            f'<text x="{x + 20}" y="{78 + height}">{name}</text>'
        )
    full = left + 2 * width + gap + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {height + 95}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'{"".join(body)}<text x="{left + width / 2}" y="{62 + height}" '
        'text-anchor="middle">simulated steps</text></svg>\n'
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then print the table and write the plot."""
    parser = argparse.ArgumentParser(prog="python -m bench.exploration", description=__doc__)
    parser.add_argument("--steps", type=int, default=4_000_000, help="of each run (%(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder for records and plot")
    parser.add_argument("--one", nargs=2, metavar=("ARM", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        arm, seed = options.one
        print(json.dumps(explore(arm, int(seed), options.steps)))
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = [(arm, seed) for seed in options.seeds for arm in options.arms]
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = list(
            pool.map(lambda pair: _run(pair[0], pair[1], options.steps, options.out), wanted)
        )
    report = table(runs)
    show(report, Console(width=150))
    (options.out / "exploration.svg").write_text(plot(runs), encoding="utf-8")
    return 0


def _run(arm: str, seed: int, steps: int, folder: Path) -> Mapping[str, Any]:
    """One run in a process of its own, or its record from before."""
    path = folder / f"{arm.replace(', ', '-').replace(' ', '_')}-{seed}-{steps}.json"
    if not path.exists():
        command = [sys.executable, "-m", "bench.exploration", "--out", str(folder)]
        command += ["--steps", str(steps), "--one", arm, str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{arm}, seed {seed}: {done.stderr.strip()[-500:]}")
        path.write_text(done.stdout.splitlines()[-1], encoding="utf-8")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
