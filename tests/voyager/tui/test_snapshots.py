"""What the browser looks like, down to the colours: a fixed size, a frozen clock, one library.

Look at the report before taking new ones:
`python -m pytest tests/voyager/tui/test_snapshots.py -p no:xdist --snapshot-update`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.voyager.tui.browsers import (
    SMALL,
    WIDE,
    Pilots,
    app_on,
    furnished,
    listed,
    look_at,
    read,
    until,
)
from voyager.browsing.tabs import Tab
from voyager.tui.facets_pane import FacetsPane
from voyager.tui.skill_table import SkillTable
from voyager.tui.skills_view import SkillsView

pytestmark = [pytest.mark.slow, pytest.mark.ci]

Compare = Callable[..., bool]
Steps = Callable[[Pilots], Awaitable[None]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished(tmp_path_factory.mktemp("furnished") / "home")


def same(
    compare: Compare,
    home: Path,
    steps: Steps | None = None,
    size: tuple[int, int] = WIDE,
    **options: Any,
) -> bool:
    """Whether a browser looks as it did after some steps."""

    async def before(pilot: Pilots) -> None:
        for field in pilot.app.query(Input):
            field.cursor_blink = False
        await listed(pilot)
        if steps is not None:
            await steps(pilot)
        await pilot.pause(0.2)

    # Without --home: the path of a temporary folder is another one each time.
    app = app_on(home, home_given=False, **options)
    return compare(app, run_before=before, terminal_size=size)


async def at(pilot: Pilots, name: str, tab: Tab) -> None:
    await pilot.app.query_one(SkillsView).app.go_to(name)  # type: ignore[attr-defined]
    await until(pilot, lambda: pilot.app.query_one(SkillTable).row.name == name)
    await look_at(pilot, tab)


def test_list_and_code(home: Path, snap_compare: Compare) -> None:
    assert same(snap_compare, home)


@pytest.mark.parametrize(
    "tab", [Tab.CERTIFICATE, Tab.GRAPH, Tab.VERSIONS, Tab.ATTEMPTS, Tab.LESSONS, Tab.RUNS]
)
def test_tabs(home: Path, snap_compare: Compare, tab: Tab) -> None:
    async def steps(pilot: Pilots) -> None:
        await at(pilot, "put_in" if tab is Tab.CERTIFICATE else "put_on", tab)

    assert same(snap_compare, home, steps)


def test_facets(home: Path, snap_compare: Compare) -> None:
    async def steps(pilot: Pilots) -> None:
        await pilot.press("f")
        await until(pilot, lambda: pilot.app.query_one(FacetsPane).option_count > 3)
        await pilot.press("j", "space")
        await until(pilot, lambda: pilot.app.query_one(SkillTable).total == 3)
        await read(pilot)

    assert same(snap_compare, home, steps)


def test_dialog(home: Path, snap_compare: Compare) -> None:
    async def steps(pilot: Pilots) -> None:
        await pilot.press("v")

    assert same(snap_compare, home, steps)


def test_help(home: Path, snap_compare: Compare) -> None:
    async def steps(pilot: Pilots) -> None:
        await pilot.press("question_mark")

    assert same(snap_compare, home, steps)


def test_small_list(home: Path, snap_compare: Compare) -> None:
    assert same(snap_compare, home, size=SMALL)


def test_small_details(home: Path, snap_compare: Compare) -> None:
    async def steps(pilot: Pilots) -> None:
        await pilot.press("enter", "right_square_bracket")
        await read(pilot)

    assert same(snap_compare, home, steps, SMALL)


def test_light(home: Path, snap_compare: Compare) -> None:
    assert same(snap_compare, home, theme="voyager-light")


def test_without_colours(
    home: Path, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(pilot: Pilots) -> None:
        await at(pilot, "put_in", Tab.CERTIFICATE)

    assert same(snap_compare, home, steps)


def test_empty(tmp_path: Path, snap_compare: Compare) -> None:
    assert same(snap_compare, tmp_path / "home", size=SMALL)
