"""An explorer that is killed again and again loses nothing and ends where it would have ended."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from skill_store import DATABASE, Library, index_probe
from skill_store.chroma_index import INDEX_FOLDER, ChromaIndex
from skill_store.embedder import Embedder, open_embedder
from skill_store.retrieval import Retrieval
from skill_store.skill import Origin

ROOT = Path(__file__).parents[2]
TASKS = 3
_EXPLORE = (
    "import sys; from pathlib import Path; from voyager.config import Config, ExploreConfig; "
    "from voyager.explorer import Explorer; "
    "explore = ExploreConfig(tasks=int(sys.argv[2]), attempt_steps=80_000); "
    "Explorer(Config(workers=1, seed=1, explore=explore), home=Path(sys.argv[1])).run()"
)
_FLUSH = (
    "import sys; from pathlib import Path; "
    "from tests.voyager.test_explorer_kills import keep_flushing; "
    "keep_flushing(Path(sys.argv[1]))"
)
_PATIENCE = 240.0  # seconds for a moment to come, on a machine that does other things too

# What can be seen from outside; the moment has come when the number grows.
_RUN = "SELECT count(*) FROM runs"
_TESTED = "SELECT (SELECT count(*) FROM controls) + (SELECT count(*) FROM attempts)"
_ATTEMPT = "SELECT count(*) FROM attempts"
_DONE = "SELECT count(*) FROM attempts WHERE outcome IS NOT NULL"
_EMBEDDED = "SELECT (SELECT count(*) FROM vectors) + (SELECT count(outcome) FROM attempts)"
_RESERVED = (
    "SELECT (SELECT coalesce(max(attempt), 0) FROM certifications WHERE decided_at IS NULL) "
    "+ (SELECT count(outcome) FROM attempts)"
)


class Instant(NamedTuple):
    """When to kill: so many seconds after something was seen, or after the start."""

    name: str
    seen: str | None
    seconds: float = 0.0


BEFORE_THE_FIRST_SKILL = (
    Instant("while it is being imported", None, 0.4),
    Instant("the run was just begun", _RUN),
    Instant("in the middle of the first controls", _RUN, 0.8),
    Instant("controls were just kept", _TESTED),
    Instant("controls of several tasks were just kept", _TESTED),
    Instant("the attempt was just begun", _ATTEMPT),
    Instant("early in the search", _ATTEMPT, 1.5),
    Instant("later in the attempt", _ATTEMPT, 4.0),
    Instant("a certification is reserved", _RESERVED),
    Instant("the skill was just written", _DONE),
)
BEFORE_THE_SECOND_SKILL = (
    Instant("the damaged index was just repaired", _RUN),
    Instant("in the second search", _ATTEMPT, 2.0),
    Instant("in the middle of the second certification", _RESERVED, 0.7),
    Instant("the second skill is written, and vectors are on their way", _EMBEDDED, 0.02),
)
BEFORE_THE_LAST = (Instant("in the middle of the controls after it", _RUN, 2.0),)


@contextmanager
def killed(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own that is killed with it when the block is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended by itself before it was killed"


def number(home: Path, query: str) -> int:
    """What a reader of the home sees; 0 as long as there is nothing to read."""
    try:
        with closing(sqlite3.connect(f"{(home / DATABASE).as_uri()}?mode=ro", uri=True)) as reader:
            return int(reader.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def strike(home: Path, instant: Instant) -> None:
    """Explore until an instant has come, and kill whoever explores."""
    before = 0 if instant.seen is None else number(home, instant.seen)
    with killed(_EXPLORE, str(home), str(TASKS)) as process:
        until = time.monotonic() + _PATIENCE
        while instant.seen is not None and number(home, instant.seen) <= before:
            assert process.poll() is None, f"it ended before this: {instant.name}"
            assert time.monotonic() < until, f"this never came: {instant.name}"
            time.sleep(0.002)
        time.sleep(instant.seconds)


def keep_flushing(home: Path) -> None:
    """A learner that writes the home's own vectors into its index at every turn; never ends."""
    shutil.rmtree(home / INDEX_FOLDER)
    with Library.open(home, learning=True) as library:
        index = ChromaIndex.open(home, sync_threshold=2)
        retrieval = Retrieval(library, index)
        retrieval.refresh()
        embedder, content = retrieval.embedder, retrieval._wanted()
        keys = sorted(library.vectors.digests(embedder.id, embedder.dimension))
        vectors = library.vectors.read(embedder.id, embedder.dimension, keys)
        names = [f"{program}/{view}" for program, view in keys]
        sys.stdout.write("filled\n")
        sys.stdout.flush()
        while True:
            index.update(content, (), names, vectors)


def flushes(home: Path) -> list[tuple[str, int]]:
    """Files of the index's graph with the moments at which they were written."""
    return sorted((p.name, p.stat().st_mtime_ns) for p in (home / INDEX_FOLDER).glob("*/*"))


