"""Take the pictures of the browser that the documentation shows, as SVG.

    python scripts/make_browser_pictures.py [FOLDER]     docs/pictures if none is named

They show the shipped library at a fixed moment, so that they change when the browser does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from skill_store.archive import restore
from voyager.cli.demo import shipped_library
from voyager.tui.app import BrowserApp
from voyager.tui.detail_pane import DetailPane
from voyager.tui.skill_table import SkillTable

ROOT: Final = Path(__file__).resolve().parents[1]
NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SIZE: Final = (120, 30)
PICTURES: Final = {
    "browser_code": ("put_on_block", ""),
    "browser_proof": ("put_in", "certificate"),
    "browser_calls": ("put_on", "graph"),
}
"""Skill and tab of each picture."""
_PATIENCE: Final = 60.0


def main(arguments: Sequence[str]) -> None:
    """Write all pictures."""
    folder = Path(arguments[0]) if arguments else ROOT / "docs" / "pictures"
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        restore(shipped_library(), home)
        for name, (skill, tab) in PICTURES.items():
            svg = asyncio.run(picture(home, skill, tab))
            # Textual gives each picture names of its own: equal pictures shall be equal files.
            plain = re.sub(r"terminal-\d+", "terminal", svg)
            (folder / f"{name}.svg").write_text(plain, encoding="utf-8")


async def picture(home: Path, skill: str, tab: str) -> str:
    """One picture of the browser: a skill, and one of its tabs."""
    app = BrowserApp(home, clock=lambda: NOW, home_given=False)
    async with app.run_test(size=SIZE) as pilot:
        table, detail = app.query_one(SkillTable), app.query_one(DetailPane)
        await _until(pilot, lambda: table.loaded)
        await app.go_to(skill)
        await _until(pilot, lambda: table.row is not None and table.row.name == skill)
        if tab:
            detail.choose(type(detail.tab)(tab))
        await _until(pilot, lambda: detail.row == table.row and detail.told(detail.tab))
        await pilot.pause(0.5)
        return app.export_screenshot(title="voyager browse")


async def _until(pilot: Pilot[None], holds: Any) -> None:
    for _ in range(round(_PATIENCE / 0.05)):
        await pilot.pause(0.05)
        if holds():
            return
    raise TimeoutError("the browser did not get so far")


if __name__ == "__main__":
    main(sys.argv[1:])
