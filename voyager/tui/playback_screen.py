"""A screen for watching one episode."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer

from voyager.browsing.films import Order, Studio
from voyager.tui.playback import Playback


class PlaybackScreen(Screen[None]):
    """Shows the film of an episode until it is left."""

    HELP = "An episode, run again as it is recorded. `o` writes it into a file."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="film.leave"),
    ]

    def __init__(self, studio: Studio, order: Order, title: str = "") -> None:
        """Take who makes films, and which one is to be seen."""
        super().__init__()
        self._studio = studio
        self.order = order
        self._title = title

    def compose(self) -> ComposeResult:
        """The film, and the keys."""
        yield Playback(self._studio)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin."""
        playback = self.query_one(Playback)
        playback.focus()
        playback.show(self.order, self._title)

    def on_playback_written(self, event: Playback.Written) -> None:
        """Say where the file is."""
        self.notify(f"written: {event.path}", markup=False)

    def on_playback_failed(self, event: Playback.Failed) -> None:
        """Say what is wrong."""
        self.notify(event.why, severity="error", markup=False)

    def action_leave(self) -> None:
        """Leave."""
        self.dismiss(None)
