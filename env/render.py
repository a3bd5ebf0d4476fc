"""Filming episodes: the same physics once more, with something to see.

An episode is filmed by running it again in a world that is drawn. The physics is the same to the
last bit, so the film shows the very episode that a certificate speaks about; a film carries the
episode that it shows, so that whoever publishes it can compare the hashes. Never part of a
verdict, and far too slow for learning: a frame costs more than a whole episode without one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image

from env.bullet import HZ
from env.episode import run_episode
from env.errors import VoyagerError
from env.program import Closure
from env.sandbox.base import Sandbox
from env.scene import Scene
from env.starts import Handover
from env.state import State, Vec3
from env.task import Task
from env.transcript import Episode, Start
from env.workers import Bench
from env.world import World

Frame = np.ndarray[Any, np.dtype[np.uint8]]
"""(height, width, 3) RGB."""

_KEY: Final = (1.0, 0.0, 1.0)
"""A colour that no object has: what is drawn in it becomes the background."""
_BACKDROP_HEIGHT: Final = -0.69  # just above the floor
_BACKDROP_SIZE: Final = 40.0
_SKY: Final = ((216, 224, 232), (246, 246, 243))
"""Colours at the upper and the lower edge of a frame, blended behind everything."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Where pictures are taken from; the default shows the arm and its workspace.

    Attributes:
        width: Pixels.
        height: Pixels.
        samples: Pixels drawn per pixel kept, along each edge; 2 gives smooth edges.
        eye: (3,) its position, world frame, metres.
        target: (3,) the point it looks at, world frame, metres.
        field_of_view: Vertical, degrees.
    """

    width: int = 320
    height: int = 240
    samples: int = 1
    eye: Vec3 = (1.30, -0.62, 0.70)
    target: Vec3 = (0.40, 0.0, 0.16)
    field_of_view: float = 38.0


class FilmedWorld(World):
    """A world that is drawn, and that takes a frame every so often while time passes in it.

    Attributes:
        camera: Takes the frames.
        frames: Frames since the episode began.
    """

    def __init__(self, camera: Camera | None = None, *, fps: float = 0.0, most: int = 90) -> None:
        """Open a physics client with everything that can be seen.

        Args:
            camera: Takes the frames.
            fps: Frames a simulated second; 0 takes none but those asked for by `look`.
            most: Frames kept at most. A longer episode keeps every second one, and so on.

        Raises:
            SimulatorError: If the client cannot be opened.
        """
        super().__init__(visuals=True)
        self.camera = camera if camera is not None else Camera()
        self.frames: list[Frame] = []
        self._interval = max(1, round(HZ / fps)) if fps > 0 else 0
        self._every = self._interval
        self._most = most

    @property
    def fps(self) -> float:
        """Frames a simulated second among those that were kept."""
        return HZ / self._every if self._every else 0.0

    def reset(self, scene: Scene) -> State:
        """Build a scene, with a backdrop behind it; see `World.reset`."""
        state = super().reset(scene)
        size = (_BACKDROP_SIZE, _BACKDROP_SIZE, 0.0)
        self.bullet.add_marker("backdrop", size, (0.0, 0.0, _BACKDROP_HEIGHT), (*_KEY, 1.0))
        return state

    def begin(self) -> State:
        """Start the clock and the film here: what came before is not part of the episode."""
        self.frames = []
        self._every = self._interval
        return super().begin()

    def tick(self) -> None:
        """Advance by one step, and take a frame when one is due."""
        super().tick()
        if not self._every or (self.steps - 1) % self._every:
            return
        if len(self.frames) == self._most:
            del self.frames[1::2]
            self._every *= 2
            if (self.steps - 1) % self._every:
                return
        self.frames.append(self.look())

    def look(self) -> Frame:
        """A picture of the world as it is now."""
        camera = self.camera
        drawn = self.bullet.picture(
            camera.eye,
            camera.target,
            width=camera.width * camera.samples,
            height=camera.height * camera.samples,
            field_of_view=camera.field_of_view,
        )
        picture = Image.fromarray(_before_sky(drawn))
        if camera.samples > 1:
            picture = picture.resize((camera.width, camera.height), Image.Resampling.LANCZOS)
        return np.asarray(picture)


def _before_sky(drawn: Frame) -> Frame:
    """Put a smooth background behind what was drawn: in place of the backdrop and of nothing."""
    nothing = (drawn == 255).all(axis=2)
    red, green, blue = (drawn[:, :, i].astype(np.int16) for i in range(3))
    backdrop = (green < 8) & (red > 24) & (abs(red - blue) < 8)
    height = len(drawn)
    share = np.linspace(0.0, 1.0, height)[:, None]
    rows = (1.0 - share) * np.array(_SKY[0]) + share * np.array(_SKY[1])
    sky = np.broadcast_to(rows.astype(np.uint8)[:, None, :], drawn.shape)
    return np.where((nothing | backdrop)[:, :, None], sky, drawn)


def require_display() -> None:
    """Check that there is something to open a window on: PyBullet's needs an X display on Linux.

    Raises:
        VoyagerError: If there is none. PyBullet would end the whole process from C.
    """
    if os.name == "posix" and os.uname().sysname == "Linux" and not os.environ.get("DISPLAY"):
        raise VoyagerError(
            "there is no display to open a window on (DISPLAY is not set); "
            "leave --gui away: films and pictures need none"
        )


class PacedWorld(World):
    """A world in PyBullet's own window that runs no faster than real time."""

    def __init__(self, speed: float = 1.0, sleep: Callable[[float], None] = time.sleep) -> None:
        """Open the window.

        Args:
            speed: Simulated seconds per second.
            sleep: Waits for that many seconds.

        Raises:
            SimulatorError: If the window cannot be opened.
            VoyagerError: If there is no display.
        """
        require_display()
        super().__init__(gui=True)
        self._pause = 1.0 / HZ / speed
        self._sleep = sleep

    def tick(self) -> None:
        """Advance by one step, and wait for as long as it stands for."""
        super().tick()
        self._sleep(self._pause)


