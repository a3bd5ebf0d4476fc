"""The versions of a skill, and what changed from one to the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from voyager.browsing.told import VersionLine, Versions
from voyager.tui.text import QUIET, ago, plain, safe, since
from voyager.tui.vim import CHOOSING

_STYLES = {"+": "$text-success", "-": "$text-error", "@": "$text-accent"}


class VersionTable(DataTable[Text], can_focus=True):
    """The versions, the newest first."""

    HELP = "`*` stands for the skill now. `R` lets the version under the cursor stand for it."
    BINDINGS: ClassVar[list[BindingType]] = [*CHOOSING]


class VersionsPane(Vertical):
    """Shows the versions of one skill."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Take the source of the present moment."""
        super().__init__()
        self._clock = clock
        self._told: Versions | None = None

    @property
    def version(self) -> VersionLine | None:
        """The version under the cursor."""
        at = self.query_one(VersionTable).cursor_row
        lines = () if self._told is None else self._told.lines
        return lines[at] if at < len(lines) else None

    def compose(self) -> ComposeResult:
        """A table, and a text below it."""
        table = VersionTable(cursor_type="row", zebra_stripes=False)
        table.add_columns("", "version", "origin", "certified", "bound", "program", "age")
        yield table
        with VerticalScroll(can_focus=False):
            yield Static(id="diff-text")

    def show(self, told: Versions) -> None:
        """Show versions."""
        self._told = told
        table = self.query_one(VersionTable)
        table.clear()
        for line in told.lines:
            cells = (
                "*" if line.champion else "",
                str(line.number),
                line.origin,
                f"{line.k}/{line.n}",
                "-" if line.bound is None else f"{line.bound:.1%}",
                line.program[:12],
                ago(line.added_at, self._clock()),
            )
            table.add_row(*(Text(plain(cell)) for cell in cells))
        table.styles.height = min(len(told.lines) + 1, 8)
        self._tell()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell what changed with the version under the cursor."""
        event.stop()
        self._tell()

    def _tell(self) -> None:
        self.query_one("#diff-text", Static).update(self._text())

    def _text(self) -> Content:
        line = self.version
        if line is None or self._told is None:
            return Content("")
        lines = [
            safe(f"calls {name}: {before} -> {now}", "$text-accent")
            for name, before, now in line.locks
        ]
        lines += [
            safe(text or " ", "" if text.startswith(("+++", "---")) else _STYLES.get(text[:1], ""))
            for text in line.diff.splitlines()
        ]
        if not lines:
            told = "the first version" if line.number == 1 else "the same program as before"
            lines = [Content.styled(told, QUIET)]
        for duel in self._told.duels:
            verdict = "the challenger took its place" if duel.replaced else "the champion stayed"
            lines.append(
                safe(
                    f"duel on {duel.scenes} scenes, {since(duel.fought_at, self._clock())}: "
                    f"{duel.won} to {duel.lost} for the challenger, {verdict}",
                    QUIET,
                )
            )
        return Content("\n").join(lines)
