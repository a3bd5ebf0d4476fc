"""Strict tool definitions for OpenAI's interfaces, and for all that take the same form.

    tools.json             for Chat Completions
    responses_tools.json   the same for Responses, where a definition is flat
    evidence.json          what is proved about each, for machines
    README.md              what is proved, and how a call is carried out

A definition says how a skill is called, not how it is run: that takes the simulator, or a robot
behind an exported Python package.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from skill_store.clock import stamp
from skill_store.export.bundle import Bundle, Exported
from skill_store.export.claims import MESHES, bound_record, proof_sentence
from skill_store.export.formats import ExportOptions
from skill_store.export.schemas import (
    description,
    function_tool,
    one_line,
    parameters_schema,
    tool_names,
)
from skill_store.export.writing import write_json, write_text

SCHEMA: Final = "voyager.tool_evidence/1"
RESERVED: Final = ("new_scene", "look_at_scene")
"""Tools that stand beside the skills wherever they are run: they set up and show a scene."""


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write definitions, evidence and a page about them into an empty folder."""
    named = names_of(bundle)
    write_tools(folder / "tools.json", definitions(bundle))
    write_tools(folder / "responses_tools.json", definitions(bundle, flat=True))
    write_json(folder / "evidence.json", evidence(bundle, options))
    write_text(folder / "README.md", _page(bundle, named, options))


def names_of(bundle: Bundle) -> dict[str, str]:
    """Name of the tool by name of the skill."""
    return tool_names((e.skill.name for e in bundle.skills), taken=RESERVED)


def definitions(bundle: Bundle, *, flat: bool = False) -> list[dict[str, Any]]:
    """A strict definition of each chosen skill, callees first; see `schemas.function_tool`."""
    named = names_of(bundle)
    return [
        function_tool(
            named[e.skill.name], description(e.skill), parameters_schema(e.skill), flat=flat
        )
        for e in bundle.skills
    ]


def evidence(bundle: Bundle, options: ExportOptions) -> dict[str, Any]:
    """What is proved about each tool, for machines."""
    named = names_of(bundle)
    return {
        "schema": SCHEMA,
        "made_at": stamp(bundle.made_at),
        "version": bundle.version,
        "licence": options.licence.identifier,
        "tools": {named[e.skill.name]: _evidence(e) for e in bundle.skills},
    }


def write_tools(path: Path, tools: list[dict[str, Any]]) -> None:
    """Write definitions as a JSON list, in their own order."""
    write_text(path, json.dumps(tools, indent=2, allow_nan=False) + "\n")


def proofs_table(bundle: Bundle, named: dict[str, str]) -> str:
    """A table for a page: tool, goal, and the whole claim."""
    rows = [
        f"| `{named[e.skill.name]}` | {_cell(e.skill.task.goal.text)} "
        f"| {_cell(proof_sentence(e.skill))} |"
        for e in bundle.skills
    ]
    return "\n".join(("| tool | goal | what is proved |", "|---|---|---|", *rows))


def example_call(bundle: Bundle, named: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """A tool and arguments to show, with made-up names of objects."""
    skill = max(bundle.skills, key=lambda e: len(e.skill.task.parameters)).skill
    made_up = ("mutip", "fusaf", "gogep", "vavuv")
    schema = parameters_schema(skill)["properties"]
    return named[skill.name], {
        name: told["enum"][0] if "enum" in told else made_up[index % len(made_up)]
        for index, (name, told) in enumerate(schema.items())
    }


def _evidence(exported: Exported) -> dict[str, Any]:
    skill = exported.skill
    return {
        "skill": skill.name,
        "version": skill.version,
        "program": skill.closure.root,
        "closure": skill.closure.hash,
        "task": skill.task.hash,
        "certificate": skill.certificate.hash,
        "goal": skill.task.goal.text,
        "proof": proof_sentence(skill),
        "bound": bound_record(skill),
        "failures": [{"outcome": o, "scenes": n} for o, n in exported.failures],
    }


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def _page(bundle: Bundle, named: dict[str, str], options: ExportOptions) -> str:
    tool, arguments = example_call(bundle, named)
    called = json.dumps(arguments)
    return f"""\
# {len(bundle.skills)} robot skills as strict tool definitions

`tools.json` goes into Chat Completions (`tools=`), `responses_tools.json` into Responses; both hold
the same definitions, strict: every argument is required and none may be added. `evidence.json` has
what is proved about each for machines, with the hashes of program and certificate.

{proofs_table(bundle, named)}

Admission chose by passing, so k of n at admission is no success rate; the lower bound is one, on
scenes drawn afterwards, and it speaks about scenes like those only.

## Carrying out a call

A definition says how a skill is called. What runs it is the simulator of this project, in a home
where the skills are certified. Arguments are names of objects in a scene, so tell the model which
there are. A call and its answer, as in

    {tool}({called})

```python
import json
from pathlib import Path

from openai import OpenAI
from voyager.serving.toolbox import Toolbox

MODEL = "gpt-5"
tools = json.loads(Path("tools.json").read_text())
client = OpenAI()
with Toolbox("HOME") as box:  # your home folder
    table = box.call("look_at_scene", {{}}).record["objects"]
    messages = [
        {{"role": "system", "content": f"On the table: {{json.dumps(table)}}"}},
        {{"role": "user", "content": "Do something useful with one of the tools."}},
    ]
    reply = client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    for call in reply.choices[0].message.tool_calls or ():
        answer = box.call(call.function.name, json.loads(call.function.arguments))
        print(call.function.name, answer.record["solved"], answer.record["missing"])
```

The same from a shell: `voyager skills run NAME --seed 3 --arg PARAMETER=OBJECT --json`. On a robot
of your own: `voyager export --format python`.

Licence of the skills: {options.licence.identifier}, see `LICENSE`. {MESHES}
"""
