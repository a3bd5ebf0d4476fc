"""The last line: the keys of what has them."""

from __future__ import annotations

from textual.screen import Screen
from textual.widgets import Footer


class KeyLine(Footer):
    """Shows keys from the first list on: its dozen widgets would hold that up."""

    def __init__(self) -> None:
        """Make an empty line."""
        super().__init__(compact=True)
        self._begun = False

    def begin(self) -> None:
        """Show the keys from now on."""
        if not self._begun:
            self._begun = True
            # By its own hand: what it makes is bound to whoever is at work.
            self.call_later(self.bindings_changed, self.screen)

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Make the line anew, once it has begun."""
        if self._begun:
            super().bindings_changed(screen)
