"""Scenes and skills for other programs: set one up, look at it, run a certified skill in it.

A scene stays where a skill left it, so that several skills can be run one after the other. Every
request goes through one simulator (`voyager.serving.simulator`); what is asked for is checked
before, and a request that fails, is cancelled or takes too long leaves its scene as it was.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final

from env.errors import SandboxError
from env.kinds import is_a
from env.scene import Scene, SceneSpec, sample
from env.seeds import derive
from env.starts import rebind
from env.task import Task
from voyager.doing.things import TABLE
from voyager.serving.errors import NotServed
from voyager.serving.offering import Offered
from voyager.serving.scenes import Sight, Turn, Visit, happened, visit
from voyager.serving.simulator import Hand, Simulator, Ticket
from voyager.serving.views import Run, View

MOST_SEED: Final = 2**53 - 1
"""Largest seed: the largest whole number that every JSON reader keeps exactly."""
MOST_OBJECTS: Final = 12
"""Objects of a scene that a caller composes."""
MOST_SCENES: Final = 64
"""Scenes that are remembered; the one that was not asked for longest is forgotten."""
MOST_TURNS: Final = 24
"""Skills that may be run in one scene."""
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class _Set:
    """A scene that somebody set up."""

    name: str
    scene: Scene
    task: Task | None
    drawn_for: str | None
    turns: tuple[Turn, ...] = ()


class Performer:
    """Sets up scenes and runs skills in them, for callers on any thread."""

    def __init__(self, simulator: Simulator | None = None) -> None:
        """Own a simulator.

        Args:
            simulator: Becomes this object's to close; one with the usual limits when None.
        """
        self._simulator = Simulator() if simulator is None else simulator
        self._sets: OrderedDict[str, _Set] = OrderedDict()
        self._count = 0
        self._guard = threading.Lock()

    def close(self) -> None:
        """Stop what is under way and end the simulator's process; twice is harmless."""
        self._simulator.close()

    def __enter__(self) -> Performer:
        """Leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def new_scene(
        self,
        seed: int,
        *,
        skill: Offered | None = None,
        counts: Mapping[str, int] | None = None,
        picture: bool = True,
    ) -> Ticket[View]:
        """Set up a scene.

        Args:
            seed: Everything in it follows from it; 0 to `MOST_SEED`.
            skill: Draw one of this skill's own scenes, as its certificate speaks about.
            counts: Or put so many objects of each kind on the table, together at most
                `MOST_OBJECTS`; with neither, the usual table: blocks, balls, a bowl, a tray, a
                place.
            picture: Whether a picture is wanted.

        Returns:
            What to wait for.

        Raises:
            NotServed: If the seed or a number is out of bounds, or both are given.
            KindError: If there is no such kind.
            SceneError: If the objects do not fit on the table.
            TooBusy: If too many requests wait.
        """
        task = None if skill is None else skill.skill.task
        scene = _drawn(seed, task, counts)
        name = None if skill is None else skill.skill.name

        def work(hand: Hand) -> View:
            sight: Sight = hand(visit, Visit(scene, (), None, picture))
            return _view(self._add(scene, task, name), sight)

        return self._simulator.ask(work)

    def look(self, scene: str, *, picture: bool = True) -> Ticket[View]:
        """Look at a scene as it is now.

        Args:
            scene: Its name.
            picture: Whether a picture is wanted.

        Returns:
            What to wait for.

        Raises:
            NotServed: If there is no such scene.
            TooBusy: If too many requests wait.
        """
        self._named(scene)

        def work(hand: Hand) -> View:
            was = self._named(scene)
            return _view(was, hand(visit, Visit(was.scene, was.turns, None, picture)))

        return self._simulator.ask(work)

    def run(
        self,
        offered: Offered,
        objects: Mapping[str, str],
        *,
        scene: str | None = None,
        seed: int = 0,
        picture: bool = True,
    ) -> Ticket[Run]:
        """Run a skill.

        Args:
            offered: A skill that may be called, see `voyager.serving.offering`.
            objects: Object name by parameter. In a scene of the skill's own in which nothing was
                run yet, parameters may be left to the seed; else all of them are needed.
            scene: Name of the scene to run it in; a new one of its own when None.
            seed: Draws that new one.
            picture: Whether a picture of the end is wanted.

        Returns:
            What to wait for.

        Raises:
            NotServed: If there is no such scene, too much was run in it, or an object is not
                named that has to be.
            TaskError: If there is no such parameter.
            KindError: If an object is not in the scene, does not fit, or is needed twice.
            SceneError: If the scene cannot be drawn.
            TooBusy: If too many requests wait.
        """
        skill = offered.skill
        if scene is None:
            own = _Set("", _drawn(seed, skill.task, None), skill.task, skill.name)
        else:
            own = self._named(scene)
        _bound(skill.task, own, objects)  # refused before it waits

        def work(hand: Hand) -> Run:
            was = own if scene is None else self._named(scene)
            binding = _bound(skill.task, was, objects)
            if len(was.turns) >= MOST_TURNS:
                raise NotServed(
                    f"{len(was.turns)} skills have been run in {was.name!r}; make a new scene"
                )
            first = not was.turns and was.task is not None and was.task.hash == skill.task.hash
            begin = was.scene.seed if first else derive("served", was.scene.seed, len(was.turns))
            turn = Turn(skill.task, skill.closure, tuple(binding.items()), begin)
            sight: Sight = hand(visit, Visit(was.scene, was.turns, turn, picture))
            episode = sight.episode
            if episode is None or not episode.outcome.about_program:
                lost = "" if episode is None else f": {episode.reason}"
                raise SandboxError(f"the run was lost, nothing has happened{lost}; try again")
            if scene is None:
                was = self._add(was.scene, was.task, was.drawn_for)
            if happened(episode):
                was = self._keep(was, replace(turn, episode=episode.hash))
            return Run(
                skill=skill,
                proof=offered.proof,
                binding=binding,
                episode=episode,
                true_before=sight.true_before,
                as_certified=first and not sight.true_before and binding == dict(was.scene.binding),
                view=_view(was, sight),
            )

        return self._simulator.ask(work)

    # Scenes that were set up

    def _named(self, name: str) -> _Set:
        with self._guard:
            found = self._sets.get(name)
            if found is None:
                known = ", ".join(list(self._sets)[-8:]) or "none yet"
                raise NotServed(
                    f"there is no scene {name[:_LONGEST_NAME]!r} (there are: {known}); "
                    "make a new one"
                )
            self._sets.move_to_end(name)
            return found

    def _add(self, scene: Scene, task: Task | None, drawn_for: str | None) -> _Set:
        with self._guard:
            self._count += 1
            added = _Set(f"scene-{self._count}", scene, task, drawn_for)
            self._sets[added.name] = added
            while len(self._sets) > MOST_SCENES:
                self._sets.popitem(last=False)
            return added

    def _keep(self, was: _Set, turn: Turn) -> _Set:
        now = replace(was, turns=(*was.turns, turn))
        with self._guard:
            if was.name in self._sets:  # not forgotten meanwhile
                self._sets[was.name] = now
        return now


def _drawn(seed: int, task: Task | None, counts: Mapping[str, int] | None) -> Scene:
    if isinstance(seed, bool) or not 0 <= seed <= MOST_SEED:
        raise NotServed(f"the seed is {_clipped(seed)}; it must be 0 to {MOST_SEED}")
    if task is None:
        return sample(_table(counts), {}, seed)
    if counts:
        raise NotServed("a scene is drawn for a skill or made of kinds; leave one of them out")
    return task.sample(seed)


def _table(counts: Mapping[str, int] | None) -> SceneSpec:
    if not counts:
        return TABLE
    wrong = next((n for n in counts.values() if isinstance(n, bool) or n < 1), None)
    if wrong is not None or sum(counts.values()) > MOST_OBJECTS:
        raise NotServed(
            f"a scene has at least 1 object of each kind that is named and at most {MOST_OBJECTS} "
            f"in all; asked for were {_clipped(sum(counts.values()) if wrong is None else wrong)}"
        )
    extras = tuple((kind[:_LONGEST_NAME], n, n) for kind, n in counts.items())
    return SceneSpec(extras=extras, distractors=(0, 0))


def _clipped(number: int) -> str:
    """A number of a caller's, for a message: never thousands of digits."""
    return str(number) if abs(number) < 10**20 else "a number of more than 20 digits"


