"""Help: every key, the command behind every action, and what the part with the keys is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from voyager.tui.keys import key_groups
from voyager.tui.text import safe
from voyager.tui.vim import SCROLLING


class HelpScreen(ModalScreen[None]):
    """Shows help until it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "leave", "Back", id="help.leave"),
    ]
    AUTO_FOCUS = "HelpText"

    def __init__(self, here: str, twins: Sequence[tuple[str, str]]) -> None:
        """Take what helps here.

        Args:
            here: About the part that has the keys, in one or two sentences.
            twins: (action, command line) pairs.
        """
        super().__init__()
        self._here = here
        self._twins = twins

    def compose(self) -> ComposeResult:
        """One long text."""
        with Vertical(classes="help"):
            yield Label(safe("help", "bold"), classes="dialog-title")
            with HelpText():
                if self._here:
                    yield Static(safe(self._here.replace("`", "")), classes="help-here")
                yield Static(_keys())
                yield Static(safe("Each action is a command", "bold"), classes="help-title")
                yield Static(_table(self._twins))

    def action_leave(self) -> None:
        """Leave."""
        self.dismiss(None)


class HelpText(VerticalScroll, can_focus=True):
    """The text, which scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]


def _keys() -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column()
    for group in key_groups():
        made.add_row(Text(group.title, style="bold"), Text(""))
        for key in group.keys:
            made.add_row(Text(f"  {key.keys}"), Text(key.what))
    return made


def _table(pairs: Sequence[tuple[str, str]]) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, line in pairs:
        made.add_row(Text(f"  {name}"), Text(line))
    return made
