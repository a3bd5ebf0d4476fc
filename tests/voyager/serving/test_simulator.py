from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from env.workers import Bench, WorkerLost, WorkerProcess
from voyager.serving.errors import Stopped, TooBusy, TookTooLong
from voyager.serving.simulator import Hand, Simulator, Ticket


def note(bench: Bench, word: str) -> tuple[int, list[str]]:
    said: list[str] = bench.memory.setdefault("said", [])
    said.append(word)
    return os.getpid(), list(said)


def rest(_: Bench, seconds: float) -> None:
    time.sleep(seconds)


def die(_: Bench, code: int) -> None:
    os._exit(code)


def say(simulator: Simulator, word: str) -> Ticket[tuple[int, list[str]]]:
    return simulator.ask(lambda hand: hand(note, word))


def busy(simulator: Simulator, seconds: float = 60.0) -> Ticket[Any]:
    """Occupy the simulator; comes back when that has begun."""
    begun = threading.Event()

    def work(hand: Hand) -> None:
        begun.set()
        hand(rest, seconds)

    ticket = simulator.ask(work)
    assert begun.wait(60)
    return ticket


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(limit_s=60.0, most_waiting=8) as opened:
        yield opened


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_requests_of_many_threads_are_carried_out_in_order(simulator: Simulator) -> None:
    tickets = [say(simulator, word) for word in "abc"]
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda t=ticket: found.append(t.result(60)[1]))
        for ticket in tickets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [["a"], ["a", "b"], ["a", "b", "c"]]
    assert tickets[0].result()[0] != os.getpid()


def test_what_waits_is_cancelled_and_never_begun(simulator: Simulator) -> None:
    first = busy(simulator, 1.0)
    dropped, kept = say(simulator, "dropped"), say(simulator, "kept")
    dropped.cancel()
    with pytest.raises(Stopped, match="before it was begun"):
        dropped.result(60)
    first.result(60)
    assert kept.result(60)[1] == ["kept"]


def test_what_is_under_way_is_stopped_with_its_process(simulator: Simulator) -> None:
    pid, _ = say(simulator, "before").result(60)
    running = busy(simulator)
    running.cancel()
    with pytest.raises(Stopped, match="cancelled"):
        running.result(60)
    other, said = say(simulator, "after").result(60)
    assert other != pid and said == ["after"]
    assert not alive(pid)


def test_a_request_that_takes_too_long_is_stopped(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, _ = say(simulator, "before").result(60)
    # Not from the beginning: on a busy machine the process alone may take a second to start.
    with monkeypatch.context() as hurried:
        hurried.setattr(simulator, "_limit", 0.3)
        with pytest.raises(TookTooLong, match=r"within 0.3 s"):
            busy(simulator).result(60)
    assert not alive(pid)
    assert say(simulator, "after").result(60)[1] == ["after"]


def never_ready(
    self: WorkerProcess,
    start: Callable[[WorkerProcess], None] = WorkerProcess.start,
) -> None:
    """Start a process that is stopped before it can say anything."""
    fresh = self._process is None
    start(self)
    if fresh and self._process is not None:
        os.kill(self._process.pid, signal.SIGSTOP)


def test_a_process_that_does_not_come_up_is_stopped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Simulator(limit_s=0.5) as slow, monkeypatch.context() as patched:
        patched.setattr(WorkerProcess, "start", never_ready)
        with pytest.raises(TookTooLong, match=r"within 0\.5 s"):
            say(slow, "a").result(60)
    with Simulator(limit_s=600.0) as patient:
        with monkeypatch.context() as patched:
            patched.setattr(WorkerProcess, "start", never_ready)
            ticket = say(patient, "a")
            while not ticket.under_way:
                time.sleep(0.01)
            ticket.cancel()
            with pytest.raises(Stopped):
                ticket.result(60)
        assert say(patient, "b").result(60)[1] == ["b"]


def test_a_full_line_is_refused_and_frees_itself() -> None:
    with Simulator(most_waiting=2) as simulator:
        running = busy(simulator)
        waiting = [say(simulator, "a"), say(simulator, "b")]
        with pytest.raises(TooBusy, match="2 requests wait"):
            say(simulator, "c")
        waiting[0].cancel()
        last = say(simulator, "d")
        running.cancel()
        assert waiting[1].result(60)[1] == ["b"]
        assert last.result(60)[1] == ["b", "d"]


def test_a_process_that_dies_belongs_to_its_request(simulator: Simulator) -> None:
    lost = simulator.ask(lambda hand: hand(die, 7))
    with pytest.raises(WorkerLost, match="exit status 7"):
        lost.result(60)
    assert say(simulator, "after").result(60)[1] == ["after"]


def test_closing_stops_everything_and_leaves_no_process() -> None:
    simulator = Simulator()
    pid, _ = say(simulator, "before").result(60)
    running, waiting = busy(simulator), say(simulator, "late")
    simulator.close()
    for ticket in (running, waiting):
        with pytest.raises(Stopped):
            ticket.result(5)
    assert not alive(pid)
    with pytest.raises(Stopped, match="closed"):
        say(simulator, "later")
    simulator.close()
