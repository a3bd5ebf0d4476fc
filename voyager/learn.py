"""Learn one skill: what `voyager learn` does, and any program that wants a single skill.

task, library -> learn(...) -> LearnReport
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from curriculum.situation import Unfinished
from env.actions import ACTIONS
from env.errors import TaskError
from env.executors import Executor
from env.outcome import Outcome
from env.starts import Handover
from env.task import Task
from skill_store.library import Library
from skill_store.routing import Decision, route
from skill_store.skill import Skill
from skill_store.staleness import mark_stale
from voyager.events import Watch, nobody
from voyager.lesson import LearnReport, Lesson
from voyager.writers.base import Brief, Budget, Ledger, Standing, Writer
from voyager.writers.emit import name_for
from voyager.writers.search import SearchWriter

__all__ = ["LearnReport", "brief_for", "learn"]

_SCENES_A_SEED: Final = 100_000
"""Practice scenes of two run seeds are this far apart, so runs with other seeds see others."""
_NOT_SEEN: Final[Mapping[str, Collection[str]]] = {}
_SCENES_A_TRY: Final = 5_000
"""The same for tries of one task in one home: a task that comes back meets fresh scenes."""


def learn(
    task: Task,
    library: Library,
    *,
    executor: Executor,
    steps: int,
    lanes: int = 4,
    name: str | None = None,
    use_library: bool = True,
    seed: int = 0,
    writer: Writer | None = None,
    watch: Watch = nobody,
) -> LearnReport:
    """Learn a skill for a task and put it into a library.

    A skill whose contract implies the goal is what is wanted already, whatever it was learned for.

    Args:
        task: What is wanted.
        library: Opened for learning.
        executor: Where to simulate; the result does not depend on its workers.
        steps: Physics steps that may be simulated to test the task and to write a program; a
            certification comes on top.
        lanes: Practice scenes that are searched side by side.
        name: Name of the skill; made from the goal if None.
        use_library: Whether the program may call library skills, and scenes begin after them.
        seed: Of the run: which practice scenes are looked at.
        writer: Proposes programs; the search without a model if None.
        watch: Is told what happens.

    Returns:
        The report.

    Raises:
        TaskError: If the task is refused (true at the start, solved by doing nothing...) or
            the name cannot name a skill.
        StorageError: If the library cannot be read or written.
        SandboxError: If the sandbox failed; nothing is lost.
        SimulatorError: If the simulator failed; nothing is lost.
    """
    mark_stale(library)
    known = library.find(task.hash)
    if known is None and use_library:
        found = route(library, task)
        if found.decision is Decision.RUN and found.skill is not None:
            known = library.get(found.skill)
    if known is not None:
        return LearnReport(Outcome.SOLVED, skill=known, certificate=known.certificate, known=True)
    brief = brief_for(
        task,
        library,
        executor=executor,
        ledger=Ledger(Budget(steps), watch),
        lanes=lanes,
        name=name,
        use_library=use_library,
        seed=seed,
    )
    return Lesson(library, brief, writer or SearchWriter()).run()


def brief_for(
    task: Task,
    library: Library,
    *,
    executor: Executor,
    ledger: Ledger,
    lanes: int,
    name: str | None = None,
    use_library: bool = True,
    seed: int = 0,
    tries: int = 0,
    moves: Mapping[str, Collection[str]] = _NOT_SEEN,
    unfinished: Sequence[Unfinished] = (),
    patience: int | None = None,
) -> Brief:
    """What a writer is given for a task.

    Args:
        task: What is wanted; its parameters are called as when the library first met it.
        library: Whose skills may be called.
        executor: Where to simulate.
        ledger: What may be spent, and who is told.
        lanes: Practice scenes that are searched side by side.
        name: Name of the skill; made from the goal if None.
        use_library: Whether the program may call library skills, and scenes begin after them.
        seed: Of the run.
        tries: How often this task was attempted before in this home.
        moves: Parameters whose objects a skill was seen to move, by its name.
        unfinished: Programs that did not hold, and went well with some kinds of objects.
        patience: Simulated steps within which a search must have found a plan.

    Returns:
        The brief.

    Raises:
        TaskError: If the name cannot name a skill.
        StorageError: If the library cannot be read.
    """
    task = library.journal.as_first_worded(task)
    callees = library.callees_for(task) if use_library else ()
    return Brief(
        task=task,
        name=_free_name(library, task, name),
        skills=_offers(callees),
        handovers=_offers(library.handovers_for(task)) if use_library else (),
        first_scene=seed * _SCENES_A_SEED + tries * _SCENES_A_TRY,
        lanes=lanes,
        ledger=ledger,
        executor=executor,
        standings={skill.closure.root: _standing(skill) for skill in callees},
        moves=moves,
        unfinished=unfinished,
        patience=patience,
    )


def _free_name(library: Library, task: Task, wanted: str | None) -> str:
    """The name asked for, or one from the goal; with the last kind if that is taken."""
    known = library.name_of(task.hash)
    if known is not None:
        return known  # a skill out of use: what is learned now takes its place
    if wanted is not None:
        check_name(wanted)
    name = wanted or name_for(task.goal)
    free = library.free_name(name, task.hash)
    if free == name or wanted or not task.parameters:
        return free
    return library.free_name(f"{name}_{task.parameters[-1][1]}", task.hash)


def check_name(name: str) -> None:
    """Refuse a name that no program could have, before anything is paid for it."""
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise TaskError(f"{name!r} cannot name a skill; use letters, digits and underscores")
    if name in ACTIONS or name.startswith("_"):
        raise TaskError(f"{name!r} is taken by the robot API or private; choose another name")


def _standing(skill: Skill) -> Standing:
    return Standing(skill.certificate.solved, skill.certificate.n, skill.bound)


def _offers(skills: tuple[Skill, ...]) -> tuple[Handover, ...]:
    return tuple(Handover(skill.closure.with_contract(skill.task), skill.task) for skill in skills)
