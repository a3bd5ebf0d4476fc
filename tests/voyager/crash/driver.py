"""Starts explorers and kills them at chosen writes: `python -m tests.voyager.crash.driver`.

Reads one order a line (JSON) and answers with one line. Each explorer is a fork of this process,
so that 200 of them import everything once; otherwise it is an explorer like any other and knows
nothing of this. What it writes is seen from outside of our code: every statement that it gives to
SQLite, every change that it gives to Chroma. Nothing of that is replaced; it is only counted, and
at the chosen one the process kills itself with SIGKILL.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection

import skill_store.retrieval
from env.program import Closure, Program
from env.starts import Handover
from skill_store.chroma_index import _CHANGING as HALF_WRITTEN
from skill_store.embedder import open_embedder
from skill_store.library import Library
from voyager.config import Config, ExploreConfig, SearchConfig
from voyager.explorer import Explorer
from voyager.models.settings import ModelsConfig
from voyager.news import News, Phase
from voyager.writers.base import Brief, Draft
from voyager.writers.search import SearchWriter
from voyager.writers.settings import WriterConfig, WriterKind

BEFORE, AFTER = "before", "after"
UNSOUND = 97
"""Exit status of an explorer whose index does not say what the library says."""
_SQL = re.compile(
    r"\s*(INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|COMMIT)\s*(\w*)"
)
BOOK = (
    # Solves nothing, so its certification is refused.
    """\
from robot import Place, wait


def {name}(x: Place) -> None:
    \"\"\"Wait.\"\"\"
    wait(0.1)
""",
    """\
from robot import Place, move_to, position


def {name}(x: Place) -> None:
    \"\"\"Go there.\"\"\"
    there = position(x)
    move_to((there[0], there[1], 0.15))
""",
)
_CALLER = """\
from robot import Place
from skills.{callee} import {callee}


def {name}(x: Place) -> None:
    \"\"\"Have it done.\"\"\"
    {callee}(x)
