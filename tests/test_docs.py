"""The documentation is true today: generated parts, formats, modules, commands, snippets."""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import typer

from env.goals import AtomReport
from env.outcome import Outcome
from env.replays import ReplayedScene, ReplayReport
from env.sandbox import LimitReport, SkillErrorReport, SkillFrame
from env.task import Task
from env.transcript import CallRecord, ContractCheck, Episode, HandoverRecord, Start
from skill_store.migrations import MIGRATIONS
from tests.skill_store.export.homes import make_library
from tests.skill_store.samples import REACH, calling, certificate, deepening, plain
from voyager.cli import run
from voyager.cli.app import app
from voyager.comparison.comparing import Comparison
from voyager.comparison.record import Event
from voyager.config import keys
from voyager.doing.calls import Call, Offer
from voyager.doing.deed import Deed, Step
from voyager.doing.things import Thing
from voyager.doing.wish import Wish
from voyager.learn import LearnReport

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
FORMATS = (DOCS / "formats.md").read_text(encoding="utf-8")


def python(*arguments: str, path: Path = ROOT, cwd: Path = ROOT) -> str:
    """Run this Python on something and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(path)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- generated parts ----------------------------------------------------------------------------


def test_generated_parts_are_up_to_date() -> None:
    python("docs/generate.py", "--check")


def test_the_robot_api_page_is_what_the_command_prints() -> None:
    told = python("-m", "voyager", "api", "--docs")
    assert told == (DOCS / "robot_api.md").read_text(encoding="utf-8")


# -- formats ------------------------------------------------------------------------------------


def section(schema: str) -> str:
    """What formats.md says about one record."""
    found = re.search(rf"^###[^\n]*`{re.escape(schema)}`.*?(?=^###? )", FORMATS, re.M | re.S)
    assert found, f"formats.md has no section on {schema}"
    return found.group()


def test_every_schema_of_the_code_is_described() -> None:
    used = {
        schema
        for package in ("env", "skill_store", "curriculum", "voyager", "bench")
        for path in (ROOT / package).rglob("*.py")
        for schema in re.findall(r"voyager\.\w+/\d+", path.read_text(encoding="utf-8"))
    }
    assert len(used) > 15
    assert used == set(re.findall(r"voyager\.\w+/\d+", FORMATS))
    for schema in used:
        section(schema)


CLOSURE = calling("lift", plain("reach").with_contract(REACH))
CERTIFICATE = certificate(REACH, plain("reach"), after=HandoverRecord("c", "t", 1))
EPISODE = Episode(
    Outcome.FAILED,
    "",
    Start(1, HandoverRecord("c", "t", 1)),
    "t",
    "c",
    reports=(AtomReport("", True, 0.0, "", 0.0, ""),),
    calls=(CallRecord("say", (), {}, None, {"type": "", "message": ""}, 0, 0, (), "", 1, 0),),
    contracts=(ContractCheck("p", "s", {}, 0.0, 1.0, True, True, "", 1),),
    error=SkillErrorReport("E", "", (SkillFrame("p", "s", 1, 1, 0, 1, "f"),)),
    limit=LimitReport("calls", 1, 1),
)
PLATFORMS = (CERTIFICATE.fingerprint, CERTIFICATE.fingerprint)
REPLAY = ReplayReport("c", (ReplayedScene(*CERTIFICATE.scenes[:2], False, False, ""),), PLATFORMS)
CALL = Call(Offer("reach", REACH), (("block", "a"),))
DEED = Deed(
    Wish("", ((REACH.goal,),), {"block": "a"}, "words"),
    1,
    (Thing("a", "block", "red", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),),
    (Step(CALL, 0.7, EPISODE, 1),),
    True,
    "",
    EPISODE.reports,
)
LAST = Event(0, "end", "", "", 0, 0, 0, 0, 0.0, 0, 0)
RAN = {"seed": 0, "stopped": "steps", "events": [asdict(LAST)]}
COMPARISON = Comparison(Path(), 1, (0,), {"a": (RAN,)})
RECORDS = {
    "task": REACH.to_json(),
    "program": CLOSURE.entry.to_json(),
    "closure": CLOSURE.to_json(),
    "episode": EPISODE.to_json(),
    "certificate": CERTIFICATE.to_json(),
    "deepening": deepening(CERTIFICATE, 20, 20).to_json(),
    "replay": REPLAY.to_json(),
    "learn": LearnReport(Outcome.FAILED).to_json(),
    "do": DEED.to_json(),
    "compare": COMPARISON.to_json(),
}
COMMANDS = {
    "goal_check": ("goal", "check", "lifted(block)", "-p", "block=block"),
    "skills": ("skills", "list"),
    "tasks": ("tasks", "list"),
    "task_add": ("tasks", "add", "lifted(block)", "-p", "block=block"),
    "search": ("skills", "search", "lift"),
    "table": ("do",),
    "do": ("do", "lift a block"),
    "milestones": ("milestones",),
    "explorer": ("explorer", "status"),
    "progress": ("progress",),
    "budget": ("budget", "raise", "--usd", "2"),
    "price_list": ("budget", "prices"),
    "models_check": ("models", "check", "--model", "scripted:missing"),
    "report": ("report", "--no-pictures"),
    "config": ("config", "show"),
    "paths": ("paths",),
    "doctor": ("doctor",),
    "error": ("skills", "show", "nothing"),
}
_FREE = {
    "arguments",
    "binding",
    "contracts",
    "extensions",
    "kwargs",
    "lock",
    "numbers",
    "parameters",
}
"""Fields whose own keys are names of something; the sections say of what."""


def fields(value: Any, schema: str) -> Iterator[str]:
    """All field names in a record, but not those of records with a schema of their own."""
    if isinstance(value, Mapping):
        if value.get("schema", schema) != schema:
            return
        for key, inner in value.items():
            if key != "schema":
                yield key
            if key not in _FREE or isinstance(inner, list):
                yield from fields(inner, schema)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item, schema)


def check_described(record: Mapping[str, Any], schema: str) -> None:
    assert record["schema"] == schema
    # A nested record may be described where it stands first: `start` as in an episode.
    told = set(re.findall(r"`([\w. -]+)`", section(schema)))
    anywhere = set(re.findall(r"`([\w. -]+)`", FORMATS))
    top = set(record) - {"schema"}
    assert top <= told, f"{schema}: {sorted(top - told)} are not described"
    missing = set(fields(record, schema)) - anywhere
    assert not missing, f"{schema}: {sorted(missing)} are not described"


@pytest.mark.parametrize("name", RECORDS)
def test_fields_of_records_are_described(name: str) -> None:
    check_described(RECORDS[name], f"voyager.{name}/1")


@pytest.mark.parametrize("name", COMMANDS)
def test_fields_of_replies_are_described(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    run([*COMMANDS[name], "--json"])
    check_described(json.loads(capsys.readouterr().out), f"voyager.{name}/1")


def test_every_setting_is_described_with_its_default() -> None:
    for key in keys():
        row = next(line for line in FORMATS.splitlines() if line.startswith(f"| `{key.name}` "))
        assert f"`{key.variable}`" in row
        if isinstance(key.default, int) and key.name != "workers":
            assert f"| {str(key.default).lower()} |" in row


def test_every_table_and_column_is_described() -> None:
    database = sqlite3.connect(":memory:")
    for step in MIGRATIONS:
        database.executescript(step)
    lines = FORMATS.partition("### `library.db`")[2].splitlines()
    tables = [name for (name,) in database.execute("SELECT name FROM pragma_table_list")]
    for table in tables:
        if table.startswith("sqlite_"):
            continue
        row = next((line for line in lines if line.startswith(f"| `{table}` |")), "")
        columns = [c for (c,) in database.execute("SELECT name FROM pragma_table_info(?)", [table])]
        for column in columns:
            assert f"`{column}`" in row, f"{table}.{column}"


# -- architecture -------------------------------------------------------------------------------


def test_every_module_has_its_place_in_the_architecture() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+)`", page))
    for folder in ("env", "skill_store", "voyager", "voyager/writers"):
        for path in (ROOT / folder).iterdir():
            name = f"{path.name}/" if path.is_dir() else path.stem
            if name.startswith("__") or path.suffix not in ("", ".py"):
                continue
            assert name in named, f"{folder}/{path.name} is not in architecture.md"


# -- prose --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_pictures_are_small() -> None:
    pictures = list((DOCS / "pictures").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 400_000, picture.name


def documented_commands() -> list[str]:
    """Every `$ voyager ...` in a block of the documentation."""
    return sorted(
        {
            line
            for page in PAGES
            for line in re.findall(r"^\$ (voyager .*)$", page.read_text("utf-8"), re.M)
        }
    )


@pytest.mark.parametrize("line", documented_commands())
def test_documented_commands_are_ones_that_the_program_takes(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("voyager", list(words))  # refuses what it does not know
    if words and "(" in words[0]:
        given = [words[i + 1] for i, w in enumerate(words) if w in ("-p", "--param")]
        if "--extension" not in words:
            Task.make(words[0], dict(pair.split("=") for pair in given))


def test_goals_in_the_table_of_examples_can_be_read() -> None:
    page = (DOCS / "goals.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| `([\w= ]+)` \|", page, re.M)
    assert len(rows) > 8
    for goal, parameters in rows:
        Task.make(goal, dict(pair.split("=") for pair in parameters.split()))


# -- snippets -----------------------------------------------------------------------------------


def snippets(folder: Path, *pages: Path) -> None:
    """Write every snippet that names its file into a folder."""
    pattern = re.compile(r"<!-- file: ([\w.]+) -->\n+```\w+\n(.*?)^```$", re.M | re.S)
    for page in pages:
        for name, text in pattern.findall(page.read_text(encoding="utf-8")):
            (folder / name).write_text(text, encoding="utf-8")


def test_a_kind_and_a_predicate_of_ones_own(tmp_path: Path) -> None:
    snippets(tmp_path, DOCS / "extending.md")
    goal = ("goal", "check", "above(peg, bowl)", "-p", "peg=peg", "-p", "bowl=bowl", "--json")
    told = python("-m", "voyager", *goal, "--extension", "my_workshop", path=tmp_path)
    assert "the gripper does not hold" in told or "beside" in told
    checked = "import my_workshop; from env import Program; Program.parse(open('peg.py').read())"
    (tmp_path / "peg.py").write_text(
        'from robot import Peg, open_gripper\n\n\ndef leave(peg: Peg) -> None:\n    """Go."""\n'
        "    open_gripper()\n"
    )
    python("-c", checked, path=tmp_path, cwd=tmp_path)


def test_an_exporter_of_ones_own(tmp_path: Path) -> None:
    snippets(tmp_path, DOCS / "extending.md")
    with make_library(tmp_path / "home"):
        pass
    chosen = ("--skill", "lift", "--out", str(tmp_path / "out"), "--home", str(tmp_path / "home"))
    export = ("export", "--format", "table", *chosen, "--extension", "my_table")
    python("-m", "voyager", *export, path=tmp_path)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["LICENSE", "SHA256SUMS", "skills.csv"]
    assert "lift,lifted(block),admitted with 19 of 20" in (tmp_path / "out/skills.csv").read_text()


GANTRY = """
import gantry
from env import SceneSpec, Task, World, open_sandbox, run_episode
from tests.env.skills import LIFTING

task = Task.make("lifted(block, 0.08)", {"block": "block"}, scene=SceneSpec(robot="gantry"))
with World() as world, open_sandbox() as sandbox:
    for seed in range(4):
        first = run_episode(world, sandbox, task, LIFTING, seed)
        again = run_episode(world, sandbox, task, LIFTING, seed)
        print(first.outcome, first.hash == again.hash)
"""


def test_a_robot_of_ones_own_lifts_with_a_skill_of_the_panda(tmp_path: Path) -> None:
    snippets(tmp_path, DOCS / "extending.md")
    told = python("-c", GANTRY, path=tmp_path).splitlines()
    assert told == ["solved True"] * 4


@pytest.mark.slow
@pytest.mark.ci
def test_a_writer_of_ones_own(tmp_path: Path) -> None:
    snippets(tmp_path, DOCS / "extending.md")
    told = python("use_my_writer.py", "home", path=tmp_path, cwd=tmp_path)
    assert told.startswith("solved ")


@pytest.mark.slow
@pytest.mark.ci
def test_the_python_of_the_readme(tmp_path: Path) -> None:
    snippets(tmp_path, ROOT / "README.md")
    assert "solved" in python("learn_to_lift.py", path=tmp_path, cwd=tmp_path)
