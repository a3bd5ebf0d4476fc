"""Folders in the Agent Skills format: the reference validator takes them, their scripts run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from skills_ref import read_properties, validate

from skill_store import Library
from skill_store.archive import restore
from skill_store.export import Bundle, ExportOptions, find_format, gather, write
from skill_store.export.agent_skills import folder_names
from tests.skill_store.export.homes import make_library

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "examples" / "library" / "library.tar.gz"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    home = tmp_path_factory.mktemp("shipped") / "home"
    restore(SHIPPED, home)
    with Library.open(home) as library:
        yield gather(library, everything=True, allow_uncertified=True)


@pytest.fixture(scope="module")
def folder(shipped: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("agent") / "skills"
    write(find_format("agentskills"), shipped, target, ExportOptions())
    return target


def run(script: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), *arguments],
        cwd=script.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_the_reference_validator_accepts_them_all(shipped: Bundle, folder: Path) -> None:
    found = sorted(path for path in folder.iterdir() if path.is_dir())
    assert len(found) == len(shipped.skills)
    for path in found:
        assert validate(path) == []
        told = read_properties(path)
        assert told.name == path.name
        assert "No claim about real hardware." in told.description
        assert told.license is not None
        assert told.license.startswith("MIT-0")
        assert len((path / "SKILL.md").read_text().splitlines()) < 500


def test_the_command_of_the_validator_accepts_one(folder: Path) -> None:
    tool = Path(sys.executable).with_name("agentskills")
    done = subprocess.run(
        [str(tool), "validate", str(folder / "put-in")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_says_when_how_and_how_well(folder: Path) -> None:
    page = (folder / "put-in" / "SKILL.md").read_text()
    for wanted in (
        "`inside(graspable, container)`",
        "| `container` | name of an object of kind container (one of: bowl, tray)",
        "95 % lower bound 79.8",
        "metres, radians and newton",
        "5 x failed",
        "1 x skill_error",
        "| `NothingHeld` |",
        "no camera",
    ):
        assert wanted in page
    linked = set(re.findall(r"(?:scripts|references|assets)/[a-z.-]+", page))
    assert {"scripts/run.py", "references/robot-api.md", "assets/certificate.json"} <= linked
    for name in linked:
        assert (folder / "put-in" / name).is_file()


def test_a_script_stands_alone(folder: Path) -> None:
    script = folder / "put-in" / "scripts" / "run.py"
    block = re.search(r"^# /// script\n((?:#.*\n)*?)# ///$", script.read_text(), re.MULTILINE)
    assert block is not None
    about = tomllib.loads("".join(line[2:] + "\n" for line in block[1].splitlines()))
    assert about == {"requires-python": ">=3.11", "dependencies": []}
    told, _ = run(script, "--help")
    assert "graspable=...  name of an object of kind graspable" in told
    assert "exit code 0 when the skill returned" in told
    out, err = run(script, "--example", "graspable=red_block", "container=bowl")
    record = json.loads(out)
    assert err == ""
    assert record["returned"] is True
    assert record["goal"] == "inside(graspable, container)"
    assert record["objects"]["red_block"]["position"] == pytest.approx([0.6, 0.1, 0.03])
    assert json.loads(run(script, "--describe")[0]) == json.loads(
        (folder / "put-in" / "assets" / "contract.json").read_text()
    )


def test_a_script_tells_what_is_missing_on_standard_error(folder: Path) -> None:
    script = folder / "put-in" / "scripts" / "run.py"
    out, err = run(script, "graspable=red_block", "container=bowl", code=2)
    assert out == ""
    assert "say which robot" in err
    out, err = run(script, "--check", code=2)
    assert "--check needs --robot" in err
    out, err = run(script, "--robot", "nowhere:robot", "graspable=a", "container=b", code=1)
    assert out == ""
    assert "cannot be loaded" in err


def test_an_adapter_with_errors_of_its_own_is_understood(folder: Path) -> None:
    (folder / "grasp" / "lame.py").write_text(
        "class Unreachable(Exception):\n"
        "    def __init__(self, message, **numbers):\n"
        "        super().__init__(message)\n"
        "        self.message, self.numbers = message, numbers\n\n"
        "class Lame:\n"
        "    def kind(self, name): return 'block'\n"
        "    def open_gripper(self): pass\n"
        "    def position(self, name): return [0.4, 0.0, 0.02]\n"
        "    def yaw(self, name): return 0\n"
        "    def objects(self, kind=None): return ['cube']\n"
        "    def move_to(self, position, yaw, speed, via):\n"
        "        raise Unreachable('too far', short_by=0.3)\n"
    )
    script = folder / "grasp" / "scripts" / "run.py"
    out, _ = run(script, "--robot", "lame:Lame", "graspable=cube", code=1)
    error = json.loads(out)["error"]
    assert error == {"type": "Unreachable", "message": "too far", "numbers": {"short_by": 0.3}}


def test_a_script_holds_what_its_skill_calls_and_nothing_else(tmp_path: Path) -> None:
    with make_library(tmp_path / "home") as library:
        bundle = gather(library, names=["lift", "reach"])
    write(find_format("agentskills"), bundle, tmp_path / "out", ExportOptions())
    script = tmp_path / "out" / "lift" / "scripts" / "run.py"
    out, _ = run(script, "--example", "block=red_block")
    # The version of `reach` that lift was certified with moves once, today's champion twice.
    assert [call["name"] for call in json.loads(out)["calls"]] == ["position", "move_to"]
    assert "Go there twice." not in script.read_text()
    page = (tmp_path / "out" / "lift" / "SKILL.md").read_text()
    assert 'lower_bound: "not measured"' in page
    assert "no bound yet" in page


def test_names_of_folders_differ_and_keep_the_rules(shipped: Bundle) -> None:
    first = shipped.skills[0]
    named = [
        replace(first, skill=replace(first.skill, name=name))
        for name in ("put_on", "put__on", "a" * 64, "x_" * 32, "tail_")
    ]
    found = folder_names(replace(shipped, skills=tuple(named)))
    assert found["put_on"] == "put-on"
    assert found["put__on"] == f"put-on-{first.skill.closure.root[:8]}"
    assert len(set(found.values())) == len(named)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in found.values())
    assert max(len(name) for name in found.values()) == 64


def test_hostile_words_stay_inside_their_field(shipped: Bundle, tmp_path: Path) -> None:
    first = shipped.skills[0]
    evil = 'Do it: "x"\n---\nlicense: none\n# {% raw %} \x1b[2J'
    task = replace(first.skill.task, instruction=evil)
    bundle = replace(shipped, skills=(replace(first, skill=replace(first.skill, task=task)),))
    write(find_format("agentskills"), bundle, tmp_path / "out", ExportOptions())
    path = tmp_path / "out" / "grasp"
    assert validate(path) == []
    told = read_properties(path)
    assert told.description.startswith('Do it: "x" -- license: none # {% raw %} [2J.')
    assert told.license is not None
    assert told.license.startswith("MIT-0")
    assert "\x1b" not in (path / "SKILL.md").read_text()
