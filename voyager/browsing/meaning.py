"""Search by meaning in a process of its own, which holds the model and all the vectors.

    meaning = Meaning(home)
    await meaning.near("stack things")

Run as a program it is that process: a line with a number and a text in, a line with
the number and the hits out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

MOST: Final = 50
"""Skills that are found by meaning at most; those with the words are found by the database."""
_LONGEST_LINE: Final = 2**20
_NICE: Final = 5
"""Loading the model takes a second, while somebody is typing who waits for each letter."""


class Meaning:
    """Asks the searching process, which is started by the first question.

    Attributes:
        notice: What a user should know about how it searches, one sentence, or empty.
    """

    def __init__(self, home: Path) -> None:
        """Take a home; nothing is started yet."""
        self.notice = ""
        self._home = home
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._number = 0

    async def near(self, text: str) -> dict[str, float]:
        """Score by name of the skills whose meaning is near a text; empty when it cannot be told.

        Args:
            text: A name or a sentence.
        """
        async with self._turn:
            process = self._process
            if process is None or process.returncode is not None:
                process = self._process = await self._start()
            questions, answers = process.stdin, process.stdout
            if questions is None or answers is None:
                return {}
            self._number += 1
            try:
                questions.write(json.dumps([self._number, text]).encode() + b"\n")
                await questions.drain()
                answer: dict[str, Any] = {}
                # Whoever asked before may have gone away without waiting for the answer.
                while answer.get("number") != self._number:
                    line = await answers.readline()
                    if not line:
                        return {}
                    answer = json.loads(line)
            except (OSError, ValueError):
                return {}
            self.notice = str(answer.get("notice", ""))
            return {str(name): float(score) for name, score in answer.get("hits", {}).items()}

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            str(self._home),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )


def answer_questions(home: Path) -> None:
    """Answer questions from stdin until it is closed."""
    from env.errors import VoyagerError
    from skill_store import Library, Retrieval

    with Library.open(home) as library, Retrieval(library) as retrieval:
        for line in sys.stdin:
            number, text = json.loads(line)
            found, notice = {}, retrieval.notice
            try:
                found = {hit.name: hit.score for hit in retrieval.search(text, MOST)}
            except VoyagerError as error:
                notice = str(error)
            sys.stdout.write(json.dumps({"number": number, "hits": found, "notice": notice}))
            sys.stdout.write("\n")
            sys.stdout.flush()


if __name__ == "__main__":
    os.nice(_NICE)
    answer_questions(Path(sys.argv[1]))
