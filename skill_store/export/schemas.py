"""What a skill is called with, as strict JSON Schema: shared by every format that offers tools.

A skill is given objects, by name; which names there are depends on the scene. Numbers that a
program takes beside them have the values that it was certified with, and no other: the schema
says which.
"""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from env.kinds import concrete_kinds
from env.program import Program
from skill_store.export.bundle import effects
from skill_store.export.claims import proof_sentence
from skill_store.skill import Skill

NAME_PATTERN: Final = "^[A-Za-z0-9_-]{1,64}$"
"""Names of tools, and of objects in a scene."""
MOST_DESCRIPTION: Final = 1024
"""Letters that the description of a tool may have where there is a limit."""

_ODD: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST: Final = 64
_TYPES: Final = {"float": "number", "int": "integer", "str": "string", "bool": "boolean"}


def parameters_schema(skill: Skill, *, fixed: bool = True) -> dict[str, Any]:
    """The arguments of a skill as a JSON Schema that allows nothing else.

    Every property is required and none may be added, as strict tool calling asks for.

    Args:
        skill: The skill.
        fixed: Whether the values that it was certified with (`fixed_values`) are arguments too:
            each allows that value only.

    Returns:
        A schema of type object.
    """
    properties: dict[str, Any] = {}
    for name, kind in skill.task.parameters:
        properties[name] = _object(kind)
    for name, (annotation, value) in fixed_values(skill.program).items() if fixed else ():
        properties[name] = {
            "type": _TYPES[annotation],
            "enum": [value],
            "description": "Certified with this value only.",
        }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def fixed_values(program: Program) -> dict[str, tuple[str, Any]]:
    """Parameters of a program that are no objects: (annotation, default) by name.

    A task binds objects only, so a certified program ran with its defaults. One whose default is
    no plain value is left out: nobody can give it from outside.
    """
    optional = {
        p.name: p.annotation
        for p in program.parameters
        if p.annotation in _TYPES and p.name in program.optional
    }
    if not optional:
        return {}
    tree = ast.parse(program.source)
    function = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == program.name
    )
    arguments = function.args
    positional = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    given = [*zip(positional, arguments.defaults, strict=True)]
    given += [
        (argument, default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    found = {}
    for argument, default in given:
        if argument.arg not in optional:
            continue
        try:
            value = ast.literal_eval(default)
        except ValueError:
            continue
        if isinstance(value, str | bool | int | float) and not (
            isinstance(value, float) and not math.isfinite(value)
        ):
            found[argument.arg] = (optional[argument.arg], value)
    return found


def description(skill: Skill, *, most: int = MOST_DESCRIPTION) -> str:
    """What a tool says about itself: what it does, its goal, and what is proved and what is not.

    Args:
        skill: The skill.
        most: Letters at most. What it does is shortened first, the proof never.
    """
    proof = proof_sentence(skill)
    told = one_line(skill.task.instruction)
    told = told if told.endswith((".", "!", "?")) else f"{told}."
    goal = f"Goal: {one_line(skill.task.goal.text)}."
    meaning = one_line("; ".join(effects(skill.task)))
    for kept in (f"{told} Goal: {meaning}", f"{told} {goal}", goal):
        if len(kept) + 1 + len(proof) <= most:
            return f"{kept} {proof}"
    room = max(0, most - len(proof) - 1)
    return f"{_cut(told, room)} {proof}".strip()


def function_tool(
    name: str, told: str, parameters: Mapping[str, Any], *, flat: bool = False
) -> dict[str, Any]:
    """A strict tool definition as OpenAI's interfaces take it, and many others that follow them.

    Args:
        name: Of the tool.
        told: What it does.
        parameters: JSON Schema of its arguments.
        flat: As the Responses interface has it; else as Chat Completions has it.
    """
    body = {"name": name, "description": told, "parameters": dict(parameters), "strict": True}
    return {"type": "function", **body} if flat else {"type": "function", "function": body}


def tool_names(names: Iterable[str], *, taken: Collection[str] = ()) -> dict[str, str]:
    """A name for each skill that every protocol of tools accepts, no two the same.

    Args:
        names: Names of skills.
        taken: Names of other tools beside them.

    Returns:
        Name of the tool by name of the skill; the same name wherever that is possible.
    """
    used = set(taken)
    found = {}
    for name in names:
        plain = _ODD.sub("_", name)[:_LONGEST] or "skill"
        tool, number = plain, 1
        while tool in used:
            number += 1
            suffix = f"_{number}"
            tool = plain[: _LONGEST - len(suffix)] + suffix
        used.add(tool)
        found[name] = tool
    return found


def one_line(text: str) -> str:
    """A text of somebody else's in one line, without anything invisible in it."""
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(seen.split())


def _object(kind: str) -> dict[str, Any]:
    cases = [case.name for case in concrete_kinds(kind)]
    what = kind if cases == [kind] else f"{kind} ({', '.join(cases)})"
    return {
        "type": "string",
        "pattern": NAME_PATTERN,
        "description": f"Name of an object of the scene; its kind: {what}.",
    }


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 3)].rstrip() + "..."
