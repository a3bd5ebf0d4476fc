"""A package of skills: programs to the byte, a runtime of its own, and evidence that replays."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from env.program import Program
from skill_store import Library
from skill_store.archive import restore
from skill_store.export import Bundle, ExportError, ExportOptions, find_format, gather, write
from skill_store.export.python_package import functions_of
from skill_store.export.robot_protocol import robot_module
from skill_store.export.single_file import runtime_text, taken_names
from tests.skill_store.export.homes import CLOSER, REACHING, make_library

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "examples" / "library" / "library.tar.gz"
NAME = "bench_skills"
MODULES = ("robot_api", "asking", "running", "kinematic", "check_adapter", "command")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    home = tmp_path_factory.mktemp("shipped") / "home"
    restore(SHIPPED, home)
    with Library.open(home) as library:
        yield gather(library, everything=True, allow_uncertified=True)


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[Bundle]:
    """`lift` calls the first `reach`, and `reach` has another champion since."""
    with make_library(tmp_path / "home") as library:
        yield gather(library, names=["lift", "reach"])


def exported(bundle: Bundle, folder: Path, **options: Any) -> Path:
    write(find_format("python"), bundle, folder, ExportOptions(name=NAME, **options))
    return folder


def python(code: str, *paths: Path) -> str:
    """Run code in an interpreter that knows these folders and the standard library only."""
    prelude = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def command(*arguments: str, code: int = 0, **where: Any) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **where
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_the_shipped_protocol_is_the_table_of_calls() -> None:
    # In a process of its own: tests declare kinds, which belong in an export and not in this file.
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from skill_store.export.robot_protocol import robot_module as m; print(m(), end='')",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == runtime_text("robot_api")
    ast.parse(robot_module())


def test_no_two_modules_of_the_runtime_bind_one_name() -> None:
    """They share one namespace in the single file."""
    seen: dict[str, str] = {}
    for module in MODULES:
        text = runtime_text(module)
        for node in ast.parse(text).body:
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            if isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                names = [target.id] if isinstance(target, ast.Name) else []
            for name in names:
                assert seen.setdefault(name, module) == module
                assert name in taken_names()
        # A single file drops comments at the margin, so there is none that says anything.
        margin = [line for line in text.splitlines() if line.startswith("# ")]
        assert all(re.match(r"# (Copyright|SPDX|ruff:)", line) for line in margin)


def test_programs_leave_to_the_byte(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    index = json.loads((folder / NAME / "data" / "index.json").read_text())
    assert index["schema"] == "voyager.python_package/1"
    assert index["programs"].keys() == shipped.programs.keys()
    for key, known in index["programs"].items():
        text = (folder / NAME / "programs" / known["file"]).read_bytes().decode()
        assert text == shipped.programs[key].source
        assert Program.parse(text, known["lock"]).hash == key
    files = {path.name for path in (folder / NAME / "data" / "evidence").iterdir()}
    assert files == {f"{e.skill.name}.json" for e in shipped.skills}
    sums = (folder / "SHA256SUMS").read_text().splitlines()
    for line in sums:
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert len(sums) == sum(path.is_file() for path in folder.rglob("*")) - 1


def test_it_runs_with_the_standard_library_alone(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    told = python(
        f"import {NAME} as skills\n"
        f"from {NAME}.kinematic import example\n"
        "robot = example()\n"
        "skills.put_in(robot, 'red_block', 'bowl')\n"
        "print(robot.position('red_block'), robot.position('bowl'), robot.holding())\n"
        "assert not {'numpy', 'env', 'skill_store'} & sys.modules.keys()\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('robot', 'skills')]\n"
        "print(skills.put_in.__doc__)\n",
        folder,
    )
    first, doc = told.split("\n", 1)
    assert first == "(0.6000000000000002, 0.1, 0.03) (0.6, 0.1, 0.025) None"
    assert "Goal: inside(graspable, container)" in doc
    assert "No claim about real hardware." in " ".join(doc.split())
    assert "lower bound" in doc


def test_two_programs_of_one_name_both_work(versions: Bundle, tmp_path: Path) -> None:
    code = (
        f"import {NAME} as skills\n"
        "{example}"
        "for name in ('lift', 'reach'):\n"
        "    calls = []\n"
        "    skills.SKILLS.run(name, example(), {{'block': 'red_block'}}, watch=calls.append)\n"
        "    print(name, *[call.name for call in calls])\n"
    )
    # The champion of `reach` goes there twice; the one that `lift` was certified with, once.
    wanted = "lift position move_to\nreach position move_to position move_to\n"
    folder = exported(versions, tmp_path / "package")
    listed = {path.name for path in (folder / NAME / "programs").iterdir()}
    assert listed == {"lift.py", "reach.py", f"reach_{REACHING.root[:12]}.py"}
    assert (folder / NAME / "programs" / "reach.py").read_text() == CLOSER.entry.source
    imported = f"from {NAME}.kinematic import example\n"
    found = python(code.format(example=imported), folder)
    assert found in (wanted, "".join(reversed(wanted.splitlines(keepends=True))))
    one = exported(versions, tmp_path / "one", single_file=True)
    assert python(code.format(example="example = skills.example\n"), one) == found


def test_one_file_does_it_too(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out", single_file=True)
    assert {path.name for path in folder.iterdir()} == {
        f"{NAME}.py",
        "README.md",
        "LICENSE",
        "SHA256SUMS",
    }
    script = str(folder / f"{NAME}.py")
    listed = json.loads(command("-I", script, "list"))["skills"]
    assert [skill["name"] for skill in listed] == [e.skill.name for e in shipped.skills]
    ran = json.loads(
        command("-I", script, "run", "put_in", "--example", "graspable=red_block", "container=bowl")
    )
    assert ran["schema"] == "voyager.skill_run/1"
    assert (ran["returned"], ran["judged"], ran["error"]) == (True, False, None)
    assert ran["objects"]["red_block"]["position"] == pytest.approx([0.6, 0.1, 0.03])
    assert any("no physics" in note for note in ran["notes"])
    command("-I", script, "check-adapter", f"{NAME}:example", cwd=folder)
    ruff = [str(ROOT / ".venv" / "bin" / "ruff"), "check", "--isolated", "--select", "F,E9"]
    if Path(ruff[0]).exists():
        assert subprocess.run([*ruff, script], check=False).returncode == 0


def test_the_command_line_says_what_is_wrong(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    run = ("-m", NAME, "run", "grasp")
    told = command(*run, "--example", code=2, cwd=folder)
    assert "grasp also needs graspable=..." in told
    told = command(*run, "--example", "cup=red_block", code=2, cwd=folder)
    assert "'cup=red_block' is no argument of grasp; it takes graspable=..." in told
    told = command(*run, "graspable=red_block", code=2, cwd=folder)
    assert "say which robot: --robot MODULE:OBJECT, or --example" in told
    told = command(*run, "--example", "graspable=bowl", code=2, cwd=folder)
    assert "grasp() takes a graspable as 'graspable', and 'bowl' is a bowl" in told
    assert "unrecognized arguments: --fast" in command(*run, "--fast", code=2, cwd=folder)


def test_an_error_of_the_robot_is_a_result(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    (folder / "wide.py").write_text(
        f"from {NAME}.kinematic import KinematicRobot, Thing\n"
        "def robot():\n"
        "    box = Thing('box', 'block', 'red', (0.4, 0.0, 0.05), (0.1, 0.1, 0.1))\n"
        "    return KinematicRobot([box])\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", NAME, "run", "grasp", "--robot", "wide:robot", "graspable=box"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert record["returned"] is False
    assert record["error"]["type"] == "NothingHeld"
    assert record["error"]["numbers"] == {"width": 0.0}
    assert record["calls"][-1]["error"].startswith("NothingHeld: ")


def test_words_of_others_stay_words(shipped: Bundle, tmp_path: Path) -> None:
    """A task's sentence may come from a model: it must not become code, or a command."""
    first = shipped.skills[0]
    evil = 'Do it.""" + __import__("os").abort() + """\\N{x} \x1b[31m | {0} %s'
    task = replace(first.skill.task, instruction=evil)
    bundle = replace(shipped, skills=(replace(first, skill=replace(first.skill, task=task)),))
    folder = exported(bundle, tmp_path / "out")
    told = python(f"import {NAME} as skills; print(skills.grasp.__doc__)", folder)
    assert '__import__("os").abort()' in told
    assert "\x1b" not in told
    assert "\x1b" not in (folder / "README.md").read_text()
    one = exported(bundle, tmp_path / "one", single_file=True)
    assert '__import__("os").abort()' in python(
        f"import {NAME} as skills; print(skills.grasp.__doc__)", one
    )


