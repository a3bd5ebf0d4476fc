"""Finding skills by what somebody says: exact names first, then the nearest in meaning.

Works in any process that can read a library. Vectors that are missing are made and stored; where
the home cannot be written they stay in memory. The index is a copy that can be thrown away: by
default an exact one in memory, for the holder of the home's lock also one on the disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final

import numpy as np

from env.task import Task
from skill_store.embedder import Embedder, open_embedder
from skill_store.errors import StorageError
from skill_store.exact_index import ExactIndex
from skill_store.lexical import overlap, stems, words
from skill_store.skill import SkillState
from skill_store.vector_index import Content, IndexBroken, Match, VectorIndex, Vectors
from skill_store.vectors import Described, StoredVector, View, task_texts, text_digest

if TYPE_CHECKING:
    from skill_store.library import Library

TIE_BREAK: Final = 0.05
"""What sharing all its words with a query is worth to a skill, beside a cosine of at most 1."""
_MAX_QUERY: Final = 2_000
_CHUNK: Final = 64  # vectors in one transaction: others wait for the time of writing them only
_VIEWS: Final = 3
_RESERVE: Final = 25  # skills beyond the limit among which shared words may still decide

Key = tuple[str, View]


@dataclass(frozen=True, slots=True)
class Hit:
    """A skill that was found.

    Attributes:
        name: Its name.
        score: What it was ranked by: cosine of the nearest view plus up to `TIE_BREAK` for words
            in common; 1 + `TIE_BREAK` for its exact name.
        view: Which text about it was nearest.
        instruction: Its task in words.
        goal: Its goal as it was written.
        state: Where it stands in its life.
        bound: Published 95 % lower bound of its success rate; None until it is deepened.
    """

    name: str
    score: float
    view: View
    instruction: str
    goal: str
    state: SkillState
    bound: float | None


class Retrieval:
    """Searches the skills of one library. `refresh` brings it up to date and repairs its index.

    Attributes:
        embedder: Makes the vectors.
        notice: What a user should know about how this searches, one sentence, or empty.
    """

    def __init__(
        self,
        library: Library,
        index: VectorIndex | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        """Take an open library; nothing is read yet.

        Args:
            library: Stays the caller's to close.
            index: Becomes this object's to close; an exact one in memory when None.
            embedder: The best that works here when None.

        Raises:
            StorageError: If an index of another kind is given for a library that is only read:
                such an index belongs to the one process that learns in its home.
        """
        if not (index is None or isinstance(index, ExactIndex) or library.learning):
            raise StorageError(
                "only the process that learns in a home may open its index; leave the index out"
            )
        self.embedder, self.notice = (embedder, "") if embedder is not None else open_embedder()
        self._table = library.vectors
        self._index: VectorIndex = ExactIndex() if index is None else index
        self._skills: dict[str, Described] = {}
        self._named: dict[tuple[str, ...], list[str]] = {}
        self._digests: dict[Key, str] = {}
        self._unsaved: dict[Key, Vectors] = {}
        self._content: Content | None = None
        self._moment: tuple[int, int] | None = None

    def close(self) -> None:
        """Close the index; closing twice is harmless."""
        self._index.close()
        self._content = self._moment = None

    def __enter__(self) -> Retrieval:
        """Leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def refresh(self) -> None:
        """Embed what is new, and bring the index to what the library holds; repairs an index.

        Raises:
            StorageError: If the library cannot be read.
        """
        moment = self._table.moment()
        skills = self._table.described()
        texts = {
            (skill.program, view): text for skill in skills for view, text in skill.texts().items()
        }
        digests = {key: text_digest(text) for key, text in texts.items()}
        stored = self._table.digests(self.embedder.id, self.embedder.dimension)
        before = self._digests
        self._embed(
            {
                key: text
                for key, text in texts.items()
                if stored.get(key) != digests[key]
                and not (key in self._unsaved and before.get(key) == digests[key])
            },
            digests,
        )
        self._skills = {skill.program: skill for skill in skills}
        self._named = {}
        for skill in skills:
            self._named.setdefault(words(skill.name), []).append(skill.program)
        self._digests = digests
        self._unsaved = {key: row for key, row in self._unsaved.items() if key in digests}
        self._bring_up(before)
        self._moment = moment

    def search(self, query: str, limit: int = 5) -> tuple[Hit, ...]:
        """The skills nearest to what somebody says, best first.

        Args:
            query: A name or a sentence; English, if it is to be understood by meaning.
            limit: How many at most.

        Returns:
            Hits; empty when nothing is near.

        Raises:
            StorageError: If the library cannot be read.
        """
        asked = words(query[:_MAX_QUERY])
        if not asked or limit < 1:
            return ()
        self._follow()
        best = {program: (1.0 + TIE_BREAK, View.NAME) for program in self._named.get(asked, ())}
        return self._hits([query[:_MAX_QUERY]], limit, best)

    def near(self, task: Task, k: int = 5) -> tuple[Hit, ...]:
        """The skills nearest to a task, by its instruction and its goal, best first.

        Args:
            task: Any task; its own skill, if there is one, is among them.
            k: How many at most.

        Raises:
            StorageError: If the library cannot be read.
        """
        if k < 1:
            return ()
        self._follow()
        return self._hits(task_texts(task), k, {})

    # Inside

    def _follow(self) -> None:
        """Refresh if skills came or went since; what else is written in a home is not looked at."""
        moment = self._table.moment()
        if self._moment == moment:
            return
        if self._moment is None or self._table.programs() != self._skills.keys():
            self.refresh()
        else:
            self._moment = moment

    def _hits(
        self, queries: Sequence[str], limit: int, best: dict[str, tuple[float, View]]
    ) -> tuple[Hit, ...]:
        for query in queries:
            (vector,) = self.embedder.embed([query])
            spoken = stems(query)
            for match in self._matches(vector, _VIEWS * (limit + _RESERVE)):
                program, _, view = match.key.partition("/")
                if match.score < self.embedder.cutoff or program not in self._skills:
                    continue
                score = match.score + TIE_BREAK * overlap(spoken, self._stems(program))
                if score > best.get(program, (0.0, View.NAME))[0]:
                    best[program] = (score, View(view))
        ordered = sorted(best, key=lambda one: (-round(best[one][0], 6), self._skills[one].name))
        standings = self._table.standings(ordered[:limit])
        return tuple(
            Hit(
                name=skill.name,
                score=round(best[program][0], 6),
                view=best[program][1],
                instruction=skill.instruction,
                goal=skill.goal,
                state=standings[program].state,
                bound=standings[program].bound,
            )
            for program in ordered[:limit]
            # Retired by another process a moment ago.
            if program in standings and (skill := self._skills[program])
        )

    def _matches(self, vector: Vectors, most: int) -> tuple[Match, ...]:
        try:
            return self._index.search(vector, most)
        except IndexBroken:
            self._give_up()
            return self._index.search(vector, most)

    def _stems(self, program: str) -> frozenset[str]:
        skill = self._skills[program]
        return stems(f"{skill.name} {skill.instruction}")

    def _embed(self, texts: dict[Key, str], digests: dict[Key, str]) -> None:
        """Make and store vectors, a chunk at a time so that a kill loses little."""
        keys, writable = sorted(texts), True
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            rows = dict(zip(chunk, self.embedder.embed([texts[key] for key in chunk]), strict=True))
            if writable:
                made = [StoredVector(*key, digests[key], row) for key, row in rows.items()]
                try:
                    self._table.keep(self.embedder.id, made)
                except StorageError:
                    # A home of somebody else, a full disk: search all the same.
                    writable = False
            if not writable:
                self._unsaved.update(rows)
            else:
                for key in chunk:
                    self._unsaved.pop(key, None)

    def _bring_up(self, before: dict[Key, str]) -> None:
        content = self._wanted()
        try:
            if self._index.holds(content):
                self._content = content
                return
            if self._content is not None and self._index.holds(self._content):
                changed = [
                    key for key, digest in self._digests.items() if before.get(key) != digest
                ]
                gone = {_name(key) for key in before.keys() - self._digests.keys()}
                self._update(content, gone, changed)
            else:
                self._fill(content)
        except IndexBroken:
            try:
                self._fill(content)
            except IndexBroken:
                self._give_up()
        self._content = content

    def _fill(self, content: Content) -> None:
        keys = sorted(self._digests)
        self._index.fill(content, [_name(key) for key in keys], self._rows(keys))

    def _update(self, content: Content, gone: Collection[str], changed: Sequence[Key]) -> None:
        keys = sorted(changed)
        self._index.update(content, gone, [_name(key) for key in keys], self._rows(keys))

    def _give_up(self) -> None:
        """Go on with an index in memory: the one at hand can be neither read nor written."""
        broken, self._index = self._index, ExactIndex()
        self._content = self._wanted()
        self._fill(self._content)
        self.notice = f"the index on the disk cannot be used, searching in memory. {self.notice}"
        try:
            broken.close()
        except IndexBroken:
            return

    def _wanted(self) -> Content:
        lines = sorted(f"{_name(key)} {digest}" for key, digest in self._digests.items())
        return Content(
            embedder=self.embedder.id,
            dimension=self.embedder.dimension,
            count=len(lines),
            digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        )

    def _rows(self, keys: Sequence[Key]) -> Vectors:
        if not self._unsaved:
            return self._table.read(self.embedder.id, self.embedder.dimension, keys)
        made = np.zeros((len(keys), self.embedder.dimension), np.float32)
        saved = [row for row, key in enumerate(keys) if key not in self._unsaved]
        if saved:
            made[saved] = self._table.read(
                self.embedder.id, self.embedder.dimension, [keys[row] for row in saved]
            )
        for row, key in enumerate(keys):
            if key in self._unsaved:
                made[row] = self._unsaved[key]
        return made


def _name(key: Key) -> str:
    return f"{key[0]}/{key[1]}"
