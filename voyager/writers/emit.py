"""From a plan to the text of a program: readable, typed, documented, with a lock."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from env.goal_forms import Atom
from env.goals import Goal
from env.program import Program, kind_annotation
from env.task import Task
from voyager.writers.grammar import ForEach, Step, UseSkill

_TRIES = 3
TRIES = f"Tries up to {_TRIES} times"
"""What the docstring of a program says that tries again."""
_NONE: Mapping[Step, Collection[Atom]] = {}
ONCE = "_once"
"""Name of the function that does it once, in a program that tries again."""
_LOOKS = ("holding", "position", "size", "yaw", "gripper_position", "gripper_width", "kind")


def write_program(
    name: str,
    task: Task,
    steps: Sequence[Step],
    *,
    retry: bool = False,
    purposes: Mapping[Step, Collection[Atom]] = _NONE,
) -> Program:
    """Write a plan as a program.

    Args:
        name: Name of the skill.
        task: What it does; gives parameters, kinds and the docstring.
        steps: The plan.
        retry: Wrap the plan in retry-until-checked (at most three times); what it checks is the
            goal as the robot API can observe it, or else whether every action went well.
        purposes: What steps are there for, as far as it is known. If each one's can be observed, a
            step is not done (again) where that is seen already: a teleo-reactive program (Nilsson,
            1994), which repairs what a later step has undone and leaves the rest alone.

    Returns:
        The program.
    """
    lock = {s.name: s.program_hash for s in map(_skill_of, steps) if s is not None}
    names = set().union(*(step.calls for step in steps))
    body: list[str] = []
    unless = _unless(task, steps, purposes) if retry else None
    for index, step in enumerate(steps):
        if unless is None:
            body += step.lines()
        else:
            body += [f"if not ({unless[index]}):", *(f"    {line}" for line in step.lines())]
    signature = _signature(task)
    names |= {kind_annotation(kind) for _, kind in task.parameters}
    lines = []
    if retry:
        lines += [f"def {ONCE}({signature}) -> None:", *(f"    {line}" for line in body), "", ""]
        lines += until_done(name, task, task.kinds)
        names |= needed_for(lines)
    else:
        lines += [f"def {name}({signature}) -> None:", *docstring(task, retry=False)]
        lines += [f"    {line}" for line in body]
    head = ["import math", ""] if any("math." in line for line in lines) else []
    head += [import_line("robot", in_order(names))]
    head += [f"from skills.{callee} import {callee}" for callee in sorted(lock)]
    return Program.parse("\n".join([*head, "", "", *lines]) + "\n", lock)


def until_done(name: str, task: Task, order: Iterable[str]) -> list[str]:
    """The lines of a function that calls `_once` until it sees that it is done.

    Where the goal cannot be seen, it is done when no action has failed.

    Args:
        name: Of the function.
        task: Gives parameters, kinds and the docstring.
        order: The parameters as `_once` takes them.
    """
    check = observed(task.goal)
    return [
        f"def {name}({_signature(task)}) -> None:",
        *docstring(task, retry=True),
        f"    for _ in range({_TRIES}):",
        "        try:",
        f"            {ONCE}({', '.join(order)})",
        *(["            return"] if check is None else []),
        "        except ActionError as error:",
        "            say(error.message)",
        *([] if check is None else [f"        if {check}:", "            return"]),
    ]


def needed_for(lines: Iterable[str]) -> set[str]:
    """Names of the robot API that a program needs which tries again."""
    text = " ".join(lines)
    return {"ActionError", "say"} | {name for name in _LOOKS if re.search(rf"\b{name}\(", text)}


def _signature(task: Task) -> str:
    return ", ".join(f"{p}: {kind_annotation(kind)}" for p, kind in task.parameters)


def _unless(
    task: Task, steps: Sequence[Step], purposes: Mapping[Step, Collection[Atom]]
) -> list[str] | None:
    """What is seen where a step need not be done; None if that is not known of each of several."""
    # Only what has to be true as it stands: not what is denied, counted or one of two ways.
    wanted = [part for part in task.goal.conjuncts if isinstance(part, Atom)]
    found = [
        _observed(task.goal, (atom for atom in wanted if atom in purposes.get(step, ())))
        for step in steps
    ]
    known = [text for text in found if text is not None]
    return known if len(known) == len(steps) > 1 else None


def _skill_of(step: Step) -> UseSkill | None:
    if isinstance(step, ForEach):
        return step.skill
    return step if isinstance(step, UseSkill) else None


def in_order(names: Iterable[str]) -> list[str]:
    """Names as an import lists them: those of kinds and errors first."""
    return sorted(names, key=lambda name: (name.islower(), name.lower()))


def import_line(module: str, names: Sequence[str]) -> str:
    """An import of these names, in lines of at most 96 characters."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 96:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def docstring(task: Task, *, retry: bool) -> list[str]:
    """The lines of a program's docstring, indented.

    Args:
        task: What the program does.
        retry: Whether it tries again until it is done.
    """
    found = [_quotable(task.instruction).rstrip(".") + "."]
    if _quotable(task.goal.text) not in found[0]:
        found += ["", f"Makes this true: {_quotable(task.goal.text)}"]
    if retry:
        seen = "it sees that it is done" if observed(task.goal) else "no action has failed"
        found += ["", f"{TRIES}, until {seen}."]
    if task.parameters:
        found += ["", "Args:", *(f"    {p}: A {kind}." for p, kind in task.parameters)]
    found[0] = f'"""{found[0]}'
    if len(found) == 1:
        return [f'    {found[0]}"""']
    return [f"    {line}" if line else "" for line in [*found, '"""']]


def _quotable(text: str) -> str:
    """Words that stay words inside a docstring, whoever wrote them."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split()).replace("\\", "\\\\").replace('"', '\\"')


def observed(goal: Goal) -> str | None:
    """The goal as an expression over the robot API, or None when it cannot be seen so.

    Conjuncts that have no observable form are left out as long as one has: the check ends a
    retry early, it does not judge.
    """
    return _observed(goal, (part for part in goal.conjuncts if isinstance(part, Atom)))


def _observed(goal: Goal, atoms: Iterable[Atom]) -> str | None:
    own: Mapping[str, str] = {p: p for p, _ in goal.parameters}
    parts = [text for atom in atoms if (text := atom.observe(own)) is not None]
    return " and ".join(f"({text})" if len(parts) > 1 else text for text in parts) or None


def name_for(goal: Goal) -> str:
    """A name for a skill, from the verbs of the goal's predicates alone.

    No counts and no object names: a verb that is needed more than once is done "in turn".
    """
    atoms = [piece for part in goal.conjuncts for piece in part.walk() if isinstance(piece, Atom)]
    # Getting clear and keeping still end most skills; they name one only if nothing else does.
    telling = [atom for atom in atoms if atom.arguments and atom.predicate != "still"] or atoms
    verbs = [atom.declared.verb for atom in telling]
    unique = dict.fromkeys(f"{v}_in_turn" if verbs.count(v) > 1 else v for v in verbs)
    return "_and_".join(unique) or "reach_goal"
