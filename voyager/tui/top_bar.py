"""The first line: what is looked at, where, and what is under way."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Click
from textual.message import Message
from textual.widgets import Label, Static

from voyager.tui.text import one_line, safe

VIEWS = ("skills", "live", "progress")


class ViewLabel(Label):
    """The name of a view; a click shows it."""

    class Chosen(Message):
        """A view is to be shown."""

        def __init__(self, view: str) -> None:
            """Take its name."""
            super().__init__()
            self.view = view

    def __init__(self, number: int, view: str) -> None:
        """Take a view and its number."""
        super().__init__(safe(f" {number} {view} "), id=f"view-{view}")
        self._view = view

    def on_click(self, event: Click) -> None:
        """Show the view."""
        event.stop()
        self.post_message(self.Chosen(self._view))


class TopBar(Horizontal):
    """Names the views, the home, and what is under way."""

    def __init__(self, home: str) -> None:
        """Take what the home is called."""
        super().__init__()
        self._home = home

    def compose(self) -> ComposeResult:
        """Names of views on the left, the state of things on the right."""
        yield Label("voyager", id="brand")
        for number, view in enumerate(VIEWS, start=1):
            yield ViewLabel(number, view)
        yield Static(id="standing")

    def choose(self, view: str) -> None:
        """Mark the view that is shown."""
        for label in self.query(ViewLabel):
            label.set_class(label.id == f"view-{view}", "-chosen")

    def tell(self, standing: str) -> None:
        """Show the state of things."""
        told = f"{standing}   {one_line(self._home)}" if standing else one_line(self._home)
        self.query_one("#standing", Static).update(safe(told))
