"""What commands that prove programs have in common: a library to learn in, workers, progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voyager.cli.session import Session
    from voyager.proving import Proving


@contextmanager
def workshop(session: Session) -> Iterator[Proving]:
    """Open all that it takes to prove programs; what has become stale is marked first.

    Args:
        session: Of the command.

    Yields:
        The means; its ledger counts steps without a limit and tells them on stderr.

    Raises:
        HomeBusy: If another process learns in this home.
        StorageError: If the home cannot be read or written.
        SandboxError: If no sandbox can stand here.
    """
    from env.executors import make_executor
    from skill_store import Library, mark_stale
    from voyager.cli.progress import watching
    from voyager.proving import Proving
    from voyager.writers.base import Budget, Ledger

    with (
        Library.open(session.home, learning=True) as library,
        make_executor(session.config.workers) as executor,
        watching() as watch,
    ):
        mark_stale(library)
        yield Proving(library, executor, Ledger(Budget(0), watch))
