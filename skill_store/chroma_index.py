"""The index in Chroma, on the disk: exact for small libraries, nearly so for large ones.

Chroma walks a graph of neighbours (HNSW). In a sparse one now and then no way leads to a vector,
one in some tens of thousands where many are alike. So a small index gets a graph in which each
vector is the neighbour of each other, and a search that does not end before it has seen them all.

The only module that knows chromadb, which is imported when an index is first opened. What lies in
the folder is never the truth. A process that is killed while Chroma writes its graph leaves files
that make the next one crash, so a folder is opened only after a child process has looked at it
(`index_probe`), and is otherwise deleted and filled again. Chroma is not made for several
processes: only the holder of the home's lock may open it.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from skill_store import index_probe
from skill_store.database import INDEX_FOLDER as INDEX_FOLDER
from skill_store.vector_index import Content, IndexBroken, Match, Vectors, ranked

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection as ChromaCollection

SCHEMA: Final = "voyager.index/2"

MOST_EXACT: Final = 800
"""Vectors up to which an index is filled so that nothing is missed."""

_T = TypeVar("_T")
_COLLECTION: Final = "skills"
_SYNC_THRESHOLD: Final = 1_000
_BATCH: Final = 1_000
_VERTICES: Final = 1_024
"""Vectors up to which each can be linked to each; the forgotten ones count until a new filling."""
_COMPLETE: Final[CreateHNSWConfiguration] = {
    "max_neighbors": _VERTICES,
    "ef_construction": _VERTICES,
    "ef_search": _VERTICES,
}
_SPARSE: Final[CreateHNSWConfiguration] = {"max_neighbors": 32, "ef_search": 400}
"""Above the defaults of 16 and 100. Missed of 2,700 nearest ones among 3,000 vectors that point
anywhere: 1, and 162 with 16 and 200; of 3,600 among 15,000 that lie like skills: none."""
_CHANGING: Final = "changing"
_SAMPLES: Final = 16
_SAME: Final = 1e-3  # cosine distance below which a vector has found itself


class ChromaIndex:
    """One Chroma collection in one folder; see `VectorIndex` for what it promises."""

    def __init__(self, folder: Path, *, sync_threshold: int = _SYNC_THRESHOLD) -> None:
        """Prepare an index; nothing is opened or imported yet.

        Args:
            folder: Belongs to the index alone, which deletes it whenever it is in doubt.
            sync_threshold: Writes after which Chroma puts its graph on the disk.
        """
        self.folder = folder
        self._sync_threshold = sync_threshold
        self._client: Client | None = None
        self._collection: ChromaCollection | None = None
        self._content: Content | None = None
        self._room = 0  # vectors that may be written before it has to be filled again

    @classmethod
    def open(cls, home: Path, *, sync_threshold: int = _SYNC_THRESHOLD) -> ChromaIndex:
        """The index of a home, in its folder `index`; see `__init__`."""
        return cls(home / INDEX_FOLDER, sync_threshold=sync_threshold)

    def holds(self, content: Content) -> bool:
        """See `VectorIndex.holds`; the first time a child process looks at the folder."""
        if self._collection is None and index_probe.examine(self.folder) == content:
            try:
                with _explained(self.folder):
                    self._client, self._collection = _connect(self.folder)
                    self._room = int((self._collection.metadata or {})["room"])
            except IndexBroken:
                return False
            self._content = content
        return self._content == content

    def fill(self, content: Content, keys: Sequence[str], vectors: Vectors) -> None:
        """See `VectorIndex.fill`; deletes the folder first."""
        self.close()
        small, count = len(keys) <= MOST_EXACT, len(keys)
        graph, room = (_COMPLETE, _VERTICES - count) if small else (_SPARSE, count)
        with _explained(self.folder):
            _delete(self.folder)
            self.folder.mkdir(parents=True)
            client = self._client = _client(self.folder)
            collection = self._collection = client.create_collection(
                _COLLECTION,
                embedding_function=None,
                configuration={
                    "hnsw": {"space": "cosine", "sync_threshold": self._sync_threshold, **graph}
                },
                metadata=_metadata(content, _CHANGING, 0),
            )
            _upsert(collection, keys, vectors)
            collection.modify(metadata=_metadata(content, content.digest, room))
        self._room = room
        self._content = content

    def update(
        self, content: Content, gone: Collection[str], keys: Sequence[str], vectors: Vectors
    ) -> None:
        """See `VectorIndex.update`; an index that was never filled or found sound is broken.

        So is one that has no room left: what is changed or forgotten stays in its graph.
        """
        collection = self._opened()
        room = self._room - len(keys)
        if room < 0:
            raise IndexBroken(f"the index {self.folder} has no room left; fill it again")
        self._content = None
        with _explained(self.folder):
            # Whoever finds this mark knows that a writer died in the middle.
            collection.modify(metadata=_metadata(content, _CHANGING, room))
            # A changed one is written anew: moving it within a graph of so many links takes
            # a tenth of a second.
            for batch in _batches(sorted({*gone, *keys})):
                collection.delete(ids=list(batch))
            _upsert(collection, keys, vectors)
            collection.modify(metadata=_metadata(content, content.digest, room))
        self._room = room
        self._content = content

    def search(self, vector: Vectors, most: int) -> tuple[Match, ...]:
        """See `VectorIndex.search`; of more than `MOST_EXACT` vectors a near one may be missing."""
        collection = self._opened()
        if self._content is None or self._content.count == 0 or most < 1:
            return ()
        # Of a small one all: which of several equal ones come first is for their keys to say.
        count = self._content.count
        asked = count if count <= MOST_EXACT else min(most, count)
        with _explained(self.folder):
            keys, distances = _nearest(collection, vector, asked)
        return ranked(keys, [1.0 - distance for distance in distances])[:most]

    def close(self) -> None:
        """See `VectorIndex.close`."""
        client, self._client = self._client, None
        self._collection = self._content = None
        if client is not None:
            with _explained(self.folder):
                client.close()

    def _opened(self) -> ChromaCollection:
        if self._collection is None:
            raise IndexBroken(f"the index {self.folder} is not open; fill it first")
        return self._collection


def look(folder: Path) -> Content | None:
    """Open an index that may be damaged and try it out; only for a process that may crash.

    Args:
        folder: Of the index.

    Returns:
        What it holds, if it says so itself and a sample of its vectors can be found.
    """
    client, collection = _connect(folder)
    try:
        told: dict[str, Any] = dict(collection.metadata or {})
        if told.pop("schema", None) != SCHEMA:
            return None
        del told["room"]
        content = Content(**told)
        count = collection.count()
        if count != content.count or content.digest == _CHANGING:
            return None
        for offset in range(0, count, max(1, count // _SAMPLES)):
            found = collection.get(limit=1, offset=offset, include=["embeddings"])["embeddings"]
            if found is None or len(found) != 1:
                return None
            _, distances = _nearest(collection, np.asarray(found[0], np.float32), 1)
            if not distances or distances[0] > _SAME:
                return None
        return content
    finally:
        client.close()


def _connect(folder: Path) -> tuple[Client, ChromaCollection]:
    client = _client(folder)
    try:
        return client, client.get_collection(_COLLECTION, embedding_function=None)
    except BaseException:
        client.close()
        raise


def _client(folder: Path) -> Client:
    from chromadb.api.client import Client
    from chromadb.config import Settings

    # Said in full, so that neither the environment nor a file .env changes what is opened.
    told: dict[str, Any] = {
        "_env_file": None,
        "chroma_api_impl": "chromadb.api.rust.RustBindingsAPI",
        "is_persistent": True,
        "persist_directory": str(folder),
        "anonymized_telemetry": False,
        "chroma_otel_collection_endpoint": "",
        "allow_reset": False,
        "migrations": "apply",
    }
    return Client(settings=Settings(**told))


def _upsert(collection: ChromaCollection, keys: Sequence[str], vectors: Vectors) -> None:
    # Not `add`, which passes over known keys without a word.
    for batch in _batches(range(len(keys))):
        collection.upsert(
            ids=[keys[index] for index in batch],
            embeddings=np.asarray(vectors, np.float32)[list(batch)],
        )


def _nearest(
    collection: ChromaCollection, vector: Vectors, most: int
) -> tuple[list[str], list[float]]:
    found = collection.query(
        query_embeddings=np.asarray(vector, np.float32)[np.newaxis],
        n_results=most,
        include=["distances"],
    )
    distances = found["distances"]
    return found["ids"][0], [] if distances is None else list(distances[0])


def _metadata(content: Content, digest: str, room: int) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "embedder": content.embedder,
        "dimension": content.dimension,
        "count": content.count,
        "digest": digest,
        "room": room,
    }


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _delete(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Everything that goes wrong inside Chroma means the same: do not use this folder."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    # A panic of its Rust part is not even an Exception.
    except BaseException as error:
        raise IndexBroken(
            f"the index {folder} failed ({type(error).__name__}: {error}); it is filled again "
            "from the library at the next start"
        ) from error
