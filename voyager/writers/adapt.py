"""Known programs on other kinds of objects: what a skill does with balls may work with blocks.

Where a skill's contract would imply the goal if only its kinds were others, its program is
written once more for the kinds of the task. Whether it works is for practice to say.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence

from curriculum.gates import renamings
from curriculum.situation import Unfinished
from env.errors import ProgramError
from env.kinds import is_a
from env.program import Program, kind_annotation
from env.starts import Handover
from env.task import Task
from voyager.writers.emit import (
    ONCE,
    TRIES,
    docstring,
    import_line,
    in_order,
    needed_for,
    until_done,
)

MOST = 4
"""Programs that are tried before anything is searched for."""


def adaptations(name: str, task: Task, skills: Sequence[Handover]) -> tuple[Program, ...]:
    """Programs of skills, written for the kinds of a task.

    Args:
        name: What the program is to be called.
        task: What is wanted.
        skills: Certified skills; those that promise least beside the goal come first.

    Returns:
        At most `MOST`, each once. None is of a skill that covers the kinds already.
    """
    found: dict[str, Program] = {}
    for skill in sorted(reversed(skills), key=lambda skill: len(skill.task.goal.conjuncts)):
        for renaming in _renamings(task, skill.task):
            program = retyped(skill.closure.entry, name, task, renaming)
            if program is not None:
                found.setdefault(program.hash, program)
    return tuple(itertools.islice(found.values(), MOST))


def _renamings(task: Task, known: Task) -> Iterator[dict[str, str]]:
    """The task's parameter by the skill's, wherever only the kinds stand against it."""
    mine, wanted = known.parameters, task.parameters
    if len(mine) != len(wanted):
        return
    for chosen in itertools.permutations(wanted):
        pairs = list(zip(mine, chosen, strict=True))
        if all(is_a(kind, covered) for (_, covered), (_, kind) in pairs):
            continue
        if known.goal.implies(task.goal, {name: own for (own, _), (name, _) in pairs}):
            yield {own: name for (own, _), (name, _) in pairs}


def finishing(name: str, task: Task, unfinished: Sequence[Unfinished]) -> tuple[Program, ...]:
    """Programs that went well with some kinds of objects, written for those of a task.

    Args:
        name: What the program is to be called.
        task: What is wanted.
        unfinished: Of tasks about more kinds; the newest come first.

    Returns:
        At most `MOST`, each once.
    """
    found: dict[str, Program] = {}
    for known in reversed(unfinished):
        if len(known.task.kinds) != len(task.kinds):
            continue
        for renaming in renamings(known.task, task):
            if not known.task.goal.implies(task.goal, renaming):
                continue
            back = {own: new for new, own in renaming.items()}
            if (program := retyped(known.program, name, task, back)) is not None:
                found.setdefault(program.hash, program)
    return tuple(itertools.islice(found.values(), MOST))


def retyped(program: Program, name: str, task: Task, renaming: Mapping[str, str]) -> Program | None:
    """A program under another name, for other kinds of objects.

    Args:
        program: What is there.
        name: New name of its public function.
        task: Gives the kinds, and what the docstring says.
        renaming: New parameter by old parameter, all of them.

    Returns:
        The program; None if it cannot be written so, because a name would mean two things or
        the static checks refuse it.
    """
    tree = ast.parse(program.source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    fresh = {*renaming.values(), name} - {*renaming, program.name}
    if fresh & used or len({*renaming.values()}) < len(renaming):
        return None
    text = _Text(program.source)
    kinds = {old: task.kinds[new] for old, new in renaming.items()}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            _retype(text, node, program.name, name, renaming, kinds)
            if node.name == program.name and (said := _documented(node)) is not None:
                text.replace_lines(said, docstring(task, retry=TRIES in program.doc))
        elif isinstance(node, ast.Name) and node.id in renaming:
            text.replace(node, renaming[node.id])
        elif isinstance(node, ast.ImportFrom) and node.module == "robot":
            old = {kind_annotation(program.kinds[own]) for own in renaming}
            new = {kind_annotation(kind) for kind in kinds.values()}
            names = ({alias.name for alias in node.names} - old) | new
            text.replace_lines(node, import_line("robot", in_order(names)).split("\n"))
    try:
        return Program.parse(text.written(), program.lock)
    except ProgramError:
        return None


def retrying(program: Program, task: Task) -> Program | None:
    """A program that tries again until it is done, see `emit.until_done`.

    Args:
        program: One that does not do so yet.
        task: What it is for, with the program's parameters.

    Returns:
        The program; None if it tries again already.
    """
    tree = ast.parse(program.source)
    if f"{ONCE}(" in program.source or TRIES in program.doc:
        return None
    whole = until_done(program.name, task, program.kinds)
    text = _Text(program.source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == program.name:
            text.replace_word(node.lineno, node.col_offset + len("def "), program.name, ONCE)
            if (said := _documented(node)) is not None:
                text.replace_lines(said, [] if len(node.body) > 1 else ["    pass"])
        elif isinstance(node, ast.ImportFrom) and node.module == "robot":
            names = {alias.name for alias in node.names} | needed_for(whole)
            text.replace_lines(node, import_line("robot", in_order(names)).split("\n"))
    lines = []
    if any("math." in line for line in whole) and "import math" not in program.source:
        lines += ["import math", ""]
    lines += [text.written().rstrip("\n"), "", "", *whole, ""]
    try:
        return Program.parse("\n".join(lines), program.lock)
    except ProgramError:
        return None


def _retype(
    text: _Text,
    function: ast.FunctionDef,
    old: str,
    new: str,
    renaming: Mapping[str, str],
    kinds: Mapping[str, str],
) -> None:
    if function.name == old:
        text.replace_word(function.lineno, function.col_offset + len("def "), old, new)
    for argument in function.args.args:
        if argument.arg in renaming:
            written = f"{renaming[argument.arg]}: {kind_annotation(kinds[argument.arg])}"
            text.replace(argument, written)


def _documented(function: ast.FunctionDef) -> ast.stmt | None:
    return function.body[0] if ast.get_docstring(function) is not None else None


class _Text:
    """A source text whose parts are replaced where the syntax tree says they stand."""

    def __init__(self, source: str) -> None:
        self._lines = [line.encode() for line in source.split("\n")]
        self._words: list[tuple[int, int, int, bytes]] = []
        self._blocks: list[tuple[int, int, Sequence[str]]] = []

    def replace(self, node: ast.expr | ast.arg, text: str) -> None:
        """Put other words in the place of a node that stands on one line."""
        end = node.end_col_offset if node.end_col_offset is not None else node.col_offset
        self._words.append((node.lineno - 1, node.col_offset, end, text.encode()))

    def replace_word(self, line: int, column: int, old: str, new: str) -> None:
        """Put a word in the place of another; `line` counts from 1, `column` in bytes from 0."""
        self._words.append((line - 1, column, column + len(old.encode()), new.encode()))

    def replace_lines(self, node: ast.stmt, lines: Sequence[str]) -> None:
        """Put other lines in the place of all lines of a statement."""
        end = node.end_lineno if node.end_lineno is not None else node.lineno
        self._blocks.append((node.lineno - 1, end, lines))

    def written(self) -> str:
        """The text with all replacements made."""
        lines = list(self._lines)
        for line, begin, end, word in sorted(self._words, reverse=True):
            lines[line] = lines[line][:begin] + word + lines[line][end:]
        for begin, end, block in sorted(self._blocks, key=lambda block: -block[0]):
            lines[begin:end] = [text.encode() for text in block]
        return b"\n".join(lines).decode()
