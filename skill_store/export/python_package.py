"""Skills as an installable Python package of their own, or as one file.

    DIR/pyproject.toml, build_backend.py, README.md, LICENSE
    DIR/PACKAGE/__init__.py       one typed function a skill
    DIR/PACKAGE/programs/*.py     the programs as they were certified, to the byte
    DIR/PACKAGE/data/             contracts, claims, certificates
    DIR/PACKAGE/*.py              the runtime (skill_store/export/python_runtime)

The package needs the standard library and a robot, that is any object that meets its `RobotAPI`.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from skill_store.export.bundle import Bundle
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions
from skill_store.export.package_index import evidence, index
from skill_store.export.package_readme import package_page, single_page
from skill_store.export.robot_protocol import robot_module
from skill_store.export.schemas import one_line
from skill_store.export.single_file import runtime_text, single_file, taken_names
from skill_store.export.writing import write_json, write_text

DEFAULT_NAME: Final = "robot_skills"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OURS: Final = frozenset({"env", "skill_store", "curriculum", "voyager", "skills", "robot"})
"""Names that an extra of the package, or a skill's source, means something else by."""
_MODULES: Final = (
    "asking",
    "running",
    "installed",
    "kinematic",
    "check_adapter",
    "command",
    "selftest",
)
_WIDE: Final = 94
HEADER: Final = """\
# Copyright (c) 2026 The voyager-skill-library authors
# SPDX-License-Identifier: MIT-0
"""
_PUBLIC: Final = (
    "SKILLS",
    "ActionError",
    "AdapterError",
    "BadArgument",
    "Blocked",
    "Call",
    "CallLimitReached",
    "NothingHeld",
    "RobotAPI",
    "SkillPackageError",
    "Unreachable",
    "UnknownObject",
)


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write the package, or the one file, into an empty folder.

    Args:
        bundle: What leaves.
        folder: Where to.
        options: `name` is the package's; with `single_file` it is one file of that name.

    Raises:
        ExportError: If the name cannot be that of a package.
    """
    name = options.name or DEFAULT_NAME
    check_name(name)
    if options.single_file:
        write_text(folder / f"{name}.py", one_file(bundle, name))
        write_text(folder / "README.md", single_page(bundle, name, functions_of(bundle)))
        return
    inside = folder / name
    write_text(folder / "pyproject.toml", _project(bundle, name, options.licence.identifier))
    write_text(folder / "build_backend.py", runtime_text("build_backend"))
    write_text(folder / "README.md", package_page(bundle, name, functions_of(bundle)))
    write_text(inside / "__init__.py", _facade(bundle, name))
    write_text(inside / "__main__.py", _main(name))
    write_text(inside / "py.typed", "")
    write_text(inside / "robot_api.py", robot_module())
    for module in _MODULES:
        write_text(inside / f"{module}.py", runtime_text(module))
    files = bundle.file_names
    for key, program in bundle.programs.items():
        write_text(inside / "programs" / f"{files[key]}.py", program.source)
    write_json(inside / "data" / "index.json", index(bundle, name))
    for exported in bundle.skills:
        write_json(inside / "data" / "evidence" / f"{exported.skill.name}.json", evidence(exported))


def one_file(bundle: Bundle, name: str, *, head: str | None = None, tail: str | None = None) -> str:
    """The skills of a bundle as the text of one module.

    Args:
        bundle: What leaves.
        name: Of the module.
        head: What stands before everything else; its own docstring when None.
        tail: What it does as a script, indented; lists, shows and runs skills when None.

    Returns:
        The text.
    """
    title = (
        f'{HEADER}"""Robot skills, certified in simulation, with all that they need.\n\n'
        f"    python {name}.py list\n"
        f"    python {name}.py show NAME\n"
        f"    python {name}.py run NAME --robot MODULE:OBJECT PARAMETER=OBJECT ...\n"
        f"    python {name}.py check-adapter MODULE:OBJECT\n\n"
        "What was proved, and what was not, stands in the docstring of each skill's function. The\n"
        'programs of the skills are embedded as they were certified.\n"""\n'
    )
    return single_file(
        index(bundle, name),
        {key: program.source for key, program in bundle.programs.items()},
        head=title if head is None else head,
        functions=_functions(bundle),
        tail="    sys.exit(run_command(SKILLS))\n" if tail is None else tail,
    )


