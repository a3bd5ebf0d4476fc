"""After a new champion: candidates of the skills that call it, with the new version in their lock.

A candidate has its skill's text and another lock. It is certified like any other program; if it
holds it becomes the champion, for the version before it is the same text with an outdated callee.
If it does not, the skill keeps its lock and keeps working.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from env.errors import TaskError
from env.outcome import Outcome
from env.program import Closure
from skill_store.library import Library
from skill_store.skill import Origin, Skill, SkillState
from voyager.proving import Proving


@dataclass(frozen=True, slots=True)
class Relock:
    """What came of one dependent.

    Attributes:
        skill: Its name.
        version: Number of the version that calls the new champion; None when there is none.
        why: One sentence.
    """

    skill: str
    version: int | None
    why: str

    def to_json(self) -> dict[str, Any]:
        """JSON-able."""
        return {"skill": self.skill, "version": self.version, "why": self.why}


def relock_dependents(proving: Proving, name: str) -> tuple[Relock, ...]:
    """Offer the present champion of a skill to all skills that call any version of it.

    Callees come before their callers, so that a caller is offered what became of its callees.
    What was relocked before an interruption stays; whoever calls this again goes on.

    Args:
        proving: Where candidates are proved.
        name: The skill with a new champion.

    Returns:
        One entry for each dependent, in the order in which they were tried.

    Raises:
        UnknownSkill: If there is no such skill.
        StorageError: If the library cannot be read or written.
        SandboxError: If the sandbox failed; nothing is lost.
        SimulatorError: If the simulator failed; nothing is lost.
    """
    library = proving.library
    moved = _moved(library, name)
    found = []
    for dependent in _dependents(library, name):
        relock = _relock(proving, dependent, moved)
        found.append(relock)
        if relock.version is not None:
            moved |= _moved(library, dependent.name)
    return tuple(found)


def _moved(library: Library, name: str) -> dict[str, str]:
    """The champion's program by the program of each other version."""
    versions = library.versions(name)
    champion = next(version.program for version in versions if version.champion)
    return {v.program: champion for v in versions if v.program != champion}


def _dependents(library: Library, name: str) -> tuple[Skill, ...]:
    """Skills that call any version of one, callees before callers."""
    names = {
        dependent
        for version in library.versions(name)
        for dependent in library.dependents(version.program)
    }
    # A caller's closure holds that of its callee and itself, so it is larger.
    skills = [library.get(dependent) for dependent in names - {name}]
    return tuple(sorted(skills, key=lambda skill: (len(skill.closure.programs), skill.name)))


def _relock(proving: Proving, skill: Skill, moved: Mapping[str, str]) -> Relock:
    library = proving.library
    lock = {callee: moved.get(pin, pin) for callee, pin in skill.program.lock.items()}
    if lock == skill.program.lock:
        return Relock(skill.name, None, "keeps its lock: what it calls has kept its own")
    if skill.state is SkillState.RETIRED:
        return Relock(skill.name, None, "keeps its lock: it is retired")
    if skill.pinned:
        return Relock(skill.name, None, "keeps its lock: it is pinned")
    program = skill.program.relocked(lock)
    closure = Closure.of(program, [library.closure(pin) for pin in lock.values()])
    known = {version.program: version.number for version in library.versions(skill.name)}
    if program.hash in known:
        number = known[program.hash]
        why = f"keeps its lock: version {number} is this candidate, and was replaced before"
        return Relock(skill.name, None, why)
    try:
        with proving.attempt(skill, Origin.RELOCKED) as attempt:
            proof = proving.prove(skill, closure, attempt)
            attempt.outcome, attempt.reason = Outcome.FAILED, proof.refusal
            if proof.refusal:
                why = f"keeps its lock: with the new version {proof.refusal}"
                return Relock(skill.name, None, why)
            made = proving.admit(skill, closure, proof, Origin.RELOCKED, attempt, champion=True)
            attempt.outcome = Outcome.SOLVED
    except TaskError as error:
        return Relock(skill.name, None, f"keeps its lock: {error}")
    return Relock(skill.name, made.version, f"version {made.version} calls the new one")
