"""What happens in the simulator's process: scenes that stand, and skills that are run in them.

A scene is named by what it was drawn from and by what was run in it since, so the process may be
lost at any time: a scene that does not stand there any more is built again and its runs are
repeated, bit for bit. A world that stands is only what saves that work.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from env.bullet import EngineError
from env.episode import Stage
from env.episode import perform as run_program
from env.errors import SimulatorError
from env.outcome import Outcome
from env.program import Closure
from env.render import Camera, FilmedWorld
from env.scene import Scene
from env.state import Vec3
from env.task import Task
from env.transcript import Episode, Start
from env.workers import Bench

CAMERA: Final = Camera(width=400, height=300)
_MOST_STANDING: Final = 2
"""Worlds that stand at once, some 90 MB each; others are built again when they are wanted."""
_TRIES: Final = 2  # a hang is looked at once more, on a rebuilt world
_MEMORY: Final = "scenes that stand"


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a skill in a scene.

    Attributes:
        task: What it is to bring about.
        closure: What is run.
        binding: Object name by parameter.
        seed: Of the program, as the episode records it.
        episode: Hash of what happened, 64 hex digits; empty as long as nobody knows.
    """

    task: Task
    closure: Closure
    binding: tuple[tuple[str, str], ...]
    seed: int
    episode: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A job: bring a scene to where it is, run one more skill in it perhaps, and look.

    Attributes:
        scene: How it began.
        turns: What has been run in it.
        turn: What is to be run now, or None.
        picture: Whether a picture is wanted.
    """

    scene: Scene
    turns: tuple[Turn, ...]
    turn: Turn | None
    picture: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as it is now.

    Attributes:
        name: Its name in the scene.
        kind: What it is.
        colour: Colour word.
        size: (3,) edges of its bounding box, metres.
        position: (3,) its centre, world frame, metres.
    """

    name: str
    kind: str
    colour: str
    size: Vec3
    position: Vec3


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found.

    Attributes:
        objects: All objects, by name.
        held: Name of the object in the gripper, or None.
        fallen: Names of the objects that left the table.
        picture: PNG, or nothing.
        episode: What the skill did; None if none was run.
        true_before: Whether its goal was true before it was run.
    """

    objects: tuple[Seen, ...]
    held: str | None
    fallen: tuple[str, ...]
    picture: bytes
    episode: Episode | None = None
    true_before: bool = False


class _Standing:
    """Worlds that stand, by what they are; the least lately used one goes first."""

    def __init__(self) -> None:
        self._worlds: OrderedDict[tuple[object, ...], FilmedWorld] = OrderedDict()

    def take(self, key: tuple[object, ...]) -> FilmedWorld | None:
        return self._worlds.pop(key, None)

    def spare(self) -> FilmedWorld:
        """A world to build in: a new one, or the one that was not asked for longest."""
        if len(self._worlds) < _MOST_STANDING:
            return FilmedWorld(CAMERA)
        return self._worlds.popitem(last=False)[1]

    def keep(self, key: tuple[object, ...], world: FilmedWorld) -> None:
        old = self._worlds.pop(key, None)
        if old is not None:
            old.close()
        self._worlds[key] = world

    def close(self) -> None:
        while self._worlds:
            self._worlds.popitem()[1].close()


def visit(bench: Bench, job: Visit) -> Sight:
    """Carry out a visit at the bench of the simulator's process.

    Args:
        bench: Keeps the worlds that stand.
        job: What is to be done.

    Returns:
        What was found. An episode whose program hung, or whose infrastructure failed, twice, has
        changed nothing; see `happened`.

    Raises:
        SceneError: If the scene cannot be built.
        SandboxError: If the sandbox cannot stand on this machine.
        SimulatorError: If the simulator failed, or a run could not be repeated bit for bit.
    """
    standing = bench.memory.setdefault(_MEMORY, _Standing())
    stands = standing.take(_key(job.scene, job.turns))
    world = standing.spare() if stands is None else stands
    try:
        if stands is None:
            _build(world, bench, job)
        before, episode, turns = False, None, job.turns
        if job.turn is not None:
            before, episode = _run_twice(world, bench, job, job.turn)
            if happened(episode):
                turns = (*turns, replace(job.turn, episode=episode.hash))
        sight = _look(world, picture=job.picture)
    except EngineError as error:
        world.close()
        raise SimulatorError(f"the simulator failed: {error}") from error
    except BaseException:
        world.close()
        raise
    standing.keep(_key(job.scene, turns), world)
    return replace(sight, episode=episode, true_before=before)


def _run_twice(world: FilmedWorld, bench: Bench, job: Visit, turn: Turn) -> tuple[bool, Episode]:
    """Run a skill; once more, from where the scene was, if nothing can be said about it."""
    for _ in range(_TRIES):
        before, episode = _run(world, bench, turn)
        if happened(episode):
            break
        # Where it was cut off is chance: back to before it.
        if not episode.outcome.about_program:
            bench.renew()
        _build(world, bench, job)
    return before, episode


def happened(episode: Episode) -> bool:
    """Whether a run ended at a place that it would end at again."""
    return episode.outcome.about_program and episode.outcome is not Outcome.HANG


def _key(scene: Scene, turns: tuple[Turn, ...]) -> tuple[object, ...]:
    about = (scene.seed, tuple(scene.binding.items()), scene.bodies, scene.start, scene.robot)
    return (*about, *(turn.episode for turn in turns))


def _build(world: FilmedWorld, bench: Bench, job: Visit) -> None:
    """Build a scene from nothing and repeat what was run in it."""
    world.reset(job.scene)
    for turn in job.turns:
        _, episode = _run(world, bench, turn)
        if episode.hash != turn.episode:
            raise SimulatorError(
                f"a run of {turn.closure.entry.name!r} could not be repeated bit for bit; "
                "make a new scene"
            )


def _run(world: FilmedWorld, bench: Bench, turn: Turn) -> tuple[bool, Episode]:
    """Run a skill where the world stands.

    Returns:
        Whether its goal was true before, and what happened.
    """
    world.begin()
    binding = dict(turn.binding)
    state = world.observe(turn.task.goal.needs)
    before = turn.task.goal.judge([state], 0, binding).holds
    stage = Stage(binding, state)
    episode = run_program(
        world, bench.sandbox(), turn.task, turn.closure, stage, Start(turn.seed), log=False
    )
    return before, episode


def _look(world: FilmedWorld, *, picture: bool) -> Sight:
    state = world.observe()
    drawn = b""
    if picture:
        file = io.BytesIO()
        Image.fromarray(world.look()).save(file, format="PNG", optimize=True)
        drawn = file.getvalue()
    return Sight(
        objects=tuple(
            Seen(body.name, body.kind, body.colour, body.size, body.position)
            for _, body in sorted(state.bodies.items())
        ),
        held=state.gripper.holding,
        fallen=tuple(sorted(n for n, body in state.bodies.items() if body.position[2] < 0.0)),
        picture=drawn,
    )
