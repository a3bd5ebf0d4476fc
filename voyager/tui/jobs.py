"""Commands under way: what the browser has set going, and how it ended."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from voyager.browsing.twins import Done, Running, Twin
from voyager.tui.deeds import Deed, Result, certified, result


@dataclass(slots=True)
class Job:
    """A deed that was begun.

    Attributes:
        number: Its number in this browser.
        deed: What is to be done.
        twin: The command that does it.
        began: When, UTC.
        result: What came of it; None while it is under way.
    """

    number: int
    deed: Deed
    twin: Twin
    began: datetime
    result: Result | None = None


@dataclass(slots=True)
class Jobs:
    """All jobs of one browser, the oldest first.

    Attributes:
        clock: Source of the present moment.
        jobs: They.
    """

    clock: Callable[[], datetime]
    jobs: list[Job] = field(default_factory=list)
    _running: dict[int, Running] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def open(self) -> tuple[Job, ...]:
        """Those under way."""
        return tuple(job for job in self.jobs if job.result is None)

    def running(self, job: Job) -> bool:
        """Whether its command is there to be stopped."""
        return job.number in self._running

    def begin(self, deed: Deed, twin: Twin) -> Job:
        """Write a job down; `carry_out` does it."""
        job = Job(next(self._numbers), deed, twin, self.clock())
        self.jobs.append(job)
        return job

    async def carry_out(self, job: Job) -> Result:
        """Run a job's command and wait for it; never raises what a command can do wrong."""
        try:
            running = self._running[job.number] = await Running.start(job.twin)
            done = await running.wait()
        except OSError as error:
            why = error.strerror or str(error)
            done = Done(1, {}, f"its command cannot be started ({why})")
        finally:
            self._running.pop(job.number, None)
        job.result = result(job.deed, done)
        if job.deed.draft is not None and certified(done):
            with contextlib.suppress(OSError):
                job.deed.draft.unlink()
        return job.result

    async def stop(self, job: Job) -> None:
        """Ask a job's command to end."""
        running = self._running.get(job.number)
        if running is not None:
            await running.stop()

    async def stop_all(self) -> None:
        """End all that is under way."""
        for job in self.open:
            await self.stop(job)
