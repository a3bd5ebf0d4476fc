"""The process that makes films: `python -m voyager.browsing.filming`, told what by a line each.

An episode is run once without pictures, which takes a moment and says how long it is and how it
ends; then once more with pictures. Each picture goes into the film's file as soon as it is taken,
together with the goal's margins at that instant. When nobody holds the other end of standard
input any more, the process ends at once, whatever it is doing.
"""

from __future__ import annotations

import io
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PIL import Image

from env.backend import Backend, choose
from env.bullet import HZ
from env.episode import run_episode
from env.errors import VoyagerError
from env.extensions import load_extensions
from env.goals import AtomReport
from env.render import Camera, FilmedWorld, Frame
from env.sandbox import Sandbox, open_sandbox
from env.scene import Scene
from env.starts import Handover
from env.state import State
from env.transcript import Episode, Start
from env.world import World
from skill_store import Library
from skill_store.skill import Skill
from voyager.browsing.film_file import FILM_SCHEMA, FilmWriter

CAMERA: Final = Camera(width=320, height=240)
FPS: Final = 10
_DENSE: Final = 200
"""Frames that are taken at `FPS`; then half as many a second for each further `_SPARSE`."""
_SPARSE: Final = 100
_NICE: Final = 5


class WatchedWorld(FilmedWorld):
    """A world that hands on a picture and the state every so often, from time 0 on."""

    def __init__(
        self,
        camera: Camera,
        needs: frozenset[str],
        take: Callable[[State, Frame], None],
        *,
        skipped: int = 0,
    ) -> None:
        """Open a physics client with everything that can be seen.

        Args:
            camera: Takes the pictures.
            needs: What states must carry for the goal.
            take: Is handed each state with its picture; a state at time 0 begins a new take.
            skipped: Beginnings of the clock in a scene that do not begin the episode: one if
                another skill is run in it first.

        Raises:
            SimulatorError: If the client cannot be opened.
        """
        super().__init__(camera)
        self._needs_of_goal = needs
        self._take = take
        self._skipped = skipped
        self._before = skipped
        self._taken = 0
        self._due = 0

    def reset(self, scene: Scene) -> State:
        """Build a scene; see `World.reset`."""
        self._before = self._skipped
        return super().reset(scene)

    def begin(self) -> State:
        """Start the clock, and the film where the episode itself begins."""
        self._taken = self._due = 0
        self._before -= 1
        return super().begin()

    def tick(self) -> None:
        """Advance by one step; a picture is taken before the first one and when one is due."""
        if self._before < 0 and self.steps == self._due:
            self.shoot()
            sparse = max(0, self._taken - _DENSE) // _SPARSE
            self._due = self.steps + (HZ // FPS << sparse)
        super().tick()

    def shoot(self) -> None:
        """Take a picture now."""
        self._taken += 1
        self._take(self.observe(self._needs_of_goal), self.look())


def make_film(
    skill: Skill,
    start: Start,
    handover: Handover | None,
    chosen: Mapping[str, str],
    sandbox: Sandbox,
    film: FilmWriter,
) -> None:
    """Make a film of one episode.

    Args:
        skill: What is run.
        start: Where the episode begins.
        handover: The skill that `start` names, if any.
        chosen: Object names for parameters that the seed is not to bind.
        sandbox: A started sandbox.
        film: Gets the film, record by record.

    Raises:
        VoyagerError: If the episode was lost to the machine.
        StartUnusable: If the scene cannot be begun in.
        SceneError: If the scene cannot be drawn.
        TaskError: If a chosen parameter is unknown.
        KindError: If a chosen object does not fit.
        SimulatorError: If the simulator cannot be opened.
        OSError: If the film cannot be written.
    """
    task = skill.task
    film.add(
        "head",
        {
            "schema": FILM_SCHEMA,
            "skill": skill.name,
            "program": skill.closure.root,
            "certificate": skill.certificate.hash,
            "goal": task.goal.text,
            "start": start.to_json(),
            "width": CAMERA.width,
            "height": CAMERA.height,
            "fps": FPS,
        },
    )

    def run(world: World) -> Episode:
        return run_episode(
            world, sandbox, task, skill.closure, start, handover=handover, chosen=chosen or None
        )

    with World() as plain:
        episode = run(plain)
    film.add("episode", {"episode": episode.to_json()})
    if not episode.outcome.about_program:
        raise VoyagerError(f"the episode was lost: {episode.reason}")

    def take(state: State, picture: Frame) -> None:
        reports = task.goal.explain(state, episode.binding) if episode.binding else ()
        film.add(
            "frame",
            {"time": state.time, "atoms": [_atom(report) for report in reports]},
            _png(picture),
        )

    skipped = 0 if start.handover is None else 1
    watched = WatchedWorld(CAMERA, task.goal.needs, take, skipped=skipped)
    with watched:
        again = run(watched)
        if again.outcome.about_program and watched.scene is not None:
            watched.shoot()
    film.add("end", {"hash": again.hash, "same": again.hash == episode.hash})


def _atom(report: AtomReport) -> dict[str, Any]:
    return {
        "text": report.text,
        "holds": report.holds,
        "margin": report.margin,
        "missing": report.missing,
        "within": report.within,
    }


def _png(picture: Frame) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", compress_level=3)
    return out.getvalue()


# -- the process ------------------------------------------------------------------------------


class _Maker:
    """Makes one film after another with one sandbox."""

    def __init__(self) -> None:
        self._sandbox: Sandbox | None = None

    def make(self, job: Mapping[str, Any]) -> None:
        """Make the film that a job asks for; what goes wrong becomes its last record."""
        partial, target = Path(job["partial"]), Path(job["target"])
        with partial.open("wb") as file:
            film = FilmWriter(file)
            try:
                sandbox = self._started(job["backend"], job["extensions"])
                with Library.open(Path(job["home"])) as library:
                    skill = library.version(job["skill"], job["version"])
                    start = Start.from_json(job["start"])
                    handover = _handover(library, skill, start)
                make_film(skill, start, handover, job["chosen"], sandbox, film)
            except VoyagerError as error:
                film.add("failed", {"why": str(error)})
                return
        partial.replace(target)

    def _started(self, backend: str, extensions: Sequence[str]) -> Sandbox:
        if self._sandbox is None:
            choose(Backend(backend))
            load_extensions(extensions)
            sandbox = open_sandbox()
            sandbox.start()
            self._sandbox = sandbox
        return self._sandbox


def _handover(library: Library, skill: Skill, start: Start) -> Handover | None:
    first = start.handover
    if first is None:
        return None
    named = library.handovers_of(skill.certificate)
    if skill.deepening is not None:
        named += library.handovers_of(skill.deepening)
    return {one.key: one for one in named}.get((first.closure, first.task))


def main() -> None:
    """Answer jobs until standard input is closed."""
    os.nice(_NICE)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            jobs.put(line)
        # Whoever wanted the films is gone; the sandbox ends with this process.
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    maker = _Maker()
    while True:
        maker.make(json.loads(jobs.get()))


if __name__ == "__main__":
    main()
