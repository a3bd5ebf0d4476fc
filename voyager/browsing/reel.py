"""Writing a film to a file that others can open: MP4, GIF, or one picture of it as PNG."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from env.errors import VoyagerError
from voyager.browsing.filmed import FilmFrame

if TYPE_CHECKING:
    from env.render import Frame

SUFFIXES: Final = (".gif", ".mp4", ".png")
FPS: Final = 10
"""Frames a second of the viewer's time; what is written plays in real time."""
_REST_S: Final = 1.5
"""How long a film rests on its last frame."""
_GIF_BYTES: Final = 4_000_000


def check_target(path: Path) -> None:
    """Look whether a film can be written to a file of that name, before it is made.

    Raises:
        VoyagerError: If its ending is unknown, MP4 cannot be written here, or its folder is
            missing.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise VoyagerError(
            f"{path.name or path} does not say what to write; end it in {', '.join(SUFFIXES)}"
        )
    if suffix == ".mp4" and importlib.util.find_spec("av") is None:
        raise VoyagerError(
            "films as MP4 need PyAV: python -m pip install 'voyager-skill-library[video]'; "
            "or write a .gif"
        )
    if not path.absolute().parent.is_dir():
        raise VoyagerError(f"there is no folder {path.absolute().parent}; make it first")


def write_film(frames: Sequence[FilmFrame], path: Path, *, shown: int = -1) -> None:
    """Write frames of a film to a file; its ending says how.

    Args:
        frames: In order of time.
        path: Ends in .gif, .mp4 or .png; its folder must be there.
        shown: Index of the frame that a PNG gets; the last one if not given.

    Raises:
        VoyagerError: If there is no frame, the ending is unknown, MP4 cannot be written here, or
            the file cannot be written.
    """
    check_target(path)
    if not frames:
        raise VoyagerError("nothing has been filmed yet; wait for the first picture")
    suffix = path.suffix.lower()
    if suffix == ".gif":
        from env.pictures import write_gif  # with all of the physics, which only this needs

        write_gif([picture(frame) for frame in evenly(frames)], path, fps=FPS, limit=_GIF_BYTES)
        return
    try:
        path.write_bytes(frames[shown].picture if suffix == ".png" else _mp4(frames))
    except OSError as error:
        raise VoyagerError(
            f"cannot write {path} ({error.strerror or error}); name a file in a folder of yours"
        ) from error


def _mp4(frames: Sequence[FilmFrame]) -> bytes:
    from voyager.browsing.video import mp4

    shown = [*evenly(frames), *[frames[-1]] * round(_REST_S * FPS)]
    return mp4([picture(frame) for frame in shown], fps=FPS)


def picture(frame: FilmFrame) -> Frame:
    """The pixels of a frame.

    Raises:
        OSError: If its picture is damaged.
    """
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(frame.picture)) as found:
        return np.asarray(found.convert("RGB"))


def evenly(frames: Sequence[FilmFrame]) -> Iterator[FilmFrame]:
    """The frame that is to be seen at each tick of the viewer's clock, the last one included."""
    index = tick = 0
    yield frames[0]
    while index < len(frames) - 1:
        tick += 1
        now = frames[0].time + tick / FPS
        while index < len(frames) - 1 and frames[index + 1].time <= now + 0.5 / FPS:
            index += 1
        yield frames[index]
