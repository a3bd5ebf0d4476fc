from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from env.errors import VoyagerError
from tests.voyager.browsing.reels import FRAMES, ORDER, picture, write_film
from voyager.browsing.filmed import FilmFrame
from voyager.browsing.films import Showing
from voyager.browsing.reel import check_target, evenly
from voyager.browsing.reel import write_film as write_reel


@pytest.fixture
def frames(tmp_path: Path) -> list[FilmFrame]:
    path = tmp_path / "one.film"
    write_film(path)
    shown = Showing(ORDER, path, path)
    while shown.look():
        pass
    return shown.frames


def test_a_gif_plays_in_real_time(frames: list[FilmFrame], tmp_path: Path) -> None:
    write_reel(frames, tmp_path / "one.GIF")
    with Image.open(tmp_path / "one.GIF") as gif:
        assert gif.size == (32, 24)
        pauses = [frame.info["duration"] for frame in ImageSequence.Iterator(gif)]
    # Equal pictures may be one; the last one rests.
    assert sum(pauses) == (FRAMES - 1) * 100 + 1500


def test_a_png_is_the_picture_in_sight(frames: list[FilmFrame], tmp_path: Path) -> None:
    write_reel(frames, tmp_path / "one.png", shown=3)
    assert (tmp_path / "one.png").read_bytes() == frames[3].picture


def test_an_mp4_can_be_read_back(frames: list[FilmFrame], tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    write_reel(frames, tmp_path / "one.mp4")
    with av.open(str(tmp_path / "one.mp4")) as container:
        seen = [frame.to_image().getpixel((20, 20))[0] for frame in container.decode(video=0)]
    assert len(seen) == FRAMES + 15  # it rests on its last picture
    assert seen[0] < seen[5] < seen[-1]


def test_frames_that_are_far_apart_stay_longer() -> None:
    times = (0.0, 0.1, 0.4, 1.0)
    frames = [FilmFrame(time, (), picture(index)) for index, time in enumerate(times)]
    shown = [frames.index(frame) for frame in evenly(frames)]
    assert shown == [0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3]
    assert list(evenly(frames[:1])) == frames[:1]


def test_what_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    with pytest.raises(VoyagerError, match=r"end it in \.gif, \.mp4, \.png"):
        check_target(tmp_path / "one.avi")
    with pytest.raises(VoyagerError, match="there is no folder"):
        check_target(tmp_path / "nowhere" / "one.gif")
    with pytest.raises(VoyagerError, match="nothing has been filmed yet"):
        write_reel([], tmp_path / "one.gif")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(VoyagerError, match="cannot write"):
        write_reel([FilmFrame(0.0, (), picture(1))], tmp_path / "folder.png")


def test_mp4_without_its_package_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(VoyagerError, match=r"pip install .*video"):
        check_target(tmp_path / "one.mp4")
