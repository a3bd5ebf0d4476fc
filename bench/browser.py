"""How fast the browser is with ten thousand skills: a real process behind a pseudo-terminal.

The clock runs from the start of the process to the first screen with a skill on it, and from each
key to what the program writes in answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.crowd import crowd, give_vectors, spread
from bench.report import Report
from bench.retrieval import Corpus
from bench.scale import SKILLS, Goals
from env.errors import VoyagerError
from skill_store.embedder import open_embedder

_SIZE: Final = (36, 120)  # lines, columns
_LONGEST: Final = 60.0
_QUIET: Final = 0.4  # seconds without output after which nothing more is coming
_TYPED: Final = "stack the blocks"
_TYPING: Final = 0.08  # seconds between two keys
_VIEWS: Final = 3


class Screen:
    """A process behind a pseudo-terminal, and what it has written."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start a command."""
        mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        os.close(theirs)
        self._mine = mine

    def wait_for(self, text: str) -> float:
        """Seconds from now until a text was written.

        Raises:
            VoyagerError: If it never is.
        """
        begun, seen = time.perf_counter(), b""
        while text.encode() not in seen:
            if time.perf_counter() - begun > _LONGEST:
                raise VoyagerError(f"{text!r} was not on the screen within {_LONGEST:.0f} s")
            seen = seen[-65536:] + self._read(0.05)
        return time.perf_counter() - begun

    def press(self, key: str) -> float:
        """Seconds from a key to the first that is written in answer.

        Raises:
            VoyagerError: If nothing is.
        """
        begun = time.perf_counter()
        os.write(self._mine, key.encode())
        while not self._read(0.001):
            if time.perf_counter() - begun > _LONGEST:
                raise VoyagerError(f"the key {key!r} was not answered")
        return time.perf_counter() - begun

    def answered(self, key: str) -> float:
        """The same for a key that comes as fast as somebody types."""
        time.sleep(_TYPING)
        while self._read(0.0):
            pass
        return self.press(key)

    def cpu(self) -> float:
        """CPU seconds that the process has used until now."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self) -> None:
        """Wait until nothing more is written."""
        while self._read(_QUIET):
            pass

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._mine)

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._mine], [], [], seconds)
        try:
            return os.read(self._mine, 65536) if ready else b""
        except OSError as error:  # the other end is closed
            raise VoyagerError("the browser ended before it was measured") from error


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one kind, in several runs or for several keys."""

    name: str
    values: tuple[float, ...]

    def row(self) -> tuple[str, ...]:
        """Cells: how many, median, slowest, in milliseconds."""
        middle, worst = statistics.median(self.values), max(self.values)
        return self.name, str(len(self.values)), f"{1e3 * middle:.0f}", f"{1e3 * worst:.0f}"


def browser(skills: int = SKILLS, repeats: int = 3) -> Report:
    """Time the browser on a library of made-up skills.

    Args:
        skills: How many it has.
        repeats: How often it is started.

    Raises:
        VoyagerError: If the library cannot be written, or the browser does not answer.
    """
    with TemporaryDirectory() as folder:
        home = Path(folder)
        newest = _crowd(home, skills)
        told = [_measured(home, newest) for _ in range(repeats)]
    kinds = [Times(name, tuple(value for run in told for value in run[name])) for name in told[0]]
    return Report(
        name="browser",
        title=f"The browser with {skills:,} skills, {repeats} starts",
        columns=("from", "times", "median ms", "slowest ms"),
        rows=tuple(kind.row() for kind in kinds),
        notes=(
            "first screen: from the start of the process to a skill on the screen; keys: from the "
            "key to the first answer, while the list is filtered and the details are read",
        ),
        record={
            "skills": skills,
            "seconds": {kind.name: list(kind.values) for kind in kinds},
        },
    )


def _measured(home: Path, newest: str) -> dict[str, list[float]]:
    screen = Screen([sys.executable, "-m", "voyager", "browse", "--home", str(home)])
    try:
        screen.wait_for(newest)
        first, cpu = time.perf_counter() - screen.began, screen.cpu()
        screen.settle()
        moved = [screen.answered("j") for _ in range(20)]
        screen.settle()
        screen.press("/")
        typed = [screen.answered(letter) for letter in _TYPED]
        listed = screen.wait_for(" of ")
    finally:
        screen.close()
    return {
        "start to first screen": [first],
        "the same, CPU": [cpu],
        "key that moves the cursor": moved,
        "key that is typed into the filter": typed,
        "last key to the filtered list": [listed],
    }


def _crowd(home: Path, skills: int) -> str:
    """Make the library; the name of its newest skill, which is listed first."""
    corpus = Corpus.load()
    embedder, _ = open_embedder()
    texts = [(skill.name, skill.instruction) for skill in corpus.skills]
    crowd(home, texts, skills, Goals.grown().promised)
    centres = embedder.embed([skill.instruction for skill in corpus.skills])
    give_vectors(home, embedder.id, spread(centres, skills * _VIEWS))
    return f"{texts[(skills - 1) % len(texts)][0]}_{skills - 1}"
