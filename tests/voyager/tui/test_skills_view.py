"""The list and the tabs: what is shown, how it is filtered, sorted and moved about in."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.widget import Widget
from textual.widgets import Static, TabbedContent
from textual.widgets._tabbed_content import ContentTabs

from skill_store import Library
from skill_store.browsing import Facet, Order
from tests.voyager.tui.browsers import (
    NASTY,
    SMALL,
    Pilots,
    app_on,
    driven,
    furnished,
    listed,
    look_at,
    names,
    opened,
    read,
    screen_text,
    shipped,
    toasts,
    until,
)
from voyager.browsing.tabs import Tab
from voyager.tui import app as app_module
from voyager.tui.app import BrowserApp
from voyager.tui.code_pane import CodePane
from voyager.tui.detail_pane import DetailPane
from voyager.tui.detail_tabs import DetailTabs
from voyager.tui.facets_pane import FacetsPane
from voyager.tui.graph_pane import GraphPane
from voyager.tui.runs_pane import RunsPane
from voyager.tui.seed_grid import SeedGrid
from voyager.tui.skill_table import SkillTable
from voyager.tui.skills_view import FilterInput, SkillsView


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that tests only look at."""
    return furnished(tmp_path_factory.mktemp("furnished") / "home")


def test_the_newest_skill_comes_first_and_is_told_of(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        assert names(app)[0] == "put_left_of" and len(names(app)) == 14
        shown = screen_text(app)
        assert "14 skills" in shown and "def put_left_of(" in shown
        assert "≥ 87.5%" in shown and "left_of(graspable, place)" in shown

    driven(home, script)


def test_a_tab_can_be_chosen_before_there_are_any(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        detail = app.query_one(DetailPane)
        detail.choose(Tab.CONTRACT)
        assert detail.tab is Tab.CONTRACT
        await listed(pilot)
        assert app.query_one(TabbedContent).active == Tab.CONTRACT.value
        assert detail.told(Tab.CONTRACT) is not None and detail.told(Tab.CODE) is None
        assert "in words" in screen_text(app)

    opened(home, script)


@pytest.mark.parametrize("made_last", [DetailTabs, ContentTabs, CodePane, RunsPane])
@pytest.mark.parametrize("begins", ["__init__", "compose"])
def test_it_can_be_left_while_the_tabs_are_being_made(
    home: Path, monkeypatch: pytest.MonkeyPatch, made_last: type[Widget], begins: str
) -> None:
    """From there on Textual makes no widgets: names of tabs and what is in them are missing."""
    goes_on = getattr(made_last, begins)

    def left(self: Widget, *given: Any, **named: Any) -> Any:
        app.exit()
        return goes_on(self, *given, **named)

    monkeypatch.setattr(made_last, begins, left)
    app = app_on(home)

    async def drive() -> None:
        async with app.run_test() as pilot:
            if made_last is not CodePane:
                app.query_one(DetailPane).choose(Tab.RUNS)
            await until(pilot, lambda: not app.is_running)

    asyncio.run(drive())


def test_a_list_loads_nothing_that_only_other_parts_need() -> None:
    heavy = (
        "numpy",
        "pybullet",
        "voyager.browsing.told",
        "voyager.browsing.details",
        "voyager.tui.detail_tabs",
        "voyager.tui.dialog",
        "voyager.tui.jobs",
    )
    code = f"import sys, voyager.tui.app; sys.exit(str({{*{heavy}}} & {{*sys.modules}} or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.stderr.strip(), done.stderr


def test_garbage_is_looked_for_again_when_a_list_is_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "_SETTLED", 0.01)

    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await until(pilot, gc.isenabled)

    gc.disable()
    try:
        driven(home, script)
    finally:
        gc.enable()


def test_keys_move_the_cursor_and_the_details_follow(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        table = app.query_one(SkillTable)
        await pilot.press("j", "j", "k", "j")
        assert table.cursor == 2
        await read(pilot)
        assert "def put_behind_block(" in screen_text(app)
        await pilot.press("G")
        assert table.row is not None and table.row.name == "grasp"
        await pilot.press("g", "k")
        assert table.cursor == 0
        await pilot.press("ctrl+d", "ctrl+u", "end", "home", "down")
        assert table.cursor == 1

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_a_click_chooses_and_a_second_one_opens(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.click(SkillTable, offset=(6, 4))
        assert app.query_one(SkillTable).cursor == 3
        await pilot.click(SkillTable, offset=(6, 4), times=2)
        await until(pilot, lambda: app.query_one(DetailPane).has_focus_within)

    driven(home, script)


def test_words_filter_and_names_come_first(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("slash", *"behind")
        await until(pilot, lambda: "put_behind_block" in names(app) and len(names(app)) < 14)
        # The words come from the database at once, whatever meaning adds to them later.
        assert names(app)[:3] == ["put_behind", "put_behind_block", "put_behind_object"]
        await pilot.press("enter")
        assert app.query_one(SkillTable).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(names(app)) == 14)
        assert app.query_one(FilterInput).value == ""

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_nothing_in_a_filter_is_a_wildcard(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        app.query_one(SkillsView).ask("%")
        await until(pilot, lambda: app.query_one(SkillTable).total == 0)
        app.query_one(SkillsView).ask("_on_")
        await until(pilot, lambda: names(app) == ["put_on_block"])

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_meaning_finds_what_no_word_does(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("slash", *"stack things")
        await until(pilot, lambda: "put_on_block" in names(app)[:3])
        assert "≈ put_on_block" in screen_text(app)
        # Whoever types goes first.
        process = app.query_one(SkillsView)._meaning._process
        assert process is not None
        other = os.getpriority(os.PRIO_PROCESS, process.pid)
        assert other > os.getpriority(os.PRIO_PROCESS, 0)

    driven(home, script)


def test_a_heading_sorts_and_turns(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        view = app.query_one(SkillsView)
        await pilot.click(SkillTable, offset=(4, 0))
        await until(pilot, lambda: names(app) == sorted(names(app)))
        assert view.question.order is Order.NAME
        await pilot.press("S")
        await until(pilot, lambda: names(app) == sorted(names(app), reverse=True))

    driven(home, script)


@pytest.mark.parametrize(
    ("presses", "order", "first"),
    [(4, Order.USES, "grasp")],
)
@pytest.mark.slow
@pytest.mark.ci
def test_the_sort_dialog(home: Path, presses: int, order: Order, first: str) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("s", *["j"] * presses, "enter")
        await until(pilot, lambda: app.query_one(SkillsView).question.order is order)
        await until(pilot, lambda: names(app)[0] == first)

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_facets_narrow_the_list_and_are_let_go(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await pilot.press("f")
        pane = app.query_one(FacetsPane)
        await until(pilot, lambda: pane.option_count > 3)
        assert pane.has_focus
        await pilot.press("j", "space")  # behind
        await until(pilot, lambda: len(names(app)) == 3)
        assert "3 of 14, kind: behind" in screen_text(app)
        await pilot.press("j", "space")  # or on
        await until(pilot, lambda: len(names(app)) == 5)
        assert pane.chosen == {Facet.KIND: frozenset({"behind", "on"})}
        await pilot.press("c")
        await until(pilot, lambda: len(names(app)) == 14)
        await pilot.press("f")
        assert not pane.display and app.query_one(SkillTable).has_focus

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_every_tab_tells_its_part(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_on")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_on")
        expected = {
            Tab.CODE: "def put_on(",
            Tab.CONTRACT: "on(ball, ball_2)",
            Tab.CERTIFICATE: "20 of 20 solved",
            Tab.GRAPH: "calls 1 skill",
            Tab.VERSIONS: "edited",
            Tab.ATTEMPTS: "draft 1",
            Tab.LESSONS: "grasp lower",
            Tab.RUNS: "60 recorded episodes",
        }
        for tab, text in expected.items():
            await look_at(pilot, tab)
            assert text in screen_text(app), tab
        assert "clean" not in toasts(app)

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_the_diff_of_a_version_is_shown(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_on")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_on")
        await look_at(pilot, Tab.VERSIONS)
        shown = screen_text(app)
        assert "+++ version 2" in shown and "+    open_gripper()" in shown

    driven(home, script)


def test_texts_of_models_steer_no_terminal(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_on")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_on")
        for tab in (Tab.ATTEMPTS, Tab.LESSONS):
            await look_at(pilot, tab)
            shown = screen_text(app)
            assert "[bold]markup[/bold] turned" in shown, tab
            assert not {"\x1b", "\u202e"} & set(shown)
        svg = app.export_screenshot()
        assert "\x1b" not in svg and "\u202e" not in svg

    assert "\x1b" in NASTY
    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_the_tree_of_calls_leads_to_a_skill(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_on")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_on")
        await look_at(pilot, Tab.GRAPH)
        await pilot.press("enter")
        await until(pilot, lambda: app.query_one(GraphPane).has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "bring_together")

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_the_grid_begins_at_a_failure_and_n_finds_the_next(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        await app.go_to("put_in")
        await until(pilot, lambda: app.query_one(SkillTable).row.name == "put_in")
        await look_at(pilot, Tab.CERTIFICATE)
        await pilot.press("enter")
        grid = app.query(SeedGrid).first()
        await until(pilot, lambda: grid.has_focus)
        assert grid.cell is not None and not grid.cell.solved
        first = grid.cell.number
        await pilot.press("n")
        assert grid.cell is not None and not grid.cell.solved and grid.cell.number > first
        told = str(app.query_one("#cell-text", Static).content)
        assert f"scene {grid.cell.number}, seed {grid.cell.start.seed}" in told

    driven(home, script)


@pytest.mark.slow
@pytest.mark.ci
def test_brackets_turn_the_tabs_from_the_list_too(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        detail = app.query_one(DetailPane)
        await pilot.press("right_square_bracket")
        assert detail.tab is Tab.CONTRACT and app.query_one(SkillTable).has_focus
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert detail.tab is Tab.RUNS
        await read(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: detail.has_focus_within)
        await pilot.press("escape")
        assert app.query_one(SkillTable).has_focus

    driven(home, script)


def test_on_a_small_terminal_list_and_details_take_turns(home: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        table, detail = app.query_one(SkillTable), app.query_one(DetailPane)
        assert table.region.width == 80 and not detail.region
        await pilot.press("enter")
        await until(pilot, lambda: detail.region.width == 80)
        assert not table.region
        assert "Code  Contract  Proof  Calls  Versions  Attempts  Lessons  Runs" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: table.region.width == 80)

    driven(home, script, SMALL)


def test_an_empty_home_says_what_to_type(tmp_path: Path) -> None:
    async def script(pilot: Pilots, app: BrowserApp) -> None:
        assert "voyager learn 'lifted(block)' --param block=block" in screen_text(app)
        await pilot.press("v")
        assert "no skill is in view" in toasts(app)

    driven(tmp_path / "home", script)


def test_a_damaged_skill_is_one_sentence(tmp_path: Path) -> None:
    home = shipped(tmp_path / "home")
    with Library.open(home) as library:
        library.database.execute("UPDATE programs SET source = 'broken' WHERE name = 'put_left_of'")

    async def script(pilot: Pilots, app: BrowserApp) -> None:
        heading = app.query_one("#detail-heading", Static)
        await until(pilot, lambda: "cannot be read back" in str(heading.content))
        await pilot.press("j")
        await read(pilot)

    opened(home, script)


def test_what_another_process_writes_is_seen(tmp_path: Path) -> None:
    home = shipped(tmp_path / "home")

    async def script(pilot: Pilots, app: BrowserApp) -> None:
        table = app.query_one(SkillTable)
        await pilot.press("j")
        await until(pilot, lambda: app._watch is not None)
        with Library.open(home) as library:
            library.set_pinned("put_behind_object", True)
        await until(pilot, lambda: table.row is not None and table.row.pinned)
        assert table.cursor == 1, "the cursor stays on its skill"

    driven(home, script)
