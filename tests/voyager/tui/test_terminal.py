"""The browser in a real terminal, driven by keys and read off the screen: tmux holds both ends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skill_store import Library, Origin
from tests.voyager.tui.browsers import shipped

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ci,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
_PATIENCE = 120.0


class Terminal:
    """A terminal of a size, in which one command runs."""

    def __init__(self, command: str, size: tuple[int, int], told: Path, **environ: str) -> None:
        """Start the command in a server of tmux of its own.

        Args:
            command: For a shell.
            size: Columns and lines.
            told: File that gets the command's exit code. tmux can miss the end of a child.
            **environ: Environment that is added.
        """
        # A name of its own: the server of the terminal before may not have ended yet.
        self._tmux = ("tmux", "-L", f"voyager-{uuid.uuid4().hex}", "-f", os.devnull)
        self._told = told
        width, height = size
        values = [word for key, value in environ.items() for word in ("-e", f"{key}={value}")]
        # The screen stays when the command has ended, so that its last words can be read.
        self._run("new-session", "-d", "-x", str(width), "-y", str(height), *values, "cat")
        self._run("set-option", "-g", "remain-on-exit", "on")
        self._run("respawn-pane", "-k", *values, f"{command}; echo $? > {told}")

    def press(self, *keys: str) -> None:
        """Press keys, as tmux names them."""
        for key in keys:
            self._run("send-keys", key)

    def screen(self) -> str:
        """What is on the screen."""
        return self._run("capture-pane", "-p")

    def wait_for(self, text: str, patience: float = _PATIENCE) -> str:
        """Wait until a text is on the screen, and read the screen."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            shown = self.screen()
            if text in shown:
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{text!r} never came; on the screen:\n{self.screen()}")

    def wait_without(self, text: str) -> None:
        """Wait until a text is no longer on the screen."""
        end = time.monotonic() + _PATIENCE
        while text in self.screen():
            assert time.monotonic() < end, f"{text!r} never went; on the screen:\n{self.screen()}"
            time.sleep(0.1)

    def wait_for_the_end(self) -> None:
        """Wait until the command has ended well."""
        end = time.monotonic() + _PATIENCE
        while not (self._told.exists() and (code := self._told.read_text().strip())):
            assert time.monotonic() < end, f"it never ended; on the screen:\n{self.screen()}"
            time.sleep(0.1)
        assert code == "0", self.screen()

    def close(self) -> None:
        """End the server and what runs in it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)

    def _run(self, *words: str) -> str:
        # The readline of this process has put a size into the environment, behind Python's back.
        variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        done = subprocess.run(
            [*self._tmux, *words], check=True, capture_output=True, text=True, env=variables
        )
        return done.stdout


Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `voyager ...` in a terminal, which is closed at the end, whatever happens."""
    opened: list[Terminal] = []

    def begin(words: str, size: tuple[int, int] = (80, 24), **environ: str) -> Terminal:
        command = f"{sys.executable} -m voyager {words}"
        made = Terminal(command, size, tmp_path / f"exit-{len(opened)}", **environ)
        opened.append(made)
        return made

    yield begin
    for terminal in opened:
        terminal.close()


def test_a_walk_through_the_browser(tmp_path: Path, start: Start) -> None:
    home = shipped(tmp_path / "home")
    terminal = start(f"browse --home {home}")
    assert "success ≥" in terminal.wait_for("14 skills")
    terminal.press("j", "j", "Enter")
    assert "behind(graspable, block)" in terminal.wait_for("def put_behind_block(")
    terminal.press("]", "]")
    terminal.wait_for("held-out scenes of the certificate: 20 of 20 solved")
    terminal.press("Escape")
    terminal.wait_for("success ≥")
    terminal.press("/", "n", "e", "a", "r", "Enter")
    terminal.wait_for(" of 14")
    # A key right after it would be read as one with Alt.
    terminal.press("Escape")
    terminal.wait_without(" of 14")
    terminal.press("p")
    terminal.wait_for("pinned")
    with Library.open(home) as library:
        assert any(entry.pinned for entry in library.entries())
    terminal.press("?")
    terminal.wait_for("Everywhere")
    terminal.press("q")
    terminal.wait_without("Everywhere")
    terminal.press("q")
    terminal.wait_for_the_end()


def test_an_editor_gets_the_terminal(tmp_path: Path, start: Start) -> None:
    home = shipped(tmp_path / "home")
    # An editor that shows itself, waits for a line, and appends what makes no program.
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho "EDITING $1"\nread line\necho "$line" >> "$1"\n')
    editor.chmod(0o755)
    terminal = start(f"browse --home {home}", EDITOR=str(editor), VISUAL="")
    terminal.wait_for("put_left_of")
    terminal.press("e")
    terminal.wait_for("EDITING")
    terminal.press("import os", "Enter")
    shown = terminal.wait_for("certify the edited put_left_of")
    assert "voyager skills edit" in shown
    terminal.press("Enter")
    assert "your text is in" in terminal.wait_for("certify the edited put_left_of: ")
    (draft,) = (home / "artifacts" / "edits").iterdir()
    assert draft.read_text().endswith("import os\n"), "what was written is not lost"


@pytest.mark.timeout(900)
def test_an_edit_ends_with_a_certified_version(tmp_path: Path, start: Start) -> None:
    home = shipped(tmp_path / "home")
    # The cheapest skill of all, with something that does no harm.
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/^    open_gripper()$/&\\n&/" "$1"\n')
    editor.chmod(0o755)
    terminal = start(f"browse --home {home}", (120, 36), EDITOR=str(editor), VISUAL="")
    terminal.wait_for("14 skills")
    terminal.press("G")
    terminal.wait_for("held(graspable)")
    terminal.press("]", "]", "]", "]")
    terminal.wait_for("the first version")
    terminal.press("e")
    terminal.wait_for("certify the edited grasp")
    terminal.press("Enter")
    terminal.wait_for("certifying the edited grasp")
    # Nobody reads anything again here: what the job brought about is shown when it has ended.
    shown = terminal.wait_for("for the challenger, the", 800.0)
    assert re.search(r"2 +edited +40/40", shown), shown
    assert shown.count("+    open_gripper()") == 1, shown
    terminal.wait_without("certifying the edited grasp")
    terminal.press("q")
    terminal.wait_for_the_end()
    with Library.open(home) as library:
        first, second = library.versions("grasp")
        assert (first.champion, second.champion) == (True, False)
        assert second.origin is Origin.EDITED
        whole = library.version("grasp", 2)
        assert whole.certificate.admitted and whole.source.count("open_gripper()") == 2
    assert not list((home / "artifacts" / "edits").iterdir()), "what was certified is a version"


def test_the_demo_leaves_nothing_behind(tmp_path: Path, start: Start) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    home = tmp_path / "mine"
    terminal = start("demo", (120, 36), TMPDIR=str(scratch), VOYAGER_HOME=str(home))
    terminal.wait_for("14 skills")
    assert [path for path in scratch.iterdir() if path.name.startswith("voyager-")]
    terminal.press("q")
    terminal.wait_for_the_end()
    assert not [path for path in scratch.iterdir() if path.name.startswith("voyager-")]
    assert not home.exists()


def test_without_a_terminal_it_says_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voyager", "browse"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "voyager skills list" in done.stderr.replace("\n", " ")
