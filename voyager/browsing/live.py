"""How the explorer of a home stands: what it makes known, and what the home says beside that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from env.errors import VoyagerError
from skill_store.clock import moment
from skill_store.exchanges import Allowance
from skill_store.home_lock import Holder, holder
from skill_store.library import Library
from skill_store.queue import RequestState
from skill_store.steering import Steering
from voyager.broadcast import LIVE_FILE, LIVE_SCHEMA
from voyager.news import Phase

EXPLORER_SCHEMA: Final = "voyager.explorer/1"
_MICRO: Final = 1_000_000
_HOUR: Final = 3600
_MOST_BYTES: Final = 1_000_000
_MOST_ATTEMPTS: Final = 12
_MOST_FEEDBACK: Final = 300
_LOOKS: Final = 3


class ExplorerState(StrEnum):
    """Whether somebody explores in a home."""

    RUNNING = "running"
    PAUSING = "pausing"
    """It is asked to pause, and does so after the attempt under way."""
    PAUSED = "paused"
    ENDED = "ended"
    """The last run is over."""
    DIED = "died"
    """The last run did not end by itself: it was killed, or the machine went down."""
    BUSY = "busy"
    """Another command learns here, or an explorer of another version."""
    NONE = "none"
    """Nobody has explored here."""

    @property
    def alive(self) -> bool:
        """Whether there is an explorer that can be asked for something."""
        return self in (self.RUNNING, self.PAUSING, self.PAUSED)


@dataclass(frozen=True, slots=True)
class DraftNode:
    """A program that the attempt under way tried; see `skill_store.Draft`.

    Attributes:
        id: Number in this home.
        parent: Number of what it was made from, or None.
        value: What it was worth, 0 to 1; None when it was never run.
        outcome: How its practice ended, in one word.
        feedback: What its writer was told, cut.
        lines: Lines of its text.
    """

    id: int
    parent: int | None
    value: float | None
    outcome: str
    feedback: str
    lines: int


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One attempt of the run.

    Attributes:
        id: Number in this home.
        goal: What was wanted.
        outcome: How it ended; "open" while it is under way, "interrupted" without an outcome.
        reason: One sentence; empty when it was learned.
        steps: Physics steps that it took.
    """

    id: int
    goal: str
    outcome: str
    reason: str
    steps: int


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One thing that a run may use up.

    Attributes:
        name: "steps", "tasks", "minutes" of the run; "usd", "calls", "hours" of the home's models.
        used: What was used.
        cap: The most that may be; None without a limit.
    """

    name: str
    used: float
    cap: float | None


@dataclass(frozen=True, slots=True)
class LiveView:
    """How the explorer of a home stands.

    Attributes:
        state: Whether there is one.
        pid: Its process; of whoever learns here when that is no explorer.
        command: What that process was started as.
        pause_asked: Whether somebody asked for a pause.
        record: What the explorer made known last, see `voyager.broadcast`; empty without one.
        attempt: Number of the attempt under way; None without one.
        drafts: Its programs, oldest first; empty for a writer that keeps none.
        attempts: The newest attempts of its run, newest first.
        budget: What may be used up, and what was.
        waiting: Tasks of users that wait.
        skills: Skills of the home.
        milestones: (reached, in all); None where nobody counted.
    """

    state: ExplorerState
    pid: int | None
    command: str
    pause_asked: bool
    record: Mapping[str, Any]
    attempt: int | None
    drafts: tuple[DraftNode, ...]
    attempts: tuple[AttemptLine, ...]
    budget: tuple[BudgetLine, ...]
    waiting: int
    skills: int
    milestones: tuple[int, int] | None

    def to_json(self) -> dict[str, Any]:
        """JSON-able, with `schema`."""
        return {
            "schema": EXPLORER_SCHEMA,
            "state": self.state.value,
            "pid": self.pid,
            "command": self.command,
            "pause_asked": self.pause_asked,
            "attempt": self.attempt,
            "drafts": [asdict(draft) for draft in self.drafts],
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "budget": [asdict(line) for line in self.budget],
            "waiting": self.waiting,
            "skills": self.skills,
            "milestones": None
            if self.milestones is None
            else {"reached": self.milestones[0], "of": self.milestones[1]},
            "live": dict(self.record) or None,
        }


class LiveReader:
    """Looks at one home again and again; to be used and closed by one thread."""

    def __init__(self, home: Path) -> None:
        """Open nothing yet.

        Args:
            home: The home folder.
        """
        self.home = home
        self._library: Library | None = None
        self._counted: tuple[int, tuple[int, int]] | None = None

    def __enter__(self) -> LiveReader:
        """Use as a context manager that closes the library."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the library."""
        self.close()

    def close(self) -> None:
        """Close the library; it is opened again when needed."""
        library, self._library = self._library, None
        if library is not None:
            library.close()

    def look(self) -> LiveView:
        """How things stand now.

        Raises:
            StorageError: If the home cannot be read.
        """
        if self._library is None:
            self._library = Library.open(self.home)
        library = self._library
        record, who = _record_and_holder(self.home)
        asked = Steering(library.database).paused
        state = _state(record, who, asked)
        names = library.names()
        return LiveView(
            state=state,
            pid=None if who is None else who.pid,
            command="" if who is None else who.command,
            pause_asked=asked and state.alive,
            record=record,
            attempt=(attempt := _open_attempt(library) if state.alive else None),
            drafts=() if attempt is None else _drafts(library, attempt),
            attempts=_attempts(library),
            budget=_budget(library, record),
            waiting=len(library.queue.list(RequestState.WAITING)),
            skills=len(names),
            milestones=self._milestones(library, len(names)),
        )

    def _milestones(self, library: Library, skills: int) -> tuple[int, int]:
        """Counted again only when there are other skills than before."""
        if self._counted is None or self._counted[0] != skills:
            from voyager.milestones import reached

            found = reached(library)
            met = sum(one.skill is not None for one in found)
            self._counted = (skills, (met, len(found)))
        return self._counted[1]


