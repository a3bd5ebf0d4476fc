"""The scenes of a record as a grid: each a cell, told by a sign and a colour."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from voyager.browsing.told import Cell, Grid
from voyager.tui.text import plain

CELL: Final = 3
"""Columns of a cell, the gap beside it included."""


class SeedGrid(Widget, can_focus=True):
    """Shows one record; a cell can be chosen, and its scene be watched."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "seed-grid--title",
        "seed-grid--solved",
        "seed-grid--failed",
        "seed-grid--cursor",
    }
    HELP = "Each cell is a scene that the program had not seen. Enter shows what happened there."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "move(-1)", "Left", show=False, id="grid.left"),
        Binding("l,right", "move(1)", "Right", show=False, id="grid.right"),
        Binding("j,down", "row(1)", "Down", show=False, id="grid.down"),
        Binding("k,up", "row(-1)", "Up", show=False, id="grid.up"),
        Binding("n", "failed(1)", "Next failure", id="grid.next_failure"),
        Binding("N", "failed(-1)", "Previous failure", show=False, id="grid.previous_failure"),
        Binding("enter,o", "watch", "Watch", key_display="⏎", id="grid.watch"),
    ]

    cursor: reactive[int] = reactive(0)

    class Chosen(Message):
        """A cell is under the cursor."""

        def __init__(self, cell: Cell) -> None:
            """Take the cell."""
            super().__init__()
            self.cell = cell

    class WatchAsked(Message):
        """The scene of a cell is to be watched."""

        def __init__(self, cell: Cell) -> None:
            """Take the cell."""
            super().__init__()
            self.cell = cell

    def __init__(self, grid: Grid) -> None:
        """Take a record."""
        super().__init__()
        self.grid = grid
        failed = (at for at, cell in enumerate(grid.cells) if not cell.solved)
        self.set_reactive(SeedGrid.cursor, next(failed, 0))

    @property
    def cell(self) -> Cell | None:
        """The cell under the cursor; None in an empty record."""
        return self.grid.cells[self.cursor] if self.grid.cells else None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A title, and as many rows as it takes."""
        return 1 + -(-len(self.grid.cells) // self._across(width))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width, base = self.size.width, self.rich_style
        if y == 0:
            solved = sum(cell.solved for cell in self.grid.cells)
            told = f"{plain(self.grid.title)}: {solved} of {len(self.grid.cells)} solved"
            title = self.get_component_rich_style("seed-grid--title")
            return Strip([Segment(told, title)]).adjust_cell_length(width, base)
        across = self._across(width)
        segments = []
        for at in range((y - 1) * across, min(y * across, len(self.grid.cells))):
            cell = self.grid.cells[at]
            name = "solved" if cell.solved else "failed"
            style = self.get_component_rich_style(f"seed-grid--{name}")
            sign = "✓" if cell.solved else "✗"
            if at == self.cursor and self.has_focus:
                style = self.get_component_rich_style("seed-grid--cursor")
                segments += [Segment(f"[{sign}", style), Segment("]", style)]
            else:
                # A dot beside it: the scene began where another skill had ended.
                mark = "·" if cell.after else " "
                segments += [Segment(f"{sign}{mark}", style), Segment(" ", base)]
        return Strip(segments).adjust_cell_length(width, base)

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor in the record."""
        return max(0, min(cursor, len(self.grid.cells) - 1))

    def watch_cursor(self) -> None:
        """Tell who is chosen now."""
        self._tell()

    def on_focus(self) -> None:
        """Tell who is chosen here."""
        self._tell()
        self.refresh()

    def on_blur(self) -> None:
        """The cursor is drawn where the keys go only."""
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move the cursor along."""
        self.cursor += by

    def action_row(self, by: int) -> None:
        """Move the cursor by rows."""
        across = self._across(self.size.width)
        if 0 <= self.cursor + by * across < len(self.grid.cells):
            self.cursor += by * across
        elif by > 0:
            self.screen.focus_next(SeedGrid)
        else:
            self.screen.focus_previous(SeedGrid)

    def action_failed(self, by: int) -> None:
        """Move to the next scene that was not solved, around the end if need be."""
        failed = [at for at, cell in enumerate(self.grid.cells) if not cell.solved]
        if failed:
            ahead = [at for at in failed if (at - self.cursor) * by > 0]
            self.cursor = (ahead or failed)[0 if by > 0 else -1]

    def action_watch(self) -> None:
        """Watch the scene under the cursor."""
        if self.cell is not None:
            self.post_message(self.WatchAsked(self.cell))

    def on_click(self, event: events.Click) -> None:
        """Choose a cell; a failed one, or one that is clicked twice, is watched."""
        at = (event.y - 1) * self._across(self.size.width) + event.x // CELL
        if event.y < 1 or not 0 <= at < len(self.grid.cells):
            return
        self.cursor = at
        if event.chain == 2 or not self.grid.cells[at].solved:
            self.action_watch()

    def _tell(self) -> None:
        if self.cell is not None:
            self.post_message(self.Chosen(self.cell))

    def _across(self, width: int) -> int:
        fit = max(1, width // CELL)
        # Tens are easy to count.
        return fit - fit % 10 if fit >= 10 else fit
