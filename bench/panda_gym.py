"""Exported skills in an environment that nobody here wrote: panda-gym's pick-and-place and stack.

A library is exported as one Python file, that file is imported, and its skills run through the
adapter in `examples/panda_gym`, which uses `env.step` and observations alone. Beside them: random
actions, the floor, and a controller written by hand for these two tasks, the ceiling.

Every episode is counted in two ways. *By the rules*: 50 steps (stack: 100), and it counts once the
goal is reached at any of them, also in flight. *To the end*: no limit of steps, the controller
runs to its end, and what counts is whether the goal is met one second later.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bench.intervals import Share
from bench.report import Report, show, terminal
from env.errors import VoyagerError
from env.goal_forms import Atom
from env.kinds import is_a
from skill_store import Library
from skill_store.archive import restore
from skill_store.export import Bundle, ExportOptions, gather
from skill_store.export.python_package import export
from skill_store.skill import Skill

SCHEMA: Final = "voyager.panda_gym/1"
ROOT: Final = Path(__file__).resolve().parents[1]
LIBRARY: Final = ROOT / "examples" / "library" / "library.tar.gz"
ADAPTER: Final = ROOT / "examples" / "panda_gym" / "adapter.py"
_INSTALL: Final = (
    "panda-gym is not installed; it asks for versions that are too old, so: "
    "pip install --no-deps panda-gym==3.0.7, and pip install gymnasium scipy"
)
_NO_LIMIT: Final = 2000
_AIR: Final = 0.03
"""Height of a cube's centre from which on a goal is in the air; on the table it is 0.02."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One of panda-gym's tasks.

    Attributes:
        name: Short name.
        env: As gymnasium knows it.
        steps: After which it is truncated.
        plan: (predicate of the skill's goal, objects that it gets) in order.
    """

    name: str
    env: str
    steps: int
    plan: tuple[tuple[str, tuple[str, str]], ...]


SETTINGS: Final = (
    Setting("pick and place", "PandaPickAndPlace-v3", 50, (("at_place", ("cube", "target")),)),
    Setting(
        "stack",
        "PandaStack-v3",
        100,
        (("at_place", ("cube_1", "target_1")), ("on", ("cube_2", "cube_1"))),
    ),
)


@dataclass(frozen=True, slots=True)
class Run:
    """How one episode ended.

    Attributes:
        seed: Of the environment.
        air: Whether the goal is in the air.
        reached: By the rules.
        kept: To the end.
        steps: That it took to the end, the rest of one second included.
        ended: What ended the run to the end: "returned", or the error.
    """

    seed: int
    air: bool
    reached: bool
    kept: bool
    steps: int
    ended: str


Act = Callable[[Any], None]
"""What a controller does with a robot in front of a new episode."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print.

    Args:
        arguments: Of the command line.

    Returns:
        The exit code.

    Raises:
        VoyagerError: If panda-gym is missing, or the library lacks a skill.
    """
    parser = argparse.ArgumentParser(prog="python -m bench panda-gym", description=_INSTALL)
    parser.add_argument("--library", type=Path, default=LIBRARY, help="an archive of a home")
    parser.add_argument("--episodes", type=int, default=100, help="of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first (%(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write JSON as well")
    chosen = parser.parse_args(arguments)
    report = measure(chosen.library, range(chosen.seed, chosen.seed + chosen.episodes))
    show(report, terminal())
    if chosen.out is not None:
        chosen.out.write_text(json.dumps(report.record, indent=2) + "\n", encoding="utf-8")
    return 0


def measure(archive: Path, seeds: Sequence[int]) -> Report:
    """Run all controllers on all settings.

    Args:
        archive: A home, as `voyager home backup` writes it.
        seeds: Of the episodes.

    Returns:
        One row a controller and setting.

    Raises:
        VoyagerError: If panda-gym is missing, or the library lacks a skill.
    """
    gymnasium = _panda_gym()
    adapter = _load(ADAPTER, "panda_gym_adapter")
    rows, runs, used = [], [], []
    with tempfile.TemporaryDirectory(prefix="voyager-panda-gym-") as folder:
        skills, bundle = _exported(archive, Path(folder))
        for setting in SETTINGS:
            plan = [(skill_for(bundle, predicate), given) for predicate, given in setting.plan]
            used.append(f"{setting.name}: {', then '.join(skill.name for skill, _ in plan)}")
            controllers: dict[str, Act] = {
                "random actions": _random_act(setting.steps),
                "exported skills": _exported_act(skills, plan),
                "scripted by hand": _scripted if len(plan) == 1 else _scripted_stack,
            }
            for name, act in controllers.items():
                found = [_run(gymnasium, adapter, setting, act, seed) for seed in seeds]
                rows.append(_row(setting, name, found))
                runs += [_record(setting, name, run) for run in found]
    return Report(
        name="panda_gym",
        title=f"panda-gym 3.0.7, {len(seeds)} goals each, seeds {seeds[0]} to {seeds[-1]}",
        columns=("task: controller", "by the rules", "to the end, on the table", "in the air"),
        rows=tuple(rows),
        notes=(
            f"Skills of {archive.name}, as their goals say: {'; '.join(used)}.",
            "Shares with Wilson's 95 % interval. By the rules: reached at any of 50 steps (stack: "
            "100). To the end: no limit of steps, met one second after the controller ended.",
        ),
        record={"schema": SCHEMA, "library": archive.name, "skills": used, "runs": runs},
    )


def _panda_gym() -> Any:
    try:
        importlib.import_module("panda_gym")  # registers its environments
        return importlib.import_module("gymnasium")
    except ImportError as error:
        raise VoyagerError(f"{_INSTALL} ({error})") from error


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise VoyagerError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses in it look themselves up
    spec.loader.exec_module(module)
    return module


def _exported(archive: Path, folder: Path) -> tuple[Any, Bundle]:
    """A library's skills as a user gets them: exported to one file, which is then imported."""
    restore(archive, folder / "home")
    with Library.open(folder / "home") as library:
        bundle = gather(library, everything=True, allow_uncertified=True)
    export(bundle, folder, ExportOptions(name="exported_skills", single_file=True))
    module = _load(folder / "exported_skills.py", "exported_skills")
    return module.SKILLS, bundle


def skill_for(bundle: Bundle, predicate: str) -> Skill:
    """The skill with the best bound whose goal begins with an atom that cubes can meet."""
    second = "place" if predicate == "at_place" else "block"
    fitting = []
    for exported in bundle.skills:
        first, kinds = exported.skill.task.goal.conjuncts[0], exported.skill.task.parameters
        if (
            isinstance(first, Atom)
            and first.declared.name == predicate
            and len(kinds) == 2
            and first.arguments == tuple(name for name, _ in kinds)
            and is_a("block", kinds[0][1])
            and is_a(second, kinds[1][1])
        ):
            fitting.append(exported.skill)
    if not fitting:
        raise VoyagerError(f"no skill of this library brings about {predicate} with blocks")
    return max(fitting, key=lambda skill: skill.bound or 0.0)


def _exported_act(skills: Any, plan: Sequence[tuple[Skill, tuple[str, str]]]) -> Act:
    def act(robot: Any) -> None:
        for skill, objects in plan:
            names = (name for name, _ in skill.task.parameters)
            skills.run(skill.name, robot, dict(zip(names, objects, strict=True)))

    return act


def _random_act(steps: int) -> Act:
    """As many random actions as the rules allow."""

    def act(robot: Any) -> None:
        for _ in range(steps):
            robot.act(robot.env.action_space.sample())

    return act


def _scripted(robot: Any) -> None:
    """Carry the cube straight to the goal, and hold it there."""
    _take(robot, "cube")
    _steer(robot, _goal(robot, "target"))


def _scripted_stack(robot: Any) -> None:
    """Both cubes one after the other, each let go of."""
    for cube, target in (("cube_1", "target_1"), ("cube_2", "target_2")):
        _take(robot, cube)
        x, y, z = _goal(robot, target)
        _steer(robot, (x, y, z + 0.06))
        _steer(robot, (x, y, z))
        robot.open_gripper()
        _steer(robot, (x, y, z + 0.1))


def _take(robot: Any, cube: str) -> None:
    robot.open_gripper()
    x, y, z = robot.position(cube)
    _steer(robot, (x, y, z + 0.08))
    _steer(robot, robot.position(cube))
    robot.close_gripper()
    _steer(robot, (x, y, z + 0.08))


def _goal(robot: Any, target: str) -> tuple[float, float, float]:
    x, y, z = robot.position(target)
    return x, y, z + robot.size("cube" if target == "target" else "cube_1")[2] / 2


def _steer(robot: Any, target: tuple[float, float, float]) -> None:
    robot.move_to(target, speed=1.2)


def _run(gymnasium: Any, adapter: Any, setting: Setting, act: Act, seed: int) -> Run:
    reached = _episode(gymnasium, adapter, setting.env, act, seed, setting.steps)[0]
    kept = _episode(gymnasium, adapter, setting.env, act, seed, None)
    return Run(seed, kept[1], reached.ever_reached, kept[0].reached, kept[0].steps, kept[2])


def _episode(
    gymnasium: Any, adapter: Any, env_id: str, act: Act, seed: int, limit: int | None
) -> tuple[Any, bool, str]:
    """One episode: the robot after it, whether its goal is in the air, and what ended it."""
    env = gymnasium.make(env_id, max_episode_steps=limit or _NO_LIMIT)
    try:
        env.action_space.seed(seed)
        robot = adapter.PandaGymRobot(env, stop_when_reached=limit is not None)
        robot.reset(seed=seed)
        air = robot.position(min(robot.objects("place")))[2] + 0.02 > _AIR
        ended = "returned"
        try:
            act(robot)
        except adapter.EpisodeOver as over:
            return robot, air, str(over)
        except Exception as error:  # a skill that gives up is a result
            ended = f"{type(error).__name__}: {error}"
        with contextlib.suppress(adapter.EpisodeOver):
            robot.wait(1.0)
        return robot, air, ended
    finally:
        env.close()


def _row(setting: Setting, name: str, runs: Sequence[Run]) -> tuple[str, ...]:
    def share(chosen: Iterator[bool]) -> str:
        given = list(chosen)
        if not given:
            return "-"
        found = Share.of(sum(given), len(given))
        return f"{found.k} of {found.n} ({100 * found.lower:.0f} to {100 * found.upper:.0f} %)"

    return (
        f"{setting.name}: {name}",
        share(run.reached for run in runs),
        share(run.kept for run in runs if not run.air),
        share(run.kept for run in runs if run.air),
    )


def _record(setting: Setting, name: str, run: Run) -> Mapping[str, Any]:
    return {
        "task": setting.name,
        "controller": name,
        "seed": run.seed,
        "air": run.air,
        "reached": run.reached,
        "kept": run.kept,
        "steps": run.steps,
        "ended": run.ended,
    }
