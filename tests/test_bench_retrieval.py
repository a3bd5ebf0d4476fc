"""The retrieval bench asks what it says, on its own corpus."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from bench.crowd import crowd, give_vectors, spread
from bench.report import show
from bench.retrieval import Corpus, finding, qualities, speed
from skill_store import Library, Retrieval
from skill_store.embedder import semantic_embedder
from skill_store.lexical import LexicalEmbedder

CORPUS = Corpus.load()


def test_the_corpus_is_what_it_says() -> None:
    assert len(CORPUS.skills) == 60
    assert len({skill.name for skill in CORPUS.skills}) == 60
    assert len(CORPUS.questions) == 120
    assert len({question.text for question in CORPUS.questions}) == 120
    assert sum(question.far for question in CORPUS.questions) >= 60


def test_meaning_finds_what_letters_do_not() -> None:
    (by_meaning,) = qualities(CORPUS, semantic_embedder(), [0.05])
    (by_letters,) = qualities(CORPUS, LexicalEmbedder(), [0.05])
    # Far below what is measured: a guard against a broken embedder, not a measurement.
    assert by_meaning.five > 0.9
    assert by_meaning.far_five > 0.8
    assert by_meaning.missed < 0.1
    assert 0.4 < by_letters.five < by_meaning.first
    assert by_letters.far_five < 0.2


def test_both_tables_can_be_shown() -> None:
    text = io.StringIO()
    few = replace(CORPUS, skills=CORPUS.skills[:10], questions=CORPUS.questions[:20])
    for report in (finding(few), speed(few, (40,), 2)):
        show(report, Console(width=160, file=text))
        assert report.record
    assert "40 skills" in text.getvalue()
    assert "lexical-grams-1, words 0.05" in text.getvalue()


def test_a_crowd_can_be_listed_and_searched(tmp_path: Path) -> None:
    crowd(tmp_path, [("lift", "Lift a block."), ("wave", "Wave to a guest.")], 30)
    embedder = LexicalEmbedder()
    vectors = spread(embedder.embed(["lift", "wave"]), 90)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    give_vectors(tmp_path, embedder.id, vectors)
    with Library.open(tmp_path) as library:
        assert len(library.entries()) == 30
        assert library.vectors.digests(embedder.id, embedder.dimension)
        retrieval = Retrieval(library, embedder=embedder)
        assert retrieval.search("wave_7", 1)[0].name == "wave_7"
