"""Certification: an exact test on held-out scenes, its deepening, and its replay.

    certificate = certify(task, closure, ordinal=0, executor=executor)
    certificate.admitted, certificate.solved, certificate.n

Held-out seeds follow from task, closure and ordinal, so they exist only once the program is
frozen and are never used for another decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final

from env.certificate import Certificate, Deepening, SceneRecord, count_callees
from env.controls import Controls, run_controls
from env.errors import ProgramError, TaskError
from env.executors import Executor
from env.fingerprint import fingerprint
from env.practice import Draw
from env.program import Closure
from env.seeds import canonical_json
from env.starts import Handover, deepening_seed, heldout_seed
from env.statistics import LOOKS, admission
from env.task import Task
from env.transcript import ContractCheck, Episode
from env.witness import Witness

Watch = Callable[[Episode], None]
"""Is shown each episode as it is counted; for progress bars, never for writers."""

_NOBODY: Final[Watch] = lambda episode: None  # noqa: E731 - a default that reads as what it is


def certify(
    task: Task,
    closure: Closure,
    *,
    executor: Executor,
    ordinal: int = 0,
    handovers: Sequence[Handover] = (),
    controls: Controls | None = None,
    witnesses: Sequence[Witness] = (),
    watch: Watch = _NOBODY,
) -> Certificate:
    """Decide whether a frozen program may enter the library.

    Args:
        task: What it must achieve.
        closure: The program with all that it calls; contracts of all callees must be in it.
        executor: Where the episodes run; the result does not depend on its workers.
        ordinal: How many certifications of this task went before, for any program.
        handovers: Certified skills that scenes may begin after.
        controls: What `run_controls` gave for this task on this platform; run now if None.
        witnesses: Goals to judge beside the task's own; the certificate is the same without.
        watch: Is shown each episode that counts.

    Returns:
        The certificate, admitted or not.

    Raises:
        TaskError: If the task is refused: controls solve it, or it is mostly solved at the start.
        ProgramError: If the program does not fit the task, or a callee's contract is unknown.
        SandboxError: If the sandbox failed; nothing is decided then, and the same certification
            may be run again.
        SimulatorError: If the simulator failed; likewise.
    """
    _check(task, closure)
    if controls is None:
        controls = run_controls(task, executor)
    elif controls.task != task.hash:
        raise TaskError("the controls given are those of another task; run them for this one")
    rule = admission(ordinal)
    draw = Draw(
        task,
        closure,
        lambda index: heldout_seed(task, closure, ordinal, index),
        wanted=rule.n,
        executor=executor,
        handovers=handovers,
        witnesses=witnesses,
    )
    scenes: list[SceneRecord] = []
    checks: list[ContractCheck] = []
    solved = 0
    for episode in draw:
        scenes.append(SceneRecord.of(episode))
        checks += episode.contracts
        solved += episode.solved
        watch(episode)
        if rule.cannot_pass(len(scenes) - solved):
            break
    return Certificate(
        task=task.hash,
        closure=closure.hash,
        program=closure.root,
        ordinal=ordinal,
        n=rule.n,
        needed=rule.needed,
        level=rule.level,
        scenes=tuple(scenes),
        admitted=len(scenes) == rule.n and rule.passes(solved),
        drawn=draw.drawn,
        discarded=draw.discarded,
        callees=count_callees(checks),
        controls=controls,
        # As JSON tells it, so that a certificate equals itself after a round trip.
        variation=json.loads(canonical_json(task.scene.to_json())),
        steps=draw.steps,
        fingerprint=fingerprint(task.scene.robot),
    )


def deepen(
    certificate: Certificate,
    task: Task,
    closure: Closure,
    *,
    executor: Executor,
    handovers: Sequence[Handover] = (),
    previous: Deepening | None = None,
    witnesses: Sequence[Witness] = (),
    watch: Watch = _NOBODY,
) -> Deepening:
    """Run an admitted program on more fresh scenes, up to the next of the fixed looks.

    Args:
        certificate: The admission.
        task: Its task.
        closure: Its closure.
        executor: Where the episodes run.
        handovers: Certified skills that scenes may begin after.
        previous: The deepening up to the look before; None for the first look.
        witnesses: Goals to judge beside the task's own; the deepening is the same without.
        watch: Is shown each new episode.

    Returns:
        All episodes since admission, and the bound that may be published.

    Raises:
        TaskError: If something does not belong together, was not admitted, or has had all looks.
        SandboxError: If the sandbox failed; nothing is counted then.
        SimulatorError: If the simulator failed; likewise.
    """
    check_belongs(certificate, task, closure)
    if not certificate.admitted:
        raise TaskError("only an admitted program can be deepened; certify it first")
    here = fingerprint(task.scene.robot)
    done = 0
    if previous is not None:
        if previous.certificate != certificate.hash:
            raise TaskError("the deepening to be continued is that of another certificate")
        if previous.fingerprint != here:
            raise TaskError("the deepening was begun on another platform; begin it anew here")
        done = previous.look
    ahead = [look for look in LOOKS if look > done]
    if not ahead:
        raise TaskError(f"all looks of this certificate are done, the last at {LOOKS[-1]} episodes")
    draw = Draw(
        task,
        closure,
        lambda index: deepening_seed(certificate.hash, index),
        wanted=ahead[0] - done,
        executor=executor,
        handovers=handovers,
        first=0 if previous is None else previous.drawn,
        witnesses=witnesses,
    )
    scenes = [] if previous is None else list(previous.scenes)
    for episode in draw:
        scenes.append(SceneRecord.of(episode))
        watch(episode)
    return Deepening(
        certificate=certificate.hash,
        look=ahead[0],
        scenes=tuple(scenes),
        drawn=draw.next_index,
        discarded=draw.discarded + (0 if previous is None else previous.discarded),
        steps=draw.steps + (0 if previous is None else previous.steps),
        fingerprint=here,
    )


def check_belongs(certificate: Certificate, task: Task, closure: Closure) -> None:
    """Check that a certificate speaks about a task and a closure.

    Raises:
        TaskError: If it does not.
    """
    if certificate.task != task.hash:
        raise TaskError("the certificate is for another task than the one given")
    if certificate.closure != closure.hash:
        raise TaskError("the certificate is for another program than the one given")


def _check(task: Task, closure: Closure) -> None:
    task.check_program(closure.entry)
    unknown = sorted(
        program.name
        for key, program in closure.programs.items()
        if key != closure.root and key not in closure.contracts
    )
    if unknown:
        raise ProgramError(
            f"the contract of {unknown[0]!r} is unknown, so nobody could say whether its calls "
            "kept it; call certified skills only"
        )
