"""What a skill calls and what calls it, as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from voyager.browsing.told import Graph, Node
from voyager.tui.text import one_line
from voyager.tui.vim import CHOOSING


class GraphPane(Tree[str]):
    """Shows two trees under one root; a node leads to its skill."""

    HELP = "Enter on a skill goes there. Space folds and unfolds."
    BINDINGS: ClassVar[list[BindingType]] = [*CHOOSING]

    class SkillAsked(Message):
        """Somebody wants to see another skill."""

        def __init__(self, name: str) -> None:
            """Take its name."""
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        """Make an empty tree."""
        super().__init__("skill")
        self.show_root = False
        self.guide_depth = 3

    def show(self, told: Graph) -> None:
        """Show the neighbours of a skill."""
        self.clear()
        calls = f"calls {_many(told.callees)}"
        self._branch(calls, told.callees)
        called = f"called by {_many(told.callers)}"
        self._branch(f"{called}; it {told.use}" if told.use else called, told.callers)
        self.cursor_line = 1 if told.callees else 2 if told.callers else 0

    def _branch(self, title: str, nodes: Sequence[Node]) -> None:
        branch = self.root.add(Text(title, style="bold"), expand=True, allow_expand=bool(nodes))
        for node in nodes:
            self._add(branch, node)

    def _add(self, branch: TreeNode[str], node: Node) -> None:
        told = Text(one_line(node.name), style="bold")
        told.append(f"  {one_line(node.promise)}", style="not bold")
        if not node.current:
            told.append("  (an earlier version)", style="not bold italic")
        if node.cut:
            told.append("  …", style="not bold")
        if not node.more:
            branch.add_leaf(told, data=node.name)
            return
        inner = branch.add(told, data=node.name, expand=True)
        for one in node.more:
            self._add(inner, one)

    def on_tree_node_selected(self, event: Tree.NodeSelected[str]) -> None:
        """Go to the skill of a node."""
        event.stop()
        if event.node.data:
            self.post_message(self.SkillAsked(event.node.data))

    auto_expand = False


def _many(nodes: Sequence[Node]) -> str:
    return {0: "no other skill", 1: "1 skill"}.get(len(nodes), f"{len(nodes)} skills")