def functions_of(bundle: Bundle) -> dict[str, str]:
    """The function that stands for each skill, by the skill's name."""
    names = [exported.skill.name for exported in bundle.skills]
    found: dict[str, str] = {}
    for name in names:
        function = name
        while function in taken_names() or (function != name and function in names):
            function += "_skill"
        found[name] = function
    return found


def check_name(name: str) -> None:
    """Check what the package is to be called.

    Raises:
        ExportError: If it cannot be the name of a package, or is that of another one.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ExportError(
            f"{name!r} cannot be the name of a package; use lower-case letters, digits and _, "
            f"for example {DEFAULT_NAME!r}"
        )
    if name in sys.stdlib_module_names or name in _OURS:
        raise ExportError(f"{name!r} is the name of another package; choose one of your own")


def _project(bundle: Bundle, name: str, licence: str) -> str:
    made = bundle.made_at
    numpy = any("numpy" in program.modules for program in bundle.programs.values())
    text = json.dumps  # a basic string of TOML is one of JSON
    return f"""\
[build-system]
# The backend lies in this folder and needs nothing, so that pip needs no network.
requires = []
build-backend = "build_backend"
backend-path = ["."]

[project]
name = {text(name.replace("_", "-"))}
version = "{made.year}.{made.month}.{made.day}"
description = "Robot skills, certified in simulation"
readme = "README.md"
license = {text(licence)}
license-files = ["LICENSE"]
requires-python = ">=3.11"
dependencies = {text(["numpy>=2"] if numpy else [])}

[project.optional-dependencies]
selftest = [{text(f"voyager-skill-library=={bundle.version}")}]
"""


def _facade(bundle: Bundle, name: str) -> str:
    functions = functions_of(bundle)
    public = sorted((*_PUBLIC, *functions.values()), key=lambda word: (word.islower(), word))
    listed = "".join(f'    "{word}",\n' for word in public)
    return f'''\
"""Robot skills, certified in simulation. What that means stands in each function, and the README.

    from {name} import {next(iter(functions.values()))}
    from {name}.kinematic import example

    robot = example()  # in memory, no physics; yours is any object that meets RobotAPI
"""

from __future__ import annotations

from .asking import AdapterError
from .installed import load
from .robot_api import (
    ActionError,
    BadArgument,
    Blocked,
    NothingHeld,
    RobotAPI,
    Unreachable,
    UnknownObject,
)
from .running import Call, CallLimitReached, SkillPackageError

__all__ = [
{listed}]

SKILLS = load()
"""All skills of this package: `names`, `describe(name)`, `run(name, robot, arguments)`."""


{_functions(bundle)}'''


def _main(name: str) -> str:
    return f'''\
"""python -m {name} list | show NAME | run NAME | check-adapter MODULE:OBJECT."""

import sys

from . import SKILLS
from .command import run_command

if __name__ == "__main__":
    sys.exit(run_command(SKILLS, program="python -m {name}"))
'''


def _functions(bundle: Bundle) -> str:
    described = index(bundle, "")["skills"]
    functions = functions_of(bundle)
    return "\n\n".join(_function(functions[known["name"]], known) for known in described)


def _function(function: str, known: dict[str, Any]) -> str:
    names = [parameter["name"] for parameter in known["parameters"]]
    robot = next(n for n in ("robot", "the_robot", "the_robot_") if n not in names)
    takes = "".join(f", {name}: str" for name in names)
    passed = ", ".join(f'"{name}": {name}' for name in names)
    about = [
        *textwrap.wrap(_sentence(one_line(known["instruction"])), _WIDE),
        "",
        *textwrap.wrap(f"Goal: {one_line(known['goal'])}", _WIDE),
        "",
        *textwrap.wrap(known["proof"], _WIDE),
        "That it returns does not mean that it succeeded: look.",
        "",
        "Args:",
        f"    {robot}: Carries out the calls.",
        *(f"    {p['name']}: Name of an object of kind {p['kind']}." for p in known["parameters"]),
        "",
        "Raises:",
        "    ActionError: What the robot raised and the skill did not catch.",
        "    CallLimitReached: After more robot calls than it was certified with "
        f"({known['call_limit']}).",
    ]
    doc = "\n".join(f"    {line}".rstrip() for line in _safe(about))
    return (
        f"def {function}({robot}: RobotAPI, /{takes}) -> None:\n"
        f'    """{doc.strip()}\n    """\n'
        f'    SKILLS.run("{known["name"]}", {robot}, {{{passed}}})\n'
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _safe(lines: Sequence[str]) -> list[str]:
    """Lines as they may stand in a docstring."""
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return text.splitlines()
