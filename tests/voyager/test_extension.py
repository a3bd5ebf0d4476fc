"""A kind and a predicate that the code has never heard of: the same search certifies a skill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own, so that the new words do not stay behind for other tests.
SCRIPT = """
import json, sys
from pathlib import Path

from env import Task, make_executor
from env.extensions import load_extensions
from skill_store import Library
from voyager.learn import learn

load_extensions(["tests.extensions.puck"])
task = Task.make("hovering_over(puck, block)", {"puck": "puck", "block": "block"})
with make_executor(2) as executor, Library.open(Path(sys.argv[1]), learning=True) as library:
    report = learn(task, library, executor=executor, steps=800_000)
record = report.to_json()
record["source"] = report.skill.source if report.skill else ""
record["extensions"] = [name for name, _ in report.certificate.fingerprint.extensions]
print(json.dumps(record))
"""


@pytest.mark.slow
@pytest.mark.ci
def test_an_unknown_predicate_and_kind_are_learned_by_the_same_search(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "home")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["outcome"] == "solved"
    assert record["skill"] == "hold_over"
    assert record["k"] >= 19
    assert "puck: Puck" in record["source"]
    assert record["extensions"] == ["tests.extensions.puck"]
