"""Any task as a `gymnasium.Env`; the one file that knows Gymnasium.

    import gymnasium
    import voyager.serving.gymnasium_env  # registers voyager/Task-v0

    env = gymnasium.make("voyager/Task-v0", home="my_home", skill="put_on")

**Observation**: Box (n,) float32, clipped to finite bounds; `TaskEnv.layout` names each number
with its unit. Gripper, the objects that the task's parameters are bound to (first), the scene's
other objects in as many rows as there can be, and how far the target is ahead of the gripper.

**Action**: Box (5,) float32 in [-1, 1], 20 times a simulated second: x, y and z of the gripper's
target (6 cm a unit, world frame), its yaw (0.125 rad a unit), and the fingers: above 0 they open,
below 0 they close, at 0 they stay as they are told.

**Reward**: 1 for solving the task, plus the progress of the goal's margin; see `reward`.

**Ends**: `terminated` when the goal held throughout the last simulated second and nothing fell
from the table, as a certificate's judge has it; `truncated` when the task's time limit is over.
Both may be true at once, and neither stands for the other.

**Scenes**: `reset(seed=...)` seeds a generator that draws numbers of *practice* scenes
(`env.starts.practice_seed`), a new one for each reset. Held-out scenes have other labels and cannot
come up; whoever wants a certain scene, for an evaluation, asks for it by name in `options`. Every
scene is built from nothing, so the same seed and actions give the same trajectory bit for bit.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from env.bullet import EngineError
from env.errors import SceneError, SimulatorError, TaskError
from env.extensions import load_extensions
from env.render import Camera, FilmedWorld
from env.starts import practice_seed
from env.task import Task
from env.world import World
from voyager.serving.control import ACTION_SIZE, RATE, CartesianControl
from voyager.serving.observation import Layout, Vector
from voyager.serving.progress import Progress, Shaping, Standing, potential, reward

ENV_ID: Final = "voyager/Task-v0"
"""The registered name; which task it is, its keyword arguments say."""
_ENDLESS: Final = 1 << 31
"""Practice scenes that are drawn from when no number of them is given."""
_TRIES: Final = 200
"""Scenes that are drawn until one does not begin solved."""


class TaskEnv(gymnasium.Env[Vector, Vector]):
    """One task, its scenes, and a gripper to move in them; see the module's docstring.

    Attributes:
        task: What is asked for.
        layout: Names, units and bounds of the observation's numbers.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": RATE}  # noqa: RUF012 (Gymnasium's own)

    def __init__(
        self,
        task: Task | Mapping[str, Any] | str | Path | None = None,
        *,
        home: str | Path | None = None,
        skill: str | None = None,
        extensions: tuple[str, ...] = (),
        render_mode: str | None = None,
        width: int = 320,
        height: int = 240,
        discount: float = 1.0,
        shaping: str = Shaping.MARGIN.value,
        scenes: int | None = None,
        time_limit: float | None = None,
    ) -> None:
        """Take a task; give `task`, or `home` and `skill`.

        Args:
            task: The task, its JSON record, or the file that holds the record.
            home: Home folder of a library; it is only read.
            skill: Name of a skill in it, whose task is meant.
            extensions: Modules that declare predicates or kinds which the task uses.
            render_mode: "rgb_array", or None for no pictures.
            width: Pixels of a picture.
            height: Pixels of a picture.
            discount: The learner's discount, in (0, 1]; see `voyager.serving.progress.reward`.
            shaping: "margin", or "none" to be paid for the solved task alone.
            scenes: Only the first so many practice scenes; all there are if None.
            time_limit: Simulated seconds until an episode is truncated; the task's own if None.

        Raises:
            TaskError: If the task cannot be read, or an argument makes no sense.
            UnknownSkill: If the library has no such skill.
            SimulatorError: If no physics client can be opened.
        """
        load_extensions(extensions)
        self.task = find_task(task, home=home, skill=skill)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise TaskError(f"the render mode {render_mode!r} is unknown; there is 'rgb_array'")
        if not 0.0 < discount <= 1.0:
            raise TaskError(f"the discount is {discount}; it must lie above 0 and at most at 1")
        if shaping not in tuple(Shaping):
            raise TaskError(f"shaping {shaping!r} is unknown; there are {', '.join(Shaping)}")
        if scenes is not None and scenes < 1:
            raise TaskError(f"there cannot be {scenes} scenes; name 1 or more, or None for all")
        limit = self.task.time_limit if time_limit is None else time_limit
        if not 0.0 < limit <= self.task.time_limit:
            raise TaskError(
                f"the time limit is {limit} s; it must lie above 0 and at most at the task's "
                f"{self.task.time_limit} s"
            )
        self.render_mode = render_mode
        self.layout = Layout(self.task)
        most = self.layout.bounds
        self.observation_space = spaces.Box(-most, most, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (ACTION_SIZE,), np.float32)
        self._discount = float(discount)
        self._shaping = Shaping(shaping)
        self._scenes = _ENDLESS if scenes is None else scenes
        self._steps_allowed = max(1, round(limit * RATE))
        self._camera = Camera(width=width, height=height)
        self._world: World | None = self._opened()
        self._scene: dict[str, Any] = {}
        self._binding: Mapping[str, str] = {}
        self._control: CartesianControl | None = None
        self._progress: Progress | None = None
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Vector, dict[str, Any]]:
        """Build the next practice scene, or the one that is asked for.

        Args:
            seed: Seeds the generator that numbers of practice scenes are drawn from.
            options: ``{"practice": i}`` for the i-th practice scene of the task, or
                ``{"scene_seed": n}`` for the scene of that seed, whatever it belongs to.

        Returns:
            The observation, and what `step` tells beside it. `info["scene_seed"]` names the scene,
            `info["practice"]` its number if it was drawn or asked for by one.

        Raises:
            TaskError: If an option is unknown.
            SceneError: If the scene cannot be drawn, or the goal holds in it from the start.
            SimulatorError: If the simulator was lost.
        """
        super().reset(seed=seed)
        asked = dict(options or {})
        known = set(asked) <= {"practice", "scene_seed"} and len(asked) <= 1
        if not known or any(not isinstance(n, int) or n < 0 for n in asked.values()):
            raise TaskError(
                f"the options {asked} are not understood; give 'practice' or 'scene_seed', and a "
                "whole number from 0"
            )
        for _ in range(1 if asked else _TRIES):
            scene = dict(asked)
            if "scene_seed" not in scene:
                drawn = scene.get("practice")
                number = int(self.np_random.integers(self._scenes)) if drawn is None else drawn
                scene = {
                    "practice": number,
                    "scene_seed": practice_seed(self.task, number),
                }
            if self._begin(scene):
                break
        else:
            raise SceneError(
                f"the goal {self.task.goal.text} holds from the start in scene "
                f"{self._scene['scene_seed']}; ask for another"
            )
        return self._observed()

    def step(self, action: Vector) -> tuple[Vector, float, bool, bool, dict[str, Any]]:
        """Carry out one action, a twentieth of a simulated second.

        Args:
            action: (5,) see the module's docstring; clipped to [-1, 1].

        Returns:
            Observation, reward, whether the task is solved, whether the time is up, and a dict:
            `is_success`, `margin`, `potential`, `unmet` (atoms of the goal that do not hold),
            `missing` (a sentence for each), `fallen`, `refused` ("turn" or "motion", when that part
            of the action is out of the arm's reach), `time` (simulated seconds), `scene_seed`.

        Raises:
            ResetNeeded: Before the first reset, and after an episode has ended.
            ValueError: If the action is not (5,) finite numbers.
            SimulatorError: If the simulator was lost; reset builds everything anew.
        """
        world, control, progress = self._world, self._control, self._progress
        if world is None or control is None or progress is None:
            raise ResetNeeded("no episode is under way; call reset first")
        wanted = np.asarray(action, dtype=np.float64)
        if wanted.shape != (ACTION_SIZE,) or not np.isfinite(wanted).all():
            raise ValueError(f"an action is {ACTION_SIZE} finite numbers, not {action!r}")
        before = progress.standing.margin
        try:
            self._moved = control.step(wanted.tolist())
            standing = progress.add(world.trace)
        except (SimulatorError, EngineError) as error:
            self._renew()
            raise SimulatorError(f"the simulator was lost: {error}; call reset") from error
        self._steps += 1
        self._last = world.trace[-1]
        world.trace.clear()
        earned = reward(
            before,
            standing.margin,
            solved=standing.solved,
            discount=self._discount,
            shaping=self._shaping,
        )
        truncated = self._steps >= self._steps_allowed
        if standing.solved or truncated:
            self._control = None
        seen, info = self._observed()
        return seen, earned, standing.solved, truncated, info

    def render(self) -> Any:
        """A picture of the scene as it is now.

        Returns:
            (height, width, 3) uint8 RGB; None without a render mode.

        Raises:
            ResetNeeded: Before the first reset.
        """
        if self.render_mode is None:
            return None
        if not isinstance(self._world, FilmedWorld) or self._progress is None:
            raise ResetNeeded("there is nothing to see yet; call reset first")
        return self._world.look()

    def close(self) -> None:
        """Close the physics client; closing twice does nothing."""
        world, self._world = self._world, None
        self._control = self._progress = None
        if world is not None:
            world.close()

    def _opened(self) -> World:
        return World() if self.render_mode is None else FilmedWorld(self._camera)

    def _renew(self) -> None:
        """Put a new world in the place of a broken one."""
        with contextlib.suppress(SimulatorError, EngineError):
            self.close()
        self._world = self._opened()

    def _begin(self, scene: dict[str, Any]) -> bool:
        """Build a scene; False if there is nothing to do in it."""
        world = self._world
        if world is None:
            raise SimulatorError("this environment is closed; make another one")
        drawn = self.task.sample(int(scene["scene_seed"]))
        needs = self.task.goal.needs
        self._scene, self._binding, self._steps = scene, drawn.binding, 0
        self._control = self._progress = None
        world.reset(drawn)
        self._last = world.observe(needs)
        if self.task.goal.judge([self._last], 0, self._binding).holds:
            return False
        world.record(needs)
        self._control = CartesianControl(world)
        self._moved = self._control.standing()
        self._progress = Progress(self.task, self._binding, self._last)
        return True

    def _observed(self) -> tuple[Vector, dict[str, Any]]:
        if self._progress is None:
            raise ResetNeeded("no episode is under way; call reset first")
        standing = self._progress.standing
        seen = self.layout.vector(self._last, self._binding, self._moved)
        return seen, {**_told(standing), "refused": self._moved.refused, **self._scene} | {
            "time": self._steps / RATE
        }


