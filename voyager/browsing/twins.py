"""Each action of the browser is a command of the command line, and is carried out by that command.

The command runs in a process of its own, so that nothing in it can hold up or break what is on the
screen, and what the browser does can always be done, scripted or looked up without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_GRACE: Final = 5.0  # seconds: commands end by themselves when they are asked to
_LONGEST: Final = 400  # characters of an error that is shown in a line or two
_PLAIN: Final = frozenset(("skills", name) for name in ("list", "search", "pin", "unpin"))
"""Commands that look at no program and at no goal, and take no extension."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A command that does what an action of the browser does.

    Attributes:
        words: The command without the program's name, `--home` and `--json`.
        home: The home that it is about.
        home_given: Whether the home has to be named for the command to find it.
        extensions: Modules of one's own that the command has to load.
    """

    words: tuple[str, ...]
    home: Path
    home_given: bool = True
    extensions: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """What somebody would type."""
        told = shlex.join(("voyager", *self.words, *self._loading))
        return f"{told} --home {shlex.quote(str(self.home))}" if self.home_given else told

    @property
    def command(self) -> tuple[str, ...]:
        """What is run: this very Python and project, an answer for programs, this home."""
        own = (*self.words, *self._loading, "--json", "--home", str(self.home))
        return (sys.executable, "-m", "voyager", *own)

    @property
    def _loading(self) -> tuple[str, ...]:
        if self.words[:2] in _PLAIN:
            return ()
        return tuple(word for module in self.extensions for word in ("--extension", module))


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended.

    Attributes:
        code: Its exit code; negative for a signal.
        record: The JSON object that it printed; empty when there is none.
        error: What went wrong, one sentence; empty when nothing did.
    """

    code: int
    record: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class Running:
    """A command under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take a process whose stdout and stderr are pipes."""
        self._process = process

    @classmethod
    async def start(cls, twin: Twin) -> Running:
        """Start a command.

        Raises:
            OSError: If no process can be started.
        """
        process = await asyncio.create_subprocess_exec(
            *twin.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C in the terminal is the browser's to handle.
            start_new_session=True,
        )
        return cls(process)

    async def wait(self) -> Done:
        """Wait until it has ended, and read its answer."""
        out, err = await self._process.communicate()
        return read_answer(self._process.returncode or 0, out, err)

    async def stop(self) -> None:
        """Ask it to end; make it end if it does not."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def read_answer(code: int, out: bytes, err: bytes) -> Done:
    """Read what a command printed with `--json`.

    Args:
        code: Its exit code.
        out: Its stdout; one JSON object, or several of which the last counts.
        err: Its stderr.
    """
    record = _last_object(out.decode("utf-8", "replace"))
    if record.get("schema") == "voyager.error/1":
        return Done(code, record, str(record.get("message", ""))[:_LONGEST])
    if record or code == 0:
        return Done(code, record)
    if code < 0:
        return Done(code, {}, "the command was stopped")
    lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    told = lines[-1].removeprefix("error: ") if lines else f"the command ended with code {code}"
    return Done(code, {}, told[:_LONGEST])


def _last_object(text: str) -> dict[str, Any]:
    decoder = json.JSONDecoder()
    found: dict[str, Any] = {}
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict):
            found = value
        at = text.find("{", end)
    return found
