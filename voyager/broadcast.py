"""What a running explorer makes known to other processes: one small file below its home.

The file is a whole picture of the run, replaced a few times a second at most, and nothing depends
on it: it may be deleted, and an explorer that cannot write it goes on. It says nothing about
whether the run is still alive; that the home's lock says.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from skill_store.clock import Clock, stamp, utc_now
from voyager.config import Config
from voyager.news import News, NewsWatch, Phase

LIVE_FILE: Final = "live.json"
"""File name inside a home."""
LIVE_SCHEMA: Final = "voyager.live/1"
_EVERY_S: Final = 0.25
"""Least time between two writes."""
_LINES: Final = 60
"""Lines of news that are kept."""
_MOST_TEXT: Final = 500


class Broadcast:
    """Writes the file of a home as news come in; a watcher of an explorer, and a context."""

    def __init__(
        self,
        home: Path,
        config: Config,
        watch: NewsWatch,
        *,
        clock: Clock = utc_now,
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            home: The home folder, which this process holds the lock of.
            config: The settings of the run.
            watch: Is told all news as well.
            clock: Source of the present moment.
        """
        self.path = home / LIVE_FILE
        self._watch = watch
        self._clock = clock
        self._lines: deque[dict[str, Any]] = deque(maxlen=_LINES)
        self._told = ("", "")
        self._news = News(Phase.STARTED, "opening the home")
        self._why = self._proposer = ""
        self._chosen_at = ""
        self._head = _head(config) | {"pid": os.getpid(), "started_at": stamp(clock())}
        self._changed, self._over = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="broadcast", daemon=True)

    def __enter__(self) -> Broadcast:
        """Write the first picture, and go on as news come in."""
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write the last one."""
        self._over.set()
        self._changed.set()
        self._thread.join()
        self._write()

    def __call__(self, news: News) -> None:
        """Take a piece of news and hand it on; it is written soon, by another thread."""
        with self._lock:
            now = stamp(self._clock())
            if news.phase is Phase.CHOSEN:
                self._why, self._proposer, self._chosen_at = news.text, news.proposer, now
            elif news.phase in (Phase.SETTLED, Phase.ENDED):
                self._why = self._proposer = self._chosen_at = ""
            self._news = news
            # One line for each thing that is done, not for each time that it is told.
            if (news.phase.value, news.text) != self._told:
                self._told = (news.phase.value, news.text)
                self._lines.append(_line(news, now))
        self._changed.set()
        self._watch(news)

    def _run(self) -> None:
        while not self._over.is_set():
            self._changed.wait()
            self._changed.clear()
            self._write()
            self._over.wait(_EVERY_S)

    def _write(self) -> None:
        text = json.dumps(self._picture(), sort_keys=True)
        partial = self.path.with_suffix(".part")
        # A full disk or a lost right is the business of those writes that matter.
        with contextlib.suppress(OSError):
            partial.write_text(text, encoding="utf-8")
            partial.replace(self.path)

    def _picture(self) -> dict[str, Any]:
        with self._lock:
            news, event = self._news, self._news.event
            task = news.task if news.phase is not Phase.SETTLED else None
            return {
                "schema": LIVE_SCHEMA,
                **self._head,
                "at": stamp(self._clock()),
                "phase": news.phase.value,
                "text": news.text[:_MOST_TEXT],
                "task": None
                if task is None
                else {
                    "goal": task.goal.text[:_MOST_TEXT],
                    "instruction": task.instruction[:_MOST_TEXT],
                    "hash": task.hash,
                },
                "proposer": self._proposer,
                "why": self._why[:_MOST_TEXT],
                "chosen_at": self._chosen_at,
                "event": None if event is None else asdict(event),
                "attempts": news.attempts,
                "certified": news.certified,
                "simulated_steps": news.simulated_steps,
                "seconds": news.seconds,
                "lines": list(self._lines),
            }


def _head(config: Config) -> dict[str, Any]:
    """What stays the same throughout a run."""
    explore, models = config.explore, config.models
    return {
        "seed": config.seed,
        "writer": config.writer.kind.value,
        "curriculum": explore.proposer.value,
        "limits": {
            "steps": explore.steps,
            "tasks": explore.tasks,
            "minutes": explore.minutes,
            "usd": models.max_usd,
            "calls": models.max_calls,
            "hours": models.max_hours,
        },
    }


def _line(news: News, now: str) -> dict[str, Any]:
    return {
        "at": now,
        "phase": news.phase.value,
        "text": news.text[:_MOST_TEXT],
        "goal": "" if news.task is None else news.task.goal.text[:_MOST_TEXT],
        "skill": news.skill,
        "simulated_steps": news.simulated_steps,
    }
