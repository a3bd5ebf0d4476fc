"""The Linux backend: a child for each run, behind walls that the kernel holds up."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from env.errors import ProgramError, SandboxError
from env.program import PUBLISHED_MODULES, Closure
from env.sandbox.base import (
    CallHandler,
    LimitReached,
    LimitReport,
    Limits,
    RunResult,
    RunStatus,
    SandboxDescription,
)
from env.sandbox.conversation import Conversation, Spoken
from env.sandbox.process import Ending, Zygote, ZygoteGone
from env.sandbox.wire import Rejected, Silent, Slow, Wire
from env.seeds import digest

_NAME = "linux-kernel"
_NUMPY = "numpy"
_BURNT = 0.9  # share of the CPU allowance from which on it counts as used up
_CPU_SIGNALS = frozenset({signal.SIGPROF, signal.SIGXCPU})


class HardenedSandbox:
    """Runs each program in a fresh child of a warmed parent, locked down by the kernel.

    The child can compute, use bounded memory, and talk to the host through one socket. It has no
    files, no network, no other processes, no clock and no true random numbers. See
    `env.sandbox.confined.walls` for how.
    """

    def __init__(self, api: Callable[[], Mapping[str, Any]], *, numpy: bool = False) -> None:
        """Prepare a sandbox; nothing is started yet.

        Args:
            api: Gives the table that the `robot` module is made of, at each run:
                ``{"actions": [{"name", "parameters"}], "errors": [...], "types": [...]}``.
            numpy: Whether programs can import numpy; costs start-up time.
        """
        self._api = api
        self._numpy = numpy
        self._zygote: Zygote | None = None
        self._busy = threading.Lock()

    def start(self) -> None:
        """Start the warmed parent and test the walls; does nothing when it runs.

        Raises:
            SandboxError: If the walls do not stand here, with the remedy.
        """
        with self._alone():
            self._started()

    def close(self) -> None:
        """End every process of this sandbox; it may be started again."""
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()

    def self_test(self) -> None:
        """Try to break out from a throw-away child.

        Raises:
            SandboxError: If anything that must fail succeeds.
        """
        with self._alone():
            self._test(self._started())

    def describe(self) -> SandboxDescription:
        """Which sandbox this is; starts it if needed.

        Raises:
            SandboxError: If it cannot stand here.
        """
        with self._alone():
            walls = self._started().walls
        return SandboxDescription(_NAME, _code_hash(), walls)

    def run(
        self,
        closure: Closure,
        arguments: Mapping[str, Any],
        handler: CallHandler,
        limits: Limits | None = None,
        *,
        seed: int = 0,
    ) -> RunResult:
        """Run a program to its end; see `env.sandbox.base.Sandbox.run`.

        Args:
            closure: The program and all that it calls.
            arguments: Arguments of its public function by name.
            handler: Answers its calls, in this thread.
            limits: What it may use; the defaults if None.
            seed: Seeds the `random` module inside.

        Returns:
            What happened. When this returns, the child is dead and reaped.

        Raises:
            ProgramError: If the arguments are not those of the public function.
            SandboxError: If the sandbox failed; says nothing about the program.
            Exception: Whatever else the handler raises, after the child was killed.
        """
        limits = limits or Limits()
        _check_arguments(closure, arguments)
        api = self._api()
        modules = PUBLISHED_MODULES | ({_NUMPY} if self._numpy else set())
        job = {
            "kind": "run",
            "root": closure.root,
            "programs": {
                key: {"name": program.name, "source": program.source, "lock": dict(program.lock)}
                for key, program in sorted(closure.programs.items())
            },
            "arguments": dict(arguments),
            "api": dict(api),
            "modules": sorted(modules),
            "seed": seed,
            "limits": _limits_json(limits),
        }
        actions = frozenset(action["name"] for action in api["actions"])
        with self._alone():
            return self._run(job, closure, handler, limits, actions)

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            SandboxError: If the walls do not stand here.
        """
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    # -- processes ----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise SandboxError("a sandbox runs one program at a time; open another one")
        try:
            yield
        finally:
            self._busy.release()

    def _started(self) -> Zygote:
        zygote = self._zygote
        if zygote is not None and zygote.owner != os.getpid():
            zygote = None  # this process was forked from its owner; it needs one of its own
        if zygote is None:
            zygote = self._zygote = Zygote(numpy=self._numpy)
            try:
                self._test(zygote)
            except SandboxError:
                self.close()
                raise
        return zygote

    def _test(self, zygote: Zygote) -> None:
        limits = Limits()
        job = {"kind": "probe", "seed": 0, "limits": _limits_json(limits)}
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                zygote.fork(theirs.fileno())
            wire = Wire(ours, limits)
            wire.begin(job)
            breaches = wire.next().get("breaches")
            zygote.reap()
        except (ZygoteGone, Rejected, Slow, Silent) as error:
            reason = str(error) or type(error).__name__
            raise SandboxError(f"the sandbox's self-test did not finish: {reason}") from None
        finally:
            ours.close()
        if breaches != []:
            raise SandboxError(
                f"the sandbox does not hold here: code inside could {breaches}; run on a kernel "
                "with seccomp filters, for example by the shipped Dockerfile"
            )

    def _fork(self, descriptor: int) -> Zygote:
        """A fresh child of the running parent or, if that is gone, of a new one."""
        try:
            zygote = self._started()
            zygote.fork(descriptor)
        except ZygoteGone:
            self.close()
            zygote = self._started()
            try:
                zygote.fork(descriptor)
            except ZygoteGone as error:
                self.close()
                raise SandboxError(f"the sandbox's process ends again and again: {error}") from None
        return zygote

    def _reap(self, zygote: Zygote) -> Ending:
        try:
            return zygote.reap()
        except ZygoteGone as error:
            self.close()
            raise SandboxError(f"the sandbox's process was lost during a run: {error}") from None

    # -- one run ------------------------------------------------------------------------------

    def _run(
        self,
        job: Mapping[str, Any],
        closure: Closure,
        handler: CallHandler,
        limits: Limits,
        actions: frozenset[str],
    ) -> RunResult:
        ours, theirs = socket.socketpair()
        stop: BaseException | None = None
        with ours:
            with theirs:
                zygote = self._fork(theirs.fileno())
            wire = Wire(ours, limits)
            talk = Conversation(wire, closure, handler, limits, actions)
            try:
                wire.begin(job)
                talk.answer_all()
            except (Rejected, Slow, Silent, LimitReached) as error:
                stop = error
            finally:
                # Before the channel closes, which would wake a child that sleeps on it.
                ending = self._reap(zygote)
        return _result(talk.spoken, stop, ending, limits)


