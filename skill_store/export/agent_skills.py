"""Skills as folders in the open Agent Skills format, for coding agents that drive a robot.

    DIR/put-on/SKILL.md                 when to use it, parameters, what was proved, how it fails
    DIR/put-on/scripts/run.py           self-contained: the skill, what it calls, the runtime
    DIR/put-on/references/robot-api.md  what a robot has to offer
    DIR/put-on/assets/                  contract and certificate

An agent reads the front matter of all and the body of one; so each folder stands for itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from env.kinds import concrete_kinds, get_kind
from skill_store.export.bundle import Bundle, Exported
from skill_store.export.claims import MESHES, NO_HARDWARE, TRUST, proof_sentence, short_claim
from skill_store.export.formats import LICENCE_FILE, ExportOptions
from skill_store.export.package_index import described, evidence
from skill_store.export.package_readme import example_objects
from skill_store.export.python_package import HEADER, one_file
from skill_store.export.robot_protocol import robot_module
from skill_store.export.schemas import description, one_line
from skill_store.export.writing import write_json, write_text

_LONGEST_NAME: Final = 64
_LONGEST_DESCRIPTION: Final = 1024
_NEEDS: Final = (
    "Python 3.11 or newer, standard library only. Needs a robot: a Python object with the methods "
    "in references/robot-api.md, which knows exact poses and sizes of the objects around it."
)
_NEEDS_NUMPY: Final = _NEEDS.replace("standard library only", "with numpy")
_WHEN: Final = (
    "Use it when a robot arm with a gripper (behind a Python adapter) is to do exactly that."
)
_OUTCOMES: Final[Mapping[str, str]] = {
    "failed": "it returned, but the goal did not hold in the second after that, or a skill that it "
    "calls broke its own promise",
    "skill_error": "it raised an error of the robot, for example Blocked or NothingHeld",
    "limit": "it took more robot calls or more simulated time than it may",
    "hang": "it did not come to an end",
}
_ERRORS: Final = (
    (
        "Unreachable",
        "the gripper cannot get to a position; nothing has moved",
        "choose an object nearer to the robot",
    ),
    (
        "Blocked",
        "something stopped the motion; `by` names it",
        "look where things are, clear the way, run it again",
    ),
    (
        "NothingHeld",
        "the fingers closed on nothing",
        "look whether the object is still there, and narrower than the gripper opens",
    ),
    ("UnknownObject", "no object has that name", "ask the robot which objects there are"),
    (
        "CallLimitReached",
        "it made more robot calls than it was certified with",
        "stop: it is not making progress",
    ),
    (
        "AdapterError",
        "the robot answered something that its interface forbids",
        "mend the adapter; `--check` tests it",
    ),
)
"""Error, when it comes, and what to do."""
_ABOUT_ADAPTERS: Final = """\
Write a Python class with these methods and give the script an object of it, or a function that
makes one: `--robot my_robot:make`. The module is looked for in the folder you are in, too. It needs
nothing from here: errors may be classes of your own with these names and attributes. Any other
exception ends the skill at once, and no skill can swallow it.
"""


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write one folder for each chosen skill, and a page about them all, into an empty folder."""
    names = folder_names(bundle)
    for exported in bundle.skills:
        name = names[exported.skill.name]
        _write_skill(bundle, exported, name, folder / name, options)
    write_text(folder / "README.md", _overview(bundle, names))


def folder_names(bundle: Bundle) -> dict[str, str]:
    """Folder, and name in the format, by the skill's name; no two the same."""
    found: dict[str, str] = {}
    for exported in bundle.skills:
        skill = exported.skill
        plain = re.sub("[^a-z0-9]+", "-", skill.name).strip("-")[:_LONGEST_NAME].rstrip("-")
        if plain in found.values():
            digits = skill.closure.root[:8]
            plain = f"{plain[: _LONGEST_NAME - 9].rstrip('-')}-{digits}"
        found[skill.name] = plain
    return found


def _write_skill(
    bundle: Bundle, exported: Exported, name: str, folder: Path, options: ExportOptions
) -> None:
    skill = exported.skill
    own = {key: p for key, p in bundle.programs.items() if key in skill.closure.programs}
    alone = replace(bundle, skills=(exported,), callees=(), programs=own)
    numpy = any("numpy" in program.modules for program in own.values())
    write_text(folder / "SKILL.md", _page(exported, name, options, numpy=numpy))
    write_text(folder / "scripts" / "run.py", _script(alone, skill.name, numpy=numpy))
    write_text(folder / "references" / "robot-api.md", _robot_page(skill.name))
    write_json(folder / "assets" / "contract.json", described(exported))
    write_json(folder / "assets" / "certificate.json", evidence(exported))
    write_text(folder / LICENCE_FILE, options.licence.notice)


def _script(alone: Bundle, skill: str, *, numpy: bool) -> str:
    head = (
        "# /// script\n"
        '# requires-python = ">=3.11"\n'
        f"# dependencies = {json.dumps(['numpy>=2'] if numpy else [])}\n"
        "# ///\n"
        f'{HEADER}"""Run the robot skill {skill}; see --help.\n\n'
        "Self-contained: the programs of the skill as they were certified, and what runs them.\n"
        'Prints one JSON object on standard output, and notes on standard error.\n"""\n'
    )
    tail = f'    sys.exit(run_one(SKILLS, "{skill}"))\n'
    return one_file(alone, "run", head=head, tail=tail)


