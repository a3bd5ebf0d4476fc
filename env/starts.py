"""Where episodes begin: practice and held-out seeds, and hand-over starts.

The seeds of practice and of each certification come from different labels, so that nobody can
pass the one for the other. One scene in five begins where another certified skill ended; which
skill, and on which objects, follows from the seed and from the skills that are offered.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from env.errors import KindError, TaskError
from env.kinds import is_a
from env.program import Closure
from env.scene import Scene
from env.seeds import derive
from env.task import Task
from env.transcript import HandoverRecord, Start

HANDOVER_SHARE: Final = 5
"""One scene in so many begins with a hand-over, if a skill is offered whose parameters fit."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A certified skill that may be run before an episode begins.

    Attributes:
        closure: Its closure.
        task: The task that it was certified for.
    """

    closure: Closure
    task: Task

    @property
    def key(self) -> tuple[str, str]:
        """Its identity: closure hash and task hash."""
        return self.closure.hash, self.task.hash


def practice_seed(task: Task, index: int) -> int:
    """Seed of a task's `index`-th practice scene."""
    return derive("practice", task.hash, index)


def heldout_seed(task: Task, closure: Closure, ordinal: int, index: int) -> int:
    """Seed of the `index`-th held-out scene of a task's `ordinal`-th certification."""
    return derive("held-out", task.hash, closure.hash, ordinal, index)


def deepening_seed(certificate: str, index: int) -> int:
    """Seed of the `index`-th scene on which the certificate of that hash is deepened."""
    return derive("deepening", certificate, index)


def plan_start(
    task: Task, seed: int, handovers: Sequence[Handover]
) -> tuple[Start, Handover | None]:
    """Decide where an episode begins.

    Args:
        task: The task of the episode.
        seed: Of its scene.
        handovers: Certified skills that may come before it, in any order.

    Returns:
        The start, and the skill that it names (None without a hand-over).

    Raises:
        SceneError: If the scene cannot be drawn.
    """
    if not handovers or derive("start", seed) % HANDOVER_SHARE != 0:
        return Start(seed), None
    offered = sorted(handovers, key=lambda handover: handover.key)
    random.Random(derive("hand-over", seed)).shuffle(offered)
    scene = task.sample(seed)
    drawn = derive("hand-over binding", seed)
    for handover in offered:
        if bind(handover.task, scene, drawn) is not None:
            return Start(seed, HandoverRecord(*handover.key, drawn)), handover
    return Start(seed), None


def bind(task: Task, scene: Scene, seed: int) -> Mapping[str, str] | None:
    """Bind a task's parameters to distinct objects of some scene, at random.

    Args:
        task: Whose parameters.
        scene: Whose objects.
        seed: Decides among the possible bindings.

    Returns:
        Object name by parameter, or None if the kinds do not allow any.
    """
    rng = random.Random(seed)
    choices = []
    for _, kind in task.parameters:
        fitting = [body.name for body in scene.bodies if is_a(body.spec.kind, kind)]
        rng.shuffle(fitting)
        choices.append(fitting)
    chosen = _distinct(choices)
    if chosen is None:
        return None
    return {name: bound for (name, _), bound in zip(task.parameters, chosen, strict=True)}


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


def _distinct(choices: list[list[str]], taken: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    """One name from each list, no name twice; the first such choice in the lists' order."""
    if len(taken) == len(choices):
        return taken
    for name in choices[len(taken)]:
        if name not in taken:
            found = _distinct(choices, (*taken, name))
            if found is not None:
                return found
    return None
