"""What a film shows, as it is read back: frames with margins, and the episode with its calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voyager.browsing.wording import called, written


@dataclass(frozen=True, slots=True)
class AtomNow:
    """One literal of the goal at one instant; see `env.goals.AtomReport`."""

    text: str
    holds: bool
    margin: float
    missing: str
    within: str


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One instant of a film.

    Attributes:
        time: Simulated seconds since the episode began.
        atoms: The literals of the goal at that instant.
        picture: PNG.
    """

    time: float
    atoms: tuple[AtomNow, ...]
    picture: bytes


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call of the trace.

    Attributes:
        time: Simulated seconds since the episode began, when it was made.
        duration: Simulated seconds that it took.
        depth: How many skill calls it is below the program itself.
        skill: Whose code made it.
        line: 1-based line in that skill's source; 0 when unknown.
        text: As it would be written.
        result: What came back, or what was raised.
        failed: Whether it raised.
    """

    time: float
    duration: float
    depth: int
    skill: str
    line: int
    text: str
    result: str
    failed: bool


@dataclass(frozen=True, slots=True)
class FilmedEpisode:
    """What a film shows, as the run without pictures found it.

    Attributes:
        hash: Of the episode.
        outcome: The verdict, as in `env.outcome.Outcome`.
        reason: Why it is not solved; empty when it is.
        margin: Signed margin of the goal; None when it was not judged.
        time: Simulated seconds that the program took; the settle window comes after.
        binding: Object by parameter.
        calls: In order.
    """

    hash: str
    outcome: str
    reason: str
    margin: float | None
    time: float
    binding: Mapping[str, str]
    calls: tuple[CallLine, ...]


def read_frame(fields: Mapping[str, Any], picture: bytes) -> FilmFrame:
    """The frame of a record.

    Raises:
        KeyError: If a field is missing.
        TypeError: If an atom has others than it should.
    """
    atoms = tuple(AtomNow(**atom) for atom in fields["atoms"])
    return FilmFrame(float(fields["time"]), atoms, picture)


def read_episode(record: Mapping[str, Any]) -> FilmedEpisode:
    """What a record of an episode says.

    Raises:
        KeyError: If a field is missing.
    """
    return FilmedEpisode(
        hash=str(record["hash"]),
        outcome=str(record["outcome"]),
        reason=str(record["reason"]),
        margin=record["margin"],
        time=float(record["time"]),
        binding=dict(record["binding"]),
        calls=tuple(_call(call) for call in record["calls"]),
    )


def _call(record: Mapping[str, Any]) -> CallLine:
    error, result = record["error"], record["result"]
    if error is not None:
        told = f"{error['type']}: {error['message']}"
    elif result is None:
        told = f"{record['duration']:.2f} s" if record["duration"] else ""
    else:
        told = written(result)
    return CallLine(
        time=float(record["time"]),
        duration=float(record["duration"]),
        depth=int(record["depth"]),
        skill=str(record["skill"]),
        line=int(record["line"]),
        text=called(record["name"], record["args"], record["kwargs"]),
        result=told,
        failed=error is not None,
    )
