"""`voyager skills search`, and what `voyager doctor` says about finding skills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skill_store import Library, Retrieval
from skill_store.chroma_index import ChromaIndex
from skill_store.embedder import SemanticEmbedder
from skill_store.lexical import LexicalEmbedder
from tests.skill_store.finding import make_library
from voyager.cli import run
from voyager.doctor import Finding, Health, examine

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    make_library(made)
    return made


def search(home: Path, *arguments: str) -> int:
    return run(["skills", "search", *arguments, "--home", str(home)])


def test_a_table_of_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(home, "stack things") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].split() == ["name", "score", "state", "bound", "goal"]
    assert told.out.splitlines()[2].split()[0] == "put_on"
    assert told.err == ""


def test_json_holds_the_whole_hit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert search(home, "raise_block", "--limit", "1", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "voyager.search/1"
    assert (record["query"], record["embedder"]) == ("raise_block", SemanticEmbedder.id)
    assert record["hits"] == [
        {
            "name": "raise_block",
            "score": 1.05,
            "view": "name",
            "instruction": "Lift a block high above the table.",
            "goal": "lifted(block)",
            "state": "probation",
            "bound": None,
        }
    ]


def test_nothing_near_is_one_sentence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(home, "who won the election of 1912") == 0
    assert capsys.readouterr().out.startswith("No skill here is near 'who won the election")
    assert search(tmp_path / "empty", "stack") == 0
    assert "This library is empty" in capsys.readouterr().out
    assert search(home, "stack", "--limit", "0") == 2


def test_without_the_model_it_says_so_once(home: Path) -> None:
    script = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from voyager.cli import run\n"
        "sys.exit(run(['skills', 'search', 'lift a block', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "VOYAGER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    record = json.loads(done.stdout)
    assert record["embedder"] == LexicalEmbedder.id
    assert record["hits"][0]["name"] == "raise_block"
    assert done.stderr.count("searching by letters only") == 1


def finding(home: Path, name: str) -> Finding:
    (found,) = [one for one in examine(home) if one.name == name]
    return found


def test_the_doctor_looks_at_embedder_and_index(home: Path) -> None:
    assert finding(home, "embedder").detail == f"{SemanticEmbedder.id}: skills are found by meaning"
    assert finding(home, "index").detail == "none: searches look at every skill"
    with Library.open(home, learning=True) as library:
        with Retrieval(library, ChromaIndex.open(home), LexicalEmbedder()) as retrieval:
            retrieval.refresh()
            busy = finding(home, "index")
        assert busy.detail == "not looked at: somebody learns in this home"
    sound = finding(home, "index")
    assert (sound.health, sound.detail) == (Health.OK, f"12 vectors of {LexicalEmbedder.id}")
    (home / "index" / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    broken = finding(home, "index")
    assert broken.health is Health.NOTE
    assert "filled again at the next start" in broken.detail