def _result(
    spoken: Spoken, stop: BaseException | None, ending: Ending, limits: Limits
) -> RunResult:
    burnt = ending.signal in _CPU_SIGNALS or ending.cpu_s >= _BURNT * limits.cpu_s
    result = RunResult(
        RunStatus.RETURNED,
        output="".join(spoken.output),
        calls=spoken.calls,
        cpu_s=ending.cpu_s,
        burnt_cpu=burnt,
    )
    error = spoken.error
    if stop is None:
        if error is None:
            return result
        reason = f"{error.type}: {error.message}"
        return replace(result, status=RunStatus.RAISED, error=error, reason=reason)
    match stop:
        case LimitReached(limit=name, value=value, maximum=maximum):
            limit = LimitReport(name, value, maximum)
            return replace(result, status=RunStatus.LIMIT, limit=limit, reason=str(stop))
        case Rejected():
            return replace(result, status=RunStatus.REJECTED, reason=str(stop))
        case Slow():
            # No measured number: reasons are part of records that must be the same every time.
            how = f"the sandbox waited for it for {limits.wall_s:g} s in all" + (
                ", and it was asleep" if ending.asleep else ""
            )
            return replace(result, status=RunStatus.HANG, asleep=ending.asleep, reason=how)
    if ending.signal in _CPU_SIGNALS or (ending.signal == signal.SIGKILL and burnt):
        reason = f"it used up its {limits.cpu_s:g} s of CPU"
        return replace(result, status=RunStatus.HANG, reason=reason)
    # Nothing inside can send this signal, not even to itself.
    status = RunStatus.LOST if ending.signal == signal.SIGKILL else RunStatus.DIED
    return replace(result, status=status, reason=f"its process ended: {ending.reason}")


def _check_arguments(closure: Closure, arguments: Mapping[str, Any]) -> None:
    program = closure.entry
    names = {parameter.name for parameter in program.parameters}
    if missing := sorted(names - program.optional - set(arguments)):
        raise ProgramError(f"{program.name} needs a value for {', '.join(missing)}")
    if spare := sorted(set(arguments) - names):
        raise ProgramError(f"{program.name} has no parameter {', '.join(spare)}")


def _limits_json(limits: Limits) -> dict[str, Any]:
    return {
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "frame_bytes": limits.frame_bytes,
        "output_bytes": limits.output_bytes,
    }


@functools.cache
def _code_hash() -> str:
    folder = Path(__file__).parent / "confined"
    return digest({file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.py"))})
