"""A lossless archive of skills: text, one JSON record a line, for `voyager import`.

    {"record": "header", "schema": "voyager.archive/1", ...}
    {"record": "program", ...}    each after those that it calls
    {"record": "contract", ...}   what a program promises
    {"record": "start", ...}      a skill that scenes of a certificate begin after
    {"record": "skill", ...}      name, certificate and deepening
    {"record": "end", "lines": 9, "sha256": "..."}

Programs, tasks, certificates and deepenings are the records of `env` with the hashes of their
contents, so that what comes out of an import is what went in. See docs/formats.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from env.program import Program
from env.starts import Handover
from env.task import Task
from skill_store.clock import stamp
from skill_store.export.bundle import Bundle, Exported
from skill_store.export.claims import MESHES, TRUST, bound_record, proof_sentence
from skill_store.export.formats import ExportOptions
from skill_store.export.writing import write_text

SCHEMA: Final = "voyager.archive/1"
FILE: Final = "skills.jsonl"
"""Name of the archive inside its folder."""


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write the archive and a page about it into an empty folder."""
    body = "".join(f"{line}\n" for line in map(_line, _records(bundle, options)))
    end = {
        "record": "end",
        "lines": body.count("\n"),
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
    }
    write_text(folder / FILE, f"{body}{_line(end)}\n")
    write_text(folder / "README.md", _page(bundle, options))


def _records(bundle: Bundle, options: ExportOptions) -> Iterator[dict[str, Any]]:
    programs, contracts = _closed(bundle)
    everyone = (*bundle.callees, *bundle.skills)
    yield {
        "record": "header",
        "schema": SCHEMA,
        "made_at": stamp(bundle.made_at),
        "version": bundle.version,
        "licence": options.licence.identifier,
        "skills": len(everyone),
        "programs": len(programs),
    }
    for program in programs.values():
        yield {"record": "program", **program.to_json()}
    for key in programs:
        yield {"record": "contract", "program": key, "task": contracts[key].to_json()}
    for start in _starts(bundle):
        yield {
            "record": "start",
            "program": start.closure.root,
            "closure": start.closure.hash,
            "task": start.task.hash,
        }
    chosen = {exported.skill.closure.root for exported in bundle.skills}
    place = {key: index for index, key in enumerate(programs)}
    for exported in sorted(everyone, key=lambda e: place[e.skill.closure.root]):
        yield _skill(exported, exported.skill.closure.root in chosen)


def _starts(bundle: Bundle) -> list[Handover]:
    """The skills that scenes of all certificates begin after, each once."""
    found = {start.key: start for e in (*bundle.callees, *bundle.skills) for start in e.handovers}
    return [found[key] for key in sorted(found)]


def _closed(bundle: Bundle) -> tuple[dict[str, Program], dict[str, Task]]:
    """All programs, callees first, also those that scenes begin after; what each promises."""
    programs, contracts = dict(bundle.programs), dict[str, Task]()
    for start in _starts(bundle):
        contracts.update({**start.closure.contracts, start.closure.root: start.task})
        waiting = [start.closure.root]
        while waiting:
            key = waiting[-1]
            missing = [
                pin for pin in start.closure.programs[key].lock.values() if pin not in programs
            ]
            if missing:
                waiting += missing
            else:
                programs.setdefault(waiting.pop(), start.closure.programs[key])
    for exported in (*bundle.callees, *bundle.skills):
        contracts[exported.skill.closure.root] = exported.skill.task
    return programs, contracts


def _skill(exported: Exported, chosen: bool) -> dict[str, Any]:
    skill = exported.skill
    return {
        "record": "skill",
        "name": skill.name,
        "program": skill.closure.root,
        "closure": skill.closure.hash,
        "task": skill.task.hash,
        "chosen": chosen,
        "champion": exported.champion,
        "version": skill.version,
        "state": skill.state.value,
        "pinned": skill.pinned,
        "added_at": stamp(skill.added_at),
        "claim": {**bound_record(skill), "sentence": proof_sentence(skill)},
        "certificate": skill.certificate.to_json(),
        "deepening": None if skill.deepening is None else skill.deepening.to_json(),
    }


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, allow_nan=False)


def _page(bundle: Bundle, options: ExportOptions) -> str:
    told = "\n".join(f"- `{e.skill.name}`: {proof_sentence(e.skill)}" for e in bundle.skills)
    return f"""\
# Archive of {len(bundle.skills)} robot skills

`{FILE}` is a lossless archive (`{SCHEMA}`) of version {bundle.version}, one JSON record a line:
programs with what they call, the tasks that they promise, and the records of their certification.

{told}

`voyager import DIR` puts them into quarantine: they can be looked at, and nobody can call them.
`voyager skills certify --all` tests each on scenes that nobody has seen; what holds is a skill
there. {TRUST}

Licence of the skills: {options.licence.identifier}, see `LICENSE`. {MESHES}
"""
