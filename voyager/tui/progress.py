"""How far a home has come, as a tree: milestones, solved and failed tasks, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

from voyager.browsing.twins import Running, Twin
from voyager.tui.text import one_line, safe

_OPEN: Final = frozenset({"milestones", "frontier"})
_WAIT: Final = "reading the journal…"


class ProgressPane(Widget):
    """Shows how far a home has come; read by `voyager progress` in a process of its own."""

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
        self._twin = Twin(("progress", *named), home)
        self._reading: Running | None = None
        self._read = False

    def compose(self) -> ComposeResult:
        """The tree, and what there is to say about the line under the cursor."""
        with Vertical():
            yield Static(_WAIT, id="progress-head")
            tree: Tree[Mapping[str, Any]] = Tree("", id="progress-tree")
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
            done = await self._reading.wait()
        except OSError as error:
            head.update(safe(f"no process can be started: {error}", "$text-error"))
            return
        if done.error or not done.record:
            head.update(safe(done.error or "nothing was told", "$text-error"))
            return
        self.show(done.record)

    def show(self, record: Mapping[str, Any]) -> None:
        """Show a record of `voyager progress --json`."""
        self._read = True
        milestones = record["milestones"]
        met = sum(one["skill"] is not None for one in milestones)
        self.query_one("#progress-head", Static).update(
            safe(
                f"{len(record['solved'])} tasks solved, {len(record['failed'])} failed, "
                f"{len(record['refused'])} refused; milestones {met} of {len(milestones)}",
                "bold",
            )
        )
        tree: Tree[Mapping[str, Any]] = self.query_one("#progress-tree", Tree)
        tree.clear()
        above = _branch(tree, "milestones", f"Milestones, {met} of {len(milestones)} reached")
        _add_milestones(above, milestones)
        _add(tree, "frontier", "Frontier: what comes next", record["frontier"])
        _add(tree, "waiting", "Asked for by users", [{"goal": g} for g in record["waiting"]])
        _add(tree, "solved", "Solved", record["solved"])
        _add(tree, "failed", "Failed", record["failed"])
        _add(tree, "refused", "Refused: not worth learning", record["refused"])

    @on(Tree.NodeHighlighted, "#progress-tree")
    def _highlighted(self, event: Tree.NodeHighlighted[Mapping[str, Any]]) -> None:
        foot = self.query_one("#progress-foot", Static)
        foot.update(Content("\n").join(list(_told(event.node.data or {}))))

    @on(Tree.NodeSelected, "#progress-tree")
    def _selected(self, event: Tree.NodeSelected[Mapping[str, Any]]) -> None:
        data = event.node.data or {}
        if data.get("skill"):
            self.post_message(self.SkillChosen(str(data["skill"])))
        elif "parameters" in data:
            pairs = tuple((str(name), str(kind)) for name, kind in data["parameters"])
            self.post_message(self.TaskChosen(str(data["goal"]), pairs))


def _branch(tree: Tree[Mapping[str, Any]], key: str, title: str) -> TreeNode[Mapping[str, Any]]:
    return tree.root.add(Text(title, "bold"), expand=key in _OPEN)


def _add(
    tree: Tree[Mapping[str, Any]], key: str, title: str, lines: Sequence[Mapping[str, Any]]
) -> None:
    node = _branch(tree, key, f"{title} ({len(lines)})")
    for line in lines:
        label = Text()
        if line.get("times"):
            label.append("✓ " if line.get("skill") else "✗ ", "green" if line["skill"] else "red")
        label.append(one_line(line["goal"]))
        if line.get("skill"):
            label.append(f"  {one_line(line['skill'])}", "green")
        elif line.get("times", 0) > 1:
            label.append(f"  {line['times']} times", "dim")
        node.add_leaf(label, line)


def _add_milestones(
    above: TreeNode[Mapping[str, Any]], milestones: Sequence[Mapping[str, Any]]
) -> None:
    levels = sorted({one["level"] for one in milestones})
    beyond = [one["level"] for one in milestones if one["skill"] is None]
    for level in levels:
        here = [one for one in milestones if one["level"] == level]
        met = sum(one["skill"] is not None for one in here)
        node = above.add(
            Text(f"level {level}, {met} of {len(here)}"), expand=bool(met) or level == min(beyond)
        )
        for one in here:
            label = Text("· ", "dim")
            if one["skill"] is not None:
                label = Text("✓ ", "green")
            label.append(f"{one['name']:<20}", "bold" if one["skill"] is not None else "none")
            if one["skill"] is not None:
                label.append(f"  {one_line(one['skill'])}", "green")
            else:
                label.append(f"  {one_line(one['goal'])}", "dim")
            node.add_leaf(label, one)


def _told(data: Mapping[str, Any]) -> Iterable[Content]:
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
