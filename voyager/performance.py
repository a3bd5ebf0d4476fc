"""One skill on one scene for somebody who watches: chosen objects, a film, a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from env.episode import run_episode
from env.errors import KindError, TaskError
from env.kinds import is_a
from env.render import Camera, Film, FilmedWorld, PacedWorld
from env.sandbox import Sandbox
from env.scene import Scene
from env.task import Task
from env.transcript import Episode
from env.world import World
from skill_store.skill import Skill

FILM_CAMERA: Final = Camera(width=400, height=300)
FILM_FPS: Final = 12.0
"""Frames of a film for each simulated second; played back as fast, it shows real time."""
_LONGEST: Final = 240


@dataclass(frozen=True, slots=True)
class Performance:
    """What was shown.

    Attributes:
        scene: The scene, bound as it was run.
        episode: What happened and the verdict.
        film: Pictures of it, when they were asked for.
    """

    scene: Scene
    episode: Episode
    film: Film | None


@dataclass(frozen=True, slots=True)
class _Rebound(Task):
    """A task whose parameters stand for chosen objects; the same task in every other way."""

    chosen: tuple[tuple[str, str], ...] = ()

    def sample(self, seed: int) -> Scene:
        """Draw a scene, and bind the parameters as chosen; see `Task.sample`."""
        scene = Task.sample(self, seed)
        return replace(scene, binding=rebind(self, scene, dict(self.chosen)))


def perform(
    skill: Skill,
    seed: int,
    chosen: Mapping[str, str] | None = None,
    *,
    sandbox: Sandbox,
    filmed: bool = False,
    window: bool = False,
) -> Performance:
    """Run a skill on a scene of its task.

    Args:
        skill: What to run.
        seed: Draws the scene.
        chosen: Object names for parameters that the seed is not to bind.
        sandbox: A started sandbox.
        filmed: Take a film of it.
        window: Show PyBullet's own window while it runs, in real time. Not filmed then.

    Returns:
        What happened.

    Raises:
        TaskError: If a parameter is unknown.
        KindError: If an object is not in the scene, does not fit, or is chosen twice.
        SceneError: If the scene cannot be drawn.
        VoyagerError: If there is no display for the window.
        SandboxError: If the sandbox cannot stand on this machine.
        SimulatorError: If the simulator cannot be opened.
    """
    task = bound(skill.task, chosen or {})
    scene = task.sample(seed)
    world: World
    if filmed:
        world = FilmedWorld(FILM_CAMERA, fps=FILM_FPS, most=_LONGEST)
    else:
        world = PacedWorld() if window else World()
    with world:
        episode = run_episode(world, sandbox, task, skill.closure, seed)
        film = None
        if isinstance(world, FilmedWorld):
            film = Film(episode, tuple(world.frames), world.fps, world.look())
    return Performance(scene, episode, film)


def bound(task: Task, chosen: Mapping[str, str]) -> Task:
    """A task whose parameters are bound to chosen objects.

    Args:
        task: The task.
        chosen: Object name by parameter; what is not named is bound by the seed.

    Returns:
        A task with the same hash. Its scenes can only be drawn for seeds that have the objects.
    """
    if not chosen:
        return task
    return _Rebound(
        task.instruction,
        task.parameters,
        task.goal,
        task.scene,
        task.time_limit,
        task.call_limit,
        tuple(chosen.items()),
    )


def rebind(task: Task, scene: Scene, chosen: Mapping[str, str]) -> dict[str, str]:
    """Bind a task's parameters to chosen objects, the others to distinct ones that are left.

    Args:
        task: Whose parameters.
        scene: Whose objects, with the binding that the seed drew.
        chosen: Object name by parameter.

    Returns:
        Object name by parameter, in the task's order.

    Raises:
        TaskError: If a parameter is unknown.
        KindError: If an object is not in the scene, does not fit, or is needed twice.
    """
    kinds, bodies = task.kinds, {body.name: body.spec.kind for body in scene.bodies}
    there = ", ".join(f"{b.name} ({b.spec.colour} {b.spec.kind})" for b in scene.bodies)
    for parameter, name in chosen.items():
        if parameter not in kinds:
            has = ", ".join(f"{p}: {kind}" for p, kind in task.parameters) or "none"
            raise TaskError(f"there is no parameter {parameter!r}; its parameters are: {has}")
        if name not in bodies:
            raise KindError(f"there is no object {name!r} in this scene; there are: {there}")
        if not is_a(bodies[name], kinds[parameter]):
            raise KindError(
                f"{parameter!r} must be a {kinds[parameter]}, {name!r} is a {bodies[name]}; "
                f"in this scene there are: {there}"
            )
    taken = set(chosen.values())
    if len(taken) < len(chosen):
        raise KindError("one object cannot stand for two parameters; choose distinct ones")
    binding = dict(chosen)
    for parameter, kind in task.parameters:
        if parameter in chosen:
            continue
        drawn = scene.binding[parameter]
        fitting = [drawn, *sorted(name for name, other in bodies.items() if is_a(other, kind))]
        free = [name for name in fitting if name not in taken]
        if not free:
            raise KindError(
                f"nothing is left in this scene for {parameter!r}, which must be a {kind}; "
                f"there are: {there}"
            )
        binding[parameter] = free[0]
        taken.add(free[0])
    return {parameter: binding[parameter] for parameter, _ in task.parameters}
