"""A robot for exported skills in panda-gym: through `env.step` and its observations, nothing else.

    env = gymnasium.make("PandaPickAndPlace-v3")
    robot = PandaGymRobot(env)
    robot.reset(seed=0)
    skills.put_at_place(robot, "cube", "target")

What it assumes, because panda-gym's actions and observations leave no choice:

- The hand cannot be turned: `yaw` is accepted and ignored. The cubes start square to it.
- Objects are cubes of 4 cm, whose poses come with the observation, exact.
- Which cube is held is inferred: the fingers were told to close, stand about a cube apart, and a
  cube's centre is between them. There are no contacts in the observation.
- A goal is a place: a mark of no height, half a cube below the goal, so that a cube put down "at
  the place" has its centre in the goal. Where the goal is in the air, nothing is there to carry it.
- Positions are given with the robot's base as origin, as the skills know it; panda-gym's own
  origin is 0.6 m in front of that.

The errors need no import: what counts is their names, `message` and `numbers`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Vec3 = tuple[float, float, float]
KINDS = {
    "block": {"block", "graspable", "object"},
    "place": {"place"},
    "graspable": {"graspable", "object"},
    "object": {"object"},
    **{kind: {kind, "container", "object"} for kind in ("bowl", "tray")},
    "container": {"container", "object"},
    "ball": {"ball", "graspable", "object"},
}
CUBE = 0.04
BASE = np.array([-0.6, 0.0, 0.0])
"""Where panda-gym puts the robot's base, metres, in its own frame."""
STEP_S = 0.04
"""Simulated seconds of one `env.step`."""
STEP_M = 0.05
"""Metres that a full action asks for."""
SHOULDER = np.array([0.0, 0.0, 0.333])
REACH = 0.85
ARRIVED, BLOCKED = 0.004, 0.012


class ActionError(Exception):
    """Base of what skills may catch."""

    def __init__(self, message: str, **numbers: Any) -> None:
        super().__init__(message)
        self.message = message
        self.numbers = numbers


class Unreachable(ActionError):
    """Too far away; nothing has moved."""


class Blocked(ActionError):
    """Stopped on the way."""


class NothingHeld(ActionError):
    """The fingers met nothing."""


class UnknownObject(ActionError):
    """No object of that name."""


class BadArgument(ActionError):
    """An argument outside its range."""


class EpisodeOver(Exception):
    """The environment has ended the episode; no skill can catch this."""


