"""Every example runs as it stands, from top to bottom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skill_store import Library
from tests.env.skills import REACH, REACHING
from tests.skill_store.samples import certificate
from tests.voyager.homes import admit

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


def run(name: str, *arguments: str) -> str:
    """Run an example in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_all_examples_are_run_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for example in EXAMPLES.glob("*.py"):
        assert f'run("{example.name}"' in source, f"{example.name} is not tested"
        assert example.read_text(encoding="utf-8").count("\n") < 60


def test_a_declared_predicate_and_kind_are_measured() -> None:
    told = run("declare_a_predicate.py")
    assert told.count("seed ") == 4
    assert "mm from the middle line" in told


def test_an_empty_library_says_how_to_fill_it(tmp_path: Path) -> None:
    assert "voyager learn" in run("use_the_library.py", str(tmp_path / "new"))


def test_a_skill_of_a_library_is_listed_and_run(tmp_path: Path) -> None:
    with Library.open(tmp_path, learning=True) as library:
        admit(library, REACH, REACHING, certificate(REACH, REACHING))  # evidence made by hand
    told = run("use_the_library.py", str(tmp_path))
    assert "20/20" in told
    assert "reach(block=" in told
    assert ", margin " in told


@pytest.mark.slow
@pytest.mark.ci
def test_a_program_written_by_hand_is_certified_and_replayed() -> None:
    told = run("certify_a_program.py")
    assert told.count("control ") == 4
    assert "19 needed: admitted" in told
    assert told.endswith("replayed: identical\n")
