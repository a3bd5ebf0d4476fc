"""What other processes see of an explorer: alive, paused, over, dead."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from env.errors import VoyagerError
from env.outcome import Outcome
from env.task import Task
from skill_store import Library
from skill_store.home_lock import HomeLock
from skill_store.steering import Steering
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.homes import admit
from voyager.broadcast import LIVE_FILE, Broadcast
from voyager.browsing.live import ExplorerState, LiveReader, LiveView, ask_pause, read_record
from voyager.config import Config, ExploreConfig
from voyager.events import Event, Stage
from voyager.explorer import Explorer
from voyager.news import News, Phase

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CHOSEN = News(Phase.CHOSEN, "one atom from nothing", task=REACH, proposer="frontier")
WORKING = News(
    Phase.WORKING,
    "searching",
    task=REACH,
    proposer="frontier",
    event=Event(Stage.SEARCH, "searching", 50, 100, 7, 3, 4),
    attempts=2,
    certified=1,
    simulated_steps=400,
    seconds=90.0,
)


def look(home: Path) -> LiveView:
    """One look by another process."""
    with LiveReader(home) as reader:
        return reader.look()


def on_air(home: Path, *news: News) -> Broadcast:
    """A broadcast with some news."""
    config = Config(explore=ExploreConfig(steps=1000, minutes=3))
    broadcast = Broadcast(home, config, lambda _: None)
    for one in news:
        broadcast(one)
    return broadcast


def test_a_home_where_nobody_explored(tmp_path: Path) -> None:
    view = look(tmp_path)
    assert view.state is ExplorerState.NONE
    assert not view.state.alive
    assert view.to_json()["live"] is None


def test_what_a_running_explorer_makes_known(tmp_path: Path) -> None:
    heard: list[News] = []
    with HomeLock(tmp_path, command="voyager explore"):
        config = Config(explore=ExploreConfig(steps=1000))
        with Broadcast(tmp_path, config, heard.append) as broadcast:
            for one in (CHOSEN, WORKING, replace(WORKING, simulated_steps=500)):
                broadcast(one)
        view = look(tmp_path)
    assert [one.phase for one in heard] == [Phase.CHOSEN, Phase.WORKING, Phase.WORKING]
    assert (view.state, view.pid) == (ExplorerState.RUNNING, os.getpid())
    record = view.record
    assert record["task"]["goal"] == "at(gripper, block)"
    assert (record["proposer"], record["why"]) == ("frontier", "one atom from nothing")
    assert record["event"]["nodes"] == 7
    # The same thing done again is not told again.
    assert [line["text"] for line in record["lines"]] == ["one atom from nothing", "searching"]
    assert [(line.name, line.used, line.cap) for line in view.budget] == [
        ("steps", 500, 1000),
        ("tasks", 2, None),
        ("minutes", 1.5, None),
    ]
    assert json.loads(json.dumps(view.to_json()))["live"]["attempts"] == 2


@pytest.mark.parametrize(
    ("news", "asked", "state"),
    [
        (WORKING, False, ExplorerState.RUNNING),
        (WORKING, True, ExplorerState.PAUSING),
        (News(Phase.PAUSED, "a pause"), True, ExplorerState.PAUSED),
        (News(Phase.ENDED, "over"), False, ExplorerState.ENDED),
    ],
)
def test_the_state_of_one_that_lives(
    news: News, asked: bool, state: ExplorerState, tmp_path: Path
) -> None:
    with Library.open(tmp_path) as library:
        if asked:
            Steering(library.database).pause()
    with HomeLock(tmp_path), on_air(tmp_path, news):
        pass
    with HomeLock(tmp_path, clock=lambda: NOW):
        assert look(tmp_path).state is state


def test_a_record_without_a_lock_is_that_of_a_dead_run(tmp_path: Path) -> None:
    with on_air(tmp_path, WORKING):
        pass
    view = look(tmp_path)
    assert view.state is ExplorerState.DIED
    assert (view.pid, view.attempt) == (None, None)
    with on_air(tmp_path, News(Phase.ENDED, "over")):
        pass
    assert look(tmp_path).state is ExplorerState.ENDED


def test_the_record_of_an_earlier_process_is_not_taken_for_a_live_one(tmp_path: Path) -> None:
    with on_air(tmp_path, WORKING):
        pass
    later = datetime.now(UTC) + timedelta(hours=1)
    with HomeLock(tmp_path, command="voyager learn", clock=lambda: later):
        view = look(tmp_path)
        assert (view.state, view.command) == (ExplorerState.BUSY, "voyager learn")
        with pytest.raises(VoyagerError, match="nobody explores"):
            ask_pause(tmp_path, paused=True)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema": "voyager.live/9"}', '{"schema": "voyager.live/1"}']
)
def test_a_file_that_makes_no_sense_is_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / LIVE_FILE).write_text(text)
    assert read_record(tmp_path) == {}
    assert look(tmp_path).state is ExplorerState.NONE


def test_an_explorer_that_cannot_write_its_file_goes_on(tmp_path: Path) -> None:
    (tmp_path / LIVE_FILE).mkdir()
    with on_air(tmp_path, WORKING) as broadcast:
        broadcast(CHOSEN)
    assert read_record(tmp_path) == {}


def test_news_are_written_soon_even_if_nothing_follows(tmp_path: Path) -> None:
    written = threading.Event()
    with on_air(tmp_path) as broadcast:
        broadcast(CHOSEN)
        broadcast(WORKING)
        for _ in range(100):
            if read_record(tmp_path).get("text") == "searching":
                written.set()
                break
            written.wait(0.05)
        assert written.is_set()


def test_the_tree_of_an_attempt_and_what_was_tried(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
        library.queue.add(Task.make("lifted(block)", {"block": "block"}))
        run = library.journal.begin_run("explore", 0, {})
        first = library.journal.begin_attempt(REACH, run)
        library.journal.end_attempt(first, Outcome.LIMIT, "no program held", simulated_steps=9)
        second = library.journal.begin_attempt(REACH, run)
        root = library.drafts.add(second, None, "p", "a\nb\n", 0.25, "failed", "it\n missed")
        library.drafts.add(second, root, "q", "a\n", None, "rejected", "")
        with on_air(tmp_path, WORKING):
            view = look(tmp_path)
    assert view.attempt == second
    assert [(d.id, d.parent, d.value, d.outcome) for d in view.drafts] == [
        (root, None, 0.25, "failed"),
        (root + 1, root, None, "rejected"),
    ]
    assert view.drafts[0].feedback == "it missed"
    assert [(a.id, a.outcome, a.steps) for a in view.attempts] == [
        (second, "open", 0),
        (first, "limit", 9),
    ]
    assert (view.skills, view.waiting) == (1, 1)
    assert view.milestones == (1, 30)


@pytest.mark.slow
@pytest.mark.ci
def test_an_explorer_pauses_between_attempts_and_loses_no_time(tmp_path: Path) -> None:
    told: list[News] = []
    over = threading.Event()

    def later() -> None:
        with LiveReader(tmp_path) as reader:
            while reader.look().state is not ExplorerState.PAUSED:
                over.wait(0.02)
        over.wait(1.0)
        ask_pause(tmp_path, paused=False)

    helper = threading.Thread(target=later)

    def watch(news: News) -> None:
        told.append(news)
        if news.phase is Phase.STARTED:
            ask_pause(tmp_path, paused=True)
            helper.start()

    explore = ExploreConfig(minutes=5)
    report = Explorer(
        Config(workers=1, explore=explore),
        home=tmp_path,
        watch=watch,
        stop=lambda: told[-1].phase is Phase.RESUMED,
    ).run()
    helper.join()
    phases = [news.phase for news in told]
    assert phases == [Phase.STARTED, Phase.PAUSED, Phase.RESUMED, Phase.ENDED]
    assert (report.stopped, report.attempts) == ("asked", 0)
    seconds: Mapping[Phase, Any] = {news.phase: news.seconds for news in told}
    assert report.wall_s < seconds[Phase.RESUMED]  # told before the pause was taken off
    assert seconds[Phase.RESUMED] - seconds[Phase.PAUSED] > 0.9
    assert seconds[Phase.ENDED] - seconds[Phase.PAUSED] < 0.9


def test_a_pause_does_not_outlive_its_run_and_a_stop_ends_it(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        Steering(library.database).pause()
    told: list[News] = []

    def watch(news: News) -> None:
        told.append(news)
        if news.phase is Phase.STARTED:
            with Library.open(tmp_path) as library:
                assert not Steering(library.database).paused
                Steering(library.database).pause()

    report = Explorer(
        Config(workers=1),
        home=tmp_path,
        watch=watch,
        stop=lambda: told[-1].phase is Phase.PAUSED,
    ).run()
    assert [news.phase for news in told] == [Phase.STARTED, Phase.PAUSED, Phase.ENDED]
    assert report.stopped == "asked"
    with Library.open(tmp_path) as library:
        assert not Steering(library.database).paused
