"""Explorers that are killed with SIGKILL at named and at random instants lose nothing.

Each test drives one home through its kills, looks at it after every one (see `crash.witness`),
and compares its story at the end with that of a home in which nobody was killed. How instants are
chosen from outside is told in `crash.driver`.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from skill_store import Library, index_probe
from skill_store.chroma_index import INDEX_FOLDER
from tests import proof
from tests.voyager.crash.driver import AFTER, BEFORE, BOOK
from tests.voyager.crash.flushes import flush_and_kill, garbage
from tests.voyager.crash.orders import Driver, driving, prepare, tasks
from tests.voyager.crash.witness import Witness, story

_ADMITTED = "certifications+certificates+skills+versions+promises+episodes+attempts"
_RESERVED = "commit tasks+programs+*certifications"


class Instant(NamedTuple):
    """Before or after the number-th write of a name, counted from the start of a run."""

    name: str
    write: str
    when: str
    number: int = 1


def around(name: str, write: str, number: int = 1) -> tuple[Instant, Instant]:
    return (
        Instant(f"{name} is about to be written", write, BEFORE, number),
        Instant(f"{name} was just written", write, AFTER, number),
    )


FIRST_START = (
    Instant("a new database is half made", "create episodes", BEFORE),
    *around("the form of a new database", "commit runs+tasks+programs+*"),
)
"""In a home that is not there yet."""
STARTING = (
    *around("what an earlier kill left open", "commit attempts"),
    *around("which questions to models were lost", "commit exchanges"),
    *around("a new index", "index create"),
    *around("the mark of a new index", "index mark filled"),
    *around("the beginning of a run", "commit runs"),
)
ATTEMPTING = (
    *around("what is to be done about a task", "commit tasks+routes"),
    *around("the beginning of an attempt", "commit tasks+attempts"),
    *around("why it is made", "commit decisions"),
    *around("the test of a task", "commit tasks+controls"),
    *around("the reservation of a program that will be refused", _RESERVED),
    Instant("of a refusal only the certificate is written", "insert certificates", AFTER),
    *around("a refusal", "commit certifications+certificates"),
    *around("that a refusal belongs to this attempt now", "commit certifications"),
    *around("the reservation of a program that will be admitted", _RESERVED),
)
ADMITTING = (
    Instant("nothing of a skill is written", "insert certificates", BEFORE),
    Instant("of a skill only the certificate is written", "insert skills", BEFORE),
    Instant("of a skill its version is not written", "insert versions", BEFORE),
    Instant("half of a skill's evidence is written", "insert episodes", AFTER, 20),
    Instant("only the end of a skill's attempt is not written", "update attempts", BEFORE, 2),
    *around("a skill with its certificate and evidence", f"commit {_ADMITTED}"),
)
AFTERWARDS = (
    Instant("one of three vectors is written", "insert vectors", AFTER),
    *around("the vectors of a skill", "commit vectors"),
    *around("the removal of an older index", "index remove"),
    Instant("the index is made again and empty", "index create", AFTER),
    *around("the content of an index", "index fill"),
    *around("that the index is whole", "index mark filled"),
    *around("what became of a request", "commit queue"),
)
"""The first skill is there; what else is to be written about it is written at the next start."""
BUILDING = (
    Instant("a skill that calls another was just written", f"commit uses+{_ADMITTED}", AFTER),
    Instant("the index is marked as half written", "index mark changing", AFTER),
    Instant("a changed index is about to be marked as whole", "index mark changed", BEFORE),
)
"""Each with a skill of its own."""
ENDING = around("the end of a run", "commit runs", 2)
ASKING = (
    Instant("a question to a model is about to be reserved", "insert exchanges", BEFORE),
    Instant("a question to a model was just reserved", "commit exchanges", AFTER, 2),
    *around("what a question has cost", "commit exchanges", 3),
    *around("a draft", "commit drafts"),
    Instant("the draft that holds was just written", "commit drafts", AFTER, 1),
)
"""The first commit about exchanges is that of the start."""
NAMED = (*FIRST_START, *STARTING, *ATTEMPTING, *ADMITTING, *AFTERWARDS, *BUILDING, *ENDING)
FLUSHES = (0.0, 0.004, 0.008)
"""Seconds into a flush of the index."""
TASKS = 5


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with driving() as found:
        yield found


def left(home: Path, number: int = TASKS) -> int:
    """Attempts that are still to be made."""
    with Library.open(home) as library:
        return number - sum(a.outcome is not None for a in library.journal.attempts())


def strike(
    driver: Driver,
    witness: Witness,
    instants: Sequence[Instant],
    attempts: int | None = None,
    **more: Any,
) -> None:
    """Kill at each of some instants, a run each, and look after every kill."""
    for instant in instants:
        ending = driver.run(
            witness.home,
            left(witness.home) if attempts is None else attempts,
            write=instant.write,
            when=instant.when,
            number=instant.number,
            **more,
        )
        assert ending.killed, f"{instant.name}: it ended with {ending.status} before that"
        witness.look(instant.name)


def finish(driver: Driver, home: Path, number: int = TASKS, **more: Any) -> dict[str, Any]:
    """Let a run go to its end, and tell the home's story."""
    # After the last attempt a request may still wait to be settled, and a skill for its vectors.
    remaining = left(home, number)
    ending = driver.run(home, max(remaining, 1), settle=remaining == 0, **more)
    assert ending.status == 0, f"it ended with {ending.status}"
    with Library.open(home) as library:
        return story(library)


