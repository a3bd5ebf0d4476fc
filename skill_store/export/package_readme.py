"""The pages that travel with a package of skills: how to use it, and what was proved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from skill_store.export.bundle import Bundle, Exported
from skill_store.export.claims import MESHES, NO_HARDWARE, TRUST, short_claim
from skill_store.export.schemas import one_line

_PROOF: Final = f"""\
## What the proof is, and what it is not

Each skill was run on scenes that nobody had seen when it was written: other objects, sizes,
masses, friction, poses and bystanders. The judge was the state of the simulator (PyBullet), and
the skill was told exact poses and sizes. The k of n of an admission was selected by passing and is
no success rate; the lower bound, where there is one, was measured on scenes drawn after that.

- {NO_HARDWARE} One simulated arm, no camera, no noise, nobody nearby.
- With your robot, your simulator or other objects the numbers above do not hold; measure your own.
- A clean return is no success. The package has no judge: look whether the goal came true.
- It is no sandbox. A skill runs with the rights of your process, and moves what you give it. Read
  `programs/` before you let it move anything that can break.
- {TRUST}
- {MESHES}
"""


def package_page(bundle: Bundle, name: str, functions: Mapping[str, str]) -> str:
    """The README of an installable package."""
    first, call = _first_call(bundle, functions)
    return f"""\
# {name}

Robot skills that were learned and certified in simulation, as a Python package. It needs Python
3.11 and a robot: any object with the methods of `{name}.RobotAPI`.

{_table(bundle, functions)}

## Use it

```console
$ pip install .                      # needs no network; what builds it lies in this folder
$ python -m {name} list
$ python -m {name} run {first.skill.name} --example {_pairs(first)}
```

```python
from {name} import {functions[first.skill.name]}
from {name}.kinematic import example

robot = example()  # a table in memory: geometry only, no physics, so that you can try the calls
{call}
```

`--example` and `kinematic` show calls. That a skill goes through there says nothing about it.

## Your robot

Write a class with the methods of `RobotAPI` (`{name}/robot_api.py` says units, frame and errors of
each) and test it, first only what looks, then what moves:

```console
$ python -m {name}.check_adapter my_robot:make
$ python -m {name}.check_adapter my_robot:make --act
```

Errors that a skill may catch are those of `{name}.robot_api` (`Unreachable`, `Blocked`,
`NothingHeld`, ...): raise these, with the numbers that they ask for. Any other exception of your
robot (a lost connection, an emergency stop) ends the skill at once and reaches you unchanged; no
skill can swallow it. A skill that makes more calls than it was certified with is ended by
`CallLimitReached`.

{_PROOF}
## Prove it again

```console
$ pip install '.[selftest]' --find-links FOLDER_WITH_THE_WHEEL
$ python -m {name}.selftest
```

The extra is the project that made these skills, voyager-skill-library {bundle.version}; its
sources build the wheel with `make wheel`. Every episode of every certificate is run again, in its
sandbox and before its judge, with the programs as they lie in this package. On the platform that
the certificate names, each must come out bit for bit; elsewhere outcomes and margins are compared.

## How it works

- `programs/` holds the programs as they were certified, to the byte. `from robot import ...` and
  `from skills.NAME import NAME` in them are no modules of Python: `running.py` resolves them when a
  skill is run. `robot` becomes the robot of that very run, `skills.NAME` the program that the
  caller's lock pins by hash, so a callee never changes under its caller, and two programs of one
  name can stand side by side.
- Each run loads its programs anew. Nothing is kept between two runs, and two threads can use two
  robots at the same time.
- What you return is turned into what skills were certified with (floats, tuples, text), and what is
  something else raises `AdapterError`. What a skill prints goes to the log.
- `data/index.json` has contracts and claims, `data/evidence/` the certificates.
- Terms: see LICENSE. The runtime is MIT-0.
"""


def single_page(bundle: Bundle, name: str, functions: Mapping[str, str]) -> str:
    """The README beside a single file."""
    first, call = _first_call(bundle, functions)
    return f"""\
# {name}.py

Robot skills that were learned and certified in simulation, in one file. It needs Python 3.11 and a
robot: any object with the methods of its `RobotAPI`. Copy it where you need it.

{_table(bundle, functions)}

```console
$ python {name}.py list
$ python {name}.py run {first.skill.name} --example {_pairs(first)}
$ python {name}.py check-adapter my_robot:make --act
```

```python
from {name} import example, {functions[first.skill.name]}

robot = example()  # a table in memory: geometry only, no physics, so that you can try the calls
{call}
```

{_PROOF}
The certificates themselves travel with the package form (without `--single-file`), which can also
replay them. Terms: see LICENSE. The runtime is MIT-0.
"""


def _table(bundle: Bundle, functions: Mapping[str, str]) -> str:
    rows = ["| skill | goal | what was shown |", "|---|---|---|"]
    for exported in bundle.skills:
        skill = exported.skill
        takes = ", ".join(f"{name}: {kind}" for name, kind in skill.task.parameters)
        goal = one_line(skill.task.goal.text).replace("|", "\\|")
        rows.append(f"| `{functions[skill.name]}({takes})` | `{goal}` | {short_claim(skill)} |")
    return "\n".join(rows)


def _first_call(bundle: Bundle, functions: Mapping[str, str]) -> tuple[Exported, str]:
    first = bundle.skills[0]
    given = "".join(f', "{name}"' for name in example_objects(first))
    return first, f"{functions[first.skill.name]}(robot{given})"


def _pairs(exported: Exported) -> str:
    names = [name for name, _ in exported.skill.task.parameters]
    return " ".join(f"{n}={o}" for n, o in zip(names, example_objects(exported), strict=True))


_ON_THE_TABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "block": ("red_block", "blue_block"),
    "ball": ("green_ball", "white_ball"),
    "bowl": ("bowl",),
    "tray": ("tray",),
    "place": ("mark",),
    "graspable": ("red_block", "blue_block", "green_ball"),
    "container": ("bowl", "tray"),
    "object": ("blue_block", "green_ball", "bowl"),
}
"""Names of objects on the example robot's table by kind."""


def example_objects(exported: Exported) -> list[str]:
    """Objects of the example table that fit a skill's parameters, none twice if possible."""
    chosen: list[str] = []
    for _, kind in exported.skill.task.parameters:
        fitting = _ON_THE_TABLE.get(kind, (kind,))
        chosen.append(next((name for name in fitting if name not in chosen), fitting[0]))
    return chosen
