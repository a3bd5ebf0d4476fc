"""Films of episodes: asked for by whoever shows them, made by another process, kept for a while.

    Studio(home).show(Order(...)) -> Showing; then `Showing.look()` every so often

Nothing here waits: a film is read along while its process makes it. Films lie below the home's
artifacts, the least recently watched ones are deleted beyond a number of bytes, and all of them
may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from env.backend import chosen as chosen_backend
from env.errors import VoyagerError
from env.seeds import digest
from env.transcript import Start
from voyager import __version__
from voyager.browsing.film_file import FILM_SCHEMA, FilmReader, FilmUnreadable, Record
from voyager.browsing.filmed import FilmedEpisode, FilmFrame, read_episode, read_frame

if TYPE_CHECKING:
    from skill_store.skill import Skill

FOLDER: Final = "films"
"""Below the home's artifacts."""
MOST_BYTES: Final = 200_000_000
"""Of all films of a home together; the newest one is kept whatever it takes."""
_OLD_S: Final = 3600.0
"""A part of a film that nobody has written to for so long was left by a process that is gone."""
_FAREWELL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """A film that somebody wants to see.

    Attributes:
        skill: Name of the skill.
        version: Number of its version.
        certificate: Hash of that version's certificate.
        start: Where the episode begins: of the certificate, of a deepening, or a seed of one's own.
        chosen: (parameter, object) pairs that the seed is not to bind.
        expected: Hash of the episode that a record speaks of; None for a seed of one's own.
    """

    skill: str
    version: int
    certificate: str
    start: Start
    chosen: tuple[tuple[str, str], ...] = ()
    expected: str | None = None

    @property
    def key(self) -> str:
        """Name of its file: equal for equal films."""
        return digest(
            [
                FILM_SCHEMA,
                __version__,
                chosen_backend().value,
                self.certificate,
                self.start.to_json(),
                [list(pair) for pair in self.chosen],
            ]
        )[:32]


def order_for(skill: Skill, start: Start, chosen: Mapping[str, str] | None = None) -> Order:
    """The film of an episode of a skill: of its certificate, of its deepening, or any other.

    Args:
        skill: The skill, in the version that is to be seen.
        start: Where the episode begins.
        chosen: Object names for parameters that the seed is not to bind.
    """
    expected = None
    if not chosen:
        scenes = [*skill.certificate.scenes]
        scenes += () if skill.deepening is None else skill.deepening.scenes
        expected = next((one.episode for one in scenes if one.start == start), None)
    return Order(
        skill.name,
        skill.version,
        skill.certificate.hash,
        start,
        tuple(sorted((chosen or {}).items())),
        expected,
    )


class FilmState(StrEnum):
    """How far a film is."""

    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Showing:
    """A film that is there, or is being made.

    Attributes:
        order: What was asked for.
        partial: Where it is while it is being made.
        target: Where it is kept.
        state: How far it is.
        why: Why it failed; one sentence.
        goal: The goal's text; empty until it is known.
        episode: What it shows; None until it is known.
        frames: Those that are there, in order of time.
        same: Whether the filmed run was the same episode as the one without pictures, to the last
            bit; None until it is known.
    """

    order: Order
    partial: Path
    target: Path
    state: FilmState = FilmState.MAKING
    why: str = ""
    goal: str = ""
    episode: FilmedEpisode | None = None
    frames: list[FilmFrame] = field(default_factory=list)
    same: bool | None = None
    _reader: FilmReader | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def as_recorded(self) -> bool | None:
        """Whether it is the episode that the certificate or deepening names; None if none does."""
        if self.order.expected is None or self.episode is None:
            return None
        return self.episode.hash == self.order.expected

    @property
    def duration(self) -> float:
        """Simulated seconds from the first to the last frame that is there."""
        return self.frames[-1].time if self.frames else 0.0

    def frame_at(self, seconds: float) -> int:
        """Index of the last frame that is not later than an instant; 0 for an empty film."""
        low, high = 0, len(self.frames)
        while low < high:
            middle = (low + high) // 2
            if self.frames[middle].time <= seconds + 1e-9:
                low = middle + 1
            else:
                high = middle
        return max(0, low - 1)

    def look(self) -> bool:
        """Read what has come since the last look; whether there was anything. Never waits."""
        if self.state is not FilmState.MAKING:
            return False
        # Asked before reading: what a process wrote before it ended is then seen for certain.
        ended = self._process is not None and self._process.poll() is not None
        try:
            records = self._read()
        except (FilmUnreadable, OSError) as error:
            self._fail(str(error))
            return True
        try:
            for record in records:
                self._take(record)
        except (KeyError, TypeError, ValueError) as error:
            self._fail(f"{self.target} holds what no film holds ({error!r}); delete it")
            return True
        if ended and not records and self.state is FilmState.MAKING:
            code = None if self._process is None else self._process.returncode
            self._fail(f"the process that makes films ended (exit status {code}); try once more")
            return True
        return bool(records)

    def close(self) -> None:
        """Let go of the file; what was read stays."""
        if self._reader is not None:
            self._reader.close()

    def _read(self) -> tuple[Record, ...]:
        if self._reader is None:
            # It moves from the one to the other place when it is ready, never back.
            found = next((path for path in (self.partial, self.target) if path.exists()), None)
            if found is None:
                return ()
            self._reader = FilmReader(found)
        return self._reader.read()

    def _take(self, record: Record) -> None:
        fields = record.fields
        if record.kind == "head":
            self.goal = str(fields["goal"])
        elif record.kind == "episode":
            self.episode = read_episode(fields["episode"])
        elif record.kind == "frame":
            frame = read_frame(fields, record.picture)
            if self.frames and frame.time <= self.frames[-1].time:
                self.frames.clear()  # the run was begun again on a rebuilt world
            self.frames.append(frame)
        elif record.kind == "end":
            self.same = bool(fields["same"])
            self.state = FilmState.READY
            self.close()
        elif record.kind == "failed":
            self._fail(str(fields["why"]))

    def _fail(self, why: str) -> None:
        self.state, self.why = FilmState.FAILED, why
        self.close()
        _remove(self.partial)


