"""Small libraries whose certificates count here, made by hand: nothing is simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from env.backend import Backend
from env.certificate import Certificate
from env.fingerprint import fingerprint
from env.program import Closure, Program
from env.task import Task
from env.transcript import HandoverRecord
from skill_store import Library, Origin, SkillState
from tests.skill_store.samples import LIFT, REACH, calling, certificate, deepening, plain

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LEAVE = Task.make("not at(gripper, block)", {"block": "block"})
GRASP = Task.make("held(block)", {"block": "block"})

REACHING = plain("reach")
LIFTING = calling("lift", REACHING)
LEAVING = Closure.of(
    Program.parse(
        "from robot import Block, move_to\n\n\ndef leave(block: Block) -> None:\n"
        '    """Go away."""\n    move_to((0.5, 0.0, 0.5))\n'
    )
)
CLOSER = Closure.of(
    Program.parse(
        "from robot import Block, move_to, position\n\n\ndef reach(block: Block) -> None:\n"
        '    """Go there twice."""\n    move_to(position(block))\n    move_to(position(block))\n'
    )
)


def here(made: Certificate, backend: Backend = Backend.KERNEL) -> Certificate:
    """The same certificate, made with what is at hand."""
    found = replace(fingerprint("panda"), sandbox=backend.value)
    return replace(made, fingerprint=found)


def admit(
    library: Library,
    task: Task,
    closure: Closure,
    change: Callable[[Certificate], Certificate] = here,
    after: HandoverRecord | None = None,
    solved: int = 20,
) -> Certificate:
    """Put a skill into a library by the one road there is."""
    ordinal = library.reserve(task, closure)
    made = change(certificate(task, closure, ordinal, solved=solved, after=after))
    library.add(task, closure, made)
    return made


def deepen(library: Library, name: str, look: int = 40, solved: int = 38) -> None:
    """Give a skill a published bound."""
    made = library.get(name).certificate
    found = replace(deepening(made, look, solved), fingerprint=made.fingerprint)
    library.deepen(name, found, SkillState.ACTIVE)


def make_library(home: Path) -> Library:
    """`reach` (measured), `lift` that calls it, `leave` (another judge), `grasp` (no sandbox).

    `reach` has got another champion since; `lift` keeps the first one.
    """
    library = Library.open(home, learning=True, clock=lambda: NOW)
    admit(library, REACH, REACHING)
    deepen(library, "reach")
    after = HandoverRecord(REACHING.hash, REACH.hash, 7)
    admit(library, LIFT, library_closure(library, LIFTING), after=after, solved=19)
    admit(library, LEAVE, LEAVING, change=lambda made: made)
    admit(library, GRASP, plain("grasp"), change=lambda made: here(made, Backend.UNSAFE))
    closer = here(certificate(REACH, CLOSER, library.reserve(REACH, CLOSER)))
    library.add_version("reach", CLOSER, closer, Origin.CHALLENGER, champion=True)
    return library


def library_closure(library: Library, closure: Closure) -> Closure:
    """A closure with the contracts of what it calls, as the library knows them."""
    callees = [library.closure(pin) for pin in closure.entry.lock.values()]
    return Closure.of(closure.entry, callees)
