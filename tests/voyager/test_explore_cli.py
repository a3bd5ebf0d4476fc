"""The face of exploring: lines, a live screen, one JSON line, signals, and a window."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from skill_store import Library
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.homes import admit
from voyager.cli import run
from voyager.cli.explore_screen import Lines, LiveScreen, SkillLine, Standing, exploring, line
from voyager.cli.stopping import StopRequest
from voyager.cli.windows import ReplayWindow
from voyager.events import Event, Stage
from voyager.news import News, Phase

STORY = (
    News(Phase.STARTED, "0 skills are in the library", budget=1000),
    News(Phase.CHOSEN, "one atom\nfrom nothing", task=REACH, proposer="frontier", budget=1000),
    News(
        Phase.WORKING,
        "searching",
        task=REACH,
        event=Event(Stage.SEARCH, "searching", 50, 100, 7, 3, 4),
        simulated_steps=50,
        budget=1000,
    ),
    News(
        Phase.SETTLED,
        "learned reach",
        task=REACH,
        skill="reach",
        attempts=1,
        certified=1,
        simulated_steps=90,
        budget=1000,
        seconds=61.0,
    ),
    News(Phase.SETTLED, "no [bold]program\x1b[31m held", task=REACH, attempts=2, seconds=3700.0),
    News(Phase.STOPPING, "it was asked to stop", attempts=2),
    News(Phase.ENDED, "1 skills were certified", attempts=2),
)


class Home:
    """A home that learns one skill between two looks."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> Standing:
        self.looks += 1
        lines = tuple(SkillLine(f"skill_{i}", "lifted(b)", 19, 20) for i in range(20))
        return Standing(lines[: 20 * (self.looks - 1)], 3, self.looks, 30)


def _drawn(live: LiveScreen) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    with console.capture() as captured:
        console.print(live.render())
    return captured.get()


def test_a_pipe_gets_one_line_for_each_event_that_matters() -> None:
    out = io.StringIO()
    with exploring(Console(file=out, width=200), Home(), lambda: False) as watch:
        assert isinstance(watch, Lines)
        for news in STORY:
            watch(news)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(STORY) - 1  # what an attempt does meanwhile is not among them
    assert "chosen" in lines[1]
    assert lines[1].endswith("at(gripper, block) (frontier: one atom from nothing)")
    assert lines[2].split() == ["1:01", "90", "learned", "reach:", "at(gripper,", "block)"]
    assert "not learned  no [bold]program[31m held" in lines[3]
    assert lines[3].split()[0] == "1:01:40"
    assert line(STORY[-1]).endswith("1 skills were certified")


def test_the_live_screen_shows_what_is_going_on() -> None:
    home, asked, now = Home(), [False], [100.0]
    live = LiveScreen(home, lambda: asked[0], lambda: now[0])
    assert "choosing what to try next" in _drawn(live)
    for news in STORY[:3]:
        live(news)
    now[0] += 75.0
    shown = _drawn(live)
    for told in (
        "at(gripper, block)",
        "frontier: one atom",
        "searching (7 nodes, 3/4 solved)",
        "50 of 100 simulated steps",
        "50 of 1,000 simulated steps",
        "1:15",
        "milestones 1 of 30",
        "Ctrl-C stops",
    ):
        assert told in shown, told
    live(STORY[3])
    asked[0] = True
    shown = _drawn(live)
    assert home.looks == 2
    assert "learned reach" in shown
    assert "choosing what to try next" in shown
    assert "frontier: one atom" not in shown
    assert "1 attempts, 1 certified; 20 skills here, milestones 2 of 30" in shown
    assert "skill_19" in shown
    assert "19/20" in shown
    assert "and 8 older" in shown
    assert "once more to end at once" in shown
    for news in STORY[4:]:
        live(news)
    live(News(Phase.WORKING, "testing 3 goals"))
    assert "testing 3 goals" in _drawn(live)
    assert "[bold]program" in _drawn(live)
    assert "\x1b[31m held" not in _drawn(live)


def test_the_live_screen_runs_in_a_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with exploring(console, Home(), lambda: False) as watch:
        for news in STORY:
            watch(news)
    assert "exploring" in out.getvalue()


def test_where_a_home_stands_in_words() -> None:
    assert Standing((), 0, 0, 30).sentence().startswith("A new home")
    told = Standing((SkillLine("a", "b", 19, 20),), 4, 1, 30).sentence()
    assert told == "This home has 1 skills and 1 of 30 milestones; going on after attempt 4."


