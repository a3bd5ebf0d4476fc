"""The robot API as a Protocol for other projects, made from the table of calls.

What an exported package asks of a robot is written out here from `env.actions`, so it cannot say
anything else than what the skills were certified with.
"""

from __future__ import annotations

import inspect
from typing import Final

from env.actions import ACTIONS, API_VERSION, Action
from env.errors import ACTION_ERRORS, ActionError
from env.kinds import all_kinds
from env.program_checks import kind_annotation

_QUOTES: Final = '"""'
_WIDTH: Final = 100
_HEAD: Final = '''# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""What the skills ask of a robot: any object with these methods will do.

Made from the table of calls that the skills were certified with; do not edit.

Lengths are metres, angles radians, forces newton. The frame is the robot's: x forwards from its
base, y to its left, z up from the table top. Poses and sizes are taken as exact.
"""
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol
'''


def robot_module() -> str:
    """The text of the module `robot_api` of an exported package: Protocol, errors, kinds."""
    actions = list(ACTIONS.values())
    parts = [
        _HEAD,
        f"API_VERSION: Final = {API_VERSION}",
        f"{_QUOTES}Raised when a call changes its meaning.{_QUOTES}\n",
        _names("LOOKS", [a.name for a in actions if a.kind == "look"]),
        f"{_QUOTES}Calls that only look; they move nothing.{_QUOTES}\n",
        _names("ACTS", [a.name for a in actions if a.kind == "act"]),
        f"{_QUOTES}Calls that act, or let time pass.{_QUOTES}\n",
        *_kinds(),
        "",
        _base_error(),
        *(_error(error) for error in ACTION_ERRORS),
        _names("ERRORS", [error.__name__ for error in ACTION_ERRORS], quoted=False),
        f"{_QUOTES}Errors that a skill may expect, and catch.{_QUOTES}\n\n",
        "class RobotAPI(Protocol):",
        f"    {_QUOTES}A robot with one gripper, and the objects that it is told about.{_QUOTES}\n",
        "\n\n".join(_method(action) for action in actions),
    ]
    return "\n".join(parts) + "\n"


def _names(constant: str, names: list[str], *, quoted: bool = True) -> str:
    written = [f'"{name}"' if quoted else name for name in names]
    kind = "tuple[str, ...]" if quoted else "tuple[type[ActionError], ...]"
    one_line = f"{constant}: Final[{kind}] = ({', '.join(written)})"
    if len(one_line) <= _WIDTH:
        return one_line
    return "\n".join([f"{constant}: Final[{kind}] = (", *(f"    {n}," for n in written), ")"])


def _kinds() -> list[str]:
    rows = []
    for kind in all_kinds():
        above = [kind.name]
        for name in above:
            parents = next(k.parents for k in all_kinds() if k.name == name)
            above += [parent for parent in parents if parent not in above]
        written = ", ".join(f'"{name}"' for name in above) + ("," if len(above) == 1 else "")
        rows.append(f'    "{kind.name}": ({written}),')
    types = [f'    "{kind.name}": "{kind_annotation(kind.name)}",' for kind in all_kinds()]
    return [
        "KINDS: Final[Mapping[str, tuple[str, ...]]] = {",
        *rows,
        "}",
        f"{_QUOTES}A kind of object, and it with all kinds above it.{_QUOTES}\n",
        "KIND_TYPES: Final[Mapping[str, str]] = {",
        *types,
        "}",
        f"{_QUOTES}What skills import from `robot` to annotate a parameter.{_QUOTES}\n",
    ]


def _base_error() -> str:
    source = inspect.getsource(ActionError)
    body = source.replace("Base of what a robot call raises inside a skill", "Base of these errors")
    return body + "\n"


def _error(error: type[ActionError]) -> str:
    return f"class {error.__name__}(ActionError):\n    {_doc(inspect.getdoc(error) or '', 4)}\n\n"


def _method(action: Action) -> str:
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [own, *action.signature.parameters.values()]
    returns = inspect.Signature(return_annotation=action.signature.return_annotation)
    arrow = str(returns).removeprefix("()")
    written = [str(p).replace("'", '"') for p in parameters]
    head = f"    def {action.name}({', '.join(written)}){arrow}:"
    if len(head) > _WIDTH:
        rows = "\n".join(f"        {parameter}," for parameter in written)
        head = f"    def {action.name}(\n{rows}\n    ){arrow}:"
    return f"{head}\n        {_doc(action.doc, 8)}\n        ..."


def _doc(text: str, indent: int) -> str:
    lines = text.splitlines()
    if len(lines) == 1:
        return f"{_QUOTES}{text}{_QUOTES}"
    rest = [f"{' ' * indent}{line}" if line else "" for line in lines[1:]]
    return "\n".join([_QUOTES + lines[0], *rest, f"{' ' * indent}{_QUOTES}"])