"""


class Watch:
    """Counts writes, notes them if asked to, and kills this process at one of them.

    A statement inside a transaction is called by its verb and table; the end of a transaction by
    all that was written in it.
    """

    def __init__(self, write: str | None, number: int, when: str, trace: Path | None) -> None:
        self._write = write
        self._left = number
        self._when = when
        self._trace = None if trace is None else trace.open("a", encoding="utf-8")

    def around(self, write: str, do: Callable[[], Any]) -> Any:
        """Carry a write out; the process may not live to see it, or not long afterwards."""
        wanted = self._write is None or fnmatchcase(write, self._write)
        self._left -= wanted
        if wanted and self._left == 0 and self._when == BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        done = do()
        if self._trace is not None:
            self._trace.write(write + "\n")
            self._trace.flush()
        if wanted and self._left == 0 and self._when == AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def watch_sqlite(watch: Watch) -> None:
    """Let every connection that is opened from now on tell what is written through it."""

    class Watched(sqlite3.Connection):
        written: tuple[str, ...] = ()

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            def do() -> sqlite3.Cursor:
                return super(Watched, self).execute(sql, *parameters)

            found = _SQL.match(sql)
            if found is None:
                return do()
            verb, table = found.groups()
            if verb == "COMMIT":
                tables, self.written = self.written, ()
                if not tables:
                    return do()
                return watch.around(f"commit {'+'.join(dict.fromkeys(tables))}", do)
            self.written = (*self.written, table)
            return watch.around(f"{verb.split()[0].lower()} {table}", do)

    connect = sqlite3.connect
    sqlite3.connect = lambda *a, **k: connect(*a, **{"factory": Watched, **k})  # type: ignore[misc,assignment]


def watch_chroma(watch: Watch) -> None:
    """The same for what changes an index in Chroma, and for the deletion of its folder.

    An index that is filled is made, filled and marked as whole; one that is changed is marked as
    half written before.
    """
    changing = False

    def watched(owner: Any, method: str, name: Callable[..., str]) -> None:
        do = getattr(owner, method)
        told = lambda *a, **k: watch.around(name(**k), lambda: do(*a, **k))  # noqa: E731
        setattr(owner, method, told)

    def mark(*, metadata: dict[str, Any], **_: Any) -> str:
        nonlocal changing
        begun, changing = changing, not changing and metadata["digest"] == HALF_WRITTEN
        if changing:
            return "index mark changing"
        return "index mark changed" if begun else "index mark filled"

    watched(Client, "create_collection", lambda **_: "index create")
    watched(Collection, "upsert", lambda **_: "index change" if changing else "index fill")
    watched(Collection, "delete", lambda **_: "index change")
    watched(Collection, "modify", mark)
    watched(shutil, "rmtree", lambda **_: "index remove")


def write_by_the_book(writer: SearchWriter, brief: Brief) -> Draft | None:
    """A writer that knows the answers: first a program that fails, then one that works.

    A skill of the library is called, if there is one that does nearly the same.
    """
    page = brief.first_scene % 5_000
    name = brief.name
    if page >= len(BOOK):
        return None
    near: list[Handover] = [s for s in brief.skills if s.task.kinds == brief.task.kinds]
    if near:
        callee = near[-1].closure
        source = _CALLER.format(name=name, callee=callee.entry.name)
        program = Program.parse(source, {callee.entry.name: callee.root})
        closure = Closure.of(program, [callee], {callee.root: near[-1].task})
    else:
        closure = Closure.of(Program.parse(BOOK[page].format(name=name)))
    return Draft(closure, brief.first_scene + 1, 20, 20)


def check_index() -> None:
    """Let an explorer end with `UNSOUND` if its index and its library differ once it has begun."""
    refresh = skill_store.retrieval.Retrieval.refresh

    def checked(retrieval: skill_store.retrieval.Retrieval) -> None:
        refresh(retrieval)
        keys = sorted(retrieval._digests)
        vectors = retrieval._rows(keys)
        for key, vector in zip(keys, vectors, strict=True):
            scores = {m.key: m.score for m in retrieval._index.search(vector, len(keys))}
            if len(scores) != len(keys) or scores["/".join(key)] < 0.999 or retrieval.notice:
                sys.stderr.write(f"the index lacks {key}, or says: {retrieval.notice}\n")
                sys.stderr.flush()
                os._exit(UNSOUND)

    skill_store.retrieval.Retrieval.refresh = checked  # type: ignore[method-assign]


def explore(order: dict[str, Any]) -> None:
    """What the fork does: one run of an explorer."""
    trace = order.get("trace")
    watch = Watch(
        order.get("write"),
        order.get("number", 0),
        order.get("when", BEFORE),
        None if trace is None else Path(trace),
    )
    watch_sqlite(watch)
    watch_chroma(watch)
    check_index()
    if order.get("book"):
        SearchWriter.write = write_by_the_book  # type: ignore[method-assign]
    writer, models = WriterConfig(), ModelsConfig()
    if order.get("script"):
        models = ModelsConfig(write=f"scripted:{order['script']}")
        writer = WriterConfig(kind=WriterKind.MODEL, calls=4)
    config = Config(
        workers=1,
        seed=1,
        search=SearchConfig(steps=60_000, lanes=2),
        explore=ExploreConfig(tasks=order["tasks"], attempt_steps=80_000),
        models=models,
        writer=writer,
    )

    def begun(news: News) -> None:
        if news.phase is Phase.STARTED:
            sys.stdout.write("begun\n")
            sys.stdout.flush()

    def stop() -> bool:
        return bool(order.get("stop")) or (bool(order.get("settle")) and settled(order["home"]))

    Explorer(config, home=Path(order["home"]), watch=begun, stop=stop).run()


def settled(home: str) -> bool:
    """Whether no request waits in a home."""
    with Library.open(Path(home)) as library:
        return library.queue.next() is None


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Fork an explorer, wait for its end, and say how it ended."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(receiving)
            os.dup2(sending, 1)
            explore(order)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(sending)
    with os.fdopen(receiving, "rb", buffering=0) as told:
        if order.get("seconds") is not None:
            # From the moment at which the run has begun, unless its start is meant.
            if order.get("starting") or told.read(1):
                time.sleep(order["seconds"])
            os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(ended)
    return {"killed": status == -signal.SIGKILL, "status": status}


def main() -> None:
    """Obey until the orders end."""
    # Loaded once for all; it has no thread that a fork would lack.
    open_embedder()
    for line in sys.stdin:
        answer = obey(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
