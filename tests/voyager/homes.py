"""Homes for the tests of the command line: small libraries with real and with made-up evidence."""

from __future__ import annotations

from pathlib import Path

from env.certificate import Certificate
from env.certification import certify
from env.controls import ControlRate, Controls
from env.executors import SerialExecutor
from env.program import Closure
from env.task import Task
from skill_store import Library
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import LIFT, calling, certificate

REACH_AGAIN = calling("lift", REACHING)
"""A program for another task that only reaches: all it has is a certificate made by hand."""


def certified(task: Task, closure: Closure) -> Certificate:
    """A real certificate, but for the negative controls, which take the longest."""
    controls = Controls(task.hash, (ControlRate("do_nothing", 0, 20),), 20, 0, 100)
    with SerialExecutor() as executor:
        return certify(task, closure, executor=executor, controls=controls)


def admit(library: Library, task: Task, closure: Closure, evidence: Certificate) -> None:
    """Put a skill into a library by the one road there is."""
    assert library.reserve(task, closure) == evidence.ordinal
    library.add(task, closure, evidence)


def make_home(folder: Path) -> Path:
    """A home with `reach`, really certified, and `lift`, which calls it and is not what it says."""
    with Library.open(folder, learning=True) as library:
        admit(library, REACH, REACHING, certified(REACH, REACHING))
        admit(library, LIFT, REACH_AGAIN, certificate(LIFT, REACH_AGAIN))
    return folder
