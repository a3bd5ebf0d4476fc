"""Deepening a skill of the library: fresh scenes, a bound to publish, a step in its life."""

from __future__ import annotations

from env.certification import Watch, deepen
from env.executors import Executor
from env.fingerprint import fingerprint
from env.transcript import Episode
from skill_store.library import Library
from skill_store.skill import Skill
from voyager.lifecycle import standing
from voyager.witnesses import record_episodes, witnesses_of


def _nobody(_: object) -> None:
    """Look away."""


def deepen_skill(
    library: Library, name: str, *, executor: Executor, watch: Watch = _nobody
) -> Skill:
    """Run a skill on fresh scenes up to its next look, and keep what was found.

    A deepening that was begun on another platform does not count here: it is begun anew.

    Args:
        library: Opened for learning.
        name: The skill.
        executor: Where the episodes run.
        watch: Is shown each new episode.

    Returns:
        The skill as it is now.

    Raises:
        UnknownSkill: If there is no such skill.
        TaskError: If all looks have been taken.
        StorageError: If the library cannot be read or written.
        SandboxError: If the sandbox failed; nothing is counted then.
        SimulatorError: If the simulator failed; likewise.
    """
    skill = library.get(name)
    previous = skill.deepening
    if previous is not None and previous.fingerprint != fingerprint(skill.task.scene.robot):
        previous = None
    episodes: list[Episode] = []

    def show(episode: Episode) -> None:
        episodes.append(episode)
        watch(episode)

    found = deepen(
        skill.certificate,
        skill.task,
        skill.closure,
        executor=executor,
        handovers=[other.handover for other in library.handovers_for(skill.task)],
        previous=previous,
        witnesses=witnesses_of(skill.task),
        watch=show,
    )
    use = library.uses().get(skill.closure.root)
    state = standing(skill.state, skill.pinned, found, use).state
    deepened = library.deepen(name, found, state)
    record_episodes(library, skill, "deepening", episodes)
    return deepened
