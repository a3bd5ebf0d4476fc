"""The browser itself: its views, its dialogs, and the commands that it sets going."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from env.errors import VoyagerError
from skill_store.clock import utc_now
from voyager.browsing.pages import Watch
from voyager.tui import deeds
from voyager.tui.commands import Actions, Skills
from voyager.tui.deeds import Deed
from voyager.tui.key_line import KeyLine
from voyager.tui.skill_actions import SkillActions
from voyager.tui.skill_table import SkillTable
from voyager.tui.skills_view import SkillsView
from voyager.tui.text import plain
from voyager.tui.themes import OWN
from voyager.tui.top_bar import TopBar, ViewLabel

if TYPE_CHECKING:
    from voyager.browsing.films import Studio
    from voyager.browsing.told import Film
    from voyager.browsing.twins import Twin
    from voyager.tui.jobs import Jobs
    from voyager.tui.live import LivePane
    from voyager.tui.progress import ProgressPane

_LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whether somebody else has written into the home."""
_SETTLED: Final = 2.0
"""Seconds after the first list until what was loaded is taken to be all that stays."""
_EXAMPLE: Final = "NAME"


class BrowserApp(App[None]):
    """Shows one home."""

    TITLE = "voyager"
    CSS_PATH = sorted(Path(__file__).parent.glob("*.tcss"))
    COMMANDS = App.COMMANDS | {Actions, Skills}
    # Below so many columns list and details take turns: both would be cut.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "view('skills')", "Skills", show=False, id="view.skills"),
        Binding("2", "view('live')", "Live", show=False, id="view.live"),
        Binding("3", "view('progress')", "Progress", show=False, id="view.progress"),
        Binding("a", "queue", "Queue a task", show=False, id="app.queue"),
        Binding("J", "jobs", "Jobs", show=False, id="app.jobs"),
        Binding("question_mark", "help", "Help", id="app.help"),
        Binding("q", "quit", "Quit", show=False, id="app.quit"),
    ]

    def __init__(
        self,
        home: Path,
        *,
        home_given: bool = True,
        theme: str = "voyager",
        keys: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = utc_now,
        extensions: tuple[str, ...] = (),
    ) -> None:
        """Take a home; nothing is read yet.

        Args:
            home: The home folder.
            home_given: Whether commands have to be told which home it is.
            theme: Name of a theme.
            keys: Other keys by the id of a binding.
            clock: Source of the present moment.
            extensions: Modules that declare kinds and predicates of one's own.
        """
        super().__init__()
        self.home = home
        self.clock = clock
        self._jobs: Jobs | None = None
        self._home_given = home_given
        self._extensions = extensions
        self._watch: Watch | None = None
        self._studio: Studio | None = None
        self._listed = ""
        self._begun = False
        for own in OWN:
            self.register_theme(own)
        self.theme = theme
        if keys:
            self.set_keymap(keys)

    def compose(self) -> ComposeResult:
        """The first line, the views, the keys."""
        yield TopBar(self.home.name or str(self.home))
        with ContentSwitcher(initial="skills", id="views"):
            yield SkillsView(self.home, self.clock, id="skills")
        yield KeyLine()

    async def on_mount(self) -> None:
        """Begin with the skills; look every so often whether somebody else writes."""
        await self.action_view("skills")
        self.set_interval(_LOOK_EVERY, self._look)

    async def on_unmount(self) -> None:
        """End what was set going."""
        if self._jobs is not None:
            await self._jobs.stop_all()
        if self._watch is not None:
            self._watch.close()
        if self._studio is not None:
            self._studio.close()

    # What others call

    @property
    def jobs(self) -> Jobs:
        """What was set going here."""
        if self._jobs is None:
            from voyager.tui.jobs import Jobs

            self._jobs = Jobs(self.clock)
        return self._jobs

    def twin_of(self, deed: Deed) -> Twin:
        """The command of a deed."""
        from voyager.browsing.twins import Twin

        return Twin(deed.words, self.home, self._home_given, self._extensions)

    def line_of(self, deed: Deed) -> str:
        """The command line of a deed, as somebody would type it."""
        return self.twin_of(deed).line

    async def go_to(self, name: str) -> None:
        """Show a skill."""
        await self.action_view("skills")
        self.query_one(SkillsView).go_to(name)

    def read_again(self) -> None:
        """Read everything that is shown anew."""
        self.query_one(SkillsView).read_again()

    # Keys

    async def action_view(self, view: str) -> None:
        """Show a view, and give it the keys."""
        switcher = self.query_one("#views", ContentSwitcher)
        if not switcher.query(f"#{view}"):
            # What they need to read takes longer to load than the list does.
            await switcher.add_content(self._made(view), id=view)
        switcher.current = view
        self.query_one(TopBar).choose(view)
        shown = switcher.get_child_by_id(view)
        inner = shown.query_one(SkillTable) if isinstance(shown, SkillsView) else shown
        if not inner.focusable:
            inner = next((one for one in inner.query("*") if one.focusable), inner)
        inner.focus()

    def action_queue(self) -> None:
        """Ask an explorer for a skill."""
        from voyager.tui.dialog import TaskDialog

        self.push_screen(TaskDialog(self.line_of), self._accepted)

    def action_jobs(self) -> None:
        """Show what was set going."""
        from voyager.tui.jobs_screen import JobsScreen

        self.push_screen(JobsScreen(self.jobs))

    def action_help(self) -> None:
        """Show every key and every command."""
        from voyager.tui.help_screen import HelpScreen

        focused = self.screen.focused
        helping = () if focused is None else focused.ancestors_with_self
        here = next((node.HELP for node in helping if node.HELP), "")
        self.push_screen(HelpScreen(here, self._twins()))

    # What comes

    @on(ViewLabel.Chosen)
    async def view_chosen(self, event: ViewLabel.Chosen) -> None:
        """Show a view that was clicked."""
        await self.action_view(event.view)

    async def on_progress_pane_skill_chosen(self, event: ProgressPane.SkillChosen) -> None:
        """Show a skill."""
        await self.go_to(event.name)

    def on_progress_pane_task_chosen(self, event: ProgressPane.TaskChosen) -> None:
        """Ask for a skill that is not there yet."""
        from voyager.tui.dialog import TaskDialog

        dialog = TaskDialog(self.line_of, event.goal, dict(event.parameters))
        self.push_screen(dialog, self._accepted)

    def on_live_pane_steered(self, event: LivePane.Steered) -> None:
        """Say what was asked of the explorer."""
        self._tell(event.sentence, good=not event.failed)

    @on(SkillActions.DeedAsked)
    def deed_asked(self, event: SkillActions.DeedAsked) -> None:
        """Do something, after asking if that is wished for."""
        if event.ask:
            from voyager.tui.dialog import DeedDialog

            self.push_screen(DeedDialog(event.deed, self.line_of), self._accepted)
        else:
            self._begin(event.deed)

    @on(SkillActions.ExportAsked)
    def export_asked(self, event: SkillActions.ExportAsked) -> None:
        """Ask for a format and a folder."""
        from skill_store.export.formats import FORMATS
        from voyager.tui.dialog import ExportDialog

        formats = [(one.name, one.summary) for one in FORMATS]
        dialog = ExportDialog(event.name, formats, Path.cwd(), self.line_of)
        self.push_screen(dialog, self._accepted)

    @on(SkillActions.RunAsked)
    def run_asked(self, event: SkillActions.RunAsked) -> None:
        """Ask for a seed, and show the run."""
        from voyager.tui.dialog import RunDialog

        film = event.film

        def line(seed: int) -> str:
            return self.line_of(deeds.run(film.skill, seed))

        def run(seed: int | None) -> None:
            if seed is None:
                return
            from env.transcript import Start
            from voyager.browsing.told import Film

            same = seed == film.start.seed
            start = film.start if same else Start(seed)
            expected = film.expected if same else None
            self._show(Film(film.skill, film.version, film.certificate, start, expected))

        self.push_screen(RunDialog(film.skill, film.start.seed, line), run)

    @on(SkillActions.FilmAsked)
    def film_asked(self, event: SkillActions.FilmAsked) -> None:
        """Show an episode."""
        self._show(event.film)

    @on(SkillsView.Failed)
    def reading_failed(self, event: SkillsView.Failed) -> None:
        """Say what is wrong."""
        self._begin_all()
        self._tell(event.sentence, good=False)

    @on(SkillsView.Listed)
    def listed(self, event: SkillsView.Listed) -> None:
        """Say how many skills there are."""
        self._begin_all()
        total = event.listing.home_total
        self._listed = f"{total:,} skill{'' if total == 1 else 's'}"
        self._stand()

    # Inside

    def _begin_all(self) -> None:
        """Begin with what would have held up the first list."""
        self.query_one(KeyLine).begin()
        if not self._begun and not gc.isenabled():
            self.set_timer(_SETTLED, _collect)
        self._begun = True

    def _made(self, view: str) -> Widget:
        if view == "live":
            from voyager.tui.live import LivePane

            return LivePane(self.home, clock=self.clock)
        from voyager.tui.progress import ProgressPane

        return ProgressPane(self.home, extensions=self._extensions)

    def _accepted(self, deed: Deed | None) -> None:
        if deed is not None:
            self._begin(deed)

    def _begin(self, deed: Deed) -> None:
        twin = self.twin_of(deed)
        self._carry_out(deed, twin)

    @work(group="jobs", exit_on_error=False)
    async def _carry_out(self, deed: Deed, twin: Twin) -> None:
        job = self.jobs.begin(deed, twin)
        self._stand()
        result = await self.jobs.carry_out(job)
        self._tell(result.sentence, good=result.good)
        self._stand()
        self.read_again()

    def _show(self, film: Film) -> None:
        from voyager.browsing.films import Order, Studio
        from voyager.tui.playback_screen import PlaybackScreen

        if self._studio is None:
            self._studio = Studio(self.home, self._extensions)
        order = Order(
            film.skill, film.version, film.certificate, film.start, expected=film.expected
        )
        self.push_screen(PlaybackScreen(self._studio, order))

    def _look(self) -> None:
        try:
            if self._watch is None:
                self._watch = Watch(self.home)
            elif self._watch.changed():
                self.read_again()
        except VoyagerError as error:
            self._tell(str(error), good=False)

    def _stand(self) -> None:
        open_jobs = () if self._jobs is None else self._jobs.open
        told = [job.deed.doing for job in open_jobs[:1]]
        if len(open_jobs) > 1:
            told.append(f"and {len(open_jobs) - 1} more")
        parts = [part for part in (" ".join(told), self._listed) if part]
        self.query_one(TopBar).tell("   ".join(parts))

    def _tell(self, sentence: str, *, good: bool) -> None:
        severity: Final = "information" if good else "error"
        self.notify(plain(sentence), severity=severity, markup=False)

    def _twins(self) -> list[tuple[str, str]]:
        row = self.query_one(SkillsView).row
        name = _EXAMPLE if row is None else row.name
        listed: Iterable[Deed] = (
            deeds.verify(name),
            deeds.deepen(name),
            deeds.run(name, 0),
            deeds.export("FORMAT", name, Path("FOLDER")),
            Deed("edit", "", ("skills", "edit", name), ""),
            deeds.pin(name, False),
            deeds.pin(name, True),
            deeds.retire(name),
            deeds.restore(name),
            deeds.renew(name),
            deeds.queue("GOAL", {"top": "block"}),
            Deed("list", "", ("skills", "list"), ""),
            Deed("search", "", ("skills", "search", "TEXT"), ""),
            Deed("show", "", ("skills", "show", name), ""),
            Deed("source", "", ("skills", "source", name), ""),
            Deed("versions", "", ("skills", "diff", name), ""),
        )
        return [(deed.title.split(" ")[0], self.line_of(deed)) for deed in listed]


def _collect() -> None:
    """Begin to look for garbage, but never again in what was loaded until now."""
    gc.freeze()
    gc.enable()
