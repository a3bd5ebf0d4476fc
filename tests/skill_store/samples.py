"""Small real objects for the store's tests: tasks, programs, certificates by hand."""

from __future__ import annotations

from env.certificate import Certificate, Deepening, SceneRecord
from env.controls import ControlRate, Controls
from env.fingerprint import Fingerprint
from env.outcome import Outcome
from env.program import Closure, Program
from env.seeds import digest
from env.starts import deepening_seed, heldout_seed
from env.task import Task
from env.transcript import HandoverRecord, Start

FINGERPRINT = Fingerprint("engine 1", "machine", "3.11", "2.0", "panda 1", "assets", "judge")

REACH = Task.make("at(gripper, block)", {"block": "block"})
LIFT = Task.make("lifted(block)", {"block": "block"})
STACK = Task.make("on(top, bottom) and clear()", {"top": "block", "bottom": "block"})

_CALLEE = '''\
from robot import Block
from skills.{callee} import {callee}


def {name}({first}: Block) -> None:
    """{doc}"""
    {callee}({first})
'''

_PLAIN = '''\
from robot import Block, move_to, position


def {name}({first}: Block) -> None:
    """{doc}"""
    move_to(position({first}))
'''


def plain(name: str, first: str = "block", doc: str = "Go there.") -> Closure:
    """A program that calls nobody."""
    return Closure.of(Program.parse(_PLAIN.format(name=name, first=first, doc=doc)))


def calling(name: str, callee: Closure, first: str = "block") -> Closure:
    """A program that calls one other."""
    source = _CALLEE.format(name=name, first=first, doc="Have it done.", callee=callee.entry.name)
    return Closure.of(Program.parse(source, {callee.entry.name: callee.root}), [callee])


def certificate(
    task: Task,
    closure: Closure,
    ordinal: int = 0,
    *,
    solved: int = 20,
    after: HandoverRecord | None = None,
) -> Certificate:
    """A certificate over 20 scenes, the first of which may begin after another skill."""
    seeds = [heldout_seed(task, closure, ordinal, index) for index in range(20)]
    return Certificate(
        task=task.hash,
        closure=closure.hash,
        program=closure.root,
        ordinal=ordinal,
        n=20,
        needed=19,
        level=0.025,
        scenes=tuple(
            _scene(seed, index < solved, after if index == 0 else None)
            for index, seed in enumerate(seeds)
        ),
        admitted=solved >= 19,
        drawn=21,
        discarded=1,
        callees=(),
        controls=Controls(task.hash, (ControlRate("do_nothing", 0, 20),), 20, 0, 100),
        variation=task.scene.to_json(),
        steps=20_000,
        fingerprint=FINGERPRINT,
    )


def deepening(base: Certificate, look: int, solved: int) -> Deepening:
    """What was found on the first `look` scenes after admission."""
    seeds = [deepening_seed(base.hash, index) for index in range(look)]
    return Deepening(
        certificate=base.hash,
        look=look,
        scenes=tuple(_scene(seed, index < solved) for index, seed in enumerate(seeds)),
        drawn=look,
        discarded=0,
        steps=1000 * look,
        fingerprint=FINGERPRINT,
    )


def _scene(seed: int, solved: bool, after: HandoverRecord | None = None) -> SceneRecord:
    return SceneRecord(
        start=Start(seed, after),
        outcome=Outcome.SOLVED if solved else Outcome.FAILED,
        margin=0.25 if solved else -0.1,
        steps=1000,
        episode=digest([seed, solved]),
        contracts_made=0,
        contracts_kept=0,
    )
