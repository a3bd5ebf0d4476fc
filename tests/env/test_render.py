from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from env.episode import run_episode
from env.errors import VoyagerError
from env.executors import SerialExecutor
from env.pictures import Tile, contact_sheet, write_gif
from env.render import Camera, FilmedWorld, PacedWorld, Reel, Shot, film, shoot
from env.starts import Handover, practice_seed
from env.transcript import HandoverRecord, Start
from env.world import World
from tests.env.inline_sandbox import InlineSandbox
from tests.env.skills import LIFT, LIFTING, REACH, REACHING

SMALL = Camera(width=96, height=72)


def _start(index: int = 0) -> Start:
    return Start(practice_seed(REACH, index))


def test_a_film_shows_the_very_episode() -> None:
    starts = [_start(0), _start(1)]
    with World() as world:
        plain = [run_episode(world, InlineSandbox(), REACH, REACHING, start) for start in starts]
    reel = Reel(tuple(Shot(REACH, REACHING, start) for start in starts), SMALL, fps=4.0)
    films = film(reel, InlineSandbox())
    assert [seen.episode.hash for seen in films] == [episode.hash for episode in plain]
    for seen in films:
        seconds = seen.episode.time + 1.0  # the settle window is part of it
        assert seen.fps == 4.0
        assert abs(len(seen.frames) - 4 * seconds) <= 2
        assert all(frame.shape == (72, 96, 3) for frame in seen.frames)
        assert (seen.frames[0] != seen.last).any()
        assert (abs(seen.frames[-1].astype(int) - seen.last) > 40).mean() < 0.02


def test_long_films_are_thinned_evenly() -> None:
    reel = Reel((Shot(REACH, REACHING, _start()),), SMALL, fps=24.0, most=8)
    (seen,) = film(reel, InlineSandbox())
    assert 4 <= len(seen.frames) <= 8
    assert seen.fps in (6.0, 3.0, 1.5)
    assert abs(len(seen.frames) - seen.fps * (seen.episode.time + 1.0)) <= 2


def test_no_frames_when_none_are_asked_for() -> None:
    (seen,) = film(Reel((Shot(REACH, REACHING, _start()),), SMALL, fps=0.0), InlineSandbox())
    assert seen.frames == ()
    assert seen.last.shape == (72, 96, 3)


def test_a_film_begins_after_the_hand_over() -> None:
    start = Start(practice_seed(REACH, 0), HandoverRecord(LIFTING.hash, LIFT.hash, 3))
    handover = Handover(LIFTING, LIFT)
    with World() as world:
        plain = run_episode(world, InlineSandbox(), REACH, REACHING, start, handover=handover)
    reel = Reel((Shot(REACH, REACHING, start, handover),), SMALL, fps=4.0)
    (seen,) = film(reel, InlineSandbox())
    assert seen.episode.hash == plain.hash
    assert abs(len(seen.frames) - 4 * (seen.episode.time + 1.0)) <= 2


def test_executors_film_too() -> None:
    reels = [Reel((Shot(REACH, REACHING, _start(i)),), SMALL, fps=0.0) for i in range(2)]
    with SerialExecutor(InlineSandbox) as executor:
        results = list(executor.map(shoot, reels))
    assert all(isinstance(result, tuple) and len(result) == 1 for result in results)


def test_the_background_is_smooth_and_nothing_of_the_key_colour_is_left() -> None:
    with FilmedWorld(Camera(160, 120, samples=1)) as world:
        assert isinstance(world, FilmedWorld)
        world.reset(REACH.sample(4))
        picture = world.look().astype(int)
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    assert not ((green < 40) & (red > 80) & (blue > 80)).any()
    corner = picture[:4, :4].reshape(-1, 3)
    assert (corner > 190).all()
    assert np.ptp(corner, axis=0).max() <= 4


def test_smooth_edges_have_the_size_that_was_asked_for() -> None:
    world = FilmedWorld(Camera(80, 60, samples=2))
    with world:
        world.reset(REACH.sample(4))
        assert world.look().shape == (60, 80, 3)


def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(VoyagerError, match="there is no display"):
        PacedWorld()


# -- files ------------------------------------------------------------------------------------


def _frames(count: int, noise: bool = False) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        frame = np.full((72, 96, 3), 200, np.uint8)
        if noise:
            frame = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        frame[10:20, index : index + 10] = (220, 30, 30)
        made.append(frame)
    return made


def test_a_gif_keeps_its_frames_and_the_colours_of_small_things(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    write_gif(_frames(12), path, fps=10.0)
    with Image.open(path) as picture:
        assert picture.n_frames == 12
        assert picture.info["loop"] == 0
        assert picture.info["duration"] == 100
        red, green, blue = picture.convert("RGB").getpixel((4, 14))
    assert red > 200
    assert green < 60
    assert blue < 60


def test_a_gif_fits_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    write_gif(_frames(4, noise=True), path, limit=80_000)
    assert path.stat().st_size <= 80_000
    with Image.open(path) as picture:
        assert picture.width < 160


def test_a_contact_sheet_holds_all_tiles(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    frames = _frames(7)
    tiles = [
        Tile(frame, f"seed {i}: \x1b[31m{'long ' * 30}", i % 2 == 0)
        for i, frame in enumerate(frames)
    ]
    contact_sheet(tiles, path, title="a title " * 40, subtitle="more")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels.shape[1] > 4 * 96  # two rows, of four and three
    assert pixels.shape[0] > 2 * 72
    reds = (pixels == (220, 30, 30)).all(axis=2)
    assert reds.sum() == 7 * 10 * 10


def test_pictures_that_cannot_be_written(tmp_path: Path) -> None:
    frames = _frames(1)
    with pytest.raises(VoyagerError, match="cannot write"):
        write_gif(frames, tmp_path / "none" / "x.gif")
    with pytest.raises(VoyagerError, match="cannot write"):
        contact_sheet([Tile(frames[0], "x")], tmp_path / "none" / "x.png", title="t")
    with pytest.raises(VoyagerError, match="no frames"):
        write_gif([], tmp_path / "x.gif")
    with pytest.raises(VoyagerError, match="no pictures"):
        contact_sheet([], tmp_path / "x.png", title="t")
