"""The program of a skill, highlighted."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.highlight import highlight
from textual.widgets import Static

from voyager.browsing.told import Code
from voyager.tui.text import plain
from voyager.tui.vim import SCROLLING


class CodePane(ScrollableContainer, can_focus=True):
    """Shows one program with the numbers of its lines; long ones are scrolled to, not cut."""

    HELP = "The program that stands for this skill. `y` copies it, `e` edits it."
    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="code-text")

    def show(self, told: Code) -> None:
        """Show a program."""
        lines = highlight(plain(told.source).rstrip("\n"), language="python").split("\n")
        width = len(str(len(lines)))
        numbered = [
            Content.assemble((f"{number:>{width}} ", "$foreground 40%"), line)
            for number, line in enumerate(lines, start=1)
        ]
        self.query_one("#code-text", Static).update(Content("\n").join(numbered))
        self.scroll_home(animate=False)
