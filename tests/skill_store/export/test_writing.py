"""A folder appears whole or not at all; licences; the table of formats."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from skill_store.export import (
    FORMATS,
    MIT_0,
    Bundle,
    ExportError,
    ExportOptions,
    Format,
    all_formats,
    find_format,
    gather,
    licence_from,
    register_format,
    write,
)
from skill_store.export.formats import _OTHERS
from skill_store.export.writing import CHECKSUMS, checksums, new_folder, write_json, write_text
from tests.skill_store.export.homes import make_library


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    with make_library(tmp_path / "home") as library:
        return gather(library, names=["lift"])


def test_a_folder_comes_with_checksums_that_others_can_read(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    with new_folder(target) as folder:
        write_text(folder / "a.txt", "one\n")
        write_json(folder / "below" / "b.json", {"b": 1, "a": [2.5, None]})
        assert not target.exists()
    assert (target / "below" / "b.json").read_text().startswith('{\n  "a"')
    assert sorted(checksums(target)) == ["a.txt", "below/b.json"]
    subprocess.run(["sha256sum", "--check", "--quiet", CHECKSUMS], cwd=target, check=True)
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "out") as folder:
        write_text(folder / "a.txt", "one")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from skill_store.export.writing import new_folder, write_text
with new_folder(Path(sys.argv[1])) as folder:
    write_text(folder / "a.txt", "half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_export_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out[1]"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert (left / "export" / "a.txt").read_text() == "half"
    mine = tmp_path / ".out[1]-mine.unfinished-export"
    write_text(mine / "thesis.txt", "years of work")
    (tmp_path / ".out[1]-link.unfinished-export").symlink_to(mine)
    with new_folder(target) as slow:  # clears what was left
        assert not left.exists()
        write_text(slow / "a.txt", "slow")
        with pytest.raises(ZeroDivisionError), new_folder(target):  # spares one under way
            raise ZeroDivisionError
    assert (target / "a.txt").read_text() == "slow"
    assert (mine / "thesis.txt").exists()
    names = [".out[1]-link.unfinished-export", ".out[1]-mine.unfinished-export", "out[1]"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_what_stands_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").write_text("mine")
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    for name in ("dir", "file", "link"):
        with pytest.raises(ExportError, match="exists already"), new_folder(tmp_path / name):
            raise AssertionError("the block must not be entered")
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dir", "file", "link"]


def test_somebody_who_was_faster_wins(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="exists already"), new_folder(tmp_path / "out") as folder:
        write_text(folder / "a.txt", "one")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "theirs").write_text("theirs")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"), new_folder(tmp_path / "file" / "x"):
        raise AssertionError("the block must not be entered")


def test_a_licence_is_ones_own_text_or_the_freest(tmp_path: Path) -> None:
    assert licence_from(None) is MIT_0
    text = tmp_path / "LICENCE.txt"
    text.write_text("SPDX-License-Identifier: Apache-2.0\nDo what it says.\n")
    assert licence_from(text).identifier == "Apache-2.0"
    assert "Do what it says." in licence_from(text).notice
    assert "meshes of robots are not part" in licence_from(text).notice
    text.write_text("Ask me.")
    assert licence_from(text).identifier == "LicenseRef-Custom"
    text.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExportError, match="no UTF-8"):
        licence_from(text)
    text.write_text(" \n")
    with pytest.raises(ExportError, match="is empty"):
        licence_from(text)
    with pytest.raises(ExportError, match="cannot be read"):
        licence_from(tmp_path / "none")


def test_the_table_of_formats_names_each_once_and_can_load_each() -> None:
    names = [row.name for row in FORMATS]
    assert len(set(names)) == len(names)
    for row in FORMATS:
        assert find_format(row.name) is row
        assert callable(row.export)
    with pytest.raises(ExportError, match=r"did you mean 'jsonl'.*Formats: .*jsonl"):
        find_format("json")


def test_an_extension_brings_a_format_of_its_own() -> None:
    row = Format("failing", "never whole", "tests.skill_store.export.failing")
    before = all_formats()
    try:
        assert register_format(row) is register_format(row)
        assert all_formats() == (*before, row)
        assert find_format("failing") is row
        with pytest.raises(ExportError, match="a format 'failing' already"):
            register_format(replace(row, summary="another"))
        with pytest.raises(ExportError, match="a format 'jsonl' already"):
            register_format(replace(row, name="jsonl"))
    finally:
        _OTHERS.clear()


def test_an_exporter_that_fails_leaves_nothing(bundle: Bundle, tmp_path: Path) -> None:
    row = replace(find_format("jsonl"), module="tests.skill_store.export.failing")
    with pytest.raises(ExportError, match="half way"):
        write(row, bundle, tmp_path / "out", ExportOptions())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_each_export_carries_its_licence(bundle: Bundle, tmp_path: Path) -> None:
    write(find_format("jsonl"), bundle, tmp_path / "out", ExportOptions())
    assert (tmp_path / "out" / "LICENSE").read_text() == MIT_0.notice
