"""One simulator for many callers: a process of its own, and a thread that it takes turns with.

PyBullet bears one caller at a time, and only a process can be stopped while it computes. So the
physics lives in a worker process; requests wait in one line, in the order in which they came, and
each has a time limit. A request that is cancelled while it waits is never begun; one that is
cancelled or runs into its limit while it is carried out ends with the process, and the next one
gets a new process. What that costs is up to `work`: see `voyager.serving.performing`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, Final, Generic, Protocol, TypeVar

from env.workers import Bench, WorkerProcess
from voyager.serving.errors import Stopped, TooBusy, TookTooLong

LIMIT_S: Final = 120.0
"""Seconds that one request may take once it has been begun."""
MOST_WAITING: Final = 32
"""Requests that may wait."""
_LOOK_S: Final = 0.05
"""How often somebody looks whether a request under way was cancelled."""
_FAREWELL_S: Final = 10.0

T = TypeVar("T")


class Hand(Protocol):
    """What `work` reaches the simulator's process with."""

    def __call__(self, fn: Callable[[Bench, Any], Any], job: Any) -> Any:
        """Run ``fn(bench, job)`` in the process and wait for what it returns.

        Raises:
            Stopped: If the request was cancelled meanwhile.
            TookTooLong: If its time is over.
            WorkerLost: If the process died.
            BaseException: Whatever the function raised.
        """


class Ticket(Generic[T]):
    """A request: waiting, under way, or done."""

    def __init__(self, work: Callable[[Hand], T]) -> None:
        """Made by `Simulator.ask`."""
        self._work = work
        self._future: Future[T] = Future()
        self._cancelled = threading.Event()

    def result(self, timeout: float | None = None) -> T:
        """Wait for what came of it.

        Args:
            timeout: Seconds to wait at most; the request goes on when they are over.

        Raises:
            TimeoutError: If it is not done by then.
            Stopped: If it was cancelled.
            BaseException: Whatever it raised.
        """
        try:
            return self._future.result(timeout)
        except CancelledError:
            raise Stopped("the request was cancelled before it was begun") from None

    def cancel(self) -> None:
        """Do not begin it, or stop it; nothing happens to one that is done."""
        self._cancelled.set()
        self._future.cancel()

    @property
    def under_way(self) -> bool:
        """Whether it is being carried out right now."""
        return self._future.running()

    # For the simulator's own thread

    @property
    def cancelled(self) -> bool:
        """Whether somebody cancelled it."""
        return self._cancelled.is_set()

    def carry_out(self, hand: Hand) -> None:
        """Do the work, unless it was cancelled."""
        if not self._future.set_running_or_notify_cancel():
            return
        try:
            found = self._work(hand)
        except BaseException as error:  # belongs to whoever asked
            self._future.set_exception(error)
        else:
            self._future.set_result(found)


class _Watched(WorkerProcess):
    """A process that is looked after while it is waited for, also while it starts."""

    def __init__(self) -> None:
        super().__init__()
        self.look: Callable[[], None] = lambda: None

    def result(self) -> Any:
        """Wait for a call; `look` is called now and then, and may close this and raise."""
        while not wait([self.pipe], _LOOK_S):
            self.look()
        return super().result()


class Simulator:
    """Carries requests out one after the other, in a process that is started for the first one."""

    def __init__(self, *, limit_s: float = LIMIT_S, most_waiting: int = MOST_WAITING) -> None:
        """Start nothing yet.

        Args:
            limit_s: Seconds that one request may take once it has been begun.
            most_waiting: Requests that may wait.
        """
        self._limit = limit_s
        self._most = most_waiting
        self._worker = _Watched()
        self._line: deque[Ticket[Any]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._under_way: Ticket[Any] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, work: Callable[[Hand], T]) -> Ticket[T]:
        """Put a request into the line; from any thread.

        Args:
            work: Called on the simulator's own thread when it is its turn; it runs functions in
                the process by what it is given.

        Returns:
            What to wait for.

        Raises:
            TooBusy: If too many wait already.
            Stopped: If the simulator is closed.
        """
        ticket = Ticket(work)
        with self._changed:
            if self._closed:
                raise Stopped("the simulator is closed; nothing can be run any more")
            # Those that were cancelled keep nobody out.
            self._line = deque(waiting for waiting in self._line if not waiting.cancelled)
            if len(self._line) >= self._most:
                raise TooBusy(
                    f"{len(self._line)} requests wait for the simulator already; "
                    "try again when some of them are done"
                )
            self._line.append(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="simulator", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return ticket

    def close(self) -> None:
        """Stop what is under way, drop what waits, and end the process; twice is harmless."""
        with self._changed:
            self._closed = True
            dropped = [*self._line, *([self._under_way] if self._under_way is not None else [])]
            self._line.clear()
            thread = self._thread
            self._changed.notify_all()
        for ticket in dropped:
            ticket.cancel()
        if thread is not None:
            thread.join(_FAREWELL_S)
        self._worker.close(kill=True)

    def __enter__(self) -> Simulator:
        """Leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    # The simulator's own thread

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._under_way = None
                while not self._line and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                ticket = self._under_way = self._line.popleft()
            end = time.monotonic() + self._limit

            def call(
                fn: Callable[[Bench, Any], Any],
                job: Any,
                *,
                ticket: Ticket[Any] = ticket,
                end: float = end,
            ) -> Any:
                def look() -> None:
                    if ticket.cancelled:
                        self._worker.close(kill=True)
                        raise Stopped("the request was cancelled; what it had begun is undone")
                    if time.monotonic() > end:
                        self._worker.close(kill=True)
                        raise TookTooLong(
                            f"the simulator did not finish within {self._limit:g} s and was "
                            "stopped; what it had begun is undone"
                        )

                self._worker.look = look
                return self._worker.call(fn, job)

            ticket.carry_out(call)
