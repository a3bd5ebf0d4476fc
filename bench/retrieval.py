"""How well skills are found by what people say, and how fast among thousands.

The corpus is made for this bench: sixty skills of a robot arm, each described once and asked for
in two other wordings, at least half of which share no content word with the description.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.crowd import crowd, give_vectors, spread
from bench.report import Report
from skill_store import Library, Retrieval
from skill_store.chroma_index import ChromaIndex
from skill_store.embedder import Embedder, open_embedder
from skill_store.exact_index import ExactIndex
from skill_store.lexical import LexicalEmbedder, overlap, stems
from skill_store.retrieval import TIE_BREAK
from skill_store.vector_index import Vectors
from skill_store.vectors import Described, View

CORPUS: Final = Path(__file__).with_name("data") / "retrieval.json"
SIZES: Final = (1_000, 10_000)
"""Skills in a library whose speed is measured."""
TARGET_RATIO: Final = 1.5
TARGET_MS: Final = 20.0
_MOST: Final = 90  # vectors that a search with the default limit looks at
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Question:
    """One wording of a skill.

    Attributes:
        text: What somebody says.
        skill: Number of the skill that is meant.
        far: Whether it shares no content word with the description.
    """

    text: str
    skill: int
    far: bool


@dataclass(frozen=True, slots=True)
class Corpus:
    """Skills, and what is said about them and about other things.

    Attributes:
        skills: In the form in which a library would describe them.
        questions: Two for each.
        elsewhere: Texts that mean none of them.
    """

    skills: tuple[Described, ...]
    questions: tuple[Question, ...]
    elsewhere: tuple[str, ...]

    @classmethod
    def load(cls) -> Corpus:
        """The corpus of this bench."""
        told = json.loads(CORPUS.read_text(encoding="utf-8"))
        skills = tuple(
            Described(str(number), skill["name"], skill["description"], "", ())
            for number, skill in enumerate(told["skills"])
        )
        known = [_stems(skill) for skill in skills]
        questions = tuple(
            Question(text, number, not stems(text) & known[number])
            for number, skill in enumerate(told["skills"])
            for text in skill["paraphrases"]
        )
        return cls(skills, questions, tuple(told["elsewhere"]))

    def views(self) -> tuple[tuple[str, ...], ...]:
        """What is embedded of each skill: two views, since these skills have no goals."""
        return tuple(
            (texts[View.DESCRIPTION], texts[View.SIGNATURE])
            for texts in (skill.texts() for skill in self.skills)
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one way of ranking does.

    Attributes:
        first: Share of questions whose skill comes first.
        five: Share of questions whose skill is among the first five.
        reciprocal: Mean of one over its place.
        far_first: `first`, of the questions without a content word in common.
        far_five: `five`, of those.
        missed: Share of questions whose skill lies below the cut-off.
        wrong: Share of texts about other things that find something all the same.
    """

    first: float
    five: float
    reciprocal: float
    far_first: float
    far_five: float
    missed: float
    wrong: float


def qualities(corpus: Corpus, embedder: Embedder, weights: Sequence[float]) -> tuple[Quality, ...]:
    """Rank all skills for all questions.

    Args:
        corpus: Skills and questions.
        embedder: Makes the vectors.
        weights: What sharing all its words with a question is worth to a skill.

    Returns:
        The quality with each weight.
    """
    views = [embedder.embed(texts) for texts in zip(*corpus.views(), strict=True)]
    known = [_stems(skill) for skill in corpus.skills]
    near = _nearness(embedder, views, [question.text for question in corpus.questions])
    spoken = [stems(question.text) for question in corpus.questions]
    shared = np.array([[overlap(asked, skill) for skill in known] for asked in spoken])
    meant = [question.skill for question in corpus.questions]
    strays = _nearness(embedder, views, corpus.elsewhere).max(axis=1)
    cosines = near[np.arange(len(meant)), meant]
    missed = float((cosines < embedder.cutoff).mean())
    wrong = float((strays >= embedder.cutoff).mean())
    return tuple(
        _quality(corpus, near + weight * shared, missed=missed, wrong=wrong) for weight in weights
    )


def _quality(
    corpus: Corpus, scores: NDArray[np.float64], *, missed: float, wrong: float
) -> Quality:
    # Of equals the one that is meant counts as the last.
    places = [
        int((row >= row[question.skill]).sum())
        for row, question in zip(scores, corpus.questions, strict=True)
    ]
    far = [place for place, one in zip(places, corpus.questions, strict=True) if one.far]
    return Quality(
        first=fmean(place == 1 for place in places),
        five=fmean(place <= 5 for place in places),
        reciprocal=fmean(1.0 / place for place in places),
        far_first=fmean(place == 1 for place in far),
        far_five=fmean(place <= 5 for place in far),
        missed=missed,
        wrong=wrong,
    )


def finding(corpus: Corpus) -> Report:
    """Compare embedders and weights of the tie-break.

    Args:
        corpus: Skills and questions.

    Returns:
        The report.
    """
    semantic, notice = open_embedder()
    embedders = [LexicalEmbedder()] if notice else [semantic, LexicalEmbedder()]
    rows, record = [], []
    for embedder in embedders:
        weights = (0.0, TIE_BREAK, 2.0 * TIE_BREAK)
        for weight, found in zip(weights, qualities(corpus, embedder, weights), strict=True):
            numbers = {name: getattr(found, name) for name in Quality.__slots__}
            rows.append(
                (f"{embedder.id}, words {weight:g}", *(f"{n:.3f}" for n in numbers.values()))
            )
            record.append({"embedder": embedder.id, "weight": weight, **numbers})
    far = sum(question.far for question in corpus.questions)
    return Report(
        name="retrieval",
        title=f"Finding {len(corpus.skills)} skills in other words",
        columns=("", "R@1", "R@5", "MRR", "far R@1", "far R@5", "missed", "wrong"),
        rows=tuple(rows),
        notes=(
            f"{len(corpus.questions)} questions, {far} of them (far) without a content word in "
            f"common; {len(corpus.elsewhere)} texts about other things",
            *([notice] if notice else []),
        ),
        record={"questions": len(corpus.questions), "far": far, "rows": record},
    )


