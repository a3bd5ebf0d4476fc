"""How far a home has come, as a tree: milestones, solved and failed tasks, what comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from env.errors import VoyagerError
from voyager.browsing.past import read_past
from voyager.browsing.twins import Running, Twin
from voyager.tui.text import one_line, safe

_WAIT: Final = "reading the journal…"
_LATER: Final = "to be worked out…"
"""Stands for the number of what only the command tells."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree with those below it.

    Attributes:
        key: What makes it the same line when the journal is read again.
        label: What it shows.
        data: What it is about; empty for a line that only stands above others.
        below: The lines below it; None for one that never has any.
        opened: Whether those are shown at first.
    """

    key: str
    label: Text
    data: Record
    below: tuple[Line, ...] | None = None
    opened: bool = False


class ProgressPane(Widget):
    """Shows how far a home has come.

    What it looks back on is read at once; `voyager progress`, in a process of its own, works out
    what is refused and what comes next.
    """

    HELP = (
        "Milestones are a yardstick that the explorer never sees. The frontier is what it would "
        "try next, the most promising first; nothing is simulated to find out."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,g", "reload", "Read again", id="progress.reload"),
    ]

    class SkillChosen(Message):
        """A line that is about a skill was chosen."""

        def __init__(self, name: str) -> None:
            """Name the skill."""
            super().__init__()
            self.name = name

    class TaskChosen(Message):
        """A line that is about a task without a skill was chosen."""

        def __init__(self, goal: str, parameters: tuple[tuple[str, str], ...]) -> None:
            """Name the goal and its (name, kind) pairs."""
            super().__init__()
            self.goal = goal
            self.parameters = parameters

    def __init__(
        self, home: Path, *, extensions: Sequence[str] = (), id: str | None = None
    ) -> None:
        """Read nothing yet.

        Args:
            home: The home folder.
            extensions: Modules that declare kinds and predicates of one's own, where the settings
                do not name them.
            id: Of the widget.
        """
        super().__init__(id=id)
        named = [word for module in extensions for word in ("--extension", module)]
        self._home = home
        self._twin = Twin(("progress", *named), home)
        self._reading: Running | None = None
        self._read = False

    def compose(self) -> ComposeResult:
        """The tree, and what there is to say about the line under the cursor."""
        with Vertical():
            yield Static(_WAIT, id="progress-head")
            tree: Tree[Line] = Tree("", id="progress-tree")
            tree.show_root = False
            yield tree
            yield Static(id="progress-foot")

    def on_show(self) -> None:
        """Read when it is seen for the first time."""
        if not self._read:
            self.action_reload()

    async def on_unmount(self) -> None:
        """End the process that reads."""
        if self._reading is not None:
            await self._reading.stop()

    def action_reload(self) -> None:
        """Read again."""
        self._read = True
        self.run_worker(self._reload(), group="progress", exclusive=True)

    async def _reload(self) -> None:
        head = self.query_one("#progress-head", Static)
        head.update(safe(_WAIT, "$text-muted"))
        if self._reading is not None:
            await self._reading.stop()
        try:
            self._reading = await Running.start(self._twin)
            await self._look_back()
            done = await self._reading.wait()
        except OSError as error:
            head.update(safe(f"no process can be started: {error}", "$text-error"))
            return
        if done.error or not done.record:
            head.update(safe(done.error or "nothing was told", "$text-error"))
            return
        self.show(done.record)

    async def _look_back(self) -> None:
        try:
            self.show(await asyncio.to_thread(read_past, self._home))
        except VoyagerError:
            return  # the command says what is wrong

    def show(self, record: Record) -> None:
        """Show a record of `voyager progress --json`, or as much of one as is known.

        The cursor stays where it is, and what is open stays open, as far as the lines are the same.
        """
        self._read = True
        milestones, refused = record["milestones"], record.get("refused")
        met = sum(one["skill"] is not None for one in milestones)
        told = [f"{len(record['solved'])} tasks solved", f"{len(record['failed'])} failed"]
        if refused is not None:
            told.append(f"{len(refused)} refused")
        self.query_one("#progress-head", Static).update(
            safe(f"{', '.join(told)}; milestones {met} of {len(milestones)}", "bold")
        )
        tree: Tree[Line] = self.query_one("#progress-tree", Tree)
        waiting = [{"goal": goal} for goal in record["waiting"]]
        title = Text(f"Milestones, {met} of {len(milestones)} reached", "bold")
        _grow(
            tree.root,
            (
                Line("milestones", title, {}, _levels(milestones), opened=True),
                _branch("Frontier: what comes next", record.get("frontier"), opened=True),
                _branch("Asked for by users", waiting),
                _branch("Solved", record["solved"]),
                _branch("Failed", record["failed"]),
                _branch("Refused: not worth learning", refused),
            ),
        )
        if tree.cursor_node is not None:
            self._tell(tree.cursor_node)

    def _tell(self, node: TreeNode[Line]) -> None:
        foot = self.query_one("#progress-foot", Static)
        foot.update(Content("\n").join(list(_told(_about(node)))))

    @on(Tree.NodeHighlighted, "#progress-tree")
    def _highlighted(self, event: Tree.NodeHighlighted[Line]) -> None:
        self._tell(event.node)

    @on(Tree.NodeSelected, "#progress-tree")
    def _selected(self, event: Tree.NodeSelected[Line]) -> None:
        data = _about(event.node)
        if data.get("skill"):
            self.post_message(self.SkillChosen(str(data["skill"])))
        elif "parameters" in data:
            pairs = tuple((str(name), str(kind)) for name, kind in data["parameters"])
            self.post_message(self.TaskChosen(str(data["goal"]), pairs))


def _about(node: TreeNode[Line]) -> Record:
    return {} if node.data is None else node.data.data


def _grow(node: TreeNode[Line], lines: Sequence[Line]) -> None:
    """Put lines below a node; if they stand there already, they only tell what is new."""
    there = [child for child in node.children if child.data is not None]
    if [child.data.key for child in there if child.data] != [line.key for line in lines]:
        node.remove_children()
        there = [
            node.add_leaf(line.label, line)
            if line.below is None
            else node.add(line.label, line, expand=line.opened)
            for line in lines
        ]
    for child, line in zip(there, lines, strict=True):
        if child.label != line.label:
            child.set_label(line.label)
        child.data = line
        _grow(child, line.below or ())


def _branch(title: str, records: Sequence[Record] | None, *, opened: bool = False) -> Line:
    number = _LATER if records is None else f"({len(records)})"
    below = tuple(map(_leaf, records or ()))
    return Line(title, Text(f"{title} {number}", "bold"), {}, below, opened)


def _leaf(record: Record) -> Line:
    label = Text()
    if record.get("times"):
        learned = bool(record.get("skill"))
        label.append("✓ " if learned else "✗ ", "green" if learned else "red")
    label.append(one_line(record["goal"]))
    if record.get("skill"):
        label.append(f"  {one_line(record['skill'])}", "green")
    elif record.get("times", 0) > 1:
        label.append(f"  {record['times']} times", "dim")
    return Line(label.plain, label, record)


def _levels(milestones: Sequence[Record]) -> tuple[Line, ...]:
    lines = []
    beyond = [one["level"] for one in milestones if one["skill"] is None]
    for level in sorted({one["level"] for one in milestones}):
        here = [one for one in milestones if one["level"] == level]
        met = sum(one["skill"] is not None for one in here)
        title = Text(f"level {level}, {met} of {len(here)}")
        opened = bool(met) or level == min(beyond)
        lines.append(Line(str(level), title, {}, tuple(map(_milestone, here)), opened))
    return tuple(lines)


def _milestone(record: Record) -> Line:
    skill = record["skill"]
    label = Text("· ", "dim") if skill is None else Text("✓ ", "green")
    label.append(f"{record['name']:<20}", "none" if skill is None else "bold")
    told, style = (record["goal"], "dim") if skill is None else (skill, "green")
    label.append(f"  {one_line(told)}", style)
    return Line(label.plain, label, record)


def _told(data: Record) -> Iterable[Content]:
    if not data:
        return
    pairs = ", ".join(f"{name}: {kind}" for name, kind in data.get("parameters", ()))
    yield safe(one_line(f"{data['goal']}   {pairs}"), "bold")
    if data.get("steps"):
        yield safe(f"{data['times']} attempts, {data['steps']:,} simulated steps", "$text-muted")
    for key in ("reason", "why"):
        if data.get(key):
            yield safe(one_line(data[key]))
    if data.get("waits"):
        yield safe("it comes back when the library has grown", "$text-muted")
    if data.get("at_steps") is not None:
        yield safe(f"reached after {data['at_steps']:,} simulated steps", "$text-muted")
