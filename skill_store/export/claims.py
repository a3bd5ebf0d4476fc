"""What the evidence of a skill says, and what it does not: the sentences that every export uses.

Nobody who reads an exported skill sees this project's documents, so each says on its own what was
proved. An admission's k of n was chosen by passing; the only rate that is published is the bound
of a deepening.
"""

from __future__ import annotations

from typing import Any, Final

from env.backend import Backend, sandbox_words
from env.certificate import SceneRecord
from env.errors import VoyagerError
from env.fingerprint import fingerprint
from env.outcome import Outcome
from env.statistics import CONFIDENCE
from skill_store.skill import Skill, SkillState
from skill_store.staleness import differing

NO_HARDWARE: Final = "No claim about real hardware."
TRUST: Final = (
    "Checksums find damage, not forgery: trust comes from certifying the skill again on a machine "
    "of your own."
)
"""What the checksums of an export are good for."""
MESHES: Final = "Models and meshes of robots are not part of this export."

_PERCENT: Final = float(100 * CONFIDENCE)


def robot_name(skill: Skill) -> str:
    """The name under which the robot of a skill's scenes is registered."""
    return skill.task.scene.robot


def objects(skill: Skill) -> str:
    """The kinds of things that the skill is given, and of those that stood by, for people."""
    given = sorted({kind for _, kind in skill.task.parameters})
    near = sorted(skill.task.scene.distractor_kinds)
    low, high = skill.task.scene.distractors
    joined = " and ".join(filter(None, (", ".join(given[:-1]), *given[-1:])))
    about = f"objects of kind {joined}" if given else "no object of its own"
    return f"{about}, among {low} to {high} bystanders ({', '.join(near)})" if high else about


def uncertified(skill: Skill) -> str | None:
    """Why a skill does not count as certified here, one clause; None if it does.

    A certificate counts if the skill is in use, and judge, robot, assets and engine are those
    at hand, and its programs ran in a sandbox.
    """
    if not skill.certificate.admitted:
        return "its certificate does not admit it"
    if skill.state is SkillState.RETIRED:
        return "it is retired"
    if Backend.UNSAFE.value in _sandboxes(skill):
        return "its evidence was gathered without a sandbox (--unsafe-sandbox)"
    try:
        here = fingerprint(skill.task.scene.robot)
    except VoyagerError as error:
        return f"its robot is not here ({error})"
    if fields := differing(skill.certificate.fingerprint, here):
        return f"its certificate was made with another {', '.join(fields)}"
    if skill.state is SkillState.STALE:
        return "it is stale"
    return None


def proof_sentence(skill: Skill) -> str:
    """The whole claim in a few sentences: where, how often, and what is not claimed."""
    where = (
        f"Simulated in PyBullet with exact object poses, on the robot {robot_name(skill)!r}, with "
        f"{objects(skill)}"
    )
    return " ".join(filter(None, (f"{where}: {_found(skill)}.", _warning(skill), NO_HARDWARE)))


def short_claim(skill: Skill) -> str:
    """The claim in one line, for lists and tables."""
    if why := uncertified(skill):
        return f"not certified here: {why}"
    if skill.deepening is None or skill.bound is None:
        k, n = skill.certificate.solved, skill.certificate.n
        return f"admitted with {k} of {n} unseen simulated scenes; bound not measured yet"
    k, n = skill.deepening.solved, skill.deepening.look
    return f"{k} of {n} unseen simulated scenes, {_PERCENT:g} % lower bound {_rate(skill.bound)}"


def bound_record(skill: Skill) -> dict[str, Any]:
    """The claim for machines.

    Returns:
        JSON-able: `simulator`, `poses`, `robot`, `hardware` (what is claimed about it: nothing),
        `certified`, `uncertified_because`, `admitted` (`k`, `n`: chosen by passing, no rate),
        `measured` (`k`, `n`, `lower_bound`, `confidence`) or null, `sandbox`.
    """
    why = uncertified(skill)
    measured = None
    if skill.deepening is not None:
        measured = {
            "k": skill.deepening.solved,
            "n": skill.deepening.look,
            "lower_bound": skill.deepening.lower,
            "confidence": float(CONFIDENCE),
        }
    return {
        "simulator": "PyBullet",
        "poses": "exact",
        "robot": robot_name(skill),
        "hardware": "no claim",
        "certified": why is None,
        "uncertified_because": why,
        "admitted": {"k": skill.certificate.solved, "n": skill.certificate.n},
        "measured": measured,
        "sandbox": skill.certificate.fingerprint.sandbox,
    }


def failures(skill: Skill) -> tuple[tuple[str, int], ...]:
    """How its episodes failed, over certificate and deepening: (outcome, count), most first."""
    scenes: list[SceneRecord] = [*skill.certificate.scenes]
    if skill.deepening is not None:
        scenes += skill.deepening.scenes
    counted: dict[str, int] = {}
    for scene in scenes:
        if scene.outcome is not Outcome.SOLVED:
            counted[scene.outcome.value] = counted.get(scene.outcome.value, 0) + 1
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _found(skill: Skill) -> str:
    made = skill.certificate
    admitted = (
        f"solved {made.solved} of {made.n} unseen scenes with other objects, poses and physics "
        "when it was admitted"
    )
    if skill.deepening is None or skill.bound is None:
        return f"{admitted}; its success rate has not been measured since (no bound yet)"
    return (
        f"{admitted}, and {skill.deepening.solved} of {skill.deepening.look} drawn after that "
        f"({_PERCENT:g} % lower bound {_rate(skill.bound)})"
    )


def _warning(skill: Skill) -> str:
    why = uncertified(skill)
    if why is None:
        return ""
    walls = ""
    if Backend.UNSAFE.value in _sandboxes(skill):
        walls = f" Sandbox: {sandbox_words(Backend.UNSAFE.value)}."
    return f"NOT CERTIFIED where it was exported: {why}.{walls}"


def _sandboxes(skill: Skill) -> set[str]:
    found = {skill.certificate.fingerprint.sandbox}
    return found if skill.deepening is None else found | {skill.deepening.fingerprint.sandbox}


def _rate(bound: float) -> str:
    """Two places say all there is: a bound is rounded down to four digits where it is made."""
    return f"{100 * bound:.2f} %"
