"""What the tabs of the browser tell about one skill: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from env.transcript import Start


@dataclass(frozen=True, slots=True)
class Code:
    """The program.

    Attributes:
        source: Its text.
        lines: How many lines it has.
        calls: Names of the skills that it calls.
    """

    source: str
    lines: int
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a skill promises, and what else was seen.

    Attributes:
        facts: (name, sentence) pairs.
    """

    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One held-out scene.

    Attributes:
        number: Place in its record, from 1.
        start: Where the episode began; with the skill's version it can be shown again.
        outcome: How it ended.
        solved: Whether the judge was content.
        margin: Of the goal; None when it was not judged.
        steps: Physics steps.
        after: Name of the skill that ended where it begins, its hash where the name is gone;
            empty for a fresh scene.
        episode: Hash of the episode.
    """

    number: int
    start: Start
    outcome: str
    solved: bool
    margin: float | None
    steps: int
    after: str
    episode: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The scenes of one record.

    Attributes:
        title: What the record is.
        cells: Its scenes, in seed order.
    """

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence for a skill.

    Attributes:
        version: Number of the version that it is about.
        certificate: Hash of the certificate.
        facts: (name, sentence) pairs.
        grids: Certificate, then deepening.
        fingerprint: (name, value, whether it is another one here) of what it was made with.
    """

    version: int
    certificate: str
    facts: tuple[tuple[str, str], ...]
    grids: tuple[Grid, ...]
    fingerprint: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A skill in a tree of calls.

    Attributes:
        name: Its name.
        promise: Its goal; empty when none is known.
        program: Hash of the program.
        current: Whether this program stands for the skill's name now.
        more: What it calls, or what calls it.
        cut: Whether there is more below that is not shown.
    """

    name: str
    promise: str
    program: str
    current: bool
    more: tuple[Node, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """What a skill calls and what calls it.

    Attributes:
        callees: What it calls, by its lock.
        callers: Skills whose champions call its champion.
        use: How it did when it was called, a sentence; empty when it never was.
    """

    callees: tuple[Node, ...]
    callers: tuple[Node, ...]
    use: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of a skill.

    Attributes:
        number: Its number.
        origin: How it came about.
        champion: Whether it stands for the skill.
        k: Held-out scenes solved.
        n: Held-out scenes asked for.
        bound: Published bound; None until it is deepened.
        program: Hash.
        added_at: When it came, UTC.
        diff: Unified, against the version before; empty for the first and for the same text.
        locks: Callees with another program than before: name, before, now.
    """

    number: int
    origin: str
    champion: bool
    k: int
    n: int
    bound: float | None
    program: str
    added_at: datetime
    diff: str
    locks: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class DuelLine:
    """Two versions that met on the same scenes.

    Attributes:
        fought_at: When, UTC.
        scenes: How many both were given.
        won: Scenes that only the challenger solved.
        lost: Scenes that only the champion solved.
        replaced: Whether the challenger became the champion.
    """

    fought_at: datetime
    scenes: int
    won: int
    lost: int
    replaced: bool


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of a skill, the newest first, and their duels."""

    lines: tuple[VersionLine, ...]
    duels: tuple[DuelLine, ...]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A program that an attempt tried.

    Attributes:
        id: Its number.
        parent: Number of the draft that it was made from, or None.
        value: What it was worth on practice scenes; None when it was never run.
        outcome: How its practice ended.
        feedback: What its writer was told.
        source: Its text.
    """

    id: int
    parent: int | None
    value: float | None
    outcome: str
    feedback: str
    source: str


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try at the task of a skill.

    Attributes:
        id: Its number.
        began: When, UTC.
        seconds: Wall time; None while it is open.
        outcome: How it ended; "open" or "interrupted" without one.
        reason: One sentence.
        steps: Physics steps; None where nobody counted them.
        proposer: Who proposed the task; empty when nobody noted it.
        why: Why it was chosen.
        facts: What else was noted, as names and short values.
        drafts: Programs that it tried, parents first.
    """

    id: int
    began: datetime
    seconds: float | None
    outcome: str
    reason: str
    steps: int | None
    proposer: str
    why: str
    facts: tuple[tuple[str, str], ...]
    drafts: tuple[DraftLine, ...]


@dataclass(frozen=True, slots=True)
class Attempts:
    """Tries at the task of a skill, the newest first."""

    lines: tuple[AttemptLine, ...]


@dataclass(frozen=True, slots=True)
class LessonLine:
    """What a failure taught.

    Attributes:
        id: Its number.
        own: Whether the failure was at this very task.
        failure: Its class.
        goal: The goal that was failed.
        evidence: Where it was seen.
        lesson: What was wrong.
        advice: What to do instead.
        used: How often it was given to an attempt.
        helped: How many of those succeeded.
    """

    id: int
    own: bool
    failure: str
    goal: str
    evidence: str
    lesson: str
    advice: str
    used: int
    helped: int


@dataclass(frozen=True, slots=True)
class Lessons:
    """What an attempt at the task of a skill would be told, the most fitting first."""

    lines: tuple[LessonLine, ...]


@dataclass(frozen=True, slots=True)
class RunLine:
    """A recorded episode of a skill's program.

    Attributes:
        id: Its number.
        purpose: What it was run for.
        start: Where it began.
        outcome: How it ended.
        solved: Whether the judge was content.
        margin: Of the goal; None when it was not judged.
        at: When it was recorded, UTC.
    """

    id: int
    purpose: str
    start: Start
    outcome: str
    solved: bool
    margin: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Runs:
    """Recorded episodes of a skill's program, the newest first.

    Attributes:
        lines: The newest ones.
        total: How many there are.
        tally: Episodes and solved ones by purpose.
        version: Number of the version that they are of.
        certificate: Hash of its certificate.
    """

    lines: tuple[RunLine, ...]
    total: int
    tally: Mapping[str, tuple[int, int]]
    version: int
    certificate: str


Told = Code | Contract | Proof | Graph | Versions | Attempts | Lessons | Runs


@dataclass(frozen=True, slots=True)
class Film:
    """An episode that somebody wants to watch.

    Attributes:
        skill: Name of the skill.
        version: Number of its version.
        certificate: Hash of that version's certificate.
        start: Where the episode begins.
        expected: Hash of the episode that a record speaks of; None for a seed of one's own.
    """

    skill: str
    version: int
    certificate: str
    start: Start
    expected: str | None = None
