"""Tasks as environments for reinforcement learning: a small package that registers one id each.

    pyproject.toml, build_backend.py, README.md
    PACKAGE/__init__.py     registers PACKAGE/SKILL-v0 for each task when it is imported
    PACKAGE/tasks.json      the tasks, and what is known about the skill that solves each

The environment itself is this project's (`voyager.serving.gymnasium_env`): goals are judged by its
simulator, so a copy of it would be a copy of everything. Nothing here knows Gymnasium.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any, Final

from env.goals import Atom
from env.kinds import concrete_kinds
from env.predicates.base import declared_in
from env.task import Task
from skill_store.export.bundle import Bundle, Exported
from skill_store.export.claims import MESHES, TRUST, bound_record, proof_sentence
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions
from skill_store.export.single_file import runtime_text
from skill_store.export.writing import write_json, write_text

SCHEMA: Final = "voyager.gymnasium/1"
DEFAULT_NAME: Final = "voyager_tasks"
ENTRY_POINT: Final = "voyager.serving.gymnasium_env:TaskEnv"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OURS: Final = frozenset({"env", "skill_store", "curriculum", "voyager", "gymnasium"})


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write the package into an empty folder.

    Args:
        bundle: The skills whose tasks are meant.
        folder: Exists, and is empty.
        options: Its `name` is that of the package and of the ids.

    Raises:
        ExportError: If the name cannot be that of a package.
    """
    name = DEFAULT_NAME if options.name is None else options.name
    check_name(name)
    tasks = [_record(name, exported) for exported in bundle.skills]
    write_json(folder / name / "tasks.json", {"schema": SCHEMA, "tasks": tasks})
    write_text(folder / name / "__init__.py", _MODULE.format(entry=ENTRY_POINT))
    write_text(
        folder / "pyproject.toml",
        _PROJECT.format(
            distribution=name.replace("_", "-"),
            licence=options.licence.identifier,
            count=len(tasks),
        ),
    )
    write_text(folder / "build_backend.py", runtime_text("build_backend"))
    write_text(folder / "README.md", _readme(name, bundle))


def check_name(name: str) -> None:
    """Check what the package is to be called.

    Raises:
        ExportError: If it cannot be the name of a package.
    """
    taken = name in _OURS or name in sys.stdlib_module_names or keyword.iskeyword(name)
    if not _NAME.fullmatch(name) or taken:
        raise ExportError(
            f"{name!r} cannot name a package of environments; use a to z, digits and _, not the "
            f"name of another package ({DEFAULT_NAME!r}, for example)"
        )


def _record(name: str, exported: Exported) -> dict[str, Any]:
    skill = exported.skill
    return {
        "id": f"{name}/{skill.name}-v0",
        "skill": skill.name,
        "task": skill.task.to_json(),
        "extensions": list(_extensions(skill.task)),
        "closure": skill.closure.hash,
        "proof": proof_sentence(skill),
        "bound": bound_record(skill),
    }


def _extensions(task: Task) -> tuple[str, ...]:
    """Modules outside `env` that declare what a task's goal and scenes use."""
    atoms = (piece for piece in task.goal.form.walk() if isinstance(piece, Atom))
    modules = {atom.declared.module for atom in atoms}
    named = [kind for _, kind in task.parameters] + [kind for kind, _, _ in task.scene.extras]
    for kind in (*named, *task.scene.distractor_kinds):
        modules |= {declared_in(k.draw) for k in concrete_kinds(kind) if k.draw is not None}
    return tuple(sorted(m for m in modules if m != "env" and not m.startswith("env.")))


def _readme(name: str, bundle: Bundle) -> str:
    first = bundle.skills[0].skill.name
    lines = [
        f"# {name}",
        "",
        f"{len(bundle.skills)} tasks of a robot arm as Gymnasium environments: tasks that an agent "
        "set itself, and learned to solve, in simulation.",
        "",
        "```console",
        "$ python -m pip install voyager_skill_library-*.whl   # the simulator; Python 3.11",
        "$ python -m pip install .                             # this folder",
        "```",
        "",
        "```python",
        "import gymnasium",
        f"import {name}  # registers the ids",
        "",
        f'env = gymnasium.make("{name}/{first}-v0")',
        "observation, info = env.reset(seed=0)",
        "observation, reward, terminated, truncated, info = env.step(env.action_space.sample())",
        "```",
        "",
        "Observation, action and reward are described in `voyager.serving.gymnasium_env`; "
        "`env.unwrapped.layout.fields` names every number of an observation. Scenes are practice "
        "scenes: those that certificates rest on cannot come up by accident.",
        "",
        "Of each task it is known how well a *program* solves it; no policy was trained. A rate "
        "that is measured on this environment's scenes can be set beside it, with two differences: "
        "programs are judged after a second at rest and may begin where another skill ended.",
        "",
    ]
    for exported in bundle.skills:
        task = exported.skill.task
        kinds = ", ".join(f"{parameter}: {kind}" for parameter, kind in task.parameters)
        lines += [
            f"## `{name}/{exported.skill.name}-v0`",
            "",
            f"`{task.goal.text}` ({kinds or 'no parameter'}), within {task.time_limit:g} simulated "
            "seconds.",
            "",
            f"The program: {proof_sentence(exported.skill)}",
            "",
        ]
    lines += [f"{TRUST} {MESHES}"]
    return "\n".join(lines) + "\n"


_MODULE: Final = '''\
"""Tasks as Gymnasium environments: importing this package registers one id for each."""

import json
from importlib.resources import files

import gymnasium

TASKS = {{
    record["id"]: record
    for record in json.loads(files(__name__).joinpath("tasks.json").read_text("utf-8"))["tasks"]
}}
"""What is known about each task, by id."""

for _id, _record in TASKS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(
            id=_id,
            entry_point="{entry}",
            kwargs={{"task": _record["task"], "extensions": tuple(_record["extensions"])}},
        )
'''

_PROJECT: Final = """\
[build-system]
# The backend lies in this folder and needs nothing, so that pip needs no network to build it.
requires = []
build-backend = "build_backend"
backend-path = ["."]

[project]
name = "{distribution}"
version = "0.1.0"
description = "{count} tasks of a robot arm in simulation, as Gymnasium environments"
readme = "README.md"
license = "{licence}"
license-files = ["LICENSE"]
requires-python = ">=3.11,<3.12"
dependencies = ["gymnasium>=1.2,<2", "voyager-skill-library[rl]"]
optional-dependencies = {{}}
"""
