"""Films as MP4: each picture at its time, the same file each time."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from env.errors import VoyagerError
from voyager.browsing.video import mp4

LEVELS = (30, 90, 150, 210)


def grey(level: int, height: int = 32, width: int = 48) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_every_picture_comes_back_at_its_time() -> None:
    frames = [grey(level) for level in LEVELS]
    data = mp4(frames, fps=10)

    with av.open(io.BytesIO(data)) as film:
        seen = [(float(f.time), f.to_ndarray(format="rgb24")) for f in film.decode(video=0)]
    assert [time for time, _ in seen] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    for (_, picture), frame in zip(seen, frames, strict=True):
        assert picture.shape == frame.shape
        assert np.abs(picture.astype(int) - frame).max() < 6
    assert mp4(frames, fps=10) == data


def test_a_reader_can_begin_at_every_second_picture() -> None:
    with av.open(io.BytesIO(mp4([grey(90)] * 4, fps=10))) as film:
        keys = [bool(packet.is_keyframe) for packet in film.demux(video=0) if packet.size]
    assert keys == [True, False, True, False]


@pytest.mark.parametrize(
    ("frames", "says"), [([], "no frames"), ([grey(9, 31, 48)], "48 x 31"), ([grey(9, 32, 7)], "7")]
)
def test_what_cannot_be_a_film_is_said(frames: list[np.ndarray], says: str) -> None:
    with pytest.raises(VoyagerError, match=says):
        mp4(frames, fps=10)
