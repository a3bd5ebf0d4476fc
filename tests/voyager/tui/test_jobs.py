"""What a command has said is told in a sentence, and a text of somebody's own is never lost."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voyager.browsing.twins import Twin
from voyager.tui import deeds
from voyager.tui.deeds import Result
from voyager.tui.jobs import Jobs
from voyager.tui.text import since

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Saying(Twin):
    """A command that only prints an answer, in a process of its own."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0

    @property
    def command(self) -> tuple[str, ...]:
        said = f"print({json.dumps(self.answer)!r}); raise SystemExit({self.code})"
        return (sys.executable, "-S", "-c", said)


def carried_out(tmp_path: Path, answer: Mapping[str, Any], code: int) -> tuple[Result, bool]:
    """What is told of an edit that a command has answered, and whether its text is still there."""
    draft = tmp_path / "grasp.py"
    draft.write_text("def grasp(): ...\n")
    jobs = Jobs(lambda: NOW)
    deed = deeds.edit("grasp", draft)
    job = jobs.begin(deed, Saying(deed.words, tmp_path, answer=answer, code=code))
    asyncio.run(jobs.carry_out(job))
    assert job.result is not None and not jobs.open
    return job.result, draft.exists()


def challenged(verdict: str) -> dict[str, Any]:
    return {"schema": "voyager.challenge/1", "name": "grasp", "verdict": verdict, "why": "so"}


@pytest.mark.parametrize(
    ("verdict", "code", "kept"),
    [("replaced", 0, False), ("kept", 1, False), ("unchanged", 0, False), ("refused", 1, True)],
)
def test_a_text_goes_when_it_is_a_version(
    tmp_path: Path, verdict: str, code: int, kept: bool
) -> None:
    result, there = carried_out(tmp_path, challenged(verdict), code)
    assert there is kept
    told = f"grasp: {verdict}, so"
    where = f"; your text is in {tmp_path / 'grasp.py'}" if kept else ""
    assert result == Result(told + where, code == 0)


def test_a_text_stays_when_its_command_fails(tmp_path: Path) -> None:
    error = {"schema": "voyager.error/1", "error": "HomeBusy", "message": "an explorer is here"}
    result, there = carried_out(tmp_path, error, 1)
    assert there and not result.good
    assert result.sentence == (
        f"certify the edited grasp: an explorer is here; your text is in {tmp_path / 'grasp.py'}"
    )


@pytest.mark.parametrize(
    ("age", "told"),
    [(0, "just now"), (59, "just now"), (60, "1m ago"), (7200, "2h ago"), (-5, "just now")],
)
def test_how_long_ago_something_was(age: int, told: str) -> None:
    assert since(NOW - timedelta(seconds=age), NOW) == told
