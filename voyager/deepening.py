"""Deepening a skill of the library: fresh scenes, a bound to publish, a step in its life.

The scenes of a deepening follow from the certificate's hash. In an empty home that can be the very
certificate of an archive, whose maker could have chosen a program that does well on them. So the
scenes of a program that came by import follow also from the number that this home drew when it
came. The number stays in the home; the record of a deepening has each scene's seed, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from env.certificate import Deepening, SceneRecord
from env.certification import Watch, deepen
from env.errors import TaskError
from env.executors import Executor
from env.fingerprint import fingerprint
from env.practice import Draw
from env.seeds import derive
from env.starts import Handover
from env.statistics import LOOKS
from env.transcript import Episode
from skill_store.library import Library
from skill_store.quarantine import Quarantine
from skill_store.skill import Skill
from voyager.lifecycle import standing
from voyager.witnesses import record_episodes, witnesses_of


def _nobody(_: object) -> None:
    """Look away."""


def imported_seed(nonce: str, certificate: str, index: int) -> int:
    """Seed of the `index`-th scene on which an imported program's certificate is deepened.

    Args:
        nonce: What this home drew when the program came, 32 hex digits.
        certificate: Hash of the certificate, 64 hex digits.
        index: Counts scenes, from 0.
    """
    return derive("deepening of an import", nonce, certificate, index)


def counted(library: Library, skill: Skill) -> Deepening | None:
    """The deepening of a skill that the next look goes on from.

    One that was made on another platform does not count here. Neither does one of an imported
    program whose scenes did not follow from this home's own number, as older homes may hold one.

    Args:
        library: Where the skill is.
        skill: The skill.

    Returns:
        The deepening, or None if the next look is the first one.

    Raises:
        StorageError: If the library cannot be read.
    """
    found = skill.deepening
    if found is None or found.fingerprint != fingerprint(skill.task.scene.robot):
        return None
    nonce = Quarantine(library.database).nonce_of_version(skill.closure.root)
    if nonce is not None:
        own = {imported_seed(nonce, found.certificate, index) for index in range(found.drawn)}
        if any(scene.start.seed not in own for scene in found.scenes):
            return None
    return found


def deepen_skill(
    library: Library, name: str, *, executor: Executor, watch: Watch = _nobody
) -> Skill:
    """Run a skill on fresh scenes up to its next look, and keep what was found.

    A deepening that does not count here (see `counted`) is begun anew.

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
    previous = counted(library, skill)
    handovers = [other.handover for other in library.handovers_for(skill.task)]
    nonce = Quarantine(library.database).nonce_of_version(skill.closure.root)
    episodes: list[Episode] = []

    def show(episode: Episode) -> None:
        episodes.append(episode)
        watch(episode)

    if nonce is None:
        found = deepen(
            skill.certificate,
            skill.task,
            skill.closure,
            executor=executor,
            handovers=handovers,
            previous=previous,
            witnesses=witnesses_of(skill.task),
            watch=show,
        )
    else:
        found = _deepen_imported(skill, nonce, executor, handovers, previous, show)
    use = library.uses().get(skill.closure.root)
    state = standing(skill.state, skill.pinned, found, use).state
    deepened = library.deepen(name, found, state)
    record_episodes(library, skill, "deepening", episodes)
    return deepened


def _deepen_imported(
    skill: Skill,
    nonce: str,
    executor: Executor,
    handovers: Sequence[Handover],
    previous: Deepening | None,
    watch: Watch,
) -> Deepening:
    """As `env.certification.deepen`, with scenes of this home's own.

    It stands here because whatever changes in the judge makes every certificate stale, and this
    changes no verdict.
    """
    done = 0 if previous is None else previous.look
    ahead = [look for look in LOOKS if look > done]
    if not ahead:
        raise TaskError(f"all looks of this certificate are done, the last at {LOOKS[-1]} episodes")
    certificate = skill.certificate.hash
    draw = Draw(
        skill.task,
        skill.closure,
        lambda index: imported_seed(nonce, certificate, index),
        wanted=ahead[0] - done,
        executor=executor,
        handovers=handovers,
        first=0 if previous is None else previous.drawn,
        witnesses=witnesses_of(skill.task),
    )
    scenes = [] if previous is None else list(previous.scenes)
    for episode in draw:
        scenes.append(SceneRecord.of(episode))
        watch(episode)
    return Deepening(
        certificate=certificate,
        look=ahead[0],
        scenes=tuple(scenes),
        drawn=draw.next_index,
        discarded=draw.discarded + (0 if previous is None else previous.discarded),
        steps=draw.steps + (0 if previous is None else previous.steps),
        fingerprint=fingerprint(skill.task.scene.robot),
    )
