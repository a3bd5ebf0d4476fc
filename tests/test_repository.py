"""Promises of the repository itself."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pybullet_data
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGES = ("voyager", "skill_store", "curriculum", "env")


def _tracked() -> list[Path]:
    """The project's own files: what git tracks, or all of an unpacked archive."""
    if (ROOT / ".git").exists() and shutil.which("git") is not None:
        asked = [
            "git",
            "-C",
            str(ROOT),
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]
        told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        return [path for name in told.split("\0") if name and (path := ROOT / name).is_file()]
    skipped = {".git", ".venv", ".hypothesis", "__pycache__", "build", "dist"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(part in skipped or part.endswith("_cache") for part in path.parts)
    ]


def _tracked_text() -> dict[str, str]:
    """The project's own text files."""
    binary = {".gif", ".gz", ".png", ".pyc"}
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in _tracked()
        if path.suffix not in binary
    }


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_is_ignored_by_git(package: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    paths = [f"{package}/world.py", f"{package}/bodies/block.py", f"tests/{package}/test_x.py"]
    asked = subprocess.run(["git", "-C", str(tmp_path), "check-ignore", *paths], check=False)
    assert asked.returncode == 1, "git ignores a folder of the project"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("path", [".venv/bin/python", "env/__pycache__/x.pyc", "build/lib/x.py"])
def test_leftovers_are_ignored_by_git(path: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    asked = subprocess.run(["git", "-C", str(tmp_path), "check-ignore", path], check=False)
    assert asked.returncode == 0


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_ships_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert (ROOT / package / "__init__.py").is_file()


def test_third_party_lists_the_model_that_is_installed() -> None:
    listed = re.findall(r"^\| `([\w./]+)` \| `([0-9a-f]{64})` \|$", _third_party(), re.MULTILINE)
    assert "panda.urdf" in dict(listed)
    folder = Path(pybullet_data.getDataPath()) / "franka_panda"
    for name, expected in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name
    physics = {f"meshes/collision/{path.name}" for path in folder.glob("meshes/collision/*.obj")}
    assert physics <= set(dict(listed))


def test_constraints_pin_every_direct_dependency_within_its_bounds() -> None:
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [one for extra in extras.values() for one in extra]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[requirement.name]), requirement


def test_nothing_names_a_package_index_or_installs_the_foreign_voyager() -> None:
    foreign = re.compile(r"pip3? install (-\S+ )*voyager(?![-\w])")
    index = re.compile(r"--(extra-)?index-url|pythonhosted\.org|pypi\.org/simple")
    for name, text in _tracked_text().items():
        if name == "tests/test_repository.py":
            continue
        assert not foreign.search(text), name
        assert not index.search(text), name


def test_no_file_tells_of_the_machine_that_it_was_written_on() -> None:
    # The Dockerfile makes a home of its own.
    told = re.compile(rf"(?<![\w.-])(/(root|Users)/|/home/(?!voyager\b)\w|{re.escape(str(ROOT))}/)")
    for name, text in _tracked_text().items():
        found = told.search(text)
        assert found is None, f"{name}: {found and found[0]}"


def test_no_source_file_has_grown_past_its_seams() -> None:
    for name, text in _tracked_text().items():
        if name.endswith(".py"):
            assert text.count("\n") <= 500, f"{name}: split it along a seam that has a name"


def test_the_network_guard_stops_a_connection_and_lets_loopback_pass() -> None:
    script = (
        "import socket, conftest\n"
        "for host in ('192.0.2.1', 'example.invalid'):\n"
        "    try:\n"
        "        socket.create_connection((host, 80), timeout=1)\n"
        "    except conftest.NetworkReached:\n"
        "        continue\n"
        "    raise SystemExit(f'{host} was not refused')\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), timeout=5).close()\n"
        "left, right = socket.socketpair()\n"
        "left.sendall(b'x')\n"
    )
    # In a process of its own: the guard would rightly fail the test that trips it.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _third_party() -> str:
    return (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
