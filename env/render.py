"""Filming episodes: the same physics once more, with something to see.

An episode is filmed by running it again in the world that it is always run in, and what is drawn is
a copy in a client of its own: one more body in a client, even one that nothing can touch, may
change the order in which PyBullet solves contacts, and with it the last bits. So the film shows the
very episode that a certificate speaks about; a film carries the episode that it shows, so that
whoever publishes it can compare the hashes. Never part of a verdict, and far too slow for learning:
a frame costs more than a whole episode without one.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from env.bullet import HZ, Bullet, Joint, rotation
from env.episode import run_episode
from env.errors import SimulatorError, VoyagerError
from env.kinds import Part
from env.program import Closure
from env.sandbox.base import Sandbox
from env.scene import Scene
from env.starts import Handover
from env.state import Quat, State, Vec3
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
_FREEDOMS: Final = (
    ("prismatic", "1 0 0"),
    ("prismatic", "0 1 0"),
    ("prismatic", "0 0 1"),
    ("continuous", "0 0 1"),
    ("continuous", "0 1 0"),
    ("continuous", "1 0 0"),
)
"""Kind and axis of the joints that a thing stands on in a copy: position, then yaw, pitch, roll."""
_INERTIAL: Final = (
    '<inertial><mass value="1"/>'
    '<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>'
)


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


class _Stage(Bullet):
    """A client for pictures: no time passes in it, and all that moves can be put in its place.

    Of what stands in a client only joints can be put somewhere (`Bullet.place_joints`), so a thing
    that moves freely is loaded here as a model on six joints.
    """

    def __init__(self) -> None:
        self._moving: dict[str, list[int]] = {}
        self._free: set[str] = set()
        super().__init__(visuals=True)

    def reset(self) -> None:
        super().reset()
        self._moving.clear()
        self._free.clear()

    def step(self) -> None:
        """Let no time pass."""

    def load(self, name: str, path: Path, *, position: Vec3 = (0.0, 0.0, 0.0)) -> tuple[Joint, ...]:
        joints = super().load(name, path, position=position)
        if moving := [joint.index for joint in joints if joint.moves]:
            self._moving[name] = moving
        return joints

    def add_parts(
        self,
        name: str,
        parts: Sequence[Part],
        *,
        mass: float,
        friction: float,
        rolling_friction: float,
        position: Vec3,
        orientation: Quat,
        rgba: tuple[float, float, float, float],
    ) -> None:
        if mass == 0.0:
            super().add_parts(
                name,
                parts,
                mass=mass,
                friction=friction,
                rolling_friction=rolling_friction,
                position=position,
                orientation=orientation,
                rgba=rgba,
            )
            return
        try:
            # A folder of its own: PyBullet keeps what it has read by the path that it read it from.
            with tempfile.TemporaryDirectory(prefix="voyager-") as folder:
                path = Path(folder) / "thing.urdf"
                path.write_text(_model(parts, rgba), encoding="utf-8")
                self.load(name, path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SimulatorError(
                f"cannot write a model to draw {name!r} from ({reason}); "
                "set TMPDIR to a folder that can be written to"
            ) from error
        self._free.add(name)
        self.place_joints(name, self._moving[name], _freedoms(position, orientation))

    def arrange(self, simulated: Bullet) -> None:
        """Put everything where it is in a client with the same bodies."""
        for name, indices in self._moving.items():
            positions = (
                _freedoms(*simulated.pose(name))
                if name in self._free
                else simulated.joints(name, indices)[0]
            )
            self.place_joints(name, indices, positions)


def _model(parts: Sequence[Part], rgba: Sequence[float]) -> str:
    """A model file: one thing that can be seen, on joints that put it anywhere."""
    material = f'<material name="own"><color rgba="{_numbers(rgba)}"/></material>'
    seen = "".join(
        f'<visual><origin xyz="{_numbers(part.position)}" '
        f'rpy="{_numbers(_angles(part.orientation))}"/>'
        f"<geometry>{_geometry(part)}</geometry>{material}</visual>"
        for part in parts
    )
    last = len(_FREEDOMS)
    links = [
        f'<link name="{index}">{_INERTIAL}{seen if index == last else ""}</link>'
        for index in range(last + 1)
    ]
    joints = [
        f'<joint name="{index}" type="{kind}"><parent link="{index}"/><child link="{index + 1}"/>'
        f'<axis xyz="{axis}"/><limit lower="-1000" upper="1000" effort="1" velocity="1"/></joint>'
        for index, (kind, axis) in enumerate(_FREEDOMS)
    ]
    return f'<robot name="thing">{"".join(links + joints)}</robot>'


def _geometry(part: Part) -> str:
    x, _, z = part.extents
    if part.shape == "box":
        return f'<box size="{_numbers(part.extents)}"/>'
    if part.shape == "sphere":
        return f'<sphere radius="{x / 2!r}"/>'
    return f'<cylinder radius="{x / 2!r}" length="{z!r}"/>'


def _numbers(values: Sequence[float]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _freedoms(position: Vec3, orientation: Quat) -> Sequence[float]:
    """Where the joints of `_FREEDOMS` must be for a pose."""
    roll, pitch, yaw = _angles(orientation)
    return (*position, yaw, pitch, roll)


def _angles(orientation: Quat) -> Vec3:
    """Fixed-axis roll, pitch and yaw; the other way round than `env.bullet.quaternion`."""
    m = rotation(orientation)
    level = math.hypot(m[0], m[3])
    pitch = math.atan2(-m[6], level)
    if level < 1e-6:
        # Pitched by a right angle, roll and yaw are turns about the same axis.
        return math.atan2(-m[5], m[4]), pitch, 0.0
    return math.atan2(m[7], m[8]), pitch, math.atan2(m[3], m[0])


class _Copy(World):
    """What is drawn of another world: the same scene in a client of its own, with a backdrop."""

    def __init__(self) -> None:
        super().__init__()
        # A world knows how to build a scene; it is only to build it on a stage.
        self.bullet.close()
        self.bullet = self._stage = _Stage()
        self._built: Scene | None = None

    def become(self, world: World) -> None:
        """Show what a world is now; nothing happens to that world."""
        if world.scene is None:
            return
        if world.scene is not self._built:
            self._built = None
            self.reset(world.scene)
            size = (_BACKDROP_SIZE, _BACKDROP_SIZE, 0.0)
            self.bullet.add_marker("backdrop", size, (0.0, 0.0, _BACKDROP_HEIGHT), (*_KEY, 1.0))
            self._built = world.scene
        self._stage.arrange(world.bullet)


class FilmedWorld(World):
    """A world that takes a frame every so often while time passes in it.

    What is simulated is what `World` simulates; what is drawn is a copy that follows it.

    Attributes:
        camera: Takes the frames.
        frames: Frames since the episode began.
    """

    def __init__(self, camera: Camera | None = None, *, fps: float = 0.0, most: int = 90) -> None:
        """Open two physics clients, one of them with everything that can be seen.

        Args:
            camera: Takes the frames.
            fps: Frames a simulated second; 0 takes none but those asked for by `look`.
            most: Frames kept at most. A longer episode keeps every second one, and so on.

        Raises:
            SimulatorError: If a client cannot be opened.
        """
        super().__init__()
        self.camera = camera if camera is not None else Camera()
        self.frames: list[Frame] = []
        self._copy = _Copy()
        self._interval = max(1, round(HZ / fps)) if fps > 0 else 0
        self._every = self._interval
        self._most = most

    def close(self) -> None:
        """Close both physics clients."""
        self._copy.close()
        super().close()

    @property
    def fps(self) -> float:
        """Frames a simulated second among those that were kept."""
        return HZ / self._every if self._every else 0.0

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
        """A picture of the world as it is now.

        Returns:
            The picture, as large as the camera's.

        Raises:
            SimulatorError: If the copy that is drawn cannot be built.
        """
        camera = self.camera
        self._copy.become(self)
        drawn = self._copy.bullet.picture(
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
