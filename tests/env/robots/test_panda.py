"""The Panda: exact kinematics, smooth plans, and a file that keeps its secrets."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

import pytest

from env.bullet import Bullet
from env.errors import SceneError, Unreachable
from env.robots import DEFAULT_ROBOT, RobotStart, make_robot
from env.robots.panda import Panda

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def panda() -> Panda:
    robot = Panda()
    robot.load(Bullet())
    return robot


def poses(count: int) -> list[tuple[tuple[float, float, float], float]]:
    rng = random.Random(7)
    found = []
    for _ in range(count):
        out, aside = rng.uniform(0.33, 0.70), rng.uniform(-0.7, 0.7)
        position = (out * math.cos(aside), out * math.sin(aside), rng.uniform(0.005, 0.42))
        found.append((position, rng.uniform(-math.pi, math.pi)))
    return found


def test_closed_form_kinematics_agree_with_the_model_file(panda: Panda) -> None:
    for position, yaw in poses(300):
        assert panda.reachable(position, yaw) == 0.0
        panda.reset(RobotStart(position, yaw, 0.05, opening=True))
        found = panda.gripper(())
        assert math.dist(found.position, position) < 1e-6
        turned = (found.yaw - yaw) % math.pi
        assert min(turned, math.pi - turned) < 1e-5
        assert abs(found.width - 0.05) < 1e-9


@pytest.mark.parametrize(
    ("position", "short_by"),
    [((0.9, 0.0, 0.2), 0.08), ((0.5, 0.0, 1.4), 0.4), ((0.02, 0.0, 0.2), 0.1)],
)
def test_what_is_out_of_reach_is_told_by_how_far(
    panda: Panda, position: tuple[float, float, float], short_by: float
) -> None:
    short = panda.reachable(position, 0.0)
    assert short_by < short < math.dist(position, (0.5, 0.0, 0.25))
    panda.reset(RobotStart((0.5, 0.0, 0.25), 0.0, 0.08, opening=True))
    with pytest.raises(Unreachable) as caught:
        panda.plan([(position, 0.0)], 0.5)
    assert caught.value.numbers["short_by"] == pytest.approx(short)
    with pytest.raises(SceneError, match="cannot start"):
        panda.reset(RobotStart(position, 0.0, 0.08, opening=True))


def test_a_plan_is_a_function_of_the_command_alone(panda: Panda) -> None:
    start = RobotStart((0.45, 0.1, 0.3), 0.4, 0.08, opening=True)
    way = [((0.45, 0.1, 0.4), 0.4), ((0.5, -0.2, 0.4), 1.0), ((0.5, -0.2, 0.05), 1.0)]
    panda.reset(start)
    first = panda.plan(way, 0.8)
    panda.plan([((0.6, 0.2, 0.2), -0.5)], 0.8)
    panda.reset(start)
    assert panda.plan(way, 0.8) == first


def test_plans_are_smooth_and_keep_to_the_speed(panda: Panda) -> None:
    panda.reset(RobotStart((0.4, -0.25, 0.2), 0.0, 0.08, opening=True))
    motion = panda.plan([((0.6, 0.25, 0.3), 1.2)], 0.6)
    steps = [
        max(abs(b - a) for a, b in zip(before, after, strict=True))
        for before, after in zip(motion.targets, motion.targets[1:], strict=False)
    ]
    # Radians a step: no jump anywhere, and slow at both ends.
    assert max(steps) < 0.02
    assert steps[0] < max(steps) / 5 and steps[-1] < max(steps) / 5
    length = math.dist((0.4, -0.25, 0.2), (0.6, 0.25, 0.3))
    assert len(motion.targets) / 240 >= length / 0.6


def test_opposite_yaws_are_the_same_grasp(panda: Panda) -> None:
    panda.reset(RobotStart((0.5, 0.0, 0.2), 0.3, 0.08, opening=True))
    assert len(panda.plan([((0.5, 0.0, 0.2), 0.3 + math.pi)], 0.5).targets) <= 2


def test_assets_are_files_of_the_model(panda: Panda) -> None:
    assert all(path.is_file() for path in panda.assets())
    assert any(path.suffix == ".urdf" for path in panda.assets())
    assert len(panda.assets()) > 5


def test_nothing_else_knows_the_panda() -> None:
    assert make_robot(DEFAULT_ROBOT).name == "panda"
    knowing = {
        path.relative_to(ROOT).as_posix()
        for room in ("env", "skill_store", "curriculum", "voyager")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"\bpanda\b", path.read_text().lower())  # pandas is something else
    }
    assert knowing == {"env/robots/panda.py", "env/robots/__init__.py"}


def test_an_unknown_robot_is_refused_by_name() -> None:
    with pytest.raises(SceneError, match="panda"):
        make_robot("r2d2")