def test_a_function_gets_another_name_where_its_own_is_taken(shipped: Bundle) -> None:
    first = shipped.skills[0]
    assert "check" in taken_names()
    named = [
        replace(first, skill=replace(first.skill, name=name)) for name in ("check", "check_skill")
    ]
    assert functions_of(replace(shipped, skills=(first, *named))) == {
        "grasp": "grasp",
        "check": "check_skill_skill",
        "check_skill": "check_skill",
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("My-Skills", "cannot be the name of a package"),
        ("class", "cannot be the name of a package"),
        ("../up", "cannot be the name of a package"),
        ("json", "is the name of another package"),
        ("env", "is the name of another package"),
    ],
)
def test_a_name_that_no_package_can_have(
    shipped: Bundle, tmp_path: Path, name: str, told: str
) -> None:
    with pytest.raises(ExportError, match=told):
        write(find_format("python"), shipped, tmp_path / "out", ExportOptions(name=name))
    assert list(tmp_path.iterdir()) == []


def test_what_it_depends_on(shipped: Bundle, tmp_path: Path) -> None:
    project = tomllib.loads((exported(shipped, tmp_path / "out") / "pyproject.toml").read_text())
    assert project["build-system"]["requires"] == []
    assert project["project"]["dependencies"] == []
    extra = project["project"]["optional-dependencies"]["selftest"]
    assert extra == [f"voyager-skill-library=={shipped.version}"]
    reckoning = Program.parse(
        "import numpy\nfrom robot import Block\n\n\ndef act(block: Block) -> None:\n"
        '    """Act."""\n'
    )
    more = replace(shipped, programs={**shipped.programs, reckoning.hash: reckoning})
    project = tomllib.loads((exported(more, tmp_path / "more") / "pyproject.toml").read_text())
    assert project["project"]["dependencies"] == ["numpy>=2"]