# -- signals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_the_first_signal_asks_and_the_second_insists(
    number: signal.Signals, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended, StopRequest() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        os.kill(os.getpid(), number)
        raise AssertionError("the second signal was ignored")
    assert ended.value.code == code
    assert signal.getsignal(number) is before


def _start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voyager", "explore", "--no-pictures", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VOYAGER_HOME": str(home)},
    )


def _await_start(process: subprocess.Popen[str]) -> list[str]:
    """The lines up to the news that the run has begun."""
    assert process.stdout is not None
    lines = []
    for told in process.stdout:
        lines.append(told)
        if "started" in told:
            return lines
    raise AssertionError(process.communicate())


def test_two_signals_end_a_run_at_once_and_lose_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
    process = _start(tmp_path, "--workers", "2")
    first = _await_start(process)
    assert first[0].startswith("This home has 1 skills")
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "stopping after the attempt under way" in err
    assert "what was stored before is intact" in err
    assert "Traceback" not in err
    with Library.open(tmp_path, learning=True) as library:
        assert library.names() == ("reach",)


@pytest.mark.slow
@pytest.mark.ci
def test_one_signal_ends_a_run_after_what_is_under_way(tmp_path: Path) -> None:
    process = _start(tmp_path, "--workers", "1")
    _await_start(process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err
    assert "stopping after the attempt under way" in err
    assert "asked" in out
    assert str(tmp_path / "report.html") in out
    assert (tmp_path / "report.html").is_file()


# -- the command ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.ci
def test_json_is_one_line_and_the_run_goes_on_where_it_was(tmp_path: Path) -> None:
    records = []
    for _ in range(2):
        process = _start(tmp_path, "--steps", "1", "--json", "--workers", "1")
        out, err = process.communicate(timeout=280)
        assert process.returncode == 0, err
        assert err == ""
        assert out.count("\n") == 1
        records.append(json.loads(out))
    first, second = records
    assert first["schema"] == "voyager.explore/1"
    assert set(first) >= {
        "certified",
        "attempts",
        "failed",
        "refused",
        "simulated_steps",
        "wall_s",
        "stopped",
        "library",
        "seed",
        "run",
        "milestones",
        "report",
    }
    assert first["stopped"] == "steps"
    assert first["milestones"]["of"] == 30
    assert len(first["milestones"]["names"]) == first["milestones"]["reached"]
    assert second["run"] == first["run"] + 1


def test_two_explorers_in_one_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path), "--workers", "1"]
    with Library.open(tmp_path, learning=True):
        assert run(["explore", *home, "--json"]) == 1
        shown = capsys.readouterr()
        record = json.loads(shown.out)
        assert shown.out.count("\n") == 1
        assert record["error"] == "HomeBusy"
        assert run(["explore", *home]) == 1
    assert "is learning in" in capsys.readouterr().err


@pytest.mark.parametrize("display", [None, ":4321"])
def test_a_window_without_a_display_is_refused_before_anything(
    display: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    if display is not None:
        monkeypatch.setenv("DISPLAY", display)
    assert run(["explore", "--gui", "--home", str(tmp_path / "home")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    told = "there is no display" if display is None else "no window can be opened on :4321"
    assert told in shown.err
    assert "leave --gui away" in shown.err
    assert not (tmp_path / "home").exists()


def test_replays_follow_each_other_and_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In place of Python: a program that notes what it was asked for, and takes a while over it.
    log, stand_in = tmp_path / "log", tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\necho "$*" >> {log}\n[ "$1" = -c ] || sleep 0.3\n')
    stand_in.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    monkeypatch.setenv("DISPLAY", ":0")
    window = ReplayWindow(tmp_path / "home", ("workshop",))
    window.show("first")
    window.show("second")
    window.finish()
    window.show("third")
    window.show("fourth")
    window.close()
    window.finish()
    probe, *replays = log.read_text().splitlines()
    assert "PacedWorld" in probe
    options = f"--gui --home {tmp_path / 'home'} --extension workshop"
    asked = [f"-m voyager skills run {name} {options}" for name in ("first", "second", "third")]
    assert replays in (asked, asked[:2])  # the third was ended, perhaps before it could note it


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["skills", "verify", "--json"], "name one skill, or give --all"),
        (["explore", "--minutes", "-1", "--json"], "greater than or equal to 0"),
        (["explore", "--minuts", "5", "--json"], "No such option"),
        (["skills", "show", "--json"], "Missing argument"),
        (["nonsense", "--json"], "No such command"),
    ],
)
def test_wrong_use_is_json_too_where_json_was_asked_for(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    record = json.loads(shown.out)
    assert record["schema"] == "voyager.error/1"
    assert told in record["message"]
    assert "Usage" in shown.err
