"""Films for a report: found, made smaller, and turned into text that stands in the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageSequence, UnidentifiedImageError

from skill_store.skill import Skill
from voyager.gallery import clip_place, places

ROOM: Final = 5_000_000
"""Bytes of all films together; as text in a page they take a third more."""
_LARGEST: Final = 350_000
_SMALLEST: Final = 60_000
"""Bytes below which a film shows nothing any more; what finds no room is left out."""
_WIDTHS: Final = (280, 240, 200, 160)


@dataclass(frozen=True, slots=True)
class Picture:
    """A film as it stands in a page.

    Attributes:
        data: A `data:` address with the whole film.
        width: Pixels.
        height: Pixels.
    """

    data: str
    width: int
    height: int


def found(skill: Skill, folder: Path) -> Path | None:
    """The film of a skill that is there already: the small one, else the large one."""
    candidates = (clip_place(skill, folder), places(skill, folder).film)
    return next((path for path in candidates if path.is_file()), None)


def embedded(skills: Sequence[Skill], folder: Path, *, room: int = ROOM) -> Mapping[str, Picture]:
    """The films of skills, as text for a page.

    Args:
        skills: The more important ones first: when there is no room for all, the last go without.
        folder: Where films lie.
        room: Bytes that all of them may take together.

    Returns:
        Pictures by name of skill; a film that is missing or cannot be read is left out.
    """
    films = [(skill.name, path) for skill in skills if (path := found(skill, folder)) is not None]
    made: dict[str, Picture] = {}
    left = room
    for index, (name, path) in enumerate(films):
        limit = min(_LARGEST, max(_SMALLEST, left // (len(films) - index)))
        if left < limit:
            break
        fitted = _fitted(path, limit)
        if fitted is None:
            continue
        content, size = fitted
        left -= len(content)
        text = base64.b64encode(content).decode("ascii")
        made[name] = Picture(f"data:image/gif;base64,{text}", *size)
    return made


def _fitted(path: Path, limit: int) -> tuple[bytes, tuple[int, int]] | None:
    """A film within a number of bytes: as it is, or smaller and with every second frame."""
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as film:
            if len(content) <= limit:
                return content, film.size
            pause = int(film.info.get("duration", 80))  # of the first frame; the last one rests
            frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(film)]
    except (OSError, UnidentifiedImageError):
        return None  # a report is worth having without it
    for width in _WIDTHS:
        size = (width, round(frames[0].height * width / frames[0].width))
        smaller = [frame.resize(size, Image.Resampling.LANCZOS) for frame in frames[::2]]
        out = io.BytesIO()
        smaller[0].save(
            out,
            format="GIF",
            save_all=True,
            append_images=smaller[1:],
            duration=[2 * pause] * (len(smaller) - 1) + [1500],
            loop=0,
        )
        if len(out.getvalue()) <= limit:
            return out.getvalue(), size
    return None
