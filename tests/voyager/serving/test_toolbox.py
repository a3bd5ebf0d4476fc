from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skill_store.errors import StorageError, UnknownSkill
from tests.voyager.serving.served import make_home
from voyager.serving.errors import NotServed
from voyager.serving.toolbox import Toolbox


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    home = make_home(tmp_path_factory.mktemp("served") / "home")
    with Toolbox(home, names=["reach"], seed=4) as opened:
        yield opened


def test_tools_share_one_scene(box: Toolbox) -> None:
    first = box.call("look_at_scene", {})
    assert first.record["seed"] == 4 and first.picture == b""
    new = box.call("new_scene", {"seed": 9, "objects": [{"kind": "block", "count": 1}] * 2})
    assert new.record["seed"] == 9 and len(new.record["objects"]) == 2
    block = new.record["objects"][0]["name"]
    ran = box.call("reach", {"block": block})
    assert ran.record["scene"] == new.record["scene"] and ran.record["runs"] == 1
    assert box.call("look_at_scene", {}).record["objects"] == ran.record["objects"]


@pytest.mark.parametrize("arguments", [[], "block", None, 7])
def test_what_is_no_object_is_refused(box: Toolbox, arguments: Any) -> None:
    with pytest.raises(NotServed, match="the arguments are no object"):
        box.call("reach", arguments)


def test_numbers_that_json_lacks_are_refused(box: Toolbox) -> None:
    with pytest.raises(NotServed, match="no finite number"):
        box.call("new_scene", json.loads('{"seed": NaN, "objects": []}'))
    with pytest.raises(NotServed, match="do not fit"):
        box.call("new_scene", {"seed": 1.5, "objects": []})


def test_unknown_tools_skills_and_homes_are_named(box: Toolbox, tmp_path: Path) -> None:
    with pytest.raises(NotServed, match="no tool 'lift'; there are: new_scene"):
        box.call("lift", {"block": "x"})
    with pytest.raises(StorageError, match="there is no library"):
        Toolbox(tmp_path / "nothing")
    home = make_home(tmp_path / "home")
    with pytest.raises(UnknownSkill, match="did you mean 'lift'"):
        Toolbox(home, names=["lifft"])