def test_a_few_kills_lose_nothing(driver: Driver, tmp_path: Path) -> None:
    witness = Witness(prepare(tmp_path / "home", tasks(1)))
    strike(driver, witness, (STARTING[7], ATTEMPTING[11], ADMITTING[3]), 1)
    assert witness.undecided == 2, "no certification was under way at a kill"
    garbage(witness.home / INDEX_FOLDER)
    told = finish(driver, witness.home, 1)
    witness.look("the end", index=True)
    assert len(told["skills"]) == len(told["choices"]) == 1
    # The refusal before the kill was not bought off by it: both programs have their one try.
    assert [(row[1], row[5]) for row in told["certifications"]] == [(0, 0), (1, 1)]
    proof.keep("at_three_instants", {"kills": 3, "survived": 3})


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(1200)
def test_kills_between_every_two_writes_lose_nothing(driver: Driver, tmp_path: Path) -> None:
    begun = time.monotonic()
    trace = tmp_path / "trace"
    whole = prepare(tmp_path / "whole", tasks(TASKS), untested=1)
    expected = finish(driver, whole, trace=str(trace))
    assert len(expected["skills"]) == TASKS

    nowhere = Witness(tmp_path / "nowhere")
    strike(driver, nowhere, FIRST_START, 1)
    witness = Witness(prepare(tmp_path / "broken", tasks(TASKS), untested=1))
    for instants in (STARTING, ATTEMPTING, ADMITTING, AFTERWARDS):
        strike(driver, witness, instants)
    unsound = 0
    for seconds in FLUSHES:
        flush_and_kill(witness.home, seconds)
        unsound += index_probe.examine(witness.home / INDEX_FOLDER) is None
        witness.look(f"{seconds:g} s into a flush of the index")
        assert driver.run(witness.home, 1, stop=True).status == 0, "the index was not repaired"
    assert unsound, "no kill hit an index that was being written"
    garbage(witness.home / INDEX_FOLDER)
    assert driver.run(witness.home, 1, stop=True).status == 0, "the index was not repaired"
    strike(driver, witness, BUILDING)
    strike(driver, witness, ENDING, stop=True)
    assert finish(driver, witness.home) == expected
    witness.look("the end", index=True)

    # Whatever is written has its instants; those around a change of the index are its marks.
    written = [w for w in trace.read_text().splitlines() if w.startswith(("commit", "index"))]
    named = ["index change", *(instant.write for instant in NAMED)]
    assert {w for w in written if not any(fnmatchcase(w, n) for n in named)} == set()
    proof.keep(
        "at_named_instants",
        {
            "kills": len(NAMED) + len(FLUSHES),
            "survived": witness.looks + nowhere.looks - 1,
            "unsound_indexes": unsound,
            "instants": [instant.name for instant in NAMED],
            "seconds": round(time.monotonic() - begun),
        },
    )


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(600)
def test_kills_while_a_model_writes_lose_nothing(driver: Driver, tmp_path: Path) -> None:
    script = tmp_path / "replies.jsonl"
    replies = [
        {"purpose": "write", "text": f"```python\n{page.format(name='reach')}```"} for page in BOOK
    ]
    script.write_text("".join(json.dumps(reply) + "\n" for reply in replies))
    model = {"book": False, "script": str(script)}
    whole = finish(driver, prepare(tmp_path / "whole", tasks(1)), 1, **model)
    witness = Witness(prepare(tmp_path / "home", tasks(1)))
    strike(driver, witness, ASKING, 1, **model)
    told = finish(driver, witness.home, 1, **model)
    witness.look("the end", index=True)
    assert told["skills"] == whole["skills"]
    with Library.open(witness.home) as library:
        states = Counter(one.state.value for one in library.exchanges.list())
        # Two were asked and not settled; what they cost at most counts.
        assert states["lost"] == 2 and set(states) == {"lost", "settled"}
        drafts = library.database.rows("SELECT program, attempt FROM drafts")
    assert len(set(map(tuple, drafts))) == len(drafts)
    proof.keep("at_named_instants_of_a_model", {"kills": len(ASKING), "survived": len(ASKING)})


