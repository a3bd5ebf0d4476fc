"""Watching an episode in the terminal: pictures, calls and margins, moving together."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key, Resize
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from env.errors import VoyagerError
from voyager.browsing.films import FilmState, Order, Showing, Studio
from voyager.browsing.reel import check_target, write_film
from voyager.cli import screen
from voyager.tui.picture import PictureView
from voyager.tui.trace import CallTrace, Margins, call_at

_TICKS: Final = 20
"""Looks a second at the film and at the clock."""
_SPEEDS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_NORMAL: Final = _SPEEDS.index(1.0)
_SETTLE_S: Final = 1.0
"""After the program an episode goes on for so long."""
_NARROW: Final = 60
"""Columns below which calls and margins stand under the picture."""


class Playback(Widget, can_focus=True):
    """Plays the film of one episode; never waits for it.

    `show` begins a film, `stop` gives it up. Keys work while it has the focus.
    """

    HELP = (
        "Pictures, calls and margins of one episode, which is run again for them. The curves show "
        "how near each part of the goal is, from far below to far above; zero is in the middle."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play", id="playback.play"),
        Binding("left,h", "step(-1)", "Back", id="playback.back"),
        Binding("right,l", "step(1)", "On", id="playback.on"),
        Binding("home,0", "seek_start", "Start", id="playback.start", show=False),
        Binding("end,dollar_sign", "seek_end", "End", id="playback.end", show=False),
        Binding("left_square_bracket", "call(-1)", "Call before", id="playback.call_before"),
        Binding("right_square_bracket", "call(1)", "Next call", id="playback.call_next"),
        Binding("minus", "speed(-1)", "Slower", id="playback.slower"),
        Binding("plus,equals_sign", "speed(1)", "Faster", id="playback.faster"),
        Binding("o", "write", "Write file", id="playback.write"),
    ]

    class Written(Message):
        """A file was written."""

        def __init__(self, path: Path) -> None:
            """Name the file."""
            super().__init__()
            self.path = path

    class Failed(Message):
        """A film could not be made, or a file not be written."""

        def __init__(self, why: str) -> None:
            """Say why, in one sentence."""
            super().__init__()
            self.why = why

    def __init__(
        self,
        studio: Studio,
        *,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,
    ) -> None:
        """Show nothing yet.

        Args:
            studio: Makes and keeps films; the caller closes it.
            clock: Monotonic seconds.
            id: Of the widget.
        """
        super().__init__(id=id)
        self._studio = studio
        self._clock = clock
        self._showing: Showing | None = None
        self._title = ""
        self._at = 0.0
        self._last = 0.0
        self._playing = False
        self._speed = _NORMAL
        self._ticking: Timer | None = None

    def compose(self) -> ComposeResult:
        """The picture, what is beside it, and the line of time."""
        with Horizontal(classes="playback-stage"):
            yield PictureView()
            with Vertical(classes="playback-side"):
                yield Margins()
                yield CallTrace()
        yield Static(classes="playback-time")
        yield Static(classes="playback-note")
        yield Input(classes="playback-file", placeholder="file that ends in .gif, .mp4 or .png")

    def on_mount(self) -> None:
        """Begin to look at the film and the clock; only while there is something to look at."""
        self.query_one(Input).display = False
        self._ticking = self.set_interval(1 / _TICKS, self._tick, pause=True)
        self._draw()

    def on_unmount(self) -> None:
        """Give up what is being made."""
        self.stop()

    def on_resize(self, event: Resize) -> None:
        """Stand side by side where there is room for it."""
        self.set_class(event.size.width < _NARROW, "-narrow")
        self._draw()

    # -- what others call -------------------------------------------------------------------

    @property
    def showing(self) -> Showing | None:
        """The film in sight."""
        return self._showing

    @property
    def position(self) -> int:
        """Index of the frame in sight."""
        return 0 if self._showing is None else self._showing.frame_at(self._at)

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""
        return self._playing

    def show(self, order: Order, title: str = "", *, play: bool = True) -> None:
        """Show a film from its beginning.

        Args:
            order: Which film.
            title: What to call it; the skill and the seed if nothing.
            play: Whether it moves at once.
        """
        self._title = title or f"{order.skill}, seed {order.start.seed}"
        self._at, self._playing = 0.0, play
        self._last = self._clock()
        try:
            self._showing = self._studio.show(order)
        except VoyagerError as error:
            self._showing = None
            self._tell(str(error))
            return
        if self._ticking is not None:
            self._ticking.resume()
        self._draw()

    def stop(self) -> None:
        """Show nothing, and give up the film if it is still being made."""
        showing, self._showing = self._showing, None
        self._playing = False
        if self._ticking is not None:
            self._ticking.pause()
        if showing is not None:
            if showing.state is FilmState.MAKING:
                self._studio.cancel()
            showing.close()

    # -- keys -------------------------------------------------------------------------------

    def action_play(self) -> None:
        """Play, or rest; at the end begin again."""
        showing = self._showing
        if showing is None:
            return
        if not self._playing and self._ended(showing):
            self._at = 0.0
        self._playing = not self._playing
        self._last = self._clock()
        self._wake()

    def action_step(self, frames: int) -> None:
        """Rest, some frames on or back."""
        if self._showing is not None and self._showing.frames:
            index = self.position + frames
            index = max(0, min(index, len(self._showing.frames) - 1))
            self._seek(self._showing.frames[index].time)

    def action_seek_start(self) -> None:
        """Rest at the first frame."""
        self._seek(0.0)

    def action_seek_end(self) -> None:
        """Rest at the last frame that is there."""
        if self._showing is not None:
            self._seek(self._showing.duration)

    def action_call(self, calls: int) -> None:
        """Rest where the next call is made, or the one before."""
        showing = self._showing
        if showing is None or showing.episode is None:
            return
        # Calls that only look take no time: the next one at another instant is meant.
        moments = sorted({call.time for call in showing.episode.calls})
        now = showing.frames[self.position].time if showing.frames else 0.0
        later = [moment for moment in moments if moment > self._at + 1e-6]
        earlier = [moment for moment in moments if moment < min(self._at, now) - 1e-6]
        found = later[:1] if calls > 0 else earlier[-1:]
        if found:
            self._seek(min(found[0], showing.duration))

    def action_speed(self, steps: int) -> None:
        """Play faster or slower."""
        self._speed = max(0, min(self._speed + steps, len(_SPEEDS) - 1))
        self._draw()

    def action_write(self) -> None:
        """Ask for a file to write the film to."""
        showing = self._showing
        if showing is None or not showing.frames:
            self._tell("nothing has been filmed yet; wait for the first picture")
            return
        self._playing = False
        file = self.query_one(Input)
        file.value = f"{showing.order.skill}-{showing.order.start.seed}.gif"
        file.display = True
        file.focus()
        self._draw()

    def on_key(self, event: Key) -> None:
        """Escape leaves the line in which a file is named."""
        file = self.query_one(Input)
        if event.key == "escape" and file.display:
            event.stop()
            event.prevent_default()
            self._leave_file()

    @on(Input.Submitted)
    def _file_named(self, event: Input.Submitted) -> None:
        event.stop()
        showing = self._showing
        self._leave_file()
        if showing is None:
            return
        path = Path(event.value).expanduser()
        try:
            check_target(path)
        except VoyagerError as error:
            self._tell(str(error))
            return
        if showing.state is FilmState.MAKING and path.suffix.lower() != ".png":
            self._tell("the film is still being made; wait for its end, or write a .png")
            return
        self._note(f"writing {path}")
        self._write(showing, path, self.position)

    @work(thread=True, exclusive=True, group="playback-file")
    def _write(self, showing: Showing, path: Path, shown: int) -> None:
        try:
            write_film(tuple(showing.frames), path, shown=shown)
        except VoyagerError as error:
            self.app.call_from_thread(self._tell, str(error))
        else:
            self.app.call_from_thread(self._written, path)

    def _written(self, path: Path) -> None:
        self._note(f"written: {path}")
        self.post_message(self.Written(path))

    def _leave_file(self) -> None:
        self.query_one(Input).display = False
        self.focus()
        self._draw()

    # -- time -------------------------------------------------------------------------------

    def _tick(self) -> None:
        showing = self._showing
        if showing is None:
            return
        now = self._clock()
        changed = showing.look()
        if showing.state is FilmState.FAILED:
            self._tell(showing.why)
        before = self.position
        if self._playing:
            # It never runs ahead of what is there: a film that is being made plays as it comes.
            wanted = self._at + (now - self._last) * _SPEEDS[self._speed]
            self._at = min(wanted, showing.duration)
            if self._ended(showing) and showing.state is not FilmState.MAKING:
                self._playing = False
                changed = True
        self._last = now
        if changed or before != self.position:
            self._draw()
        if not self._playing and showing.state is not FilmState.MAKING and self._ticking:
            self._ticking.pause()

    def _ended(self, showing: Showing) -> bool:
        return bool(showing.frames) and self._at >= showing.duration - 1e-9

    def _seek(self, seconds: float) -> None:
        self._playing = False
        self._at = seconds
        self._draw()

    def _wake(self) -> None:
        if self._ticking is not None:
            self._ticking.resume()
        self._draw()

    # -- drawing ----------------------------------------------------------------------------

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        showing = self._showing
        frames = [] if showing is None else showing.frames
        calls = () if showing is None or showing.episode is None else showing.episode.calls
        index = self.position
        whole = self._whole()
        self.query_one(PictureView).show(frames[index].picture if frames else b"")
        self.query_one(Margins).show(frames, index, whole)
        self.query_one(CallTrace).show(calls, call_at(calls, self._at) if frames else -1)
        self.query_one(".playback-time", Static).update(self._time(whole))
        if showing is not None and showing.state is not FilmState.FAILED:
            self.query_one(".playback-note", Static).update(self._verdict(showing))

    def _whole(self) -> float:
        """Simulated seconds of the whole film, as far as it is known."""
        showing = self._showing
        if showing is None:
            return 0.0
        if showing.state is FilmState.MAKING and showing.episode is not None:
            # Where nothing went wrong in the program, a second of rest comes after it.
            judged = showing.episode.margin is not None
            return showing.episode.time + (_SETTLE_S if judged else 0.0)
        return showing.duration

    def _time(self, whole: float) -> Text:
        showing = self._showing
        if showing is None:
            return Text("")
        mark = "▶" if self._playing else "‖"
        label = f" {mark} {self._at:4.1f} / {whole:.1f} s  x{_SPEEDS[self._speed]:g} "
        room = max(0, self.size.width - len(label) - 2)
        told = Text(label, no_wrap=True)
        reach = max(whole, 1e-9)
        played = min(room, round(room * self._at / reach))
        there = min(room, round(room * showing.duration / reach))
        told.append("━" * played, "bold")
        told.append("─" * max(0, there - played))
        told.append("┄" * max(0, room - max(there, played)), "dim")
        return told

    def _verdict(self, showing: Showing) -> Text:
        told = Text(screen.clean(self._title), "bold", no_wrap=True, overflow="ellipsis")
        episode = showing.episode
        if episode is None:
            told.append("  the episode is run" if showing.state is FilmState.MAKING else "", "dim")
            return told
        solved = episode.outcome == "solved"
        told.append(f"  {episode.outcome.replace('_', ' ')}", "green" if solved else "red")
        if showing.as_recorded is not None:
            told.append(", as recorded" if showing.as_recorded else ", NOT as it was recorded")
        if showing.same is False:
            told.append(", and the filmed run differs from it", "red")
        if showing.state is FilmState.MAKING:
            told.append(f"  filming: {len(showing.frames)} pictures", "dim")
        if episode.reason:
            told.append(f"  {screen.clean(episode.reason)}".replace("\n", " "), "dim")
        return told

    def _tell(self, why: str) -> None:
        self._note(why, "red")
        self.post_message(self.Failed(why))

    def _note(self, sentence: str, style: str = "") -> None:
        text = Text(screen.clean(sentence).replace("\n", " "), style, overflow="ellipsis")
        self.query_one(".playback-note", Static).update(text)
