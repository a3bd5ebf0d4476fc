"""What a report tells, gathered from a library and its journal: plain values, no markup.

Everything is laid along the simulated steps of the home: attempts in their order, each with the
steps that it took. That axis is the same on every machine, which wall time is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from env.errors import VoyagerError
from env.outcome import Outcome
from skill_store.journal import Attempt, Tally
from skill_store.library import Library
from skill_store.skill import Skill, SkillEntry
from voyager.milestones import Reached, reached
from voyager.report.skill_graph import depths

_OPEN: Final = "interrupted"


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One attempt.

    Attributes:
        number: In this home.
        goal: What was wanted, as an expression.
        instruction: The same in words.
        outcome: How it ended; "interrupted" when it has no outcome.
        reason: One sentence; empty when it was learned.
        steps: Physics steps that it took.
        at_steps: Physics steps of the home when it had ended.
        seconds: Wall time that it took.
        began: When it began, UTC.
        proposer: Who proposed the task; empty when nobody noted it.
        why: Why it was chosen, one sentence; likewise.
    """

    number: int
    goal: str
    instruction: str
    outcome: str
    reason: str
    steps: int
    at_steps: int
    seconds: float
    began: datetime
    proposer: str
    why: str

    @property
    def learned(self) -> bool:
        """Whether it ended with a skill."""
        return self.outcome == Outcome.SOLVED.value

    @property
    def cut_off(self) -> bool:
        """Whether it ended without saying anything about the task."""
        return self.outcome == _OPEN or not Outcome(self.outcome).about_program

    @property
    def refused(self) -> bool:
        """Whether the task itself was refused."""
        return self.outcome == Outcome.REJECTED.value


@dataclass(frozen=True, slots=True)
class SkillFacts:
    """One skill.

    Attributes:
        entry: As the library lists it.
        skill: The whole skill; None when it cannot be read back.
        depth: How deep it rests on others, see `skill_graph.depths`.
        steps: Physics steps of the attempt that brought it; None when no attempt is known.
        at_steps: Physics steps of the home when it arrived.
        at_seconds: Wall time that the home had spent on attempts by then.
        why: Why its task was chosen; empty when nobody noted it.
    """

    entry: SkillEntry
    skill: Skill | None
    depth: int
    steps: int | None
    at_steps: int
    at_seconds: float
    why: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.entry.name


@dataclass(frozen=True, slots=True)
class MilestoneFacts:
    """One milestone.

    Attributes:
        reached: Which skill implies it, if any.
        at_steps: Physics steps of the home when that skill arrived; None when it is not reached.
    """

    reached: Reached
    at_steps: int | None


@dataclass(frozen=True, slots=True)
class Chronicle:
    """All that a report tells.

    Attributes:
        made_at: When it was gathered, UTC.
        skills: Oldest first.
        attempts: Oldest first.
        milestones: In their own order.
        simulated_steps: Physics steps of all attempts.
        seconds: Wall time of all attempts.
        tally: How attempts and their episodes ended, by kind.
    """

    made_at: datetime
    skills: tuple[SkillFacts, ...]
    attempts: tuple[AttemptFacts, ...]
    milestones: tuple[MilestoneFacts, ...]
    simulated_steps: int
    seconds: float
    tally: Tally = field(default_factory=lambda: Tally({}, {}))

    @property
    def milestones_reached(self) -> int:
        """How many milestones some callable skill implies."""
        return sum(one.at_steps is not None for one in self.milestones)

    @property
    def deepest(self) -> int:
        """Depth of the deepest skill that may be called; 0 when there is none."""
        return max((s.depth for s in self.skills if s.entry.state.callable), default=0)


