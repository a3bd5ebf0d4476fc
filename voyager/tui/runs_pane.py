"""The recorded episodes of a skill's program."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import DataTable, Static

from voyager.browsing.told import RunLine, Runs
from voyager.tui.text import ago, plain
from voyager.tui.vim import CHOOSING


class RunTable(DataTable[Text], can_focus=True):
    """Episodes, the newest first."""

    HELP = "Every recorded episode of this program. Enter shows it."
    BINDINGS: ClassVar[list[BindingType]] = [*CHOOSING]


class RunsPane(Vertical):
    """Shows the runs of one skill."""

    class WatchAsked(Message):
        """A run is to be watched."""

        def __init__(self, runs: Runs, run: RunLine) -> None:
            """Take the runs and one of them."""
            super().__init__()
            self.runs = runs
            self.run = run

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the source of the present moment."""
        super().__init__()
        self._clock = clock
        self._told: Runs | None = None

    @property
    def chosen(self) -> RunLine | None:
        """The run under the cursor."""
        at = self.query_one(RunTable).cursor_row
        lines = () if self._told is None else self._told.lines
        return lines[at] if at < len(lines) else None

    def compose(self) -> ComposeResult:
        """A line, and a table."""
        yield Static(id="runs-text")
        table = RunTable(cursor_type="row", zebra_stripes=False)
        table.add_columns("run", "for", "outcome", "margin", "age", "seed")
        yield table

    def show(self, told: Runs) -> None:
        """Show runs."""
        self._told = told
        parts = [f"{purpose} {solved}/{of}" for purpose, (of, solved) in told.tally.items()]
        line = f"{told.total} recorded episodes" + (f": {', '.join(parts)}" if parts else "")
        if len(told.lines) < told.total:
            line += f"; the newest {len(told.lines)} are listed"
        self.query_one("#runs-text", Static).update(Text(plain(line)))
        table = self.query_one(RunTable)
        table.clear()
        now = self._clock()
        for run in told.lines:
            sign = "✓" if run.solved else "✗"
            cells = (
                Text(str(run.id)),
                Text(plain(run.purpose)),
                Text(f"{sign} {run.outcome.replace('_', ' ')}"),
                Text("-" if run.margin is None else f"{run.margin:+.3f}"),
                Text(ago(run.at, now)),
                Text(str(run.start.seed)),
            )
            table.add_row(*cells)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Watch the run under the cursor."""
        event.stop()
        if self.chosen is not None and self._told is not None:
            self.post_message(self.WatchAsked(self._told, self.chosen))
