"""Whatever is wrong with the input: one sentence, what to do, an exit code, and nothing lost."""

from __future__ import annotations

import ast
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from env.errors import VoyagerError
from env.executors import SerialExecutor
from env.task import Task
from skill_store import DATABASE, LOCK_FILE, HomeLock, Library
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import LIFT, certificate
from tests.voyager.homes import admit
from voyager.cli import run
from voyager.learn import learn
from voyager.writers.emit import write_program
from voyager.writers.grammar import Call

LEARN = ("learn", "lifted(block)", "-p", "block=block")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one skill, its evidence made by hand, at an awkward path."""
    folder = tmp_path / "ein Heim ü 家 $x"
    with Library.open(folder, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))
    monkeypatch.setenv("VOYAGER_HOME", str(folder))
    return folder


def _refused(capsys: Captured, *arguments: str) -> str:
    """The one sentence with which a command is refused, before anything was simulated."""
    assert run(arguments) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    return shown.err


def _start(*arguments: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voyager", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VOYAGER_HOME": str(home)},
    )


def _shell(command: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A command line of bash, in which `voyager` is this one."""
    script = f'voyager() {{ "{sys.executable}" -m voyager "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "VOYAGER_HOME": str(home)},
    )


def _names(capsys: Captured) -> list[str]:
    assert run(["skills", "list", "--json"]) == 0
    return [skill["name"] for skill in json.loads(capsys.readouterr().out)["skills"]]


# Goals and parameters


@pytest.mark.parametrize(
    ("goal", "params", "told"),
    [
        ("", "", "the goal is empty"),
        ("on(top bottom)", "top=block,bottom=block", "column 4"),
        ("on(top,", "top=block", "was never closed"),
        ("import os", "", "column 1: not an expression"),
        ('__import__("os").system("id")', "", "only predicates and goal operators"),
        ("lifted(block)\0", "block=block", "column 14"),
        ("lifed(block)", "block=block", "did you mean 'lifted'?"),
        ("lifted(blok)", "block=block", "did you mean 'block'?"),
        ("lifted(block)", "", "unknown parameter 'block'"),
        ("lifted(block)", "block=blok", "did you mean 'block'?"),
        ('count("blok", lifted(it)) >= 2', "", "did you mean 'block'?"),
        ("count(block, lifted(it)) >= 2", "", 'count("block"'),
        ("lifted(block, 0.1, 0.2)", "block=block", "it is written lifted(x: graspable"),
        ("lifted(block, -1)", "block=block", "h must be above 0"),
        ("near(a, b, 1e400)", "a=block,b=block", "finite"),
        ("on(a, a)", "a=block", "relates different things"),
        ("on(a, b)", "a=bowl,b=block", "must be a graspable"),
        ("lifted(gripper)", "", "must be a graspable"),
        ("lifted(it)", "it=block", "'it' cannot name a parameter"),
        ("lifted(class)", "class=block", "'class' cannot name a parameter"),
        (
            "lifted(a)",
            "a=block,b=block,c=block,d=block,e=block,f=block,g=block,h=block,i=block",
            "8",
        ),
        ("eventually(eventually(lifted(b)))", "b=block", "cannot stand inside another"),
    ],
)
def test_a_goal_that_cannot_be_read(
    goal: str, params: str, told: str, home: Path, capsys: Captured
) -> None:
    given = ["--param", params] if params else []
    assert told in _refused(capsys, "learn", goal, *given)
    with Library.open(home) as library:
        assert library.journal.attempts() == ()


@pytest.mark.slow
@pytest.mark.ci
def test_a_goal_that_is_true_already_is_refused(home: Path, capsys: Captured) -> None:
    assert run(["learn", "always(not lifted(b))", "-p", "b=block", "--workers", "1"]) == 1
    assert "the goal is already true at the start" in capsys.readouterr().err
    assert _names(capsys) == ["reach"]


