"""Films as MP4 files; the one file that knows PyAV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from env.errors import VoyagerError
from env.render import Frame

CODEC: Final = "h264"
PIXELS: Final = "yuv420p"
_OPTIONS: Final = {
    # A picture of its own every second frame, and none that needs a later one: players and
    # readers of data sets jump to any frame.
    "g": "2",
    "bf": "0",
    "crf": "20",
    "preset": "veryfast",
    # With more threads a picture is cut into slices by their number, and files would differ.
    "threads": "1",
}


def mp4(frames: Sequence[Frame], *, fps: int) -> bytes:
    """Encode frames as an MP4 file (H.264) that begins at time 0.

    Args:
        frames: At least one, all of one size with even edges.
        fps: Frames a second.

    Returns:
        The file's bytes.

    Raises:
        VoyagerError: If PyAV is missing, or the frames cannot be encoded.
    """
    try:
        import av
    except ImportError as error:
        raise VoyagerError(
            "films as MP4 need PyAV; install the extra: "
            "python -m pip install 'voyager-skill-library[video]'"
        ) from error
    if not frames:
        raise VoyagerError("there are no frames to make a film of")
    height, width = frames[0].shape[:2]
    if height % 2 or width % 2:
        raise VoyagerError(f"a film needs even edges, not {width} x {height} pixels")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=dict(_OPTIONS))
        stream.width, stream.height, stream.pix_fmt = width, height, PIXELS
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
