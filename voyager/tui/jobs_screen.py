"""The list of jobs: what was set going here, and how it ended."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Label, Static

from voyager.tui.jobs import Job, Jobs
from voyager.tui.text import ago, plain, safe
from voyager.tui.vim import CHOOSING


class JobTable(DataTable[Text], can_focus=True):
    """Jobs, the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [*CHOOSING]


class JobsScreen(ModalScreen[None]):
    """Shows jobs; one that is under way can be stopped."""

    HELP = "What was set going here. Jobs end when the browser is left."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,J", "leave", "Back", id="jobs.leave"),
        Binding("X", "stop", "Stop it", id="jobs.stop"),
    ]

    def __init__(self, jobs: Jobs) -> None:
        """Take the jobs."""
        super().__init__()
        self._jobs = jobs
        self._shown: tuple[Job, ...] = ()

    def compose(self) -> ComposeResult:
        """A table, and the command of the job under the cursor."""
        with Vertical(classes="dialog"):
            yield Label(safe("jobs", "bold"), classes="dialog-title")
            table = JobTable(cursor_type="row")
            table.add_columns("", "what", "began", "what came of it")
            yield table
            yield Static(classes="dialog-twin")
            yield Static(
                safe("X stops one that is under way, Escape leaves."), classes="dialog-hint"
            )

    def on_mount(self) -> None:
        """Follow what happens."""
        self._fill()
        self.set_interval(1.0, self._fill)

    def on_data_table_row_highlighted(self) -> None:
        """Show the command."""
        job = self._job()
        told = "nothing was set going yet" if job is None else f"$ {job.twin.line}"
        self.query_one(".dialog-twin", Static).update(safe(told))

    async def action_stop(self) -> None:
        """Stop the job under the cursor."""
        job = self._job()
        if job is not None and job.result is None:
            await self._jobs.stop(job)
            self._fill()

    def action_leave(self) -> None:
        """Leave."""
        self.dismiss(None)

    def _job(self) -> Job | None:
        at = self.query_one(JobTable).cursor_row
        return self._shown[at] if at < len(self._shown) else None

    def _fill(self) -> None:
        table = self.query_one(JobTable)
        at = table.cursor_row
        self._shown = tuple(reversed(self._jobs.jobs))
        table.clear()
        for job in self._shown:
            sign = "…" if job.result is None else "✓" if job.result.good else "✗"
            told = "under way" if job.result is None else job.result.sentence
            cells = (sign, job.deed.title, ago(job.began, self._jobs.clock()), told)
            table.add_row(*(Text(plain(cell)) for cell in cells))
        table.move_cursor(row=at)
        self.on_data_table_row_highlighted()
