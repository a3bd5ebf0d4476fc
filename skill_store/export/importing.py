"""Reading an archive of skills that anybody may have made. Nothing of it is run, or believed.

    archive = read_archive(Path("their_skills"))

Everything is checked before anything is written: sizes, nesting, hashes of programs, tasks,
certificates and deepenings, and that all of it belongs together. A certificate in it is a
statement of somebody else; where it is true, certifying the program here shows it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from env.certificate import Certificate, Deepening
from env.certification import check_belongs
from env.errors import SceneError, VoyagerError
from env.kinds import get_kind
from env.program import Closure, Program
from env.robots import make_robot
from env.starts import Handover
from env.task import Task
from skill_store.export.errors import ImportRefused
from skill_store.export.jsonl import SCHEMA
from skill_store.export.parcel import unwrap
from skill_store.export.records import read_lines

MOST_OBJECTS: Final = 24
"""Things of one kind that a scene from elsewhere may ask for: more do not fit on the table."""
_FAMILY: Final = SCHEMA.rpartition("/")[0]
_KINDS: Final = ("program", "contract", "start", "skill")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One program of an archive, with what its home said about it.

    Attributes:
        name: Name of its function, and of the skill there.
        champion: Whether it stood for the skill there; false for one that callers had kept.
        closure: The program and all that it calls, with their contracts.
        task: What it promised.
        certificate: By which it was admitted there.
        deepening: What was found out about it there, or None.
        starts: Skills that scenes of the certificate begin after.
    """

    name: str
    champion: bool
    closure: Closure
    task: Task
    certificate: Certificate
    deepening: Deepening | None
    starts: tuple[Handover, ...]


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was read and found sound.

    Attributes:
        hash: SHA-256 of its text, 64 hex digits.
        made_at: When it says that it was made.
        version: Of the program that says that it made it.
        arrivals: Its programs, callees before their callers.
    """

    hash: str
    made_at: datetime
    version: str
    arrivals: tuple[Arrival, ...]


def read_archive(source: Path) -> Archive:
    """Read an archive and check all of it.

    Args:
        source: What `voyager export --format jsonl` made, as a folder, its one file, a tar or a
            zip.

    Raises:
        ImportRefused: In one sentence, at the first thing that is wrong.
    """
    try:
        content = unwrap(source)
        return _Reading(_whole(content)).archive(hashlib.sha256(content).hexdigest())
    except (VoyagerError, RecursionError, MemoryError) as error:
        why = str(error) or type(error).__name__
        raise ImportRefused(
            f"{source} cannot be imported: {why.rstrip('.')}; nothing was changed"
        ) from error


def _whole(content: bytes) -> Sequence[Mapping[str, Any]]:
    """The records between header and end, after a look at whether all are there."""
    records = read_lines(content)
    header, end = records[0], records[-1]
    schema = header.get("schema")
    if header.get("record") != "header" or schema != SCHEMA:
        if isinstance(schema, str) and schema.rpartition("/")[0] == _FAMILY:
            raise ImportRefused(f"it has the form {schema!r}, and {SCHEMA!r} is read here; update")
        raise ImportRefused(f"it does not begin with a header of the form {SCHEMA!r}")
    if end.get("record") != "end":
        raise ImportRefused("its end is missing")
    body = content[: content.rstrip(b"\n").rfind(b"\n") + 1]
    if end.get("lines") != len(records) - 1:
        raise ImportRefused(f"it has {len(records) - 1} lines, its end counts {end.get('lines')}")
    if end.get("sha256") != hashlib.sha256(body).hexdigest():
        raise ImportRefused("its lines are not those that its end was written for")
    return records[:-1]


@dataclass(slots=True)
class _Reading:
    """The records of an archive, taken apart in their order."""

    records: Sequence[Mapping[str, Any]]
    programs: dict[str, Program] = field(default_factory=dict)
    contracts: dict[str, Task] = field(default_factory=dict)
    starts: dict[tuple[str, str], Handover] = field(default_factory=dict)

    def archive(self, digest: str) -> Archive:
        made_at, version = self._header()
        order = {kind: rank for rank, kind in enumerate(_KINDS)}
        last, arrivals = 0, dict[str, Arrival]()
        for number, record in enumerate(self.records[1:], start=2):
            rank = order.get(str(record.get("record")))
            if rank is None or rank < last:
                raise ImportRefused(f"line {number} holds no record that belongs there")
            last = rank
            try:
                self._take(record, arrivals)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise ImportRefused(f"line {number} is malformed ({error!r})") from error
            except VoyagerError as error:
                raise ImportRefused(f"line {number}: {error}") from error
        if not arrivals:
            raise ImportRefused("it holds no skill")
        self._check_use(arrivals)
        return Archive(
            hash=digest,
            made_at=made_at,
            version=version,
            arrivals=tuple(arrivals.values()),
        )

    def _header(self) -> tuple[datetime, str]:
        header = self.records[0]
        try:
            return _moment(_text(header, "made_at")), _text(header, "version")
        except KeyError as error:
            raise ImportRefused(f"its header lacks {error}") from error

    def _take(self, record: Mapping[str, Any], arrivals: dict[str, Arrival]) -> None:
        kind = record["record"]
        if kind == "program":
            program = Program.from_json(record)
            self._new(program.hash, self.programs, "program")
            if missing := [pin for pin in program.lock.values() if pin not in self.programs]:
                raise ImportRefused(
                    f"{program.name!r} calls a program {missing[0][:12]} that does not stand "
                    "before it"
                )
            self.programs[program.hash] = program
        elif kind == "contract":
            key, task = _text(record, "program"), _task(record["task"])
            self._new(key, self.contracts, "contract")
            task.check_program(self._program(key))
            self.contracts[key] = task
        elif kind == "start":
            closure = self._closure(_text(record, "program"))
            start = Handover(closure, self.contracts[closure.root])
            if start.key != (record["closure"], record["task"]):
                raise ImportRefused("a start does not have the hashes that it states")
            self.starts[start.key] = start
        else:
            arrival = self._arrival(record)
            self._new(arrival.closure.root, arrivals, "skill")
            arrivals[arrival.closure.root] = arrival

    def _arrival(self, record: Mapping[str, Any]) -> Arrival:
        closure = self._closure(_text(record, "program"))
        task = self.contracts[closure.root]
        name = _text(record, "name")
        if name != closure.entry.name:
            raise ImportRefused(f"the program of the skill {name!r} is {closure.entry.name!r}")
        if (closure.hash, task.hash) != (record["closure"], record["task"]):
            raise ImportRefused(f"{name!r} does not have the hashes that it states")
        certificate = Certificate.from_json(record["certificate"])
        check_belongs(certificate, task, closure)
        if not certificate.admitted:
            raise ImportRefused(f"the certificate of {name!r} does not admit it")
        deepening = None
        if record["deepening"] is not None:
            deepening = Deepening.from_json(record["deepening"])
            if deepening.certificate != certificate.hash:
                raise ImportRefused(f"the deepening of {name!r} is that of another certificate")
        if not isinstance(record["champion"], bool):
            raise ImportRefused("`champion` must be true or false")
        return Arrival(
            name=name,
            champion=record["champion"],
            closure=closure,
            task=task,
            certificate=certificate,
            deepening=deepening,
            starts=tuple(self._starts_of(certificate)),
        )

    def _starts_of(self, certificate: Certificate) -> Iterator[Handover]:
        named = {scene.start.handover for scene in certificate.scenes} - {None}
        keys = {(start.closure, start.task) for start in named if start is not None}
        for key in sorted(keys):
            if key not in self.starts:
                raise ImportRefused(
                    "a scene of a certificate begins after a skill that is not in it"
                )
            yield self.starts[key]

    def _closure(self, key: str) -> Closure:
        """A program with all that it calls; everything it reaches stood before it."""
        root, found, waiting = self._program(key), dict[str, Program](), [key]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found[current] = self.programs[current]
                waiting += found[current].lock.values()
        if missing := [name for name in found if name not in self.contracts]:
            raise ImportRefused(
                f"there is no contract of {found[missing[0]].name!r}, which {root.name!r} needs"
            )
        return Closure(key, found, {name: self.contracts[name] for name in found})

    def _check_use(self, arrivals: Mapping[str, Arrival]) -> None:
        """Whatever a skill calls must have come with evidence of its own."""
        for arrival in arrivals.values():
            for key, program in arrival.closure.programs.items():
                if key not in arrivals:
                    raise ImportRefused(
                        f"{arrival.name!r} calls {program.name!r}, which comes without a "
                        "certificate"
                    )

    def _program(self, key: str) -> Program:
        if key not in self.programs:
            raise ImportRefused(f"there is no program {key[:12]!r} in it")
        return self.programs[key]

    @staticmethod
    def _new(key: str, known: Mapping[str, object], what: str) -> None:
        if key in known:
            raise ImportRefused(f"the {what} {key[:12]} is in it twice")


def _task(record: Any) -> Task:
    """A task whose scenes can be drawn in reasonable time, by a robot that is here."""
    task = Task.from_json(record)
    scene = task.scene
    make_robot(scene.robot)
    for kind in scene.distractor_kinds:
        get_kind(kind)
    for kind, low, high in scene.extras:
        get_kind(kind)
        if not (type(low) is type(high) is int and 0 <= low <= high <= MOST_OBJECTS):
            raise ImportRefused(
                f"a scene asks for {low!r} to {high!r} of {kind!r}; 0 to {MOST_OBJECTS} are read"
            )
    with contextlib.suppress(SceneError):  # no room this time; a wrong type is told by its line
        task.sample(0)
    return task


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str) or len(value) > 256:
        raise ImportRefused(f"`{name}` must be a short text")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ImportRefused(f"{text[:40]!r} is no time") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
