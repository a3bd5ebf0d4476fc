"""The attempts at the task of a skill, with the programs that each of them tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.highlight import highlight
from textual.widgets import Static, Tree
from textual.widgets.tree import TreeNode

from voyager.browsing.told import AttemptLine, Attempts, DraftLine
from voyager.tui.text import facts, one_line, plain, since
from voyager.tui.vim import CHOOSING


class AttemptTree(Tree[AttemptLine | DraftLine]):
    """Attempts, the newest first, and below each the tree of its drafts."""

    HELP = "Every try at this goal, and why it was made. Below it the programs that it tried."
    BINDINGS: ClassVar[list[BindingType]] = [*CHOOSING]


class AttemptsPane(Vertical):
    """Shows the attempts at one task."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the source of the present moment."""
        super().__init__()
        self._clock = clock

    def compose(self) -> ComposeResult:
        """A tree, and a text about what is chosen in it."""
        tree: AttemptTree = AttemptTree("attempts")
        tree.show_root = False
        tree.guide_depth = 3
        yield tree
        with VerticalScroll(can_focus=False):
            yield Static(id="attempt-text")

    def show(self, told: Attempts) -> None:
        """Show attempts."""
        tree = self.query_one(AttemptTree)
        tree.clear()
        for attempt in told.lines:
            text = Text(f"attempt {attempt.id}  ", style="bold")
            text.append(attempt.outcome.replace("_", " "), style="not bold")
            text.append(f"  {since(attempt.began, self._clock())}", style="not bold dim")
            if not attempt.drafts:
                tree.root.add_leaf(text, data=attempt)
                continue
            branch = tree.root.add(text, data=attempt, expand=True)
            nodes: dict[int | None, TreeNode[AttemptLine | DraftLine]] = {None: branch}
            for draft in attempt.drafts:
                value = "not run" if draft.value is None else f"{draft.value:+.3f}"
                shown = Text(f"draft {draft.id}  {one_line(draft.outcome)}  {value}")
                above = nodes.get(draft.parent, branch)
                nodes[draft.id] = above.add(shown, data=draft, expand=True)
        tree.root.expand()
        told_now = self.query_one("#attempt-text", Static)
        told_now.update("" if told.lines else Text("Nobody noted an attempt at this goal."))
        if told.lines:
            tree.cursor_line = 0
            self._tell(told.lines[0])

    def on_tree_node_highlighted(
        self, event: Tree.NodeHighlighted[AttemptLine | DraftLine]
    ) -> None:
        """Tell about what is chosen."""
        event.stop()
        if event.node.data is not None:
            self._tell(event.node.data)

    def _tell(self, chosen: AttemptLine | DraftLine) -> None:
        text = self.query_one("#attempt-text", Static)
        if isinstance(chosen, DraftLine):
            feedback = plain(chosen.feedback).strip() or "It was told nothing."
            commented = "\n".join(f"# {line}" for line in feedback.splitlines())
            text.update(highlight(f"{commented}\n\n{plain(chosen.source)}", language="python"))
            return
        pairs = [("outcome", chosen.outcome.replace("_", " "))]
        if chosen.reason:
            pairs.append(("reason", chosen.reason))
        if chosen.why:
            pairs.append(("chosen by", f"{chosen.proposer}: {chosen.why}"))
        if chosen.steps is not None:
            pairs.append(("steps", f"{chosen.steps:,} simulated"))
        if chosen.seconds is not None:
            pairs.append(("took", f"{chosen.seconds:,.0f} s"))
        text.update(facts([*pairs, *chosen.facts]))