def ask_pause(home: Path, *, paused: bool) -> bool:
    """Ask the explorer of a home to pause, or to go on; it looks between two attempts.

    Args:
        home: The home folder.
        paused: What is asked for.

    Returns:
        Whether that is news; False if it was so already.

    Raises:
        VoyagerError: If nobody explores there.
        StorageError: If the home cannot be read or written.
    """
    with LiveReader(home) as reader:
        if not reader.look().state.alive:
            raise VoyagerError(f"nobody explores in {home}; start with: voyager explore")
    with Library.open(home) as library:
        steering = Steering(library.database)
        return steering.pause() if paused else steering.resume()


def read_record(home: Path) -> Mapping[str, Any]:
    """What an explorer of a home made known last; empty when there is nothing, or nothing sound."""
    try:
        with (home / LIVE_FILE).open("rb") as file:
            record = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return {}
    sound = isinstance(record, dict) and record.get("schema") == LIVE_SCHEMA
    return record if sound and set(record) >= _NEEDED else {}


def _record_and_holder(home: Path) -> tuple[Mapping[str, Any], Holder | None]:
    """Both of one moment: a run that begins or ends in between would look as if it had died."""
    who = holder(home)
    for _ in range(_LOOKS):
        record, before = read_record(home), who
        who = holder(home)
        if who == before:
            break
    return record, who


_NEEDED: Final = frozenset(
    {
        "pid",
        "started_at",
        "phase",
        "text",
        "task",
        "event",
        "limits",
        "attempts",
        "certified",
        "simulated_steps",
        "seconds",
        "lines",
    }
)
"""Without these a record says nothing."""


def _state(record: Mapping[str, Any], who: Holder | None, asked: bool) -> ExplorerState:
    over = bool(record) and record["phase"] == Phase.ENDED.value
    if who is None:
        if not record:
            return ExplorerState.NONE
        return ExplorerState.ENDED if over else ExplorerState.DIED
    if not _is_of(record, who):
        return ExplorerState.BUSY
    if over:
        return ExplorerState.ENDED
    if record["phase"] == Phase.PAUSED.value:
        return ExplorerState.PAUSED
    return ExplorerState.PAUSING if asked else ExplorerState.RUNNING


def _is_of(record: Mapping[str, Any], who: Holder) -> bool:
    """Whether a record is that of the process that holds the home's lock now."""
    if not record or record["pid"] != who.pid or who.started_at is None:
        return False
    try:
        # A number of a process comes again one day.
        return moment(record["started_at"]) >= who.started_at
    except (ValueError, TypeError):
        return False


def _open_attempt(library: Library) -> int | None:
    row = library.database.first(
        "SELECT id FROM attempts WHERE ended_at IS NULL ORDER BY id DESC LIMIT 1"
    )
    return None if row is None else int(row["id"])


def _drafts(library: Library, attempt: int) -> tuple[DraftNode, ...]:
    return tuple(
        DraftNode(
            draft.id,
            draft.parent,
            draft.value,
            draft.outcome,
            " ".join(draft.feedback.split())[:_MOST_FEEDBACK],
            draft.source.count("\n"),
        )
        for draft in library.drafts.of(attempt)
    )


def _attempts(library: Library) -> tuple[AttemptLine, ...]:
    rows = library.database.rows(
        "SELECT attempts.id, coalesce(outcome, CASE WHEN ended_at IS NULL THEN 'open' "
        "ELSE 'interrupted' END) AS outcome, coalesce(reason, '') AS reason, "
        "coalesce(simulated_steps, 0) AS steps, goal "
        "FROM attempts JOIN tasks ON tasks.hash = attempts.task "
        "WHERE run = (SELECT max(id) FROM runs WHERE command = 'explore') "
        "ORDER BY attempts.id DESC LIMIT ?",
        (_MOST_ATTEMPTS,),
    )
    return tuple(
        AttemptLine(row["id"], row["goal"], row["outcome"], row["reason"], row["steps"])
        for row in rows
    )


def _budget(library: Library, record: Mapping[str, Any]) -> tuple[BudgetLine, ...]:
    if not record:
        return ()
    limits = record["limits"]
    used = {
        "steps": record["simulated_steps"],
        "tasks": record["attempts"],
        "minutes": record["seconds"] / 60.0,
    }
    lines = [BudgetLine(name, used[name], limits.get(name) or None) for name in used]
    return (*lines, *_money(library, limits))


def _money(library: Library, limits: Mapping[str, Any]) -> Sequence[BudgetLine]:
    """What models have used in the home; nothing where nobody has asked one."""
    totals = library.exchanges.totals()
    if not totals.calls:
        return ()
    by_hand = library.exchanges.allowances()
    return [
        BudgetLine(name.value, used, by_hand[name] / unit if name in by_hand else limit or None)
        for name, used, unit, limit in (
            (Allowance.USD, totals.micro_usd / _MICRO, _MICRO, limits.get("usd")),
            (Allowance.CALLS, totals.calls, 1, limits.get("calls")),
            (Allowance.HOURS, totals.seconds / _HOUR, _HOUR, limits.get("hours")),
        )
    ]
