"""Picture files from frames: animated GIFs and contact sheets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from env.errors import VoyagerError
from env.render import Frame

_SCALE_DOWN: Final = 0.85
_SMALLEST_WIDTH: Final = 120
_COLOURS: Final = 255
_REST_MS: Final = 1500

_MOST_COLUMNS: Final = 5
_MARGIN: Final = 16
_GAP: Final = 10
_CAPTION: Final = 24
_TITLE: Final = 34
_PAPER: Final = (252, 252, 250)
_INK: Final = (38, 42, 48)
_FAINT: Final = (110, 116, 124)
_GOOD: Final = (46, 140, 78)
_BAD: Final = (196, 60, 48)
_NEUTRAL: Final = (150, 156, 164)


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        frame: The picture; all tiles of a sheet have the same size.
        caption: A few words below it.
        good: Marks it green or red; None leaves it grey.
    """

    frame: Frame
    caption: str
    good: bool | None = None


def write_gif(
    frames: Sequence[Frame], path: Path, *, fps: float = 12.0, limit: int = 1_000_000
) -> None:
    """Write an animated GIF that plays for ever and rests on its last frame.

    Args:
        frames: At least one.
        path: Where; its folder must be there.
        fps: Frames a second of the viewer's time.
        limit: Bytes; frames are made smaller until the file fits.

    Raises:
        VoyagerError: If there is no frame, or the file cannot be written.
    """
    if not frames:
        raise VoyagerError(f"there are no frames to write to {path}")
    pause = max(2, round(100 / fps)) * 10  # GIF counts in hundredths of a second
    pauses = [pause] * (len(frames) - 1) + [_REST_MS]
    pictures = [Image.fromarray(frame) for frame in frames]
    while True:
        # One palette for all frames: what rests keeps its exact colours and costs nothing.
        palette = _common_palette(pictures)
        indexed = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
        try:
            indexed[0].save(
                path,
                format="GIF",
                save_all=True,
                append_images=indexed[1:],
                duration=pauses,
                loop=0,
                optimize=False,
            )
            size = path.stat().st_size
        except OSError as error:
            raise _unwritable(path, error) from error
        width = round(pictures[0].width * _SCALE_DOWN)
        if size <= limit or width < _SMALLEST_WIDTH:
            return
        height = round(pictures[0].height * _SCALE_DOWN)
        pictures = [p.resize((width, height), Image.Resampling.LANCZOS) for p in pictures]


def _common_palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """A palette for all frames; the method keeps the colours of small things."""
    chosen = [pictures[round(i * (len(pictures) - 1) / 4)] for i in range(5)]
    strip = Image.new("RGB", (chosen[0].width, chosen[0].height * len(chosen)))
    for index, picture in enumerate(chosen):
        strip.paste(picture, (0, index * picture.height))
    return strip.quantize(colors=_COLOURS, method=Image.Quantize.MAXCOVERAGE)


def _unwritable(path: Path, error: OSError) -> VoyagerError:
    reason = error.strerror or str(error)
    return VoyagerError(f"cannot write {path} ({reason}); name a file in a folder that is there")


def contact_sheet(tiles: Sequence[Tile], path: Path, *, title: str, subtitle: str = "") -> None:
    """Write pictures side by side, with captions, as a PNG.

    Args:
        tiles: At least one.
        path: Where; its folder must be there.
        title: Heading, one line.
        subtitle: A second line, fainter.

    Raises:
        VoyagerError: If there is no tile, or the file cannot be written.
    """
    if not tiles:
        raise VoyagerError(f"there are no pictures to write to {path}")
    rows = math.ceil(len(tiles) / _MOST_COLUMNS)
    columns = math.ceil(len(tiles) / rows)
    height, width = tiles[0].frame.shape[:2]
    top = _MARGIN + _TITLE + (_CAPTION if subtitle else 0) + _GAP
    sheet = Image.new(
        "RGB",
        (
            2 * _MARGIN + columns * width + (columns - 1) * _GAP,
            top + rows * (height + _CAPTION) + (rows - 1) * _GAP + _MARGIN,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    room = sheet.width - 2 * _MARGIN
    heading, small = ImageFont.load_default(24), ImageFont.load_default(14)
    draw.text((_MARGIN, _MARGIN), _fitted(title, draw, heading, room), _INK, font=heading)
    if subtitle:
        line = _fitted(subtitle, draw, small, room)
        draw.text((_MARGIN, _MARGIN + _TITLE), line, _FAINT, font=small)
    for index, tile in enumerate(tiles):
        x = _MARGIN + (index % columns) * (width + _GAP)
        y = top + (index // columns) * (height + _CAPTION + _GAP)
        sheet.paste(Image.fromarray(tile.frame), (x, y))
        colour = _NEUTRAL if tile.good is None else _GOOD if tile.good else _BAD
        draw.ellipse((x + 1, y + height + 9, x + 10, y + height + 18), fill=colour)
        caption = _fitted(tile.caption, draw, small, width - 18)
        draw.text((x + 17, y + height + 5), caption, _INK, font=small)
    try:
        sheet.save(path, format="PNG", optimize=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _fitted(
    text: str,
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    room: int,
) -> str:
    """The text, cut with an ellipsis where it would not fit; letters that the font lacks go."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    if draw.textlength(shown, font) <= room:
        return shown
    while shown and draw.textlength(shown + "...", font) > room:
        shown = shown[:-1]
    return shown.rstrip() + "..."
