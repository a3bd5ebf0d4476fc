"""A package's runtime and skills as one Python file, for who would rather copy than install."""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

RUNTIME: Final = "skill_store.export.python_runtime"
_IN_ORDER: Final = ("robot_api", "asking", "running", "kinematic", "check_adapter", "command")
"""Modules of a single file, each after those that it imports."""
_RULE: Final = 83
_MODULES: Final = (*_IN_ORDER, "installed", "selftest", "programs", "data")


def runtime_text(module: str) -> str:
    """The text of a module of the runtime."""
    return resources.files(RUNTIME).joinpath(f"{module}.py").read_text(encoding="utf-8")


def single_file(
    index: Mapping[str, Any], sources: Mapping[str, str], *, head: str, functions: str, tail: str
) -> str:
    """Put the runtime and skills together.

    Args:
        index: As in a package.
        sources: Text of each program by hash.
        head: Comments and docstring to begin with.
        functions: Definitions to stand behind ``SKILLS``.
        tail: What the file does as a script, behind a main guard; indented.

    Returns:
        The text of a module that needs the standard library alone.
    """
    programs = "".join(
        f'    "{key}": (\n        "<skill {index["programs"][key]["file"]}>",\n'
        f"{_lines(source, 8)}    ),\n"
        for key, source in sources.items()
    )
    written = _lines(json.dumps(index, indent=2), 4)
    return (
        f"{head}\nfrom __future__ import annotations\n\n{_imports()}"
        + "".join(_bare(module) for module in _IN_ORDER)
        + f"\n\n{_ruled('skills')}\n"
        + f"_INDEX: Final[dict[str, Any]] = json.loads(\n{written})\n"
        + f"_PROGRAMS: Final[dict[str, tuple[str, str]]] = {{\n{programs}}}\n"
        + '"""By hash: a name for tracebacks, and the text as it was certified."""\n\n\n'
        + "def _source(key: str) -> tuple[str, str]:\n"
        + "    file, text = _PROGRAMS[key]\n    return text, file\n\n\n"
        + "SKILLS: Final = Skills(_INDEX, _source)\n"
        + f'"""The skills of this file."""\n\n\n{functions}\n\n'
        + f'if __name__ == "__main__":\n{tail}'
    )


@cache
def taken_names() -> frozenset[str]:
    """Names that a function may not have at the top of a package or of a single file."""
    found = {*dir(builtins), *_MODULES, "SKILLS"}
    for module in _IN_ORDER:
        for node in ast.parse(runtime_text(module)).body:
            found |= _bound(node)
    return frozenset(found)


def _bound(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {(alias.asname or alias.name).partition(".")[0] for alias in names}
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case _:
            return set()


def _imports() -> str:
    """What the modules import beside each other, each once."""
    plain: set[str] = set()
    taken: dict[str, set[str]] = {}
    for module in _IN_ORDER:
        for node in ast.parse(runtime_text(module)).body:
            if isinstance(node, ast.Import):
                plain |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                taken.setdefault(node.module or "", set()).update(a.name for a in node.names)
    del taken["__future__"]
    rows = [f"import {name}" for name in sorted(plain)]
    rows += [f"from {name} import {', '.join(sorted(taken[name]))}" for name in sorted(taken)]
    return "\n".join(rows) + "\n"


def _bare(module: str) -> str:
    """A module's text without what stands once in a single file, or finds its neighbours."""
    text = runtime_text(module)
    lines = text.splitlines()
    tree = ast.parse(text)
    about = ast.get_docstring(tree) or ""
    dropped = {n for n, line in enumerate(lines) if line.startswith("# ")}  # who wrote it: once
    for index, node in enumerate(tree.body):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) if index == 0:
                pass
            case ast.Import() | ast.ImportFrom():
                pass
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case _:
                continue
        dropped |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
    kept = "\n".join(line for n, line in enumerate(lines) if n not in dropped).strip("\n")
    words = "".join(f"# {line}".rstrip() + "\n" for line in about.splitlines())
    return f"\n\n{_ruled(module)}#\n{words}\n{kept}\n"


def _ruled(title: str) -> str:
    return f"# -- {title} ".ljust(_RULE, "-") + "\n"


def _lines(text: str, indent: int) -> str:
    return "".join(f"{' ' * indent}{line!a}\n" for line in text.splitlines(keepends=True))
