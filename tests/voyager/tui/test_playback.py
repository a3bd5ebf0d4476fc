"""The film in the terminal, driven by keys."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Input, Static

from tests.voyager.browsing.reels import FRAMES, ORDER, kept, picture, write_film
from tests.voyager.tui.pilots import piloted
from voyager.browsing.films import FilmState, Studio
from voyager.tui import playback as playback_module
from voyager.tui.picture import PictureView, dots, half_blocks
from voyager.tui.playback import Playback
from voyager.tui.trace import CallTrace, Margins

CSS = Path(playback_module.__file__).with_suffix(".tcss")


class Cinema(App[None]):
    """Shows one film."""

    CSS_PATH = CSS

    def __init__(self, home: Path, *, make: bool = False) -> None:
        super().__init__()
        self.now = 100.0
        self.studio = Studio(home)
        self.make = make
        self.told: list[Any] = []

    def compose(self) -> ComposeResult:
        yield Playback(self.studio, clock=lambda: self.now)

    def on_mount(self) -> None:
        film = self.query_one(Playback)
        film.focus()
        film.show(ORDER, "lift \x1b[31m[bold]1", play=False)

    def on_unmount(self) -> None:
        self.studio.close()

    def on_playback_written(self, event: Playback.Written) -> None:
        self.told.append(event.path)

    def on_playback_failed(self, event: Playback.Failed) -> None:
        self.told.append(event.why)

    def line(self, name: str) -> str:
        """What one line shows."""
        return str(self.query_one(f".playback-{name}", Static).render())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    write_film(kept(tmp_path))
    yield tmp_path


@piloted
async def test_keys_move_through_a_film(home: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(80, 24)) as pilot:
        film = app.query_one(Playback)
        assert (film.position, film.playing) == (0, False)
        for keys, position in (
            (["right"], 1),
            (["l", "right", "right"], 4),
            (["h"], 3),
            (["left", "left"], 1),
            (["end"], FRAMES - 1),
            (["right"], FRAMES - 1),
            (["home"], 0),
            (["left"], 0),
            (["dollar_sign"], FRAMES - 1),
            (["0"], 0),
            (["right_square_bracket"], 2),
            (["right_square_bracket"], 4),
            (["right_square_bracket"], 4),
            (["left_square_bracket"], 2),
            (["left_square_bracket"], 0),
        ):
            await pilot.press(*keys)
            assert film.position == position, keys


@piloted
async def test_it_plays_in_real_time_and_rests_at_the_end(home: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(80, 24)) as pilot:
        film = app.query_one(Playback)
        await pilot.press("space")
        app.now += 0.35
        await pilot.pause(0.2)
        assert (film.position, film.playing) == (3, True)
        await pilot.press("plus", "plus")
        assert "x4" in app.line("time")
        app.now += 0.1
        await pilot.pause(0.2)
        assert film.position == 7
        await pilot.press("space")
        app.now += 5.0
        await pilot.pause(0.2)
        assert (film.position, film.playing) == (7, False)
        await pilot.press("minus", "minus", "minus", "space")
        assert "x0.5" in app.line("time")
        app.now += 60.0
        await pilot.pause(0.2)
        assert (film.position, film.playing) == (FRAMES - 1, False)
        await pilot.press("space")
        assert (film.position, film.playing) == (0, True)


@piloted
async def test_calls_and_margins_move_along(home: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("right", "right")
        calls = app.query_one(CallTrace).render()
        marked = [line for line in calls.plain.splitlines() if line.startswith("▸")]
        assert len(marked) == 1
        assert "say('block_1')" in marked[0]
        assert "Blocked: by" in marked[0]
        margins = app.query_one(Margins).render().plain.splitlines()
        assert margins[0].startswith("✗ lifted(block)")
        assert margins[0].endswith("-0.60")
        assert margins[2] == "block is 3 mm too low"
        await pilot.press("end")
        margins = app.query_one(Margins).render().plain.splitlines()
        assert margins[0].startswith("✓ lifted(block)")
        assert "1.0 / 1.0 s" in app.line("time")


@piloted
async def test_nothing_that_a_film_says_steers_the_terminal(home: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(150, 30)) as pilot:
        await pilot.press("end")
        shown = app.query_one(CallTrace).render().plain + app.line("note")
        assert "\x1b" not in shown
        assert "[bold]1" in shown
        assert "[bold]it" in shown
        assert "solved, as recorded" in shown


@piloted
async def test_a_film_is_written_to_a_file(home: Path, tmp_path: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("right", "o")
        file = app.query_one(Input)
        assert (file.has_focus, file.value) == (True, "lift-7.gif")
        await pilot.press("escape")
        assert not file.display
        assert app.query_one(Playback).has_focus
        for name in ("one.gif", "two.png"):
            await pilot.press("o")
            file.value = str(tmp_path / name)
            await pilot.press("enter")
            await app.workers.wait_for_complete()
            await pilot.pause()
        assert app.told == [tmp_path / "one.gif", tmp_path / "two.png"]
        assert (tmp_path / "one.gif").read_bytes().startswith(b"GIF89a")
        assert (tmp_path / "two.png").read_bytes() == picture(70)
        await pilot.press("o")
        file.value = str(tmp_path / "three.avi")
        await pilot.press("enter")
        assert "end it in .gif" in app.told[-1]
        assert "end it in .gif" in app.line("note")


@piloted
async def test_a_film_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("in the way")
    app = Cinema(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "right", "o", "left_square_bracket", "end")
        assert "no films can be kept" in app.told[0]
        assert app.told[1].startswith("nothing has been filmed")


@piloted
async def test_leaving_ends_the_process_that_films(tmp_path: Path) -> None:
    app = Cinema(tmp_path)  # nothing is kept here, so it has to be made
    async with app.run_test(size=(80, 24)) as pilot:
        shown = app.query_one(Playback).showing
        assert shown is not None
        process = shown._process
        assert process is not None
        assert process.poll() is None
        # A skill that nobody has learned would fail by itself; a stopped process cannot.
        process.send_signal(signal.SIGSTOP)
        await pilot.pause()
    assert shown.state is FilmState.CANCELLED
    assert process.poll() is not None


@piloted
async def test_a_narrow_terminal_shows_them_one_above_the_other(home: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(50, 30)) as pilot:
        await pilot.pause()
        seen, side = app.query_one(PictureView).region, app.query_one(Margins).region
        assert seen.bottom <= side.y
        assert seen.width == 50


@pytest.mark.parametrize("colours", [True, False])
@piloted
async def test_pictures_with_and_without_colours(
    colours: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if colours:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    app = Cinema(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        view = app.query_one(PictureView)
        text = "".join(view.render_line(y).text for y in range(view.size.height))
        assert ("▀" in text) is colours
        assert any(0x2800 < ord(letter) <= 0x28FF for letter in text) is not colours


def test_half_blocks_hold_two_pixels_a_character() -> None:
    rows = half_blocks(picture(100), 32, 12)
    assert (len(rows), rows[0].cell_length) == (12, 32)
    first = next(iter(rows[0]))
    assert first.text == "▀" * len(first.text)
    assert first.style is not None
    assert first.style.color is not None
    assert first.style.color.triplet is not None
    assert first.style.color.triplet.red > 200
    # As large as fits, and never wider than it is.
    assert len(half_blocks(picture(100), 80, 12)) == 12
    assert half_blocks(picture(100), 16, 40)[0].cell_length == 16
    assert half_blocks(picture(100), 1, 1)[0].cell_length == 1


def test_dots_draw_outlines() -> None:
    rows = dots(picture(200), 16, 6)
    text = "".join(row.text for row in rows)
    assert len(text) == 16 * 6
    assert "\u2800" in text  # nothing is drawn where nothing is
    assert set(text) != {"\u2800"}


@piloted
async def test_a_damaged_picture_is_an_empty_one(home: Path) -> None:
    app = Cinema(home)
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(PictureView)
        view.show(picture(100)[:50])
        await pilot.pause()
        assert not "".join(view.render_line(y).text for y in range(view.size.height)).strip()
