"""Which certificates still speak about the judge, robot and engine at hand.

A certificate made under another judge, robot, asset or engine is not wrong, but it proves nothing
here: its skill becomes stale, is shown as such, and no search builds on it until it is proved
again. Going back to the old code brings the old state back.
"""

from __future__ import annotations

from typing import Final

from env.errors import VoyagerError
from env.fingerprint import Fingerprint, fingerprint
from env.statistics import NULL_RATE
from skill_store.library import Library
from skill_store.skill import Skill, SkillState

_EXTENSIONS: Final = "extensions"


def mark_stale(library: Library) -> tuple[str, ...]:
    """Bring the states of all skills in line with what is at hand.

    Args:
        library: Is written to where a state changes. Retired skills are left alone, and so are
            skills that cannot be read back.

    Returns:
        Names of the skills that are stale now, sorted.

    Raises:
        StorageError: If the library cannot be read or written.
    """
    stale = []
    for entry in library.entries():
        if entry.state is SkillState.RETIRED:
            continue
        try:
            skill = library.get(entry.name)
            here = fingerprint(skill.task.scene.robot)
        except VoyagerError:
            continue
        state = _state(skill, here)
        if state is not entry.state:
            library.set_state(entry.name, state)
        if state is SkillState.STALE:
            stale.append(entry.name)
    return tuple(sorted(stale))


def _state(skill: Skill, here: Fingerprint) -> SkillState:
    if differing(skill.certificate.fingerprint, here):
        return SkillState.STALE
    if skill.state is not SkillState.STALE:
        return skill.state
    bound = skill.bound
    return SkillState.PROBATION if bound is None or bound <= NULL_RATE else SkillState.ACTIVE


def differing(made: Fingerprint, here: Fingerprint) -> tuple[str, ...]:
    """Fields in which a certificate's fingerprint does not fit what is at hand.

    An extension that was not loaded when the certificate was made does not matter: scenes name
    the kinds that they draw from.
    """
    fields = [name for name in made.differences(here) if name != _EXTENSIONS]
    if not set(made.extensions) <= set(here.extensions):
        fields.append(_EXTENSIONS)
    return tuple(fields)
