"""The command line without a library: help, errors, settings, goals."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from voyager import __version__
from voyager.cli import app as application
from voyager.cli import run
from voyager.cli.failure import explain
from voyager.cli.options import pairs
from voyager.cli.screen import clean, show_json
from voyager.cli.session import Invocation
from voyager.tui.app import BrowserApp

GROUPS = (
    "explore",
    "learn",
    "report",
    "milestones",
    "goal check",
    "config show",
    "paths",
    "doctor",
    "api",
)
SKILLS = ("list", "show", "source", "verify", "run", "deepen")


def _process(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "voyager", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **variables},
        check=False,
    )


def test_help_loads_no_physics_and_no_home() -> None:
    code = (
        "import sys; from voyager.cli import run; run(['--help']); "
        "heavy = {'pybullet', 'numpy', 'env', 'skill_store', 'PIL', 'langchain', 'langchain_core', "
        "'openai'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "learn" in done.stdout
    assert "doctor" in done.stdout


def test_version_and_module_start() -> None:
    done = _process("--version")
    assert (done.returncode, done.stdout) == (0, f"voyager {__version__}\n")


@pytest.mark.parametrize(
    "command",
    (*GROUPS, *(f"skills {name}" for name in SKILLS)),
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["learn", "lifted(block)", "--param", "block"], "block' must look like top=block"),
        (["learn", "on(a, b)", "-p", "a=block,a=block"], "names 'a' twice"),
        (["skills", "verify"], "name one skill, or give --all"),
        (["skills", "verify", "x", "--all"], "name one skill, or give --all"),
        (["skills", "run", "x", "--gif", "/nowhere/x.gif"], "there is no folder /nowhere"),
        (["api", "--stub", "--docs"], "choose one of"),
        (["learn", "x", "--steps", "0"], "or equal to 1"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_use_exits_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in " ".join(shown.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["goal", "check", "onn(a, b)", "-p", "a=block", "-p", "b=block"], "did you mean 'on'?"),
        (["goal", "check", "on(a, b", "-p", "a=block", "-p", "b=block"], "column"),
        (["goal", "check", "lifted(a)", "-p", "a=blok"], "did you mean 'block'?"),
        (["skills", "show", "pick"], "`voyager learn` fills it"),
        (["skills", "run", "pick"], "no skill is called 'pick'"),
        (["api", "--extension", "no_such_module"], "cannot import 'no_such_module'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert told in shown.err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["browse", "--home", "x"], {"browse"}),
        (["skills", "verify", "x"], {"skills"}),
        (["explorer", "status"], {"explorer"}),
    ],
)
def test_a_command_makes_ready_no_other(arguments: list[str], names: set[str]) -> None:
    command = typer.main.get_command(application.needed(arguments))
    whole = typer.main.get_command(application.app)
    assert set(command.commands) == names
    # Within a group, and in what stands before a command, nothing is missing.
    assert [one.name for one in command.params] == [one.name for one in whole.params]
    (name,) = names
    inner, outer = (getattr(of.commands[name], "commands", {}) for of in (command, whole))
    assert set(inner) == set(outer)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--debug", "browse"], ["skils"]])
def test_without_the_name_of_a_command_all_are_there(arguments: list[str]) -> None:
    assert application.needed(arguments) is application.app


def test_a_word_that_is_nearly_a_command_finds_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["brows"]) == 2
    assert "browse" in capsys.readouterr().err
    assert run(["skills", "lst"]) == 2
    assert "list" in capsys.readouterr().err


def test_the_browser_is_opened_without_looking_for_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[bool, Path]] = []
    monkeypatch.setattr("voyager.cli.browse.require_terminal", lambda: None)
    monkeypatch.setattr(BrowserApp, "run", lambda self: seen.append((gc.isenabled(), self.home)))
    assert run(["browse", "--home", str(tmp_path)]) == 0
    assert seen == [(False, tmp_path)] and gc.isenabled()
    assert run(["browse", "--home", str(tmp_path), "--theme", "nonsense"]) == 1
    assert "browser.theme is 'nonsense'" in capsys.readouterr().err
    assert gc.isenabled()


def test_errors_are_json_too_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["skills", "show", "pick", "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "voyager.error/1"
    assert record["error"] == "UnknownSkill"


def test_settings_that_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "voyager.toml").write_text("sede = 1\n")
    assert run(["config", "show", "--home", str(tmp_path)]) == 1
    assert "did you mean 'seed'?" in capsys.readouterr().err
    assert run(["paths", "--home", str(tmp_path)]) == 0  # says where the file to mend is
    assert str(tmp_path / "voyager.toml") in capsys.readouterr().out
    monkeypatch.setenv("VOYAGER_SEDE", "1")
    assert run(["config", "show"]) == 1
    assert "did you mean 'VOYAGER_SEED'?" in capsys.readouterr().err


def test_config_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "voyager.toml").write_text("[search]\nsteps = 7\n")
    monkeypatch.setenv("VOYAGER_SEED", "5")
    assert run(["config", "show", "--json", "--home", str(tmp_path)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "voyager.config/1"
    found = {s["name"]: (s["value"], s["origin"]) for s in record["settings"]}
    assert found["seed"] == (5, "VOYAGER_SEED")
    assert found["search.steps"] == (7, str(tmp_path / "voyager.toml"))
    assert found["library"] == (True, "default")
    assert run(["config", "show", "--origin", "--home", str(tmp_path)]) == 0
    assert "VOYAGER_SEED" in capsys.readouterr().out


def test_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "a home"
    assert run(["paths", "--json", "--home", str(home)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["paths"]["database"] == str(home / "library.db")
    assert record["present"]["home"] is False
    assert not home.exists()


def test_api_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["api", "--stub"]) == 0
    assert "def move_to(" in capsys.readouterr().out
    assert run(["api", "--docs"]) == 0
    assert capsys.readouterr().out.startswith("# The robot API")
    assert run(["api"]) == 0
    assert "move_to(" in capsys.readouterr().out


def test_goal_check(capsys: pytest.CaptureFixture[str]) -> None:
    goal = ["goal", "check", "on(top, bottom) and clear()", "-p", "top=block", "-p", "bottom=block"]
    assert run([*goal, "--seed", "3", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "voyager.goal_check/1"
    assert record["value"] is False
    assert record["margin"] < 0
    assert set(record["binding"]) == {"top", "bottom"}
    atoms = {atom["text"]: atom for atom in record["atoms"]}
    assert atoms["on(top, bottom)"]["missing"]
    assert run([*goal, "--seed", "3"]) == 0
    shown = capsys.readouterr().out
    assert record["canonical"] in shown
    words = atoms["on(top, bottom)"]["missing"].split()
    assert set(words) <= set(shown.split())  # a narrow table wraps the sentence
    assert run([*goal, "--seed", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == record


def test_goal_check_of_a_temporal_goal(capsys: pytest.CaptureFixture[str]) -> None:
    goal = ["goal", "check", "held_for(lifted(block, 0.1), 1.0)", "-p", "block=block"]
    assert run([*goal, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["temporal"] is True
    assert record["value"] is False


_EXTENSION = '''
from env.predicates.base import Condition, Threshold, predicate


@predicate(("x", "object"), thresholds=(Threshold("by", 0.1, "m", "up"),), verb="push_out")
def far_out(state, x, by):
    """The object x is more than `by` in front of the robot."""
    value = state.bodies[x].position[0] - by
    return (Condition(value, 0.1, "m", "{x} is not out yet", {}),)
'''


def test_extensions_are_loaded_before_anything(tmp_path: Path) -> None:
    (tmp_path / "far.py").write_text(_EXTENSION)
    goal = ("goal", "check", "far_out(block, 0.2)", "-p", "block=block", "--json")
    known = _process(*goal, "--extension", "far", PYTHONPATH=str(tmp_path))
    assert known.returncode == 0, known.stderr
    assert json.loads(known.stdout)["value"] is True
    by_variable = _process(*goal, VOYAGER_EXTENSIONS="far", PYTHONPATH=str(tmp_path))
    assert by_variable.stdout == known.stdout
    unknown = _process(*goal, PYTHONPATH=str(tmp_path))
    assert unknown.returncode == 1
    assert "far_out" in unknown.stderr


def test_stdout_of_json_is_one_object_in_a_real_process() -> None:
    done = _process("goal", "check", "lifted(block)", "-p", "block=block", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schema"] == "voyager.goal_check/1"


def test_interrupt_exits_130(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "voyager", "learn", "on(a, b)", "-p", "a=block,b=block"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VOYAGER_HOME": str(tmp_path / "home")},
    )
    lock = tmp_path / "home" / "voyager.lock"
    deadline = time.monotonic() + 30
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert out == ""
    assert "interrupted" in err
    assert "Traceback" not in err


def test_an_unexpected_error_is_one_line_and_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(RuntimeError("odd"), Invocation(artifacts=tmp_path / "artifacts")) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: unexpected RuntimeError: odd")
    kept = next((tmp_path / "artifacts").glob("error-*.txt"))
    assert str(kept) in shown
    assert "RuntimeError: odd" in kept.read_text()


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError("odd")
    except RuntimeError as error:
        explain(error, Invocation(debug=True))
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_missing_package_of_ours_points_to_the_doctor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explain(ModuleNotFoundError("No module named 'env.world'", name="env.world"), Invocation(True))
    assert "voyager doctor" in capsys.readouterr().err


def test_texts_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert clean("a\x1b[31mb\x07\u202ec\tß\n") == "a[31mbc\tß\n"
    show_json({"schema": "x/1", "a": float("inf"), "b": (1, float("nan")), "c": "\x1b[31m"})
    record = json.loads(capsys.readouterr().out)
    assert record == {"schema": "x/1", "a": None, "b": [1, None], "c": "\x1b[31m"}


def test_pairs() -> None:
    assert pairs(["a=block, b=ball", "c = bowl"], "-p", "a=b") == {
        "a": "block",
        "b": "ball",
        "c": "bowl",
    }
    assert pairs(None, "-p", "a=b") == {}
    for wrong in ("a", "=b", "a=", ""):
        with pytest.raises(typer.BadParameter, match="must look like"):
            pairs([wrong], "-p", "a=b")


def test_the_application_is_whole() -> None:
    assert typer.main.get_command(application.app).name == "voyager"


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below a group, with its words."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


def test_every_option_tells_its_default() -> None:
    untold = [
        (" ".join(path), option.opts[0])
        for path, command in _commands(typer.main.get_command(application.app))
        for option in command.params
        if option.param_type_name == "option"
        and not option.is_flag
        and option.default is None
        and not isinstance(option.show_default, str)
    ]
    assert untold == []
