"""Tasks as environments: what Gymnasium asks for, and what this project promises beside that."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from env.errors import KindError, SceneError, SimulatorError, TaskError
from env.starts import deepening_seed, practice_seed
from env.task import Task
from skill_store import Library, UnknownSkill
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.serving.policies import Lifter
from voyager.serving.control import LEAD, RATE, STRIDE
from voyager.serving.gymnasium_env import ENV_ID, TaskEnv
from voyager.serving.progress import potential

LIFT = Task.make("lifted(block)", {"block": "block"})
UP = np.array([0.0, 0.0, 1.0, 0.0, 0.0], dtype=np.float32)
STILL = np.zeros(5, dtype=np.float32)


@pytest.fixture(scope="module")
def lift() -> Iterator[TaskEnv]:
    env = TaskEnv(LIFT)
    yield env
    env.close()


def play(env: TaskEnv, seed: int, actions: list[np.ndarray]) -> tuple[bytes, list[float]]:
    """Everything that is seen, to the last bit, and the rewards."""
    seen, info = env.reset(seed=seed)
    told, earned = [seen.tobytes(), repr(sorted(info.items())).encode()], []
    for action in actions:
        seen, reward, terminated, truncated, info = env.step(action)
        told += [seen.tobytes(), repr(sorted(info.items())).encode()]
        earned.append(reward)
        if terminated or truncated:
            break
    return b"".join(told), earned


def lifted(env: TaskEnv, seed: int) -> tuple[list[float], bool, bool, dict[str, Any], float]:
    """One episode of the policy that lifts: rewards, how it ended, and the first potential."""
    seen, info = env.reset(seed=seed)
    policy, earned, begun = Lifter(env.layout), [], info["potential"]
    while True:
        seen, reward, terminated, truncated, info = env.step(policy.act(seen))
        earned.append(reward)
        if terminated or truncated:
            return earned, terminated, truncated, info, begun


def test_gymnasiums_own_checker_has_nothing_to_say(recwarn: pytest.WarningsRecorder) -> None:
    env = gymnasium.make(ENV_ID, task=LIFT, render_mode="rgb_array", width=64, height=48)

    check_env(env.unwrapped)

    assert [str(warning.message) for warning in recwarn] == []
    env.close()


def test_a_random_policy_runs_into_the_time_limit() -> None:
    env = gymnasium.make(ENV_ID, task=LIFT.to_json(), time_limit=1.5)
    seen, info = env.reset(seed=3)
    env.action_space.seed(3)
    begun, total, steps = info["potential"], 0.0, 0
    truncated = False
    while not truncated:
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        total, steps = total + reward, steps + 1
        assert not terminated
        assert seen in env.observation_space

    assert steps == 1.5 * RATE
    assert not info["is_success"]
    assert info["unmet"] == ("lifted(block)",)
    assert "block" in info["missing"][0]
    # Nothing was solved, so all that was earned is what the potential rose by.
    assert total == pytest.approx(info["potential"] - begun)
    env.close()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_scripted_policy_solves_the_task_by_its_actions(lift: TaskEnv, seed: int) -> None:
    earned, terminated, truncated, info, begun = lifted(lift, seed)

    assert terminated
    assert not truncated
    assert info["is_success"]
    assert info["unmet"] == ()
    assert info["margin"] > 0.0
    assert info["time"] == len(earned) / RATE > 1.0  # it has to hold for a second
    assert sum(earned) == pytest.approx(1.0 - begun)
    with pytest.raises(ResetNeeded):
        lift.step(STILL)


def test_equal_seeds_and_actions_give_equal_bits_also_where_it_is_drawn() -> None:
    rng = np.random.default_rng(11)
    actions = list(rng.uniform(-1.0, 1.0, (25, 5)).astype(np.float32))
    environments = [
        TaskEnv(LIFT),
        TaskEnv(LIFT),
        TaskEnv(LIFT, render_mode="rgb_array", width=32, height=24),
    ]
    runs = [play(env, 5, actions) for env in environments]
    again = play(environments[0], 5, actions)  # after another episode in the same world
    other = play(environments[1], 6, actions)

    assert runs[0] == runs[1] == runs[2] == again
    assert runs[0] != other
    for env in environments:
        env.close()


def test_vectors_of_environments_differ_in_their_scenes() -> None:
    env = gymnasium.make_vec(ENV_ID, num_envs=2, vectorization_mode="sync", task=LIFT)
    seen, info = env.reset(seed=0)
    assert seen.shape == (2, *env.single_observation_space.shape)
    assert info["scene_seed"][0] != info["scene_seed"][1]
    for _ in range(3):
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())

    assert reward.shape == (2,)
    assert not terminated.any()
    assert not truncated.any()
    assert info["is_success"].tolist() == [False, False]
    env.close()


@pytest.mark.slow
@pytest.mark.ci
def test_vectors_of_environments_in_processes_are_the_same_to_the_bit() -> None:
    seen = []
    for mode in ("sync", "async"):
        env = gymnasium.make_vec(ENV_ID, num_envs=2, vectorization_mode=mode, task=LIFT)
        env.reset(seed=4)
        env.action_space.seed(4)
        seen.append(np.stack([env.step(env.action_space.sample())[0] for _ in range(20)]))
        env.close()

    assert np.array_equal(*seen)


def test_scenes_are_practice_scenes_unless_one_is_asked_for_by_name(lift: TaskEnv) -> None:
    drawn = set()
    for seed in range(4):
        _, info = lift.reset(seed=seed)
        assert info["scene_seed"] == practice_seed(LIFT, info["practice"])
        drawn.add(info["scene_seed"])
    _, following = lift.reset()

    assert len(drawn | {following["scene_seed"]}) == 5
    _, third = lift.reset(options={"practice": 3})
    assert third["scene_seed"] == practice_seed(LIFT, 3)
    named = deepening_seed("0" * 64, 0)
    _, asked = lift.reset(options={"scene_seed": named})
    assert asked["scene_seed"] == named
    assert "practice" not in asked


def test_few_scenes_can_be_asked_for() -> None:
    env = TaskEnv(LIFT, scenes=2)
    numbers = {env.reset(seed=seed)[1]["practice"] for seed in range(8)}

    assert numbers == {0, 1}
    env.close()


def test_scenes_that_begin_solved_are_passed_over() -> None:
    env = TaskEnv(Task.make("at(gripper, block, within=0.3)", {"block": "block"}), scenes=6)
    solved = set()
    for number in range(6):
        try:
            env.reset(options={"practice": number})
        except SceneError as error:
            assert "holds from the start" in str(error)
            solved.add(number)
            with pytest.raises(ResetNeeded):
                env.step(STILL)
    drawn = {env.reset(seed=seed)[1]["practice"] for seed in range(12)}
    env.close()

    assert solved
    assert not drawn & solved


def test_the_arm_presses_a_table_without_winding_up(lift: TaskEnv) -> None:
    lift.reset(seed=1)
    down = np.array([0.0, 0.0, -1.0, 0.0, 0.0], dtype=np.float32)
    place = lift.layout.index("control.lead_z")
    height = lift.layout.index("gripper.z")
    leads, low = [], 0.0
    for _ in range(20):
        seen = lift.step(down)[0]
        leads.append(abs(float(seen[place])))
        low = float(seen[height])
    rises = [float(lift.step(UP)[0][height]) - low for _ in range(6)]

    assert max(leads) <= LEAD + 1e-6
    assert rises[-1] > 2 * STRIDE  # it comes up at once, with nothing to unwind


def test_what_the_arm_cannot_do_is_refused_and_said(lift: TaskEnv) -> None:
    lift.reset(seed=2)
    turning = np.array([0.0, 0.0, 0.0, 1.0, 0.0], dtype=np.float32)
    refused = [lift.step(turning)[4]["refused"] for _ in range(60)]
    assert refused[0] == ""
    assert refused[-1] == "turn"

    lift.reset(seed=2)
    away = np.array([1.0, 0.0, 1.0, 0.0, 0.0], dtype=np.float32)
    assert "motion" in {lift.step(away)[4]["refused"] for _ in range(30)}


def test_pictures_show_the_scene() -> None:
    env = gymnasium.make(ENV_ID, task=LIFT, render_mode="rgb_array", width=64, height=48)
    env.reset(seed=0)
    before = env.render()
    for _ in range(8):
        env.step(UP)

    assert before.shape == (48, 64, 3)
    assert before.dtype == np.uint8
    assert before.std() > 5.0
    assert not np.array_equal(before, env.render())
    env.close()


def test_only_the_solved_task_pays_without_shaping() -> None:
    env = TaskEnv(LIFT, shaping="none")
    earned, terminated, _, _, _ = lifted(env, 0)

    assert terminated
    assert earned[:-1] == [0.0] * (len(earned) - 1)
    assert earned[-1] == 1.0
    env.close()


def test_the_reward_is_the_discounted_difference_of_potentials(lift: TaskEnv) -> None:
    env = TaskEnv(LIFT, discount=0.9)
    margins = [env.reset(seed=7)[1]["margin"]]
    earned = []
    for _ in range(5):
        _, reward, _, _, info = env.step(UP)
        earned.append(reward)
        margins.append(info["margin"])

    shaped = [
        0.9 * potential(after) - potential(before) for before, after in itertools.pairwise(margins)
    ]
    assert earned == pytest.approx(shaped)
    env.close()


def test_a_task_comes_from_a_home_or_a_file(tmp_path: Path) -> None:
    with Library.open(tmp_path / "home", learning=True) as library:
        library.reserve(REACH, REACHING)
        library.add(REACH, REACHING, certificate(REACH, REACHING))
    env = gymnasium.make(ENV_ID, home=str(tmp_path / "home"), skill=REACHING.entry.name)
    assert env.unwrapped.task == REACH
    env.close()
    (tmp_path / "task.json").write_text(json.dumps(LIFT.to_json()))
    env = gymnasium.make(ENV_ID, task=str(tmp_path / "task.json"))
    assert env.unwrapped.task == LIFT
    env.close()
    with pytest.raises(UnknownSkill):
        TaskEnv(home=tmp_path / "home", skill="lfit")
    with pytest.raises(TaskError, match="no home"):
        TaskEnv(home=tmp_path / "nowhere", skill="lift")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "name one task"),
        ({"task": LIFT, "home": "here", "skill": "lift"}, "name one task"),
        ({"home": "here"}, "name one task"),
        ({"task": {"schema": "voyager.task/1"}}, "malformed"),
        ({"task": "missing.json"}, "cannot read a task"),
        ({"task": LIFT, "render_mode": "human"}, "rgb_array"),
        ({"task": LIFT, "discount": 0.0}, "discount is 0.0"),
        ({"task": LIFT, "shaping": "dense"}, "margin, none"),
        ({"task": LIFT, "scenes": 0}, "0 scenes"),
        ({"task": LIFT, "time_limit": 61.0}, "at most at the task's 60.0 s"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_opened(
    arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(TaskError, match=says):
        TaskEnv(**arguments)


def test_bad_calls_are_refused(lift: TaskEnv) -> None:
    fresh = TaskEnv(LIFT)
    with pytest.raises(ResetNeeded):
        fresh.step(STILL)
    for options in ({"seed": 1}, {"practice": 0, "scene_seed": 1}, {"scene_seed": -1}):
        with pytest.raises(TaskError, match="options"):
            fresh.reset(options=options)
    fresh.reset(seed=0)
    for action in (np.zeros(4), np.full(5, np.nan)):
        with pytest.raises(ValueError, match="5 finite numbers"):
            fresh.step(action)
    fresh.close()
    fresh.close()


def test_a_lost_simulator_is_said_and_replaced() -> None:
    env = TaskEnv(LIFT)
    begun = env.reset(seed=0)[0]
    env.step(UP)
    env._world.bullet.close()
    with pytest.raises(SimulatorError, match="call reset"):
        env.step(UP)
    with pytest.raises(ResetNeeded):
        env.step(UP)

    assert np.array_equal(env.reset(seed=0)[0], begun)
    env.step(UP)
    env.close()


def test_temporal_goals_are_judged_over_the_whole_episode() -> None:
    env = TaskEnv(Task.make("held_for(held(block), 0.5)", {"block": "block"}, time_limit=10.0))
    _, terminated, _, info, begun = lifted(env, 0)

    assert terminated
    assert info["margin"] >= 0.0
    assert begun < 0.0
    env.close()


def test_kinds_that_nobody_declared_are_said() -> None:
    record = {**LIFT.to_json(), "parameters": [["block", "brick"]]}
    with pytest.raises(KindError, match="brick"):
        TaskEnv(record)
