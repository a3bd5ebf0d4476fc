"""Keys for those whose hands know them from an editor, the same in everything that moves."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

SCROLLING: Final = [
    Binding("j", "scroll_down", "Down", show=False, id="scroll.down"),
    Binding("k", "scroll_up", "Up", show=False, id="scroll.up"),
    Binding("g", "scroll_home", "Top", show=False, id="scroll.first"),
    Binding("G", "scroll_end", "Bottom", show=False, id="scroll.last"),
    Binding("ctrl+d", "page_down", "Page down", show=False, id="scroll.page_down"),
    Binding("ctrl+u", "page_up", "Page up", show=False, id="scroll.page_up"),
]
"""Of panes that scroll."""

CHOOSING: Final = [
    Binding("j", "cursor_down", "Next", show=False, id="choose.down"),
    Binding("k", "cursor_up", "Previous", show=False, id="choose.up"),
]
"""Of lists, tables and trees with a cursor."""
