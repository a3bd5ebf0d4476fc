"""The package of environments: written by us, registered and used by Gymnasium."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skill_store import Library
from skill_store.archive import restore
from skill_store.export.bundle import Bundle, gather
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions, find_format, write

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = ROOT / "examples" / "library" / "library.tar.gz"
USE = """
import gymnasium, json, sys
import arm_tasks
found = {}
for name in arm_tasks.TASKS:
    env = gymnasium.make(name, time_limit=0.5)
    seen, info = env.reset(seed=0)
    ended = False
    while not ended:
        seen, reward, terminated, ended, info = env.step(env.action_space.sample())
    found[name] = [list(seen.shape), env.unwrapped.task.hash, info["is_success"]]
    env.close()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    home = tmp_path_factory.mktemp("tasks") / "home"
    restore(ARCHIVE, home)
    with Library.open(home) as library:
        return gather(library, names=("reach", "put_in"), allow_uncertified=True)


@pytest.fixture(scope="module")
def exported(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "environments"
    write(find_format("gymnasium"), bundle, folder, ExportOptions(name="arm_tasks"))
    return folder


@pytest.fixture(scope="module")
def installed(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put the package, without a network and without anything to build it with."""
    target = tmp_path_factory.mktemp("installed") / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    pip += ["--disable-pip-version-check", "--no-cache-dir", "--target", str(target)]
    subprocess.run([*pip, str(exported)], check=True)
    return target


def test_gymnasium_makes_every_task_by_its_id(bundle: Bundle, installed: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", USE],
        cwd=installed,
        env={"PYTHONPATH": f"{installed}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)

    assert set(found) == {"arm_tasks/reach-v0", "arm_tasks/put_in-v0"}
    for name in ("reach", "put_in"):
        shape, task, solved = found[f"arm_tasks/{name}-v0"]
        assert task == bundle.named(name).skill.task.hash
        assert solved is False
        assert len(shape) == 1
    # Another parameter, another length.
    assert found["arm_tasks/put_in-v0"][0] > found["arm_tasks/reach-v0"][0]


def test_it_says_what_is_known_and_about_what(bundle: Bundle, exported: Path) -> None:
    record = json.loads((exported / "arm_tasks" / "tasks.json").read_text())
    page = (exported / "README.md").read_text()
    assert record["schema"] == "voyager.gymnasium/1"
    for told in record["tasks"]:
        skill = bundle.named(told["skill"]).skill
        assert told["task"] == skill.task.to_json()
        assert told["extensions"] == []
        assert told["bound"]["hardware"] == "no claim"
        assert f"The program: {told['proof']}" in page
        assert told["id"] in page
    assert "no policy was trained" in page
    assert "pip install .  " in page
    assert (exported / "LICENSE").exists()


@pytest.mark.parametrize("name", ["voyager", "Arm", "json", "class", "arm-tasks", "../up"])
def test_a_name_that_cannot_be_imported_is_refused(
    bundle: Bundle, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ExportError, match="cannot name a package"):
        write(find_format("gymnasium"), bundle, tmp_path / "out", ExportOptions(name=name))
    assert list(tmp_path.iterdir()) == []