def speed(corpus: Corpus, sizes: Sequence[int], repeats: int) -> Report:
    """Time opening and searching libraries of made-up skills.

    Args:
        corpus: Its descriptions and wordings are what the vectors lie around.
        sizes: Skills in a library.
        repeats: Searches of which the median counts.

    Returns:
        The report.

    Raises:
        VoyagerError: If a library cannot be written.
    """
    embedder, _ = open_embedder()
    centres = embedder.embed(
        [skill.instruction for skill in corpus.skills] + [one.text for one in corpus.questions]
    )
    rows, record = [], []
    for size in sizes:
        found = _measured(corpus, embedder, centres, size, repeats)
        allowed = TARGET_RATIO * found["numpy_ms"] + TARGET_MS
        found["met"] = max(found["search_ms"], found["chroma_search_ms"]) <= allowed
        rows.append(
            (
                f"{size:,} skills",
                f"{found['open_ms']:.0f}",
                f"{found['numpy_ms']:.1f}",
                f"{found['search_ms']:.1f}",
                f"{found['chroma_search_ms']:.1f}",
                f"{found['recall']:.3f}",
                f"{found['chroma_fill_ms']:.0f}",
                f"{found['chroma_open_ms']:.0f}",
                "met" if found["met"] else "missed",
            )
        )
        record.append({"skills": size, **found})
    return Report(
        name="retrieval_speed",
        title="Searching many skills, milliseconds",
        columns=(
            *("", "open", "numpy", "search", "in Chroma", "recall@10"),
            *("fill Chroma", "open Chroma", "target"),
        ),
        rows=tuple(rows),
        notes=(
            f"target: a search takes at most {TARGET_RATIO} x numpy (one product with all vectors "
            f"and a partition) + {TARGET_MS:.0f} ms, embedding the question included",
            "opening reads all wordings and vectors; opening Chroma has a child process look first",
            "vectors are those of the corpus with noise around them",
        ),
        record={"repeats": repeats, "sizes": record},
    )


def _measured(
    corpus: Corpus, embedder: Embedder, centres: Vectors, size: int, repeats: int
) -> dict[str, Any]:
    texts = [(skill.name, skill.instruction) for skill in corpus.skills]
    vectors = spread(centres, size * 3)
    asked = [one.text for one in corpus.questions][:repeats]
    with TemporaryDirectory() as folder:
        home = Path(folder)
        crowd(home, texts, size)
        give_vectors(home, embedder.id, vectors)
        with Library.open(home, learning=True) as library:
            exact, disk = ExactIndex(), ChromaIndex.open(home)
            in_memory = Retrieval(library, exact, embedder)
            open_ms, _ = _timed(in_memory.refresh)
            with Retrieval(library, disk, embedder) as on_disk:
                fill_ms, _ = _timed(on_disk.refresh)
                found: dict[str, Any] = {
                    "open_ms": open_ms,
                    "numpy_ms": _each(
                        lambda text: by_hand(vectors, embedder.embed([text])[0]), asked
                    ),
                    "search_ms": _each(in_memory.search, asked),
                    "chroma_search_ms": _each(on_disk.search, asked),
                    "chroma_fill_ms": fill_ms,
                    "recall": _recall(exact, disk, spread(centres, repeats, seed=1)),
                }
            with Retrieval(library, ChromaIndex.open(home), embedder) as again:
                found["chroma_open_ms"], _ = _timed(again.refresh)
    return found


def by_hand(vectors: Vectors, vector: Vectors) -> list[int]:
    """The exact search that others are compared with: the rows that a search looks at."""
    scores = vectors @ vector
    found: list[int] = np.argpartition(scores, -min(_MOST, len(scores)))[-_MOST:].tolist()
    return found


def _recall(exact: ExactIndex, disk: ChromaIndex, queries: Vectors) -> float:
    return fmean(
        len(_keys(exact, query) & _keys(disk, query)) / len(_keys(exact, query))
        for query in queries
    )


def _keys(index: ExactIndex | ChromaIndex, query: Vectors) -> set[str]:
    return {match.key for match in index.search(query, 10)}


def _each(ask: Callable[[str], object], texts: Sequence[str]) -> float:
    ask(texts[0])
    return median(_timed(partial(ask, text))[0] for text in texts)


def _timed(work: Callable[[], _T]) -> tuple[float, _T]:
    begun = perf_counter()
    made = work()
    return 1e3 * (perf_counter() - begun), made


def _nearness(
    embedder: Embedder, views: Sequence[Vectors], texts: Sequence[str]
) -> NDArray[np.float64]:
    """Cosine of the nearest view of each skill: (texts, skills)."""
    vectors = embedder.embed(texts)
    nearest: NDArray[np.float64] = np.max([vectors @ view.T for view in views], axis=0)
    return nearest


def _stems(skill: Described) -> frozenset[str]:
    return stems(f"{skill.name} {skill.instruction}")
