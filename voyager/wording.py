"""Certificates in words: what was tested, what follows from it, and what does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from env.backend import DEFAULT, sandbox_words
from env.seeds import short
from env.statistics import LOOKS, NULL_RATE

if TYPE_CHECKING:
    from env.certificate import Certificate
    from skill_store.skill import Skill

_HASH: Final = re.compile(r"[0-9a-f]{64}")


def certificate_facts(skill: Skill) -> list[tuple[str, str]]:
    """The certificate of a skill as named sentences.

    Args:
        skill: The skill.

    Returns:
        (name, sentence) pairs.
    """
    certificate = skill.certificate
    rate = float(NULL_RATE)
    return [
        (
            "certified",
            f"{certificate.solved} of {len(certificate.scenes)} scenes that its writer never saw "
            f"({certificate.needed} of {certificate.n} were needed)",
        ),
        (
            "this means",
            f'"it succeeds at most {rate:.0%} of the time" is ruled out at level '
            f"{certificate.level:.3g}, by an exact binomial test; in simulation, with exact poses; "
            "no claim about hardware",
        ),
        ("lower bound", bound_words(skill)),
        *_sandbox_facts(skill),
        ("controls", controls_words(certificate)),
        *_handover_facts(certificate),
        *_callee_facts(certificate),
    ]


def bound_words(skill: Skill) -> str:
    """The published bound, or how to get one."""
    found = skill.deepening
    if found is None:
        return "published after deepening"
    words = (
        f"it succeeds at least {found.lower:.1%} of the time (95 %, Wilson; {found.solved} of "
        f"{found.look} scenes drawn after admission)"
    )
    later = [look for look in LOOKS if look > found.look]
    return f"{words}; next look at {later[0]}" if later else words


def controls_words(certificate: Certificate) -> str:
    """What programs that must not solve the task did with it."""
    told = ", ".join(
        f"{rate.name.replace('_', ' ')} {rate.solved} of {rate.scenes}"
        for rate in certificate.controls.rates
    )
    return f"solved: {told}" if told else "none were run"


def _sandbox_facts(skill: Skill) -> list[tuple[str, str]]:
    records = (skill.certificate, skill.deepening)
    names = dict.fromkeys(record.fingerprint.sandbox for record in records if record is not None)
    return [("sandbox", sandbox_words(name)) for name in names if name != DEFAULT]


def _handover_facts(certificate: Certificate) -> list[tuple[str, str]]:
    after = sum(scene.start.handover is not None for scene in certificate.scenes)
    if not after:
        return []
    return [("hand-overs", f"{after} of the scenes began where another skill had ended")]


def _callee_facts(certificate: Certificate) -> list[tuple[str, str]]:
    if not certificate.callees:
        return []
    told = "; ".join(
        f"{callee.skill} kept its contract in {callee.kept} of {callee.made} calls"
        for callee in certificate.callees
    )
    return [("callees", told)]


def scene_rows(certificate: Certificate) -> list[tuple[str, str, str, str, str]]:
    """One row a held-out scene: number, seed, outcome, margin, where it began."""
    return [
        (
            str(index),
            str(scene.start.seed),
            scene.outcome.value,
            "-" if scene.margin is None else f"{scene.margin:+.3f}",
            "a fresh scene"
            if scene.start.handover is None
            else f"after {short(scene.start.handover.closure)}",
        )
        for index, scene in enumerate(certificate.scenes, start=1)
    ]


def fingerprint_words(value: object) -> str:
    """One field of a fingerprint in a line, its hashes cut to what people compare."""
    pairs = value.items() if isinstance(value, dict) else [("", value)]
    told = (f"{key} {_HASH.sub(_cut, str(one))}".strip() for key, one in pairs)
    return ", ".join(told) or "none"


def _cut(found: re.Match[str]) -> str:
    return found.group()[:16]
