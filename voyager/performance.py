"""One skill on one scene for somebody who watches: chosen objects, a film, a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from env.episode import run_episode
from env.render import Camera, Film, FilmedWorld, PacedWorld
from env.sandbox import Sandbox
from env.scene import Scene
from env.starts import rebind
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
    task = skill.task
    scene = task.sample(seed)
    scene = replace(scene, binding=rebind(task, scene, chosen or {}))
    world: World
    if filmed:
        world = FilmedWorld(FILM_CAMERA, fps=FILM_FPS, most=_LONGEST)
    else:
        world = PacedWorld() if window else World()
    with world:
        episode = run_episode(world, sandbox, task, skill.closure, seed, chosen=chosen)
        film = None
        if isinstance(world, FilmedWorld):
            film = Film(episode, tuple(world.frames), world.fps, world.look())
    return Performance(scene, episode, film)