def _told(standing: Standing) -> dict[str, Any]:
    return {
        "is_success": standing.solved,
        "margin": standing.margin,
        "potential": potential(standing.margin),
        "unmet": standing.unmet,
        "missing": standing.missing,
        "fallen": standing.fallen,
    }


def find_task(
    task: Task | Mapping[str, Any] | str | Path | None = None,
    *,
    home: str | Path | None = None,
    skill: str | None = None,
) -> Task:
    """Take or look up a task; arguments and errors as for `TaskEnv`.

    Raises:
        TaskError: If none, or more than one, is named.
    """
    if (task is None) == (skill is None) or (home is None) != (skill is None):
        raise TaskError("name one task: `task`, or `home` and `skill`")
    if isinstance(task, Task):
        return task
    if isinstance(task, Mapping):
        return Task.from_json(task)
    if task is not None:
        try:
            return Task.from_json(json.loads(Path(task).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise TaskError(f"cannot read a task from {task}: {error}") from error
    from skill_store import Library

    if not Path(str(home)).is_dir():
        raise TaskError(f"there is no home at {home}; name the folder that holds library.db")
    with Library.open(str(home)) as library:
        return library.get(str(skill)).task


if ENV_ID not in gymnasium.registry:
    gymnasium.register(id=ENV_ID, entry_point="voyager.serving.gymnasium_env:TaskEnv")
