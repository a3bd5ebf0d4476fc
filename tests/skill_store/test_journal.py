from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from env.outcome import Outcome
from env.task import Task
from skill_store import Library, StorageError
from tests.skill_store.samples import LIFT, REACH


def test_controls_are_kept_for_a_task_on_a_platform(tmp_path: Path) -> None:
    renamed = Task.make("lifted(cube)", {"cube": "block"})
    with Library.open(tmp_path) as library:
        journal = library.journal
        assert journal.controls(LIFT.hash, "here") is None
        journal.keep_controls(LIFT, "here", True, {"steps": 5})
        journal.keep_controls(REACH, "here", False, {"why": "solved by doing nothing"})
    with Library.open(tmp_path) as library:
        journal = library.journal
        kept = journal.controls(renamed.hash, "here")
        assert kept is not None
        admitted, record = kept
        assert (admitted, record) == (True, {"steps": 5})
        assert journal.controls(LIFT.hash, "elsewhere") is None
        refused = journal.controls(REACH.hash, "here")
        assert refused is not None
        assert not refused.admitted
        journal.keep_controls(LIFT, "here", False, {})
        assert journal.controls(LIFT.hash, "here") == (False, {})


def test_attempts_can_be_read_without_their_details(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        journal = library.journal
        attempt = journal.begin_attempt(LIFT)
        journal.end_attempt(attempt, Outcome.FAILED, "slips", simulated_steps=7, detail={"a": 1})
        (whole,), (brief,) = journal.attempts(), journal.attempts(brief=True)
        assert whole.detail == {"a": 1}
        assert brief == replace(whole, detail={})


def test_decisions_say_who_proposed_what_and_why(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        journal = library.journal
        first = journal.begin_attempt(LIFT)
        journal.keep_decision(first, 1, "user", "it was asked for")
        second = journal.begin_attempt(REACH)
        journal.keep_decision(second, 2, "frontier", "nobody tried it yet")
        one, two = journal.decisions()
        assert (one.attempt, one.number, one.proposer, one.task) == (first, 1, "user", LIFT.hash)
        assert (two.why, two.task) == ("nobody tried it yet", REACH.hash)
        with pytest.raises(StorageError, match="CONSTRAINT"):
            journal.keep_decision(first, 3, "user", "again")
        with pytest.raises(StorageError, match="FOREIGNKEY"):
            journal.keep_decision(99, 3, "user", "of nothing")