def _page(exported: Exported, name: str, options: ExportOptions, *, numpy: bool) -> str:
    skill = exported.skill
    # Readers cut the front matter off at the next three hyphens, wherever these stand.
    told = re.sub("-{3,}", "--", description(skill, most=_LONGEST_DESCRIPTION - len(_WHEN) - 1))
    front = {
        "name": name,
        "description": f"{told} {_WHEN}",
        "license": f"{options.licence.identifier}; terms in {LICENCE_FILE}",
        "compatibility": _NEEDS_NUMPY if numpy else _NEEDS,
    }
    about = {
        "skill": skill.name,
        "version": str(skill.version),
        "program": skill.closure.root,
        "certificate": skill.certificate.hash,
        "certified": "yes" if exported.certified else "no",
        "lower_bound": "not measured" if skill.bound is None else f"{skill.bound:.4f}",
    }
    # Every value is quoted: a goal may hold a colon, a sharp or a bracket.
    matter = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    matter += ["metadata:", *(f"  {key}: {json.dumps(value)}" for key, value in about.items())]
    return "\n".join(["---", *matter, "---", "", _body(exported)])


def _body(exported: Exported) -> str:
    skill = exported.skill
    takes = " ".join(f"{name}=OBJECT" for name, _ in skill.task.parameters)
    tried = " ".join(
        f"{name}={thing}"
        for (name, _), thing in zip(skill.task.parameters, example_objects(exported), strict=True)
    )
    held = exported.precondition
    return f"""\
# {one_line(skill.task.instruction)}

## When to use it

To bring this about, and nothing else: `{one_line(skill.task.goal.text)}`

{_bullets(one_line(effect) for effect in exported.effects)}

Not for objects of other kinds than those below, and not where poses are only guessed.\
{f" It was seen to hold more often when `{one_line(held)}` is true at the start." if held else ""}

## Parameters

| parameter | what to give |
|---|---|
{_parameters(exported)}

Behind these names the robot works in metres, radians and newton; the frame is the robot's, with x
forwards, y to the left, and z up from the table top.

## Steps

1. Test the robot's adapter once: `python scripts/run.py --robot MODULE:OBJECT --check` (it only
   looks). How to write one: `references/robot-api.md`.
2. Run it: `python scripts/run.py --robot MODULE:OBJECT {takes}`
3. Read the JSON on standard output. `returned: true` means that the program came to its end, and
   not that the goal holds: compare `goal` with `objects`, or look.
4. If it did not return, `error` says why; see below.

`python scripts/run.py --describe` prints the contract. `--example {tried}` instead of `--robot`
shows the calls on a made-up table without physics. Exit code: 0 it returned, 1 it did not,
2 wrong usage.

## How well it works

{proof_sentence(skill)}

## How it fails

{_failures(exported)}

It may end with one of these errors:

{_errors()}

## What was not shown

- {NO_HARDWARE} One simulated arm that was told exact poses and sizes; no camera, no noise, nobody
  nearby.
- On another robot or simulator, with other objects, the numbers above do not hold.
- The script is no sandbox: it moves the robot that you give it, with the rights of your process.
- {TRUST} `assets/certificate.json` is what is certified again, with the project that made it.
- {MESHES}
"""


def _parameters(exported: Exported) -> str:
    rows = []
    for name, kind in exported.skill.task.parameters:
        cases = [case.name for case in concrete_kinds(kind)]
        among = "" if cases == [kind] else f" (one of: {', '.join(cases)})"
        rows.append(
            f"| `{name}` | name of an object of kind {kind}{among}, as the robot calls it. "
            f"{get_kind(kind).doc} |"
        )
    rows += ["| (none) | |"] if not rows else []
    return "\n".join(rows)


def _failures(exported: Exported) -> str:
    if not exported.failures:
        return (
            "In none of the recorded scenes did it fail. That is no promise, see the bound above."
        )
    rows = (
        f"{count} x {outcome}: {_OUTCOMES.get(outcome, 'the simulator or sandbox was lost')}"
        for outcome, count in exported.failures
    )
    return "In the recorded scenes it failed like this:\n\n" + _bullets(rows)


def _errors() -> str:
    rows = (f"| `{name}` | {when} | {what} |" for name, when, what in _ERRORS)
    return "\n".join(["| error | when | what to do |", "|---|---|---|", *rows])


def _robot_page(skill: str) -> str:
    return (
        f"# What a robot has to offer to run {skill}\n\n{_ABOUT_ADAPTERS}\n"
        f"```python\n{robot_module()}```\n"
    )


def _overview(bundle: Bundle, names: Mapping[str, str]) -> str:
    rows = "\n".join(
        f"| [{names[e.skill.name]}]({names[e.skill.name]}/SKILL.md) | "
        f"{one_line(e.skill.task.instruction)} | {short_claim(e.skill)} |"
        for e in bundle.skills
    )
    return f"""\
# Robot skills for agents

Folders in the open Agent Skills format. Copy those that you want to where your agent looks for
skills. Each stands for itself: instructions, a script that needs nothing but Python and a robot,
the contract and the certificate.

| folder | what it does | what was shown |
|---|---|---|
{rows}

{NO_HARDWARE} {TRUST}
"""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