class Draw(NamedTuple):
    """A run that is killed at a random instant: at a write, or some time after it has begun."""

    kind: str
    order: dict[str, Any]


def draws(rng: random.Random, seconds: float) -> Iterator[Draw]:
    """Random instants without end, over somewhat more than one attempt."""
    while True:
        kind = rng.random()
        if kind < 0.4:
            yield Draw("at a random time", {"seconds": rng.uniform(0.0, seconds)})
        elif kind < 0.5:
            order = {"seconds": rng.uniform(0.0, 2.0), "starting": True}
            yield Draw("at a random time of its start", order)
        else:
            when = rng.choice((BEFORE, AFTER))
            yield Draw(f"{when} a random write", {"number": rng.randint(1, 100), "when": when})


def strike_at_random(
    driver: Driver, folder: Path, kills: int, *, book: bool, seed: int
) -> Counter[str]:
    """Kill so many explorers, home after home, each driven to its end; how many of each kind.

    A home whose tasks are done is compared with the undisturbed one, and another is begun.
    """
    wanted = tasks(3)
    begun = time.monotonic()
    expected = finish(driver, prepare(folder / "whole", wanted), len(wanted), book=book)
    # An attempt, and half of one more.
    seconds = 0.5 * (time.monotonic() - begun)
    instants = draws(random.Random(seed), seconds)
    survived: Counter[str] = Counter()
    for number in itertools.count():
        witness = Witness(prepare(folder / str(number), wanted))
        while (remaining := left(witness.home, len(wanted))) > 0:
            if sum(survived.values()) == kills:
                break
            draw = next(instants)
            ending = driver.run(witness.home, remaining, book=book, **draw.order)
            assert ending.killed or ending.status == 0, f"{draw}: it ended with {ending.status}"
            if ending.killed:
                survived[draw.kind] += 1
                # A look at the index takes long, and the next start looks at it as well.
                witness.look(f"kill {sum(survived.values())}, {draw}")
        assert finish(driver, witness.home, len(wanted), book=book) == expected
        if sum(survived.values()) == kills:
            witness.look("the end", index=True)
            return survived
    raise AssertionError("unreachable")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_random_kills_lose_nothing(driver: Driver, tmp_path: Path) -> None:
    survived = strike_at_random(driver, tmp_path, 20, book=True, seed=1)
    assert sum(survived.values()) == 20
    assert len(survived) == 4
    proof.keep("at_few_random_instants", {"kills": 20, "survived": 20, "by_kind": dict(survived)})


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_hundred_random_kills_lose_nothing(driver: Driver, tmp_path: Path) -> None:
    begun = time.monotonic()
    survived = strike_at_random(driver, tmp_path, 200, book=False, seed=2)
    assert sum(survived.values()) == 200
    proof.keep(
        "at_random_instants",
        {
            "kills": 200,
            "survived": sum(survived.values()),
            "by_kind": dict(survived),
            "seconds": round(time.monotonic() - begun),
        },
    )