@dataclass(frozen=True, slots=True)
class Film:
    """An episode with pictures of it.

    Attributes:
        episode: What is shown; it has the same hash as the episode without pictures.
        frames: In order of time; empty when none were asked for.
        fps: Frames a simulated second.
        last: The scene as it was judged.
    """

    episode: Episode
    frames: tuple[Frame, ...]
    fps: float
    last: Frame


@dataclass(frozen=True, slots=True)
class Shot:
    """One episode to be filmed.

    Attributes:
        task: What is to be achieved.
        closure: What is run.
        start: Where it begins.
        handover: The skill that `start` names, if any.
    """

    task: Task
    closure: Closure
    start: Start
    handover: Handover | None = None


@dataclass(frozen=True, slots=True)
class Reel:
    """A job: episodes to be filmed one after the other, by one camera.

    Attributes:
        shots: The episodes.
        camera: Takes the frames.
        fps: Frames a simulated second; 0 takes none but the last.
        most: Frames of one episode that are kept at most.
    """

    shots: tuple[Shot, ...]
    camera: Camera = Camera()
    fps: float = 12.0
    most: int = 90


def film(reel: Reel, sandbox: Sandbox) -> tuple[Film, ...]:
    """Run episodes once more and take pictures of them.

    Args:
        reel: What to film.
        sandbox: A started sandbox.

    Returns:
        One film a shot. An episode whose infrastructure failed comes with what was seen of it.

    Raises:
        StartUnusable: If a scene cannot be begun in.
        SceneError: If a scene cannot be drawn.
        SandboxError: If the sandbox cannot stand on this machine.
        SimulatorError: If the simulator cannot be opened.
    """
    world = FilmedWorld(reel.camera, fps=reel.fps, most=reel.most)
    films = []
    with world:
        for shot in reel.shots:
            episode = run_episode(
                world, sandbox, shot.task, shot.closure, shot.start, handover=shot.handover
            )
            films.append(Film(episode, tuple(world.frames), world.fps, world.look()))
    return tuple(films)


def shoot(bench: Bench, reel: Reel) -> tuple[Film, ...]:
    """Film at a worker's bench; the function that executors map. See `film`."""
    return film(reel, bench.sandbox())