@pytest.mark.slow
@pytest.mark.ci
def test_a_goal_that_needs_no_skill_is_refused(home: Path, capsys: Captured) -> None:
    assert run(["learn", "clear()", "--workers", "1"]) == 1
    shown = capsys.readouterr().err
    assert "the goal needs no skill" in shown
    assert "ask for more" in shown
    assert _names(capsys) == ["reach"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("skills", "show", "rech"), "did you mean 'reach'?"),
        (("skills", "run", "rech"), "did you mean 'reach'?"),
        (("skills", "verify", "rech"), "did you mean 'reach'?"),
        (("skills", "deepen", "rech"), "did you mean 'reach'?"),
        (("skills", "source", "x'; drop table skills;--"), "no skill is called"),
        (("skills", "run", "reach", "--arg", "blok=x"), "there is no parameter 'blok'"),
    ],
)
def test_a_skill_that_is_not_there(
    arguments: tuple[str, ...], told: str, home: Path, capsys: Captured
) -> None:
    assert told in _refused(capsys, *arguments)


# Homes


@pytest.mark.parametrize("below", ["file", "/proc/nowhere"])
@pytest.mark.parametrize("arguments", [LEARN, ("skills", "list")])
def test_a_home_that_cannot_be_made(
    below: str, arguments: tuple[str, ...], tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "file").write_text("not a folder")
    told = _refused(capsys, *arguments, "--home", str(tmp_path / below))
    assert str(tmp_path / below) in told
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_home_that_is_closed(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    assert "--home" in _refused(capsys, *LEARN, "--home", str(tmp_path / "closed"))


def test_a_second_learner_is_sent_away(home: Path, capsys: Captured) -> None:
    with HomeLock(home):
        for command in (LEARN, ("skills", "deepen", "reach")):
            assert f"(pid {os.getpid()}) is learning in" in _refused(capsys, *command)
        assert _names(capsys) == ["reach"]


@pytest.mark.parametrize("arguments", [LEARN, ("skills", "list"), ("skills", "show", "reach")])
@pytest.mark.parametrize("damage", ["garbage", "pages", "newer"])
def test_a_database_that_cannot_be_used(
    damage: str, arguments: tuple[str, ...], home: Path, capsys: Captured
) -> None:
    file = home / DATABASE
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if damage == "newer":
            connection.execute("PRAGMA user_version = 99")
    connection.close()
    if damage == "garbage":
        file.write_bytes(b"no database at all" * 500)
    elif damage == "pages":
        size = file.stat().st_size
        file.write_bytes(file.read_bytes()[:100] + b"\xaa" * (size - 100))
    before = file.read_bytes()
    told = _refused(capsys, *arguments)
    assert str(file) in told
    assert "--home" in told
    assert file.read_bytes() == before
    assert run(["doctor"]) == 1
    assert "wrong database" in capsys.readouterr().out


def test_a_file_that_may_not_grow_loses_nothing(home: Path, capsys: Captured) -> None:
    """As on a full disk; SQLite's own limit is tried in the tests of the store."""
    most = max(file.stat().st_size for file in home.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "voyager", *LEARN, "--steps", "1", "--workers", "1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most // 8, most // 8)),
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {home / DATABASE}")
    assert "Traceback" not in done.stderr
    assert _names(capsys) == ["reach"]


def test_no_home_variable_at_all(tmp_path: Path) -> None:
    bare = {key: value for key, value in os.environ.items() if key not in ("HOME", "VOYAGER_HOME")}
    done = subprocess.run(
        [sys.executable, "-m", "voyager", "paths"],
        capture_output=True,
        text=True,
        env=bare,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "chosen by default" in done.stdout


# Pipes


@pytest.mark.parametrize(
    "command", ["skills list", "skills show reach", "api", "skills list --json"]
)
def test_a_reader_that_goes_away(command: str, home: Path) -> None:
    done = _shell(f"voyager {command} | true", home)
    assert done.stderr == ""


def test_a_terminal_that_knows_ascii_only(home: Path) -> None:
    done = _shell("LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii voyager skills list", home)
    assert done.returncode == 0, done.stderr
    assert "reach" in done.stdout


# Signals


def _descendants(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                )
            except OSError:
                continue
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        children = [child for child, of in parents.items() if of == parent]
        found += children
        todo += children
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def ended(request: pytest.FixtureRequest, home: Path) -> Iterator[tuple[int, int, str, str]]:
    """Signal, exit code, stdout and the last of stderr of a learner that was stopped at work."""
    process = _start(*LEARN, "--workers", "2", home=home)
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if "must not solve it (0 of" in line:
            break
    deadline = time.monotonic() + 60
    while len(tree := _descendants(process.pid)) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(tree) >= 4, "two workers, each with a sandbox"
    process.send_signal(request.param)
    out, err = process.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while any(map(_alive, tree)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, tree)), "something was left running"
    yield request.param, process.returncode, out, err


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_learner_that_is_stopped_leaves_nothing_behind(
    ended: tuple[int, int, str, str], home: Path, capsys: Captured
) -> None:
    number, code, out, err = ended
    assert out == ""
    assert "Traceback" not in err
    if number == signal.SIGINT:
        assert code == 130
        assert err.strip().splitlines()[-1].startswith("interrupted")
    else:
        assert code != 0
    assert (home / LOCK_FILE).exists()
    with Library.open(home, learning=True) as library:
        (attempt,) = library.journal.attempts()
        assert attempt.ended_at is not None
        assert library.names() == ("reach",)
    assert run(["skills", "list"]) == 0
    assert "reach" in capsys.readouterr().out


# What is not right yet


@pytest.mark.parametrize("ended", [signal.SIGINT], indirect=True)
def test_an_interruption_is_no_outcome(ended: tuple[int, int, str, str], home: Path) -> None:
    with Library.open(home, learning=True) as library:
        (attempt,) = library.journal.attempts()
    assert (attempt.outcome, attempt.reason) == (None, "interrupted")


def test_an_unused_parameter_is_refused(home: Path, capsys: Captured) -> None:
    arguments = ("goal", "check", "lifted(block)", "-p", "block=block,ball=ball")
    assert "'ball'" in _refused(capsys, *arguments)


class _Idle(SerialExecutor):
    """An executor with which nothing may be simulated."""

    def map(self, fn: object, jobs: object) -> Iterator[NoReturn]:
        raise AssertionError("something was simulated before the name was looked at")


@pytest.mark.parametrize("name", ["my skill", "class", "move_to", "_once"])
def test_a_name_that_no_skill_can_have(name: str, home: Path) -> None:
    with (
        Library.open(home, learning=True) as library,
        _Idle() as executor,
        pytest.raises(VoyagerError, match=name),
    ):
        learn(LIFT, library, executor=executor, steps=1, name=name)


@pytest.mark.parametrize(
    "words", ['x"""\n    open_gripper()\n    """', 'put it "up"""', "a bad \\x escape"]
)
def test_an_instruction_stays_text(words: str) -> None:
    task = Task.make("lifted(block)", {"block": "block"}, instruction=words)
    program = write_program("lift", task, [Call("close_gripper")])
    assert program is not None
    (function,) = (n for n in ast.parse(program.source).body if isinstance(n, ast.FunctionDef))
    assert len(function.body) == 2
    assert words.split()[0] in (ast.get_docstring(function) or "")


def test_a_step_that_is_made_twice_is_written_twice() -> None:
    task = Task.make("lifted(block)", {"block": "block"})
    up = Call("move_by", ((0.0, 0.0, 0.05),))
    program = write_program("lift", task, [Call("close_gripper"), up, up])
    assert program is not None
    assert program.source.count("move_by((") == 2


def test_a_file_in_the_place_of_the_home_is_named(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    told = _refused(capsys, *LEARN, "--home", str(tmp_path / "file"))
    assert "voyager.toml" not in told
    assert "--home" in told


def test_a_table_that_is_given_a_value(home: Path, capsys: Captured) -> None:
    (home / "voyager.toml").write_text("search = 5\n")
    assert "did you mean 'search'?" not in _refused(capsys, "config", "show")


def test_a_certificate_that_cannot_be_read_back(home: Path, capsys: Captured) -> None:
    with sqlite3.connect(home / DATABASE) as connection:
        connection.execute("UPDATE certificates SET json = '{}'")
    connection.close()
    told = _refused(capsys, "skills", "show", "reach")
    assert "'reach'" in told
    assert "backups" in told or "doctor" in told


@pytest.mark.parametrize("command", ["skills list --json >/dev/full", "skills list >&-"])
def test_an_output_that_cannot_be_written(command: str, home: Path) -> None:
    done = _shell(f"voyager {command}", home)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "fault in the program" not in done.stderr
    assert done.stderr.startswith("error: ")