def strike_in_flush(home: Path, seconds: float) -> None:
    """Kill a learner so many seconds after it began to write its graph once more."""
    with killed(_FLUSH, str(home)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"filled\n"
        before, until = flushes(home), time.monotonic() + _PATIENCE
        while flushes(home) == before:
            assert time.monotonic() < until, "the index is not flushed"
        time.sleep(seconds)


def garbage(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(np.random.default_rng(0).bytes(max(64, path.stat().st_size)))


class Certified(NamedTuple):
    """What must never be lost of a skill, nor changed."""

    name: str
    task: str
    closure: str
    certificate: str


def certified(library: Library) -> list[Certified]:
    found = [library.get(entry.name) for entry in library.entries()]
    return [Certified(s.name, s.task.hash, s.closure.hash, s.certificate.hash) for s in found]


def attempted(library: Library) -> list[tuple[int, str, str]]:
    """Choices that were settled: what an interruption must not change."""
    done = {one.id for one in library.journal.attempts() if one.outcome is not None}
    return [
        (d.number, d.proposer, d.task) for d in library.journal.decisions() if d.attempt in done
    ]


def controlled(library: Library) -> list[tuple[str, str]]:
    rows = library.database.rows("SELECT task, json FROM controls ORDER BY task")
    return [tuple(row) for row in rows]


@contextmanager
def copied(home: Path) -> Iterator[Path]:
    """A copy to look at: whoever explores on finds the home as the kill left it."""
    copy = home.with_name(f"{home.name}-copy")
    shutil.copytree(home, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


class Witness:
    """Looks at a home after each kill and remembers what it has seen."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.seen: list[Certified] = []
        self.looks = 0
        self.undecided = 0
        self.embedder: Embedder = open_embedder()[0]

    def look(self, when: str) -> None:
        self.looks += 1
        with copied(self.home) as home, Library.open(home, learning=True) as library:
            assert library.problems() == (), when
            self._skills(library, when)
            self._journal(library, when)
            self._index(home, library, when)

    def _skills(self, library: Library, when: str) -> None:
        now = certified(library)
        assert now[: len(self.seen)] == self.seen, f"a skill was lost or changed: {when}"
        for field in Certified._fields:
            values = [getattr(skill, field) for skill in now]
            assert len(set(values)) == len(values), f"{field} stands there twice: {when}"
        for entry in library.entries():
            (version,) = library.versions(entry.name)
            assert (version.number, version.champion) == (entry.version, True), when
            assert (version.program, version.origin) == (entry.program, Origin.LEARNED), when
        self.seen = now

    def _journal(self, library: Library, when: str) -> None:
        attempts = {attempt.id: attempt for attempt in library.journal.attempts()}
        assert all(attempt.ended_at is not None for attempt in attempts.values()), when
        solved = {a.id: a.task for a in attempts.values() if a.outcome == "solved"}
        rows = library.database.rows("SELECT task, attempt, admitted FROM certifications")
        assert {r["attempt"]: r["task"] for r in rows if r["admitted"]} == solved, when
        assert sorted(solved.values()) == sorted(skill.task for skill in self.seen), when
        self.undecided += any(row["admitted"] is None for row in rows)
        evidence = library.database.rows("SELECT DISTINCT attempt FROM episodes")
        assert {row["attempt"] for row in evidence} == set(solved), when
        decisions = library.journal.decisions()
        assert {decision.attempt for decision in decisions} <= set(attempts), when
        settled = [choice for choice, _, _ in attempted(library)]
        assert settled == list(range(len(settled))), when
        done = [a.id for a in attempts.values() if a.outcome is not None]
        assert len(done) == len(settled), f"somebody decided nothing and did something: {when}"

    def _index(self, home: Path, library: Library, when: str) -> None:
        exact = Retrieval(library, embedder=self.embedder)
        with Retrieval(library, ChromaIndex.open(home), self.embedder) as retrieval:
            retrieval.refresh()
            for query in ("grasp something", "move", "gripper", "reach"):
                told, expected = (
                    {hit.name: hit.score for hit in one.search(query, 60)}
                    for one in (retrieval, exact)
                )
                assert told == pytest.approx(expected, abs=1e-5), when
            assert retrieval.notice == "", when


def go_through(witness: Witness, instants: Sequence[Instant]) -> None:
    for instant in instants:
        strike(witness.home, instant)
        witness.look(instant.name)


def go_through_flushes(witness: Witness, delays: Sequence[float]) -> int:
    """How many of these kills left an index that is not sound."""
    unsound = 0
    for seconds in delays:
        strike_in_flush(witness.home, seconds)
        with copied(witness.home) as home:
            unsound += index_probe.examine(home / INDEX_FOLDER) is None
        witness.look(f"{seconds:g} s into a flush of the index")
    return unsound


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(1200)
def test_an_explorer_killed_twenty_times_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    broken.mkdir()
    witness = Witness(broken)
    explore = [sys.executable, "-c", _EXPLORE]
    with subprocess.Popen([*explore, str(whole), str(TASKS)], cwd=ROOT) as undisturbed:
        try:
            go_through(witness, BEFORE_THE_FIRST_SKILL)
            assert witness.undecided, "no certification was under way at any kill"
            hit = go_through_flushes(witness, (0.0, 0.003))
            go_through(witness, BEFORE_THE_SECOND_SKILL)
            hit += go_through_flushes(witness, (0.006, 0.009, 0.012))
            assert hit, "no kill hit an index that was being written"
            go_through(witness, BEFORE_THE_LAST)
            assert witness.looks == 20
            garbage(broken / INDEX_FOLDER)
            witness.look("garbage in the place of the index")
            with Library.open(broken) as library:
                left = TASKS - len(attempted(library))
            assert left > 0
            subprocess.run(
                [*explore, str(broken), str(left)], cwd=ROOT, check=True, timeout=_PATIENCE
            )
            assert undisturbed.wait(_PATIENCE) == 0
        finally:
            undisturbed.kill()
    witness.look("the end")
    with Library.open(whole) as first, Library.open(broken) as second:
        assert certified(first), "nothing was learned, so nothing was compared"
        assert certified(second) == certified(first)
        assert attempted(second) == attempted(first)
        assert controlled(second) == controlled(first)