def _bound(task: Task, was: _Set, objects: Mapping[str, str]) -> dict[str, str]:
    """Every parameter's object.

    Raises:
        NotServed: If one is missing, or a name is too long to be any object's.
        TaskError: If there is no such parameter.
        KindError: If an object is not in the scene, does not fit, or is needed twice.
    """
    for text in (*objects, *objects.values()):
        if len(text) > _LONGEST_NAME:
            raise NotServed(f"{text[:20]!r}... is the name of nothing; names have 64 letters")
    own = was.task is not None and was.task.hash == task.hash and not was.turns
    missing = [pair for pair in task.parameters if pair[0] not in objects]
    if missing and not own:
        name, kind = missing[0]
        fitting = [b.name for b in was.scene.bodies if is_a(b.spec.kind, kind)]
        there = f"there are {', '.join(fitting)}" if fitting else "there is none in this scene"
        raise NotServed(f"name the object that stands for {name!r}, a {kind}: {there}")
    # The objects of a skill's own scene go by the names of its own parameters.
    return rebind(task, was.scene, objects)


def _view(was: _Set, sight: Sight) -> View:
    return View(
        scene=was.name,
        seed=was.scene.seed,
        drawn_for=was.drawn_for,
        binding=dict(was.scene.binding),
        turns=len(was.turns),
        sight=sight,
    )
