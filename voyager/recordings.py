"""Running a certificate's episodes again and writing them down, frame by frame.

Certificates keep no motions, only seeds and hashes; because an episode runs the same to the last
bit whenever it is run again, that is enough to get the motions back. What is written down are
solved episodes only, each from the instant at which its program began to the end of its rest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from curriculum.wording import sentence
from env.certificate import SceneRecord
from env.episode import StartUnusable, run_episode
from env.errors import SimulatorError
from env.executors import Executor, Lost
from env.goals import Atom
from env.outcome import Outcome
from env.render import Camera, FilmedWorld, Frame
from env.scene import Scene
from env.starts import Handover
from env.state import State
from env.task import Task
from env.transcript import Start
from env.workers import Bench
from env.world import World
from skill_store.export.bundle import Bundle, Exported
from skill_store.export.recording import Floats, Names, Pixels, Recording, Video
from skill_store.skill import Skill
from voyager.browsing.video import CODEC, PIXELS, mp4
from voyager.serving.control import ACTION_NAMES, RATE, STRIDE, TICKS, TURN, half_turn
from voyager.serving.observation import (
    GRIPPER_FIELDS,
    OBJECT_FIELDS,
    OBJECT_SIZE,
    gripper_numbers,
    object_numbers,
)

PER_SKILL: Final = 20
"""Episodes of one skill, unless somebody asks for more: what a certificate usually has."""
_SAMPLED: Final = 8
"""Pictures of an episode that statistics are made of."""

NAMES: Final = Names(
    state=tuple(name for name, _, _ in GRIPPER_FIELDS),
    thing=tuple(name for name, _, _ in OBJECT_FIELDS),
    action=ACTION_NAMES,
    units={
        "dx": f"metres along x over {STRIDE:g}, in [-1, 1]",
        "dy": f"metres along y over {STRIDE:g}, in [-1, 1]",
        "dz": f"metres along z over {STRIDE:g}, in [-1, 1]",
        "dyaw": f"radians about z over {TURN:g}, in [-1, 1]",
        "grip": "what the fingers were last told: 1 to open, -1 to close, 0 nothing yet",
    },
)


@dataclass(frozen=True, slots=True)
class Take:
    """A job: one episode to be written down.

    Attributes:
        skill: What is run.
        scene: What its certificate says about the episode.
        handover: The skill that the scene begins after, if any.
        camera: Takes the pictures; none are taken if None.
    """

    skill: Skill
    scene: SceneRecord
    handover: Handover | None
    camera: Camera | None


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """An episode that could not be written down.

    Attributes:
        skill: Name of the skill.
        start: Where it began.
        reason: One sentence.
    """

    skill: str
    start: Start
    reason: str


@dataclass(frozen=True, slots=True)
class Reels:
    """What came of recording.

    Attributes:
        recordings: By skill in the bundle's order, each in seed order of its certificate.
        unrecorded: What was solved once and could not be repeated here.
    """

    recordings: tuple[Recording, ...]
    unrecorded: tuple[Unrecorded, ...]


@dataclass(frozen=True, slots=True)
class _Sample:
    state: State
    told: float
    picture: Frame | None


class _Sampling(World):
    """A world that keeps its state at each frame, from the instant at which its clock began.

    A state is kept when its instant is over and not when the next one begins: by then a program
    may have told the fingers something else.
    """

    samples: list[_Sample]
    _told = 0.0
    """What the fingers were last told: 1 to open, -1 to close, 0 nothing since the beginning."""

    def begin(self) -> State:
        """Start the clock: what came before, a hand-over for example, is not written down."""
        state = super().begin()
        self._told = 0.0
        self.samples = [_Sample(state, 0.0, None)]
        return state

    def grip(self, *, opening: bool, force: float) -> float:
        """Open or close the gripper, and remember what it was told; see `World.grip`."""
        self._told = 1.0 if opening else -1.0
        return super().grip(opening=opening, force=force)

    def tick(self) -> None:
        """Advance by one step, and keep the state when a frame is due."""
        if self.steps == 0:
            # What came before the first step is no part of the recording.
            self.samples[0] = replace(self.samples[0], picture=self.pictured())
        super().tick()
        if self.steps % TICKS == 0:
            self.samples.append(_Sample(self.observe(), self._told, self.pictured()))

    def pictured(self) -> Frame | None:
        """A picture of the world as it is now, if pictures are taken."""
        return None


class _PlainWorld(_Sampling):
    """Without pictures."""


class _FilmedWorld(_Sampling, FilmedWorld):
    """With a picture for each frame."""

    def pictured(self) -> Frame | None:
        """A picture of the world as it is now."""
        return self.look()


def record(
    bundle: Bundle,
    executor: Executor,
    *,
    camera: Camera | None = None,
    most: int = PER_SKILL,
    note: Callable[[str, int, int], None] = lambda skill, done, of: None,
) -> Reels:
    """Run the solved episodes of certificates again and write them down.

    Args:
        bundle: Whose skills.
        executor: Where the episodes run.
        camera: Takes a picture for each frame; none if None. Even numbers of pixels.
        most: Episodes of one skill, in the order of its certificate.
        note: Told after each episode: the skill, episodes done, episodes in all.

    Returns:
        The recordings, and what could not be recorded.

    Raises:
        SimulatorError: If a worker was lost twice.
        SandboxError: If the sandbox cannot stand on this machine.
        VoyagerError: If films cannot be made here.
    """
    takes = [t for exported in bundle.skills for t in _takes(exported, camera, most)]
    found: list[Recording] = []
    failed: list[Unrecorded] = []
    for done, (take, result) in enumerate(
        zip(takes, executor.map(recorded, takes), strict=True), start=1
    ):
        if isinstance(result, Lost):
            raise SimulatorError(f"an episode was not recorded: {result.detail}; try again")
        if isinstance(result, Recording):
            found.append(result)
        else:
            failed.append(result)
        note(take.skill.name, done, len(takes))
    return Reels(tuple(found), tuple(failed))


def recorded(bench: Bench, take: Take) -> Recording | Unrecorded:
    """Write one episode down at a worker's bench; the function that executors map.

    Raises:
        SceneError: If the scene cannot be drawn.
        SandboxError: If the sandbox cannot stand on this machine.
        VoyagerError: If films cannot be made here.
    """
    world = _world(bench, take.camera)
    skill, start = take.skill, take.scene.start
    try:
        episode = run_episode(
            world, bench.sandbox(), skill.task, skill.closure, start, handover=take.handover
        )
    except StartUnusable as error:
        return Unrecorded(skill.name, start, str(error))
    if not episode.solved:
        why = f"it ended {episode.outcome.value} this time: {episode.reason}"
        return Unrecorded(skill.name, start, why)
    # The last state is where the last action led to, and no frame any more.
    samples = world.samples[:-1]
    scene = skill.task.sample(start.seed)
    actions, clipped = _actions(world.samples)
    frames = [sample.picture for sample in samples if sample.picture is not None]
    return Recording(
        skill=skill.name,
        sentence=asked(skill.task, scene),
        robot=scene.robot,
        start=start,
        episode=episode.hash,
        identical=episode.hash == take.scene.episode,
        parameters=tuple(name for name, _ in skill.task.parameters),
        names=NAMES,
        fps=RATE,
        states=_floats([gripper_numbers(s.state.gripper) for s in samples]),
        things=_things([s.state for s in samples], skill.task, scene),
        actions=actions,
        clipped=clipped,
        video=_video(frames) if frames else None,
    )


def asked(task: Task, scene: Scene) -> str:
    """What a task asks for in one scene, with its objects named by colour and kind."""
    plain = all(isinstance(part, Atom) for part in task.goal.conjuncts)
    text = sentence(task.goal) if plain else task.instruction
    bodies = {body.name: body.spec for body in scene.bodies}
    called = {
        name: f"the {bodies[bound].colour} {bodies[bound].kind}"
        for name, bound in scene.binding.items()
    }
    if not called:
        return text
    names = "|".join(sorted(map(re.escape, called), key=len, reverse=True))
    return re.sub(rf"\b(?:the )?({names})\b", lambda found: called[found[1]], text)


def _takes(exported: Exported, camera: Camera | None, most: int) -> list[Take]:
    known = {handover.key: handover for handover in exported.handovers}
    solved = [s for s in exported.skill.certificate.scenes if s.outcome is Outcome.SOLVED]
    takes = []
    for scene in solved[:most]:
        first = scene.start.handover
        handover = None if first is None else known.get((first.closure, first.task))
        takes.append(Take(exported.skill, scene, handover, camera))
    return takes


def _world(bench: Bench, camera: Camera | None) -> _Sampling:
    key = f"recording with {camera}"
    world = bench.memory.get(key)
    if not isinstance(world, _Sampling):
        world = _PlainWorld() if camera is None else _FilmedWorld(camera)
        bench.memory[key] = world
    return world


def _things(states: Sequence[State], task: Task, scene: Scene) -> Floats:
    bound = [scene.binding[name] for name, _ in task.parameters]
    rows = [
        [n for name in bound for n in object_numbers(state.bodies[name], state.gripper.holding)]
        for state in states
    ]
    return np.array(rows, dtype=np.float32).reshape(len(states), len(bound) * OBJECT_SIZE)


def _actions(samples: Sequence[_Sample]) -> tuple[Floats, int]:
    """What leads from each state to the next, in the terms of `CartesianControl.step`."""
    rows = []
    for before, after in itertools.pairwise(samples):
        now, then = before.state.gripper, after.state.gripper
        offset = [(b - a) / STRIDE for a, b in zip(now.position, then.position, strict=True)]
        rows.append([*offset, half_turn(then.yaw - now.yaw) / TURN, after.told])
    wanted = _floats(rows)
    actions = np.clip(wanted, -1.0, 1.0)
    return actions, int((actions != wanted).any(axis=1).sum())


def _floats(rows: Sequence[Sequence[float]]) -> Floats:
    return np.array(rows, dtype=np.float32)


def _video(frames: Sequence[Frame]) -> Video:
    chosen = np.linspace(0, len(frames) - 1, min(_SAMPLED, len(frames))).round().astype(int)
    samples: Pixels = np.stack([frames[index] for index in chosen])
    return Video(mp4(frames, fps=RATE), CODEC, PIXELS, samples)


__all__ = ["NAMES", "PER_SKILL", "Reels", "Take", "Unrecorded", "asked", "record", "recorded"]