class Studio:
    """Makes and keeps the films of one home: one at a time, in one process of its own.

    To be used from one thread. That process ends with this object, and by itself when the process
    that holds this object dies.
    """

    def __init__(
        self, home: Path, extensions: Sequence[str] = (), *, most_bytes: int = MOST_BYTES
    ) -> None:
        """Start nothing yet.

        Args:
            home: The home folder.
            extensions: Modules that declare kinds and predicates of one's own.
            most_bytes: What films may take together.
        """
        self.home = home
        self.folder = _artifacts(home) / FOLDER
        self._extensions = tuple(extensions)
        self._most = most_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._under_way: Showing | None = None
        self._numbers = itertools.count()

    def __enter__(self) -> Studio:
        """Use as a context manager that ends the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def show(self, order: Order) -> Showing:
        """A film, from its first frame on; what is being made for somebody else is given up.

        Args:
            order: What to show.

        Returns:
            The film: whole if it was made before, else on its way (`Showing.look`).

        Raises:
            VoyagerError: If the folder of films cannot be made, or the process not be started.
        """
        target = self.folder / f"{order.key}.film"
        if self._under_way is not None and self._under_way.order != order:
            self.cancel()
        if self._under_way is not None and self._under_way.state is FilmState.MAKING:
            return self._under_way
        if target.is_file():
            with contextlib.suppress(OSError):
                os.utime(target)
            showing = Showing(order, target, target)
            while showing.look() and showing.state is FilmState.MAKING:
                pass
            if showing.state is FilmState.READY:
                return showing
            # Damaged or cut short: made anew.
            showing.close()
            _remove(target)
        return self._make(order, target)

    def cancel(self) -> None:
        """Give up what is being made; a film that is ready is not touched."""
        showing, self._under_way = self._under_way, None
        if showing is None:
            return
        showing.look()
        if showing.state is FilmState.MAKING:
            self._end(kill=True)
            showing.state = FilmState.CANCELLED
            showing.close()
            _remove(showing.partial)

    def close(self) -> None:
        """Give up what is being made and end the process; it starts again when needed."""
        self.cancel()
        self._end(kill=False)

    def prune(self) -> None:
        """Delete the least recently watched films beyond the bound, and parts that were left."""
        films: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    found = path.stat()
                    if path.suffix == ".film":
                        films.append((found.st_mtime, found.st_size, path))
                    elif time.time() - found.st_mtime > _OLD_S:
                        path.unlink()
        total = 0
        for index, (_, size, path) in enumerate(sorted(films, reverse=True)):
            total += size
            if index and total > self._most:
                _remove(path)

    def _make(self, order: Order, target: Path) -> Showing:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VoyagerError(
                f"no films can be kept in {self.folder} ({error.strerror}); check its rights"
            ) from error
        self.prune()
        partial = target.with_suffix(f".{os.getpid()}-{next(self._numbers)}.part")
        job = {
            "home": str(self.home),
            "extensions": self._extensions,
            "backend": chosen_backend().value,
            "skill": order.skill,
            "version": order.version,
            "start": order.start.to_json(),
            "chosen": dict(order.chosen),
            "partial": str(partial),
            "target": str(target),
        }
        process = self._started()
        if process.stdin is None:
            raise VoyagerError("the process that makes films cannot be told anything; try again")
        try:
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            self._end(kill=True)
            raise VoyagerError("the process that makes films ended by itself; try again") from None
        self._under_way = Showing(order, partial, target, _process=process)
        return self._under_way

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end(kill=True)
        paths = [path or os.getcwd() for path in sys.path]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "voyager.browsing.filming"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Ctrl-C reaches whoever shows films, which then ends this process.
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise VoyagerError(f"no process for films could be started: {error}") from error
        return self._process

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_FAREWELL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _artifacts(home: Path) -> Path:
    from skill_store import ARTIFACTS

    return home / ARTIFACTS


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
