"""What a skill promises, in names and sentences."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from voyager.browsing.told import Contract
from voyager.tui.text import facts
from voyager.tui.vim import SCROLLING


class ContractPane(VerticalScroll, can_focus=True):
    """Shows one contract."""

    HELP = "The promise that the judge tests: what must become true, for what, in which scenes."
    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="contract-text")

    def show(self, told: Contract) -> None:
        """Show a contract."""
        self.query_one("#contract-text", Static).update(facts(told.facts))
        self.scroll_home(animate=False)
