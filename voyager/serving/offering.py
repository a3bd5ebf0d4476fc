"""Which skills of a home other programs may call, and what they are told about each.

Only what is certified here may be called; everything else is named with the reason when somebody
asks for it. The home is read by a thread of its own and never written by what is asked here,
except for the vectors that searching keeps, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from env.errors import VoyagerError
from skill_store.database import DATABASE
from skill_store.errors import StorageError
from skill_store.evidence import learned_from
from skill_store.export.bundle import effects
from skill_store.export.claims import (
    bound_record,
    failures,
    proof_sentence,
    short_claim,
    uncertified,
)
from skill_store.export.schemas import fixed_values, one_line, parameters_schema
from skill_store.library import Library
from skill_store.skill import Skill, SkillEntry
from voyager.serving.errors import NotCallable, Stopped

if TYPE_CHECKING:
    from skill_store.retrieval import Hit, Retrieval

MOST_FOUND: Final = 50
"""Skills that one search gives at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offered:
    """A skill that may be called: certified here, and in use. Made by `offered` only.

    Attributes:
        skill: The skill.
        proof: What is proved about it and what is not, in sentences.
    """

    skill: Skill
    proof: str


@dataclass(frozen=True, slots=True)
class Found:
    """A skill that a search found.

    Attributes:
        name: Its name.
        instruction: What it does, in words.
        goal: What it brings about.
        parameters: Kind of each object that it is given, by parameter.
        callable: Whether it may be called.
        why_not: Why it may not; empty when it may.
        claim: What is proved about it, in one line.
        score: How near it is to what was asked, 1 for its name; null in a plain list.
    """

    name: str
    instruction: str
    goal: str
    parameters: Mapping[str, str]
    callable: bool
    why_not: str
    claim: str
    score: float | None


def offered(skill: Skill) -> Offered:
    """A skill as one that may be called.

    Raises:
        NotCallable: If it is not certified here, with the reason and what helps.
    """
    why = uncertified(skill)
    if why is not None:
        raise NotCallable(
            f"the skill {skill.name!r} may not be called: {why}; only skills that are certified "
            f"here are run (`voyager skills renew {skill.name}` proves it again)"
        )
    return Offered(skill, proof_sentence(skill))


def described(skill: Skill, *, precondition: str | None = None) -> dict[str, Any]:
    """All that a caller should know about a skill, JSON-able.

    Args:
        skill: The skill, certified or not.
        precondition: Under which it was seen to hold more often, or None.
    """
    why = uncertified(skill)
    return {
        "name": skill.name,
        "version": skill.version,
        "state": skill.state.value,
        "callable": why is None,
        "why_not": why or "",
        "instruction": skill.task.instruction,
        "documentation": skill.doc,
        "goal": skill.task.goal.text,
        "effects": list(effects(skill.task)),
        "parameters": parameters_schema(skill, fixed=False),
        "fixed": {name: value for name, (_, value) in fixed_values(skill.program).items()},
        "calls": list(skill.callees),
        "proof": proof_sentence(skill),
        "bound": bound_record(skill),
        "failures": [{"outcome": o, "scenes": n} for o, n in failures(skill)],
        "holds_more_often_when": precondition or "",
        "time_limit": skill.task.time_limit,
        "call_limit": skill.task.call_limit,
        "certificate": skill.certificate.hash,
    }


class Offering:
    """Reads one home for callers on any thread."""

    def __init__(self, home: Path) -> None:
        """Open nothing yet.

        Args:
            home: The home folder.

        Raises:
            StorageError: If no library is there. None is made: a server that offers nothing
                would look as if it worked.
        """
        if not (home / DATABASE).is_file():
            raise StorageError(
                f"there is no library in {home}; name its home with --home, or fill one with "
                "`voyager explore`"
            )
        self._home = home
        self._library: Library | None = None
        self._retrieval: Retrieval | None = None
        # SQLite connections belong to the thread that opened them.
        self._thread = ThreadPoolExecutor(1, "library")
        self._closed = False

    def close(self) -> None:
        """Close the library; twice is harmless."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._shut).result()
            self._thread.shutdown()

    def __enter__(self) -> Offering:
        """Leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def named(self, name: str) -> Offered:
        """A skill that may be called.

        Raises:
            UnknownSkill: If there is none of that name, with the nearest.
            NotCallable: If it may not be called, with the reason.
            VoyagerError: If it cannot be read.
        """
        return self._ask(lambda library: offered(library.get(name)))

    def callable(self) -> tuple[tuple[Offered, ...], dict[str, str]]:
        """All skills that may be called, oldest first, and why the others may not, by name.

        Every certificate is read: for a library of some hundred skills at the most.

        Raises:
            StorageError: If the library cannot be read.
        """

        def read(library: Library) -> tuple[tuple[Offered, ...], dict[str, str]]:
            may, may_not = [], {}
            for entry in library.entries():
                try:
                    may.append(offered(library.get(entry.name)))
                except StorageError:
                    raise
                except VoyagerError as error:
                    may_not[entry.name] = str(error)
            return tuple(may), may_not

        return self._ask(read)

    def describe(self, name: str) -> dict[str, Any]:
        """All about a skill, callable or not; see `described`.

        Raises:
            UnknownSkill: If there is none of that name.
            VoyagerError: If it cannot be read.
        """

        def read(library: Library) -> dict[str, Any]:
            skill = library.get(name)
            return described(skill, precondition=learned_from(library, name).precondition)

        return self._ask(read)

    def search(self, text: str, limit: int = 5) -> tuple[Found, ...]:
        """Skills by name or by what they do, the nearest first; all, oldest first, for no words.

        Args:
            text: A name, or a sentence; English, if it is to be understood by meaning.
            limit: At most so many, 1 to `MOST_FOUND`.

        Raises:
            StorageError: If the library cannot be read.
        """
        most = max(1, min(limit, MOST_FOUND))

        def read(library: Library) -> tuple[Found, ...]:
            if not text.strip():
                return tuple(_found(library, entry, None) for entry in library.entries(limit=most))
            hits = self._searching(library).search(text, most)
            return tuple(_found(library, hit, hit.score) for hit in hits)

        return self._ask(read)

    # On the library's own thread

    def _ask(self, read: Callable[[Library], T]) -> T:
        if self._closed:
            raise Stopped("the library is closed; nothing can be asked any more")

        def work() -> T:
            if self._library is None:
                self._library = Library.open(self._home)
            return read(self._library)

        return self._thread.submit(work).result()

    def _shut(self) -> None:
        if self._retrieval is not None:
            self._retrieval.close()
        if self._library is not None:
            self._library.close()

    def _searching(self, library: Library) -> Retrieval:
        if self._retrieval is None:
            from skill_store.retrieval import Retrieval  # loads the model of the embedder

            self._retrieval = Retrieval(library)
        return self._retrieval


def _found(library: Library, line: SkillEntry | Hit, score: float | None) -> Found:
    try:
        skill = library.get(line.name)
    except StorageError:
        raise
    except VoyagerError as error:  # one that cannot be read must not hide the others
        lost = f"it cannot be read ({one_line(str(error))})"
        return Found(line.name, one_line(line.instruction), line.goal, {}, False, lost, lost, score)
    why = uncertified(skill)
    return Found(
        name=skill.name,
        instruction=one_line(skill.task.instruction),
        goal=skill.task.goal.text,
        parameters=skill.task.kinds,
        callable=why is None,
        why_not=why or "",
        claim=short_claim(skill),
        score=score,
    )
