"""The index that looks at every vector: one matrix in memory, exact, any process may have one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from skill_store.vector_index import Content, Match, Vectors, ranked

_NOTHING: Final[Vectors] = np.zeros((0, 0), np.float32)


class ExactIndex:
    """All vectors in one array. Faster than an approximate index up to tens of thousands."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._content: Content | None = None
        self._keys: tuple[str, ...] = ()
        self._matrix: Vectors = _NOTHING

    def holds(self, content: Content) -> bool:
        """See `VectorIndex.holds`."""
        return self._content == content

    def fill(self, content: Content, keys: Sequence[str], vectors: Vectors) -> None:
        """See `VectorIndex.fill`; never fails. The array is kept, not copied."""
        self._keys = tuple(keys)
        self._matrix = np.ascontiguousarray(vectors, np.float32).reshape(-1, content.dimension)
        self._content = content

    def update(
        self, content: Content, gone: Collection[str], keys: Sequence[str], vectors: Vectors
    ) -> None:
        """See `VectorIndex.update`; never fails."""
        leaving = {*gone, *keys}
        stays = [index for index, key in enumerate(self._keys) if key not in leaving]
        self.fill(
            content,
            [*(self._keys[index] for index in stays), *keys],
            np.concatenate(
                [
                    self._matrix.reshape(-1, content.dimension)[stays],
                    np.asarray(vectors, np.float32).reshape(-1, content.dimension),
                ]
            ),
        )

    def search(self, vector: Vectors, most: int) -> tuple[Match, ...]:
        """See `VectorIndex.search`; never fails."""
        count = len(self._keys)
        if count == 0 or most < 1:
            return ()
        scores = self._matrix @ vector
        if most < count:
            # Everything that could tie with the last one is sorted out by key afterwards.
            least = np.partition(scores, count - most)[count - most]
            chosen = np.flatnonzero(scores >= least - 1e-6)
        else:
            chosen = np.arange(count)
        return ranked([self._keys[index] for index in chosen], scores[chosen].tolist())[:most]

    def close(self) -> None:
        """See `VectorIndex.close`."""
        self._content, self._keys, self._matrix = None, (), _NOTHING
