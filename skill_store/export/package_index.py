"""What an exported package knows of its skills: an index, and the evidence that a replay needs."""

from __future__ import annotations

from typing import Any, Final

from env.program import OPTIONAL_MODULES, PUBLISHED_MODULES
from skill_store.clock import stamp
from skill_store.export.bundle import Bundle, Exported
from skill_store.export.claims import bound_record, proof_sentence, short_claim

INDEX_SCHEMA: Final = "voyager.python_package/1"


def index(bundle: Bundle, package: str) -> dict[str, Any]:
    """The index of a package: its skills, callees first, and all programs that they need."""
    files = bundle.file_names
    return {
        "schema": INDEX_SCHEMA,
        "package": package,
        "made_at": stamp(bundle.made_at),
        "version": bundle.version,
        "modules": sorted(PUBLISHED_MODULES | OPTIONAL_MODULES),
        "skills": [described(exported) for exported in bundle.skills],
        "programs": {
            key: {
                "name": program.name,
                "lock": dict(program.lock),
                "file": f"{files[key]}.py",
            }
            for key, program in bundle.programs.items()
        },
    }


def described(exported: Exported) -> dict[str, Any]:
    """A skill as the index of a package has it: contract, limits, and what was proved."""
    skill = exported.skill
    return {
        "name": skill.name,
        "program": skill.closure.root,
        "version": skill.version,
        "state": skill.state.value,
        "instruction": skill.task.instruction,
        "goal": skill.task.goal.text,
        "effects": list(exported.effects),
        "parameters": [{"name": name, "kind": kind} for name, kind in skill.task.parameters],
        "calls": list(skill.callees),
        "call_limit": skill.task.call_limit,
        "time_limit": skill.task.time_limit,
        "held_when": exported.precondition,
        "failures": dict(exported.failures),
        "claim": short_claim(skill),
        "proof": proof_sentence(skill),
        "evidence": bound_record(skill),
    }


def evidence(exported: Exported) -> dict[str, Any]:
    """All that a replay of a skill's certificate needs beside the programs of its closure."""
    skill = exported.skill
    return {
        "schema": "voyager.evidence/1",
        "task": skill.task.to_json(),
        "contracts": {key: task.to_json() for key, task in skill.closure.contracts.items()},
        "certificate": skill.certificate.to_json(),
        "deepening": None if skill.deepening is None else skill.deepening.to_json(),
        "handovers": [
            {"task": handover.task.to_json(), "closure": handover.closure.to_json()}
            for handover in exported.handovers
        ],
    }
