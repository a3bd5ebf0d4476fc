"""Look at every task of a home as a Gymnasium environment, and print a table.

    python scripts/check_environments.py --home my_home

For each skill: whether Gymnasium's own checker has something to say, how often a random policy
solves the task, and how often the actions that were recorded of certified episodes solve it when
they are carried out again blindly (`voyager.recordings`), on the scenes without a hand-over.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from gymnasium.utils.env_checker import check_env

from env.executors import ProcessExecutor
from skill_store import Library
from skill_store.export.bundle import Exported, gather
from skill_store.export.recording import Recording
from voyager.recordings import record
from voyager.serving.control import RATE
from voyager.serving.gymnasium_env import TaskEnv

_REST = [np.zeros(5, np.float32)] * (2 * RATE)


def complaints(env: TaskEnv) -> int:
    """What Gymnasium's checker says, but that an environment made by hand has no spec."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        check_env(env)
    return sum("spec" not in str(warning.message) for warning in said)


def solved(env: TaskEnv, actions: Iterable[np.ndarray]) -> bool:
    """Whether actions solve the scene that was just built."""
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            return bool(terminated)
    return False


def row(exported: Exported, recordings: list[Recording], episodes: int, seconds: float) -> str:
    """One row of the table."""
    env = TaskEnv(exported.skill.task)
    said = complaints(env)
    env.action_space.seed(0)
    chance = 0
    begun, steps = time.process_time(), 0
    for seed in range(episodes):
        env.reset(seed=seed)
        many = [env.action_space.sample() for _ in range(round(seconds * RATE))]
        steps += len(many)
        chance += solved(env, many)
    cost = (time.process_time() - begun) / max(1, steps)
    blind = 0
    for recording in recordings:
        env.reset(options={"scene_seed": recording.start.seed})
        blind += solved(env, [*recording.actions, *_REST])
    wide = len(env.layout.fields)
    env.close()
    return (
        f"| `{exported.skill.name}` | `{exported.skill.task.goal.text}` | {wide} | {said} | "
        f"{chance} of {episodes} | {blind} of {len(recordings)} | {1000 * cost:.1f} |"
    )


def main() -> int:
    """Print the table for the home that is named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=5, help="of each policy and task")
    parser.add_argument("--seconds", type=float, default=20.0, help="simulated, of a random policy")
    asked = parser.parse_args()
    with Library.open(asked.home) as library:
        bundle = gather(library, everything=True)
    with ProcessExecutor(1) as executor:
        reels = record(bundle, executor, most=asked.episodes)
    sys.stdout.write("| skill | goal | numbers | warnings | random | recorded | ms |\n")
    sys.stdout.write("| --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
    for exported in bundle.skills:
        mine = [
            recording
            for recording in reels.recordings
            if recording.skill == exported.skill.name and recording.start.handover is None
        ]
        sys.stdout.write(row(exported, mine, asked.episodes, asked.seconds) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
