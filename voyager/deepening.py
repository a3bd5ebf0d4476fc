"""Deepening a skill of the library: fresh scenes, a bound to publish, a step in its life."""

from __future__ import annotations

from env.certificate import Deepening
from env.certification import Watch, deepen
from env.executors import Executor
from env.fingerprint import fingerprint
from env.statistics import NULL_RATE
from skill_store.library import Library
from skill_store.skill import Skill, SkillState


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
    found = deepen(
        skill.certificate,
        skill.task,
        skill.closure,
        executor=executor,
        handovers=[other.handover for other in library.callees_for(skill.task)],
        previous=previous,
        watch=watch,
    )
    return library.deepen(name, found, next_state(skill.state, found))


def next_state(state: SkillState, found: Deepening) -> SkillState:
    """Where a skill stands after a deepening.

    Its admission ruled out a success rate; it is active as long as fresh scenes rule it out too,
    and otherwise back on probation. Stale and retired skills stay what they are.

    Args:
        state: Where it stood.
        found: The deepening.

    Returns:
        Where it stands.
    """
    if state not in (SkillState.PROBATION, SkillState.ACTIVE):
        return state
    return SkillState.ACTIVE if found.lower > float(NULL_RATE) else SkillState.PROBATION
