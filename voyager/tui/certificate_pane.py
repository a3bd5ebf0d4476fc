"""Why we believe a skill: its certificate, scene by scene, and what it was made with."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Static

from voyager.browsing.told import Cell, Proof
from voyager.tui.seed_grid import SeedGrid
from voyager.tui.text import facts, plain
from voyager.tui.vim import SCROLLING


class CertificatePane(VerticalScroll, can_focus=False):
    """Shows the evidence for one skill."""

    HELP = "A statistical test on scenes that the program had never seen. Red ones failed."
    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]

    class WatchAsked(Message):
        """The scene of a cell is to be watched."""

        def __init__(self, proof: Proof, cell: Cell) -> None:
            """Take the evidence and one of its cells."""
            super().__init__()
            self.proof = proof
            self.cell = cell

    def __init__(self) -> None:
        """Make an empty pane."""
        super().__init__()
        self._proof: Proof | None = None
        self.cell: Cell | None = None
        """The scene in view."""

    def compose(self) -> ComposeResult:
        """Grids, the chosen scene, then sentences."""
        yield Vertical(id="grids")
        yield Static(id="cell-text")
        yield Static(id="proof-text")
        yield Static(id="fingerprint-text")

    async def show(self, told: Proof) -> None:
        """Show evidence."""
        self._proof = told
        self.cell = None
        grids = self.query_one("#grids", Vertical)
        focused = any(grid.has_focus for grid in grids.query(SeedGrid))
        await grids.remove_children()
        await grids.mount(*(SeedGrid(grid) for grid in told.grids))
        cells = [grid.cell for grid in grids.query(SeedGrid) if grid.cell is not None]
        failed = [cell for cell in cells if not cell.solved]
        if cells:
            self._describe((failed or cells)[0])
        self.query_one("#proof-text", Static).update(facts(told.facts))
        self.query_one("#fingerprint-text", Static).update(_fingerprint(told))
        if focused and told.grids:
            grids.query(SeedGrid).first().focus(scroll_visible=False)
        self.scroll_home(animate=False)

    def on_seed_grid_chosen(self, message: SeedGrid.Chosen) -> None:
        """Tell about the chosen scene."""
        message.stop()
        self._describe(message.cell)

    def on_seed_grid_watch_asked(self, message: SeedGrid.WatchAsked) -> None:
        """Hand on which scene is to be watched."""
        message.stop()
        if self._proof is not None:
            self.post_message(self.WatchAsked(self._proof, message.cell))

    def _describe(self, cell: Cell) -> None:
        self.cell = cell
        margin = "not judged" if cell.margin is None else f"margin {cell.margin:+.3f}"
        began = f"began after {plain(cell.after)}" if cell.after else "a fresh scene"
        told = (
            f"scene {cell.number}, seed {cell.start.seed}: {cell.outcome.replace('_', ' ')}, "
            f"{margin}, {cell.steps:,} steps, {began}"
        )
        self.query_one("#cell-text", Static).update(Text(told))


def _fingerprint(told: Proof) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    made.add_row(Text("made with"), Text(""))
    for name, value, differs in told.fingerprint:
        made.add_row(Text(plain(name)), Text(plain(value) + (" (another here)" if differs else "")))
    return made
