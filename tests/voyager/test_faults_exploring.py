"""Homes that cannot be written, and exploring runs that something is lost in.

Real faults, as in `test_faults`.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from env.errors import SimulatorError
from env.executors import SerialExecutor
from env.program import Closure, Program
from skill_store import Library, database
from skill_store.errors import StorageError
from skill_store.journal import INTERRUPTED
from skill_store.queue import RequestState
from tests.skill_store import test_read_only
from tests.skill_store.test_read_only import as_reader
from tests.voyager.crash import faults
from tests.voyager.crash.faults import (
    CONFIG,
    TASK,
    Fixed,
    Striking,
    attempts,
    blow_up,
    disconnect,
    kill_sandboxed,
    knows,
    learned,
    rarely,
)
from tests.voyager.crash.orders import ROOT, prepare
from tests.voyager.crash.witness import Witness
from voyager.events import Stage
from voyager.explorer import Explorer
from voyager.learn import learn
from voyager.news import News, Phase
from voyager.writers.search import SearchWriter

_counted, home, executor = faults.counted, faults.home, faults.executor
striking, untroubled = faults.striking, faults.untroubled
public = test_read_only.home
"""A home in a place that every user can reach."""


# -- homes that cannot be written ----------------------------------------------------------------


@pytest.mark.parametrize("pages", [0, rarely(1), rarely(2)])
def test_a_full_disk_loses_nothing(
    pages: int, home: Path, executor: SerialExecutor, untroubled: str
) -> None:
    before = knows(home)
    with Library.open(home, learning=True) as library:
        library.database.execute("VACUUM")  # pages that a migration has left would be taken first
        full = library.database.one("PRAGMA page_count")[0] + pages
        library.database.execute(f"PRAGMA max_page_count = {full}")
        with pytest.raises(StorageError, match="the disk is full"):
            learn(TASK, library, executor=executor, steps=10**6, writer=Fixed())
    Witness(home).look("the disk was full")
    with Library.open(home, learning=True):
        pass
    assert set(attempts(home)) <= {"storage_error", INTERRUPTED}
    assert knows(home) == before
    assert learned(home, executor).certificate.hash == untroubled


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from tests.voyager.test_faults_exploring import explore_in_a_child
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
explore_in_a_child(Path(sys.argv[1]))
"""


def explore_in_a_child(home: Path) -> Any:
    """Explore for one attempt, with the writer that has nothing to find out."""
    SearchWriter.write = lambda self, brief: Fixed().write(brief)  # type: ignore[method-assign]
    return Explorer(CONFIG, home=home).run()


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("most", [50_000, 90_000, 130_000])
def test_an_explorer_that_may_write_no_larger_files_ends_and_loses_nothing(
    most: int, home: Path, executor: SerialExecutor, untroubled: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(home), str(most)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert "StorageError" in told and ("full" in told or "input/output" in told), done.stderr
    Witness(home).look("files could not grow")
    report = learned(home, executor)
    assert report.certificate.hash == untroubled
    found = attempts(home)
    assert set(found) <= {"storage_error", INTERRUPTED, "solved"} and found["solved"] == 1


def test_an_explorer_in_a_home_that_cannot_be_written_changes_nothing(public: Path) -> None:
    prepare(public, (TASK,))
    before = {path.name: path.read_bytes() for path in public.iterdir()}
    told = as_reader(public, lambda: str(explore_in_a_child(public)))
    assert told.startswith("StorageError: cannot write ")
    assert "choose another home with --home" in told
    assert {path.name: path.read_bytes() for path in public.iterdir()} == before


# -- exploring -----------------------------------------------------------------------------------


@pytest.fixture
def fixed_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SearchWriter, "write", lambda self, brief: Fixed().write(brief))


@pytest.mark.usefixtures("fixed_writer")
def test_a_run_goes_on_after_two_losses(home: Path, striking: Striking, untroubled: str) -> None:
    # Four tries make a loss: two in a world, and two more in a new one.
    striking.with_(kill_sandboxed, 8)
    report = Explorer(CONFIG, home=home).run()
    assert report.to_json()["outcomes"]["attempts"] == {"sandbox_lost": 2, "solved": 1}
    assert (report.attempts, report.failed, len(report.certified)) == (1, 0, 1)
    with Library.open(home) as library:
        assert library.get("reach").certificate.hash == untroubled
        # What was lost was chosen again, as if it had not been begun.
        assert [choice.number for choice in library.journal.decisions()] == [0, 0, 0]


@pytest.mark.usefixtures("fixed_writer")
def test_a_run_ends_after_three_losses_in_a_row(home: Path, striking: Striking) -> None:
    before = knows(home)
    striking.with_(blow_up, 1_000)
    with pytest.raises(SimulatorError, match="not finite"):
        Explorer(CONFIG, home=home).run()
    assert attempts(home) == {"simulator_lost": 3}
    assert knows(home) == before
    with Library.open(home) as library:
        (request,) = library.queue.list()
        assert request.state is RequestState.WAITING


@pytest.mark.usefixtures("fixed_writer")
def test_a_loss_while_goals_are_tested_is_noted(tmp_path: Path, striking: Striking) -> None:
    striking.with_(disconnect, 1_000, "begin")
    with pytest.raises(SimulatorError, match="a scene could not be begun"):
        Explorer(CONFIG, home=tmp_path).run()
    assert attempts(tmp_path) == {"simulator_lost": 3}
    with Library.open(tmp_path) as library:
        assert library.journal.decisions() == ()


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.usefixtures("fixed_writer")
def test_a_database_that_is_busy_once_does_not_end_a_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, untroubled: str
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.2)
    with closing(sqlite3.connect(home / database.DATABASE, isolation_level=None)) as other:
        kept: list[str] = []

        def watch(news: News) -> None:
            if news.event is not None and news.event.stage is Stage.CERTIFY and not kept:
                other.execute("BEGIN IMMEDIATE")
                kept.append("from the middle of a certification")
            elif news.phase is Phase.SETTLED and other.in_transaction:
                other.execute("COMMIT")
                kept.append(news.text)

        report = Explorer(CONFIG, home=home, watch=watch).run()
    assert "the attempt was lost and is made again" in kept[1] and "kept busy" in kept[1]
    assert report.to_json()["outcomes"]["attempts"] == {INTERRUPTED: 1, "solved": 1}
    with Library.open(home) as library:
        assert library.get("reach").certificate.hash == untroubled


def test_a_writer_whose_program_cannot_be_run_is_refused_and_the_run_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    misfit = Program.parse(
        "from robot import Bowl, wait\n\n\n"
        'def stare(bowl: Bowl) -> None:\n    """Look at a bowl for a second."""\n    wait(1.0)\n'
    )
    monkeypatch.setattr(
        SearchWriter, "write", lambda self, brief: Fixed(Closure.of(misfit)).write(brief)
    )
    report = Explorer(CONFIG, home=home).run()
    with Library.open(home) as library:
        (request,) = library.queue.list()
        assert request.state is not RequestState.WAITING
        assert library.names() == ()
    assert report.refused >= 1
