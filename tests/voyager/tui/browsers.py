"""The browser under test: a home with something of everything, a frozen clock, no terminal."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from env.outcome import Outcome
from env.program import Closure, Program
from skill_store import Library, Origin
from skill_store.archive import restore
from tests.skill_store.samples import certificate
from voyager.browsing.tabs import Tab
from voyager.tui.app import BrowserApp
from voyager.tui.detail_pane import DetailPane
from voyager.tui.skill_table import SkillTable

ARCHIVE: Final = Path(__file__).parents[3] / "examples" / "library" / "library.tar.gz"
NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WIDE: Final = (120, 36)
SMALL: Final = (80, 24)
NASTY: Final = "\x1b[31mred\x1b[0m [bold]markup[/bold] \u202eturned"
"""A text of the sort that no terminal should be given."""

Pilots = Pilot[Any]
_PATIENCE: Final = 120.0
"""Seconds for what takes two at most: many may want the same processor."""


def shipped(folder: Path) -> Path:
    """The shipped library: 14 skills that an exploration left behind."""
    restore(ARCHIVE, folder)
    shutil.rmtree(folder / "backups")
    return folder


def furnished(folder: Path) -> Path:
    """The same, with a second version, a lesson and drafts: parts that it has none of."""
    shipped(folder)
    with Library.open(folder, learning=True, clock=lambda: NOW) as library:
        skill = library.get("put_on")
        source = skill.source.replace("open_gripper()", "open_gripper()\n    open_gripper()", 1)
        program = Program.parse(source, skill.program.lock)
        root = skill.closure.root
        programs = {key: one for key, one in skill.closure.programs.items() if key != root}
        contracts = {key: one for key, one in skill.closure.contracts.items() if key != root}
        closure = Closure(program.hash, {**programs, program.hash: program}, contracts)
        library.reserve(skill.task, closure)
        ordinal = skill.certificate.ordinal + 1
        library.add_version(
            "put_on",
            closure,
            certificate(skill.task, closure, ordinal=ordinal),
            Origin.EDITED,
            champion=False,
        )
        attempt = library.journal.begin_attempt(skill.task)
        first = library.drafts.add(attempt, None, "a" * 64, "x = 1\n", -0.2, "failed", NASTY)
        library.drafts.add(attempt, first, "b" * 64, f"y = 2  # {NASTY}\n", None, "refused", "")
        library.journal.end_attempt(attempt, Outcome.FAILED, NASTY, simulated_steps=1000)
        library.lessons.add("slips", skill.task, NASTY, "held too high", "grasp lower", attempt)
    return folder


def app_on(home: Path, **options: Any) -> BrowserApp:
    """A browser that thinks it is noon."""
    return BrowserApp(home, clock=lambda: NOW, **options)


def driven(
    home: Path,
    script: Callable[[Pilots, BrowserApp], Awaitable[None]],
    size: tuple[int, int] = WIDE,
    **options: Any,
) -> None:
    """Open a browser, wait for its list and its first skill, and do something in it."""

    async def begun(pilot: Pilots, app: BrowserApp) -> None:
        await listed(pilot)
        await script(pilot, app)

    opened(home, begun, size, **options)


def opened(
    home: Path,
    script: Callable[[Pilots, BrowserApp], Awaitable[None]],
    size: tuple[int, int] = WIDE,
    **options: Any,
) -> None:
    """Open a browser and do something in it."""

    async def drive() -> None:
        app = app_on(home, **options)
        async with app.run_test(size=size, notifications=True) as pilot:
            await script(pilot, app)

    asyncio.run(drive())


async def until(pilot: Pilots, holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if holds():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    shown = screen_text(pilot.app)
    raise AssertionError(f"it never came; on the screen:\n{shown}")


async def listed(pilot: Pilots) -> None:
    """Wait for the list, and for what is told of its first skill."""
    await until(pilot, lambda: pilot.app.query_one(SkillTable).loaded)
    if pilot.app.query_one(SkillTable).total:
        await read(pilot)


async def read(pilot: Pilots) -> None:
    """Wait until the tab in view tells about the skill under the cursor."""

    def there() -> bool:
        table, detail = pilot.app.query_one(SkillTable), pilot.app.query_one(DetailPane)
        same = table.row is not None and detail.row is not None and table.row == detail.row
        return same and detail.told(detail.tab) is not None

    await until(pilot, there)


async def look_at(pilot: Pilots, tab: Tab) -> None:
    """Look at a tab and wait for what it tells."""
    pilot.app.query_one(DetailPane).choose(tab)
    await pilot.pause()
    await read(pilot)


def screen_text(app: Any) -> str:
    """What is on the screen, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def toasts(app: BrowserApp) -> list[str]:
    """What the browser said in passing."""
    return [str(one.message) for one in app._notifications]


def names(app: BrowserApp) -> list[str]:
    """The skills in the list, as far as they are here."""
    table = app.query_one(SkillTable)
    rows = (table._at(index) for index in range(table.total))
    return [row.name for row in rows if row is not None]
