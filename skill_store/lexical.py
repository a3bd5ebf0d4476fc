"""Texts compared by their letters: words, how many of them two texts share, and an embedder.

Knows no meaning: "lift" and "raise" have nothing in common here.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from skill_store.vector_index import Vectors

_WORD: Final = re.compile(r"[^\W_]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LISTED: Final = (
    "a about all an and any are as at be by for from has have how i if in into is it its me my no "
    "not of off on one onto or other out over so some that the their them then there these things "
    "this to under until up was what where which with you your"
)
_SMALL_WORDS: Final = frozenset(_LISTED.split())
_ENDINGS: Final = ("ing", "ed", "es", "s")
_SHORTEST_STEM: Final = 3
_GRAMS: Final = (3, 4, 5)
_WHOLE_WORD: Final = 2.0  # a whole word in common says more than one of its pieces


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in small letters; names_like_this and LikeThis are taken apart."""
    return tuple(_WORD.findall(_HUMP.sub(" ", text).casefold()))


def stems(text: str) -> frozenset[str]:
    """What the words of a text have in common with their other forms; small words left out."""
    return frozenset(_stem(word) for word in words(text) if word not in _SMALL_WORDS)


def overlap(query: frozenset[str], text: frozenset[str]) -> float:
    """Share of a query's stems that a text has too, 0 to 1."""
    return len(query & text) / len(query) if query else 0.0


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    # "stack" and "stacked" are alike now; "place" and "placing" only without the "e".
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word


class LexicalEmbedder:
    """Hashed pieces of words: a stand-in where the semantic model is not installed."""

    id: Final = "lexical-grams-1"
    dimension: Final = 512
    # Measured by `python -m bench retrieval`: texts about other things reach 0.15.
    cutoff: Final = 0.15

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts; equal texts have equal vectors on every machine.

        Args:
            texts: Any texts; one without a word gets a vector of zeros.

        Returns:
            (n, dimension), rows of length 1.
        """
        made = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(made, texts, strict=True):
            for piece, weight in _pieces(text).items():
                # Not `hash`, which is another function in every process.
                code = zlib.crc32(piece.encode())
                row[code % self.dimension] += weight if code & 0x80000000 else -weight
            length = float(np.linalg.norm(row))
            if length > 0.0:
                row /= length
        return made


def _pieces(text: str) -> dict[str, float]:
    told = words(text)
    spoken = [word for word in told if word not in _SMALL_WORDS] or told
    counted: Counter[str] = Counter()
    for word in spoken:
        whole = f"<{word}>"
        counted[whole] += 1
        for size in _GRAMS:
            counted.update(whole[i : i + size] for i in range(len(whole) - size + 1))
    return {
        piece: (1.0 + math.log(count)) * (_WHOLE_WORD if piece[0] + piece[-1] == "<>" else 1.0)
        for piece, count in counted.items()
    }
