"""Films for tests: one made by hand with a few tiny pictures, in the very format of real ones."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from env.transcript import Start
from voyager.browsing.film_file import FILM_SCHEMA, FilmWriter
from voyager.browsing.films import FOLDER, Order

FRAMES = 11
ORDER = Order("lift", 1, "c" * 64, Start(7), expected="e" * 64)


def picture(shade: int, size: tuple[int, int] = (32, 24)) -> bytes:
    """A grey PNG with a red corner."""
    image = Image.new("RGB", size, (shade, shade, shade))
    image.paste((230, 20, 20), (0, 0, size[0] // 4, size[1] // 4))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def call(name: str, time: float, **more: Any) -> dict[str, Any]:
    """The record of a call."""
    return {
        "name": name,
        "args": ["block_1"],
        "kwargs": {},
        "result": None,
        "error": None,
        "time": time,
        "duration": 0.2,
        "moved": [],
        "skill": "lift",
        "line": 3,
        "depth": 0,
        **more,
    }


EPISODE = {
    "hash": "e" * 64,
    "outcome": "solved",
    "reason": "",
    "margin": 0.4,
    "time": 0.5,
    "binding": {"block": "block_1"},
    "calls": [
        call("open_gripper", 0.0),
        call("say", 0.2, error={"type": "Blocked", "message": "by \x1b[31m[bold]it"}),
        call("close_gripper", 0.4, depth=1),
    ],
}


def atom(margin: float) -> dict[str, Any]:
    """The record of an atom at an instant."""
    missing = "" if margin > 0 else "block is 3 mm too low"
    return {
        "text": "lifted(block)",
        "holds": margin > 0,
        "margin": margin,
        "missing": missing,
        "within": "",
    }


def write_film(path: Path, *, frames: int = FRAMES, ended: bool = True, goal: str = "") -> None:
    """Write a film: ten frames a second, a margin that grows from -1 to 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        film = FilmWriter(file)
        film.add("head", {"schema": FILM_SCHEMA, "goal": goal or "lifted(block)"})
        film.add("episode", {"episode": EPISODE})
        for index in range(frames):
            margin = -1.0 + 2.0 * index / max(1, frames - 1)
            shade = 60 + 10 * index
            film.add("frame", {"time": index / 10, "atoms": [atom(margin)]}, picture(shade))
        if ended:
            film.add("end", {"hash": "e" * 64, "same": True})


def kept(home: Path, order: Order = ORDER) -> Path:
    """Where the film of an order lies in a home."""
    return home / "artifacts" / FOLDER / f"{order.key}.film"