def gather(library: Library, made_at: datetime) -> Chronicle:
    """Read everything that a report tells.

    Args:
        library: Opened in any way.
        made_at: The present moment, UTC.

    Returns:
        The chronicle. A skill that cannot be read back is listed without its source.

    Raises:
        StorageError: If the library cannot be read.
    """
    records = library.journal.attempts()
    attempts = tuple(_attempts(records, library))
    arrivals = _Arrivals(records, attempts)
    entries = library.entries()
    depth = depths({entry.name: entry.callees for entry in entries})
    return Chronicle(
        made_at=made_at,
        skills=tuple(
            _skill(entry, library, depth[entry.name], arrivals.of(entry)) for entry in entries
        ),
        attempts=attempts,
        milestones=_milestones(library, entries, arrivals),
        simulated_steps=attempts[-1].at_steps if attempts else 0,
        seconds=sum(attempt.seconds for attempt in attempts),
        tally=library.journal.tally(),
    )


def gather_milestones(library: Library) -> tuple[MilestoneFacts, ...]:
    """Only the milestones of a chronicle: no skill is read for it.

    Raises:
        StorageError: If the library cannot be read.
    """
    records = library.journal.attempts(brief=True)
    arrivals = _Arrivals(records, tuple(_attempts(records, library)))
    return _milestones(library, library.entries(), arrivals)


def _milestones(
    library: Library, entries: Iterable[SkillEntry], arrivals: _Arrivals
) -> tuple[MilestoneFacts, ...]:
    by_name = {entry.name: entry for entry in entries}
    return tuple(
        MilestoneFacts(one, None if one.skill is None else arrivals.of(by_name[one.skill]).at_steps)
        for one in reached(library)
    )


def _attempts(records: Iterable[Attempt], library: Library) -> Iterable[AttemptFacts]:
    tasks = library.journal.wordings()
    decisions = {one.attempt: one for one in library.journal.decisions()}
    total = 0
    for record in records:
        total += record.simulated_steps or 0
        wording = tasks[record.task]
        decision = decisions.get(record.id)
        yield AttemptFacts(
            number=record.id,
            goal=wording.goal,
            instruction=wording.instruction,
            outcome=_OPEN if record.outcome is None else record.outcome.value,
            reason=record.reason or "",
            steps=record.simulated_steps or 0,
            at_steps=total,
            seconds=_seconds(record),
            began=record.started_at,
            proposer="" if decision is None else decision.proposer,
            why="" if decision is None else decision.why,
        )


def _seconds(record: Attempt) -> float:
    """Wall time of an attempt; nobody knows it of one that was interrupted."""
    if record.ended_at is None or record.outcome is None:
        return 0.0
    return max(0.0, (record.ended_at - record.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class _Arrival:
    steps: int | None
    at_steps: int
    at_seconds: float
    why: str


class _Arrivals:
    """When skills came: with the first solved attempt at their task."""

    def __init__(self, records: Iterable[Attempt], attempts: Iterable[AttemptFacts]) -> None:
        self._by_task: dict[str, tuple[AttemptFacts, float]] = {}
        self._ended: list[tuple[datetime, AttemptFacts, float]] = []
        seconds = 0.0
        for record, facts in zip(records, attempts, strict=True):
            seconds += facts.seconds
            if facts.learned:
                self._by_task.setdefault(record.task, (facts, seconds))
            if record.ended_at is not None:
                self._ended.append((record.ended_at, facts, seconds))

    def of(self, entry: SkillEntry) -> _Arrival:
        found = self._by_task.get(entry.task)
        if found is not None:
            facts, seconds = found
            return _Arrival(facts.steps, facts.at_steps, seconds, facts.why)
        # It came without an attempt (put in by hand): after all that had ended by then.
        before = [one for one in self._ended if one[0] <= entry.added_at]
        if not before:
            return _Arrival(None, 0, 0.0, "")
        _, facts, seconds = before[-1]
        return _Arrival(None, facts.at_steps, seconds, "")


def _skill(entry: SkillEntry, library: Library, depth: int, arrival: _Arrival) -> SkillFacts:
    try:
        skill = library.get(entry.name)
    except VoyagerError:
        skill = None
    return SkillFacts(
        entry=entry,
        skill=skill,
        depth=depth,
        steps=arrival.steps,
        at_steps=arrival.at_steps,
        at_seconds=arrival.at_seconds,
        why=arrival.why,
    )