class PandaGymRobot:
    """RobotAPI on top of one panda-gym environment with a gripper."""

    def __init__(self, env: Any, *, stop_when_reached: bool = True) -> None:
        """Take an environment; `reset` comes before everything else.

        Args:
            env: PandaPickAndPlace-v3 or PandaStack-v3, made by gymnasium.
            stop_when_reached: Whether an episode ends where the environment says that it has
                terminated, as its rules have it. Else only a truncation ends it.
        """
        self.env = env
        self._stop_when_reached = stop_when_reached
        self._places: dict[str, np.ndarray] = {}
        self._turns: dict[str, float] = {}
        self._fingers = 0.0
        self.steps = 0
        self.reached = self.ever_reached = False

    def reset(self, seed: int) -> None:
        """Begin an episode."""
        self._see(self.env.reset(seed=seed)[0])
        self._fingers, self.steps, self.ever_reached = 0.0, 0, False

    # -- look -------------------------------------------------------------------------------

    def objects(self, kind: str | None = None) -> list[str]:
        """Names of cubes and targets."""
        if kind is not None and kind not in KINDS:
            raise BadArgument(f"unknown kind {kind!r}")
        return sorted(n for n in self._places if kind is None or kind in KINDS[self.kind(n)])

    def kind(self, name: str) -> str:
        """A cube is a block, a target a place."""
        self._known(name)
        return "block" if name.startswith("cube") else "place"

    def colour(self, name: str) -> str:
        """As panda-gym paints them."""
        self._known(name)
        return "blue" if name.endswith("_1") else "green"

    def position(self, name: str) -> Vec3:
        """Centre, metres from the robot's base."""
        self._known(name)
        return _tuple(self._places[name])

    def yaw(self, name: str) -> float:
        """Turn about z, radians."""
        self._known(name)
        return self._turns.get(name, 0.0)

    def size(self, name: str) -> Vec3:
        """Edge lengths, metres."""
        return (CUBE, CUBE, CUBE) if self.kind(name) == "block" else (CUBE, CUBE, 0.0)

    def gripper_position(self) -> Vec3:
        """Point between the finger tips."""
        return _tuple(self._hand)

    def gripper_width(self) -> float:
        """Opening, metres."""
        return float(self._width)

    def holding(self) -> str | None:
        """The cube between closed fingers, by their width and its place."""
        if self._fingers >= 0.0 or not 0.75 * CUBE < self._width < 1.5 * CUBE:
            return None
        near = [
            (float(np.linalg.norm(self._places[name] - self._hand)), name)
            for name in self.objects("block")
        ]
        return min(near)[1] if near and min(near)[0] < 0.75 * CUBE else None

    # -- act --------------------------------------------------------------------------------

    def move_to(
        self, position: Vec3, yaw: float | None = None, speed: float = 0.8, via: str = "straight"
    ) -> None:
        """Move the point between the finger tips; `yaw` cannot be had here."""
        _within("speed", speed, 0.05, 1.2)
        target = np.array(position)
        if via not in ("straight", "high"):
            raise BadArgument(f"via is {via!r}")
        if (short := float(np.linalg.norm(target - SHOULDER)) - REACH) > 0.0:
            raise Unreachable(f"the gripper stays {short:.3f} m short", short_by=short)
        if via == "high":
            height = max(self._hand[2], target[2], self._clear_height())
            if height > self._hand[2] + ARRIVED:
                self._go(np.array([*self._hand[:2], height]), speed)
            self._go(np.array([*target[:2], height]), speed)
        self._go(target, speed)
        if (left := float(np.linalg.norm(target - self._hand))) > BLOCKED:
            raise Blocked(f"stopped {left:.3f} m short", by=[], short_by=left)

    def move_by(self, offset: Vec3, yaw: float | None = None, speed: float = 0.8) -> None:
        """Move in a straight line from here."""
        self.move_to(_tuple(self._hand + np.array(offset)), yaw, speed)

    def open_gripper(self) -> None:
        """Open the fingers and wait until they rest."""
        self._grip(1.0)

    def close_gripper(self, force: float = 40.0) -> str:
        """Close the fingers; panda-gym sets the force."""
        _within("force", force, 5.0, 70.0)
        self._grip(-1.0)
        held = self.holding()
        if held is None:
            raise NothingHeld(f"closed to {self._width:.3f} m", width=float(self._width))
        return held

    def wait(self, seconds: float) -> None:
        """Hold still."""
        _within("seconds", seconds, 0.0, 10.0)
        for _ in range(math.ceil(seconds / STEP_S)):
            self._step(np.zeros(3))

    def say(self, text: str) -> None:
        """Nobody listens here."""

    # -- the environment ----------------------------------------------------------------------

    def _known(self, name: str) -> None:
        if name not in self._places:
            raise UnknownObject(f"there is no object {name!r}", name=name)

    def _clear_height(self) -> float:
        """Height at which the hand, and what it carries, clears everything else."""
        held = self.holding()
        hang = CUBE / 2 if held else 0.01
        tops = [self._places[n][2] + CUBE / 2 for n in self.objects("block") if n != held]
        return max(tops, default=0.0) + hang + 0.04

    def _go(self, target: np.ndarray, speed: float) -> None:
        """Steer to a point; ends when it is there, or no longer comes nearer."""
        still = 0
        left = float(np.linalg.norm(target - self._hand))
        while left > ARRIVED and still < 4:
            way = target - self._hand
            self._step(way * min(1.0, speed * STEP_S / left))
            now = float(np.linalg.norm(target - self._hand))
            still = still + 1 if now > left - 0.0005 else 0
            left = now

    def _grip(self, fingers: float) -> None:
        self._fingers = fingers
        for _ in range(12):
            before = self._width
            self._step(np.zeros(3))
            if abs(self._width - before) < 0.0005:
                return

    def _step(self, way: np.ndarray) -> None:
        """One step of the environment: a way in metres, and the fingers as they were told."""
        self.act(np.array([*np.clip(way / STEP_M, -1.0, 1.0), self._fingers], dtype=np.float32))

    def act(self, action: np.ndarray) -> None:
        """One action of the environment.

        Raises:
            EpisodeOver: If the environment ends the episode.
        """
        seen, _, terminated, truncated, info = self.env.step(action)
        self.steps += 1
        self.reached = bool(info["is_success"])
        self.ever_reached |= self.reached
        self._see(seen)
        if truncated or (terminated and self._stop_when_reached):
            raise EpisodeOver("reached" if terminated else "out of steps")

    def _see(self, seen: dict[str, np.ndarray]) -> None:
        robot, rest = seen["observation"][:7].astype(float), seen["observation"][7:].astype(float)
        self._hand, self._width = robot[:3] - BASE, robot[6]
        cubes, goals = rest.reshape(-1, 12), seen["desired_goal"].reshape(-1, 3).astype(float)
        ends = [""] if len(cubes) == 1 else [f"_{i + 1}" for i in range(len(cubes))]
        self._turns = {f"cube{end}": cube[5] for end, cube in zip(ends, cubes, strict=True)}
        self._places = {
            f"cube{end}": cube[:3] - BASE for end, cube in zip(ends, cubes, strict=True)
        }
        below = np.array([0.0, 0.0, CUBE / 2])
        for end, goal in zip(ends, goals, strict=True):
            self._places[f"target{end}"] = goal - BASE - below


def _tuple(vector: np.ndarray) -> Vec3:
    x, y, z = (float(value) for value in vector)
    return x, y, z


def _within(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise BadArgument(f"{what} is {value}; it must lie in [{low}, {high}]")


def make() -> PandaGymRobot:
    """A robot in front of one cube, for `check_adapter adapter:make --act`."""
    import gymnasium
    import panda_gym  # noqa: F401  (registers its environments)

    env = gymnasium.make("PandaPickAndPlace-v3", max_episode_steps=1000)
    robot = PandaGymRobot(env, stop_when_reached=False)
    robot.reset(seed=0)
    return robot
