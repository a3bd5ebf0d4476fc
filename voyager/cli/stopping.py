"""How a long run is stopped: the first signal asks, the second one insists."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
ASKED: Final = "stopping after the attempt under way; once more to end at once"


class StopRequest:
    """Whether the user asked to stop; true or false when called.

    Inside its block the first Ctrl-C or SIGTERM only sets it. The second ends the process from
    where it stands, with exit code 130 or 143: the attempt in flight is lost, nothing else.
    """

    def __init__(self, *, silent: bool = False) -> None:
        """Nobody asked yet.

        Args:
            silent: Leave it to a live screen to say so.
        """
        self._asked = False
        self._silent = silent
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Whether the user asked to stop."""
        return self._asked

    def __enter__(self) -> StopRequest:
        """Take over the signals."""
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise SystemExit(128 + number)
        self._asked = True
        if not self._silent:
            # Not through a buffered stream: the signal may have come in the middle of a write.
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{ASKED}\n".encode())