def test_certificates_are_proved_again_from_the_files(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    where: dict[str, Any] = {
        "cwd": folder,
        "env": {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
    }
    run = ("-m", f"{NAME}.selftest", "--skill", "put_at_place", "--scenes", "1", "--json")
    record = json.loads(command(*run, **where))
    assert (record["schema"], record["ok"]) == ("voyager.selftest/1", True)
    (row,) = record["skills"]
    assert row["verdict"] in ("identical", "agrees", "other platform")
    assert (row["skill"], row["scenes"]) == ("put_at_place", 1)
    program = folder / NAME / "programs" / "grasp.py"  # which it calls
    program.write_text(program.read_text().replace("open_gripper()", "open_gripper() or None"))
    done = subprocess.run(
        [sys.executable, *run], capture_output=True, text=True, check=False, **where
    )
    assert done.returncode == 1
    (row,) = json.loads(done.stdout)["skills"]
    assert row["verdict"] == "broken"
    assert "its source gives" in row["detail"]


def test_without_the_simulator_the_self_test_says_so(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    told = command("-S", "-m", f"{NAME}.selftest", code=2, cwd=folder)
    assert "the simulator is not installed" in told
    assert "selftest" in told


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(900)
def test_it_installs_in_a_clean_environment_and_passes(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    venv.create(tmp_path / "venv", with_pip=True)
    clean = str(tmp_path / "venv" / "bin" / "python")

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [clean, "-I", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    run("-m", "pip", "install", "--no-index", "--disable-pip-version-check", str(folder))
    run("-m", "pip", "check")
    assert run("-m", f"{NAME}.check_adapter", f"{NAME}.kinematic:example", "--act").endswith(
        "43 ok, 0 failed, 0 not tried\n"
    )
    told = run(
        "-m", NAME, "run", "put_on_block", "--example", "graspable=red_block", "block=blue_block"
    )
    assert json.loads(told)["objects"]["red_block"]["position"] == pytest.approx([0.5, -0.1, 0.07])
    run("-m", f"{NAME}.selftest", code=2)
    # The simulator comes from the wheel; its dependencies are those of this environment.
    wheels = tmp_path / "wheels"
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(wheels))
    subprocess.run([*pip, str(ROOT)], check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    run(
        "-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check", str(wheel)
    )
    site = next((tmp_path / "venv" / "lib").glob("python3*/site-packages"))
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(others) + "\n")
    assert str(site) in run("-c", "import env; print(env.__file__)")
    record = json.loads(run("-m", f"{NAME}.selftest", "--scenes", "1", "--json"))
    assert record["ok"]
    assert {row["scenes"] for row in record["skills"]} == {1}
    assert len(record["skills"]) == len(shipped.skills)


def test_what_pip_builds_is_whole_and_always_the_same(shipped: Bundle, tmp_path: Path) -> None:
    folder = exported(shipped, tmp_path / "out")
    made = []
    for number in (1, 2):
        target = tmp_path / str(number)
        target.mkdir()
        code = (
            "import build_backend as b\n"
            f"print(b.build_wheel({str(target)!r}), b.build_sdist({str(target)!r}))"
        )
        wheel, sdist = python(code, folder).split()
        made.append((target / wheel).read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(target / wheel) as archive:
        names = set(archive.namelist())
        record = next(name for name in names if name.endswith(".dist-info/RECORD"))
        rows = [line.rsplit(",", 2) for line in archive.read(record).decode().splitlines()]
        assert {row[0] for row in rows} == names
        for name, digest, size in rows:
            if name != record:
                data = archive.read(name)
                found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                assert (digest, size) == (f"sha256={found.decode()}", str(len(data)))
        inside = {name for name in names if name.startswith(f"{NAME}/")}
    here = {p.relative_to(folder).as_posix() for p in (folder / NAME).rglob("*") if p.is_file()}
    assert inside == {name for name in here if "__pycache__" not in name}
    with tarfile.open(target / sdist) as source:
        held = {name.partition("/")[2] for name in source.getnames()}
    assert inside | {"pyproject.toml", "build_backend.py", "README.md", "LICENSE"} <= held
