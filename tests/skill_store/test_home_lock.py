from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skill_store.errors import HomeBusy, StorageError
from skill_store.home_lock import LOCK_FILE, Holder, HomeLock, holder

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from skill_store.home_lock import HomeLock\n"
    "lock = HomeLock(Path(sys.argv[1]))\n"
    "lock.acquire()\n"
    "print('held', flush=True)\n"
    "time.sleep(600)\n"
)


def test_the_note_says_who_holds_it(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    with HomeLock(home, command="voyager learn x", clock=lambda: NOW) as lock:
        assert lock.held
        note = json.loads(lock.path.read_text())
    assert note == {
        "schema": "voyager.lock/1",
        "pid": os.getpid(),
        "started_at": "2026-03-01T12:00:00.000000+00:00",
        "command": "voyager learn x",
    }
    assert not lock.held
    assert lock.path.read_text() == ""


def test_a_second_learner_is_told_in_one_sentence(tmp_path: Path) -> None:
    with HomeLock(tmp_path), pytest.raises(HomeBusy) as caught:
        HomeLock(tmp_path).acquire()
    assert str(caught.value) == (
        f"another voyager (pid {os.getpid()}) is learning in {tmp_path}; wait for it, or use "
        "another --home"
    )
    assert caught.value.pid == os.getpid()


def test_acquiring_and_releasing_twice_is_harmless(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    lock.release()
    lock.acquire()
    lock.acquire()
    lock.release()
    lock.release()
    with HomeLock(tmp_path):
        pass


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(HomeBusy) as caught:
            HomeLock(tmp_path).acquire()
        assert caught.value.pid == holder.pid
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
    # Its note is still there and means nothing.
    assert json.loads((tmp_path / "voyager.lock").read_text())["pid"] == holder.pid
    with HomeLock(tmp_path):
        pass


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": "x"}', "\xff"])
def test_an_unreadable_note_does_not_hide_the_answer(tmp_path: Path, note: str) -> None:
    with HomeLock(tmp_path) as lock:
        lock.path.write_text(note)
        with pytest.raises(HomeBusy, match="another voyager is learning in") as caught:
            HomeLock(tmp_path).acquire()
        assert caught.value.pid is None


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another home with --home"):
        HomeLock(tmp_path / "file" / "home").acquire()


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        lock.release()
        try:
            with HomeLock(tmp_path):
                pass
        finally:
            child.kill()


def test_who_holds_it_can_be_asked_without_taking_it(tmp_path: Path) -> None:
    assert holder(tmp_path / "nothing") is None
    with HomeLock(tmp_path, command="voyager explore", clock=lambda: NOW):
        assert holder(tmp_path) == Holder(os.getpid(), NOW, "voyager explore")
    assert holder(tmp_path) is None


def test_the_note_of_a_dead_holder_means_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    found = holder(tmp_path)
    assert found is not None
    assert found.pid == process.pid
    process.kill()
    process.wait()
    process.stdout.close()
    assert (tmp_path / LOCK_FILE).read_text()
    assert holder(tmp_path) is None


def test_asking_keeps_nobody_from_learning(tmp_path: Path) -> None:
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.001):
            holder(tmp_path)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for one in askers:
        one.start()
    try:
        for _ in range(100):
            with HomeLock(tmp_path):
                pass
    finally:
        over.set()
        for one in askers:
            one.join()
