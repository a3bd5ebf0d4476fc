"""A home for the tests of serving: real programs, with certificates made by hand for this judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from env.backend import Backend
from env.fingerprint import fingerprint
from env.task import Task
from skill_store import Library
from skill_store.skill import SkillState
from tests.env.skills import LIFT, LIFTING, PUT_ON, REACH, REACHING, STACKING
from tests.skill_store.samples import certificate, deepening, plain
from tests.voyager.scripted import admit


def _other(seconds: float) -> Task:
    """A task of its own: limits are part of what a task is."""
    return Task.make("at(gripper, block)", {"block": "block"}, time_limit=seconds)


RETIRED, STALE, FOREIGN, UNSAFE = map(_other, (10.0, 11.0, 12.0, 13.0))


def make_home(folder: Path) -> Path:
    """`lift`, `reach`, `put_on` may be called; four others may not, each with its reason."""
    with Library.open(folder, learning=True) as library:
        admit(library, LIFT, LIFTING)
        admit(library, REACH, REACHING)
        admit(library, PUT_ON, STACKING)
        here = fingerprint("panda")
        measured = replace(deepening(library.get("lift").certificate, 20, 19), fingerprint=here)
        library.deepen("lift", measured)
        admit(library, RETIRED, plain("retired_one"))
        library.set_state("retired_one", SkillState.RETIRED)
        admit(library, STALE, plain("stale_one"))
        library.set_state("stale_one", SkillState.STALE)
        for task, name, made in (
            (FOREIGN, "foreign_one", replace(here, judge="another")),
            (UNSAFE, "unsafe_one", replace(here, sandbox=Backend.UNSAFE.value)),
        ):
            closure = plain(name)
            ordinal = library.reserve(task, closure)
            library.add(
                task, closure, replace(certificate(task, closure, ordinal), fingerprint=made)
            )
    return folder
