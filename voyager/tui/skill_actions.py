"""What can be done with the skill in view. Commands do it; nothing here writes into a home."""

from __future__ import annotations

import asyncio
import itertools
import os
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.notifications import SeverityLevel

from env.errors import VoyagerError
from skill_store.browsing import Row
from voyager.browsing.tabs import Tab
from voyager.tui import deeds
from voyager.tui.deeds import Deed
from voyager.tui.detail_pane import DetailPane
from voyager.tui.text import plain

if TYPE_CHECKING:
    from voyager.browsing.told import Film, Told
    from voyager.tui.certificate_pane import CertificatePane
    from voyager.tui.runs_pane import RunsPane


class SkillActions(Horizontal):
    """The actions on one skill, for the view that shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", "Verify", id="skill.verify"),
        Binding("x", "export", "Export", id="skill.export"),
        Binding("d", "deepen", "Deepen", id="skill.deepen"),
        Binding("u", "run_here", "Run on the scene in view", show=False, id="skill.run"),
        Binding("e", "edit", "Edit in $EDITOR", show=False, id="skill.edit"),
        Binding("p", "pin", "Pin, or let go", show=False, id="skill.pin"),
        Binding("r", "retire", "Retire", show=False, id="skill.retire"),
        Binding("R", "restore", "Restore, or take a version", show=False, id="skill.restore"),
        Binding("w", "renew", "Renew a stale one", show=False, id="skill.renew"),
        Binding("y", "copy_source", "Copy the program", show=False, id="skill.copy"),
        Binding("Y", "copy_name", "Copy the name", show=False, id="skill.copy_name"),
    ]

    class DeedAsked(Message):
        """Something is to be done by a command."""

        def __init__(self, deed: Deed, *, ask: bool = True) -> None:
            """Take what is to be done, and whether to ask first."""
            super().__init__()
            self.deed = deed
            self.ask = ask

    class ExportAsked(Message):
        """Skills are to be exported."""

        def __init__(self, name: str | None) -> None:
            """Take the skill in view, if any."""
            super().__init__()
            self.name = name

    class RunAsked(Message):
        """A skill is to be run on a scene."""

        def __init__(self, film: Film) -> None:
            """Take the skill with the scene in view."""
            super().__init__()
            self.film = film

    class FilmAsked(Message):
        """An episode is to be watched."""

        def __init__(self, film: Film) -> None:
            """Take the episode."""
            super().__init__()
            self.film = film

    def __init__(self, home: Path, id: str | None = None) -> None:
        """Take the home."""
        super().__init__(id=id)
        self._home = home

    @property
    def row(self) -> Row | None:
        """The skill in view."""
        return self.query_one(DetailPane).row

    def action_verify(self) -> None:
        """Replay its certificate."""
        if row := self._chosen():
            self.post_message(self.DeedAsked(deeds.verify(row.name)))

    def action_deepen(self) -> None:
        """Run fresh scenes up to the next look."""
        if row := self._chosen():
            self.post_message(self.DeedAsked(deeds.deepen(row.name)))

    def action_renew(self) -> None:
        """Prove it again."""
        if row := self._chosen():
            self.post_message(self.DeedAsked(deeds.renew(row.name)))

    def action_pin(self) -> None:
        """Pin it, or let it go; one key undoes it, so nobody is asked."""
        if row := self._chosen():
            self.post_message(self.DeedAsked(deeds.pin(row.name, row.pinned), ask=False))

    def action_retire(self) -> None:
        """Offer it no longer."""
        if row := self._chosen():
            self.post_message(self.DeedAsked(deeds.retire(row.name)))

    def action_restore(self) -> None:
        """Bring it back; in the list of versions: let the one under the cursor stand for it."""
        row = self._chosen()
        if row is None:
            return
        detail = self.query_one(DetailPane)
        version = None
        if detail.tab is Tab.VERSIONS and detail.told(Tab.VERSIONS) is not None:
            from voyager.tui.versions_pane import VersionsPane

            version = self.query_one(VersionsPane).version
        other = version is not None and version.number != row.version
        number = version.number if version is not None and other else None
        self.post_message(self.DeedAsked(deeds.restore(row.name, number)))

    def action_export(self) -> None:
        """Write it in a format of others."""
        self.post_message(self.ExportAsked(None if self.row is None else self.row.name))

    @work
    async def action_run_here(self) -> None:
        """Run it on the scene in view, or on any other."""
        row = self._chosen()
        if row is not None:
            film = await self._in_view(row)
            if film is not None:
                self.post_message(self.RunAsked(film))

    @work
    async def action_copy_source(self) -> None:
        """Put its program into the clipboard."""
        row = self._chosen()
        if row is None:
            return
        source = await self._source_of(row)
        if source is not None:
            self.app.copy_to_clipboard(source)
            self._tell(f"the program of {row.name} is in the clipboard", severity="information")

    def action_copy_name(self) -> None:
        """Put its name into the clipboard."""
        if row := self._chosen():
            self.app.copy_to_clipboard(row.name)
            self._tell(f"{row.name} is in the clipboard", severity="information")

    @work
    async def action_edit(self) -> None:
        """Edit its program; what comes of it is certified and set against the champion."""
        row = self._chosen()
        if row is None:
            return
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if not editor:
            self._tell(f"no editor is set; set EDITOR, or use voyager skills edit {row.name}")
            return
        source = await self._source_of(row)
        if source is None:
            return
        path = _draft(self._home, row.name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
            with self.app.suspend():
                ended = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
            edited = path.read_text(encoding="utf-8")
        except SuspendNotSupported:
            path.unlink(missing_ok=True)
            self._tell(f"this terminal cannot be lent; use voyager skills edit {row.name}")
            return
        except (OSError, ValueError) as error:
            path.unlink(missing_ok=True)
            self._tell(f"the editor {editor!r} cannot be run ({error}); set EDITOR")
            return
        if ended or edited == source:
            path.unlink(missing_ok=True)
            why = f"the editor ended with code {ended}" if ended else "the text is as it was"
            self._tell(f"{why}; nothing is changed", severity="information")
            return
        self.post_message(self.DeedAsked(deeds.edit(row.name, path)))

    # What the panes ask for

    def on_certificate_pane_watch_asked(self, event: CertificatePane.WatchAsked) -> None:
        """Watch a scene of the certificate."""
        event.stop()
        if self.row is not None:
            from voyager.browsing.told import Film

            film = Film(
                self.row.name,
                event.proof.version,
                event.proof.certificate,
                event.cell.start,
                event.cell.episode,
            )
            self.post_message(self.FilmAsked(film))

    def on_runs_pane_watch_asked(self, event: RunsPane.WatchAsked) -> None:
        """Watch a recorded run."""
        event.stop()
        if self.row is not None:
            from voyager.browsing.told import Film

            runs = event.runs
            film = Film(self.row.name, runs.version, runs.certificate, event.run.start)
            self.post_message(self.FilmAsked(film))

    # Inside

    def _chosen(self) -> Row | None:
        if self.row is None:
            self._tell("no skill is in view")
        return self.row

    async def _in_view(self, row: Row) -> Film | None:
        """The skill with the scene in view: of the grid, of the runs, else its first one."""
        from voyager.browsing.told import Film, Proof, Runs

        detail = self.query_one(DetailPane)
        told = detail.told(detail.tab)
        if isinstance(told, Runs):
            from voyager.tui.runs_pane import RunsPane

            run = self.query_one(RunsPane).chosen
            if run is not None:
                return Film(row.name, told.version, told.certificate, run.start)
        proof = await self._tab_of(row, Tab.CERTIFICATE)
        if not isinstance(proof, Proof):
            return None
        cell = None
        if isinstance(told, Proof):
            from voyager.tui.certificate_pane import CertificatePane

            cell = self.query_one(CertificatePane).cell
        if cell is None:
            cell = next((cell for grid in proof.grids for cell in grid.cells), None)
        if cell is None:
            self._tell(f"{row.name} has no scenes")
            return None
        return Film(row.name, proof.version, proof.certificate, cell.start, cell.episode)

    async def _source_of(self, row: Row) -> str | None:
        from voyager.browsing.told import Code

        told = await self._tab_of(row, Tab.CODE)
        return told.source if isinstance(told, Code) else None

    async def _tab_of(self, row: Row, tab: Tab) -> Told | None:
        from voyager.browsing.details import read_tab

        told = self.query_one(DetailPane).told(tab)
        if told is not None:
            return told
        try:
            return await asyncio.to_thread(read_tab, self._home, row.name, tab)
        except VoyagerError as error:
            self._tell(str(error))
            return None

    def _tell(self, sentence: str, severity: SeverityLevel = "error") -> None:
        self.app.notify(plain(sentence), severity=severity, markup=False)


def _draft(home: Path, name: str) -> Path:
    """A file for an edited program; an earlier one is the user's work and is not written over."""
    from skill_store.database import ARTIFACTS

    numbers = itertools.chain([""], (f"_{number}" for number in itertools.count(2)))
    folder = home / ARTIFACTS / "edits"
    paths = (folder / f"{name}{number}.py" for number in numbers)
    return next(path for path in paths if not path.exists())
