"""What comes out of an archive is what went in, in whatever it comes."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_store import Library
from skill_store.export import gather
from skill_store.export.importing import read_archive
from tests.skill_store.export.archives import archive_of, of_kind, records_of
from tests.skill_store.export.homes import CLOSER, LIFTING, REACHING, make_library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with make_library(tmp_path / "home") as library:
        yield library


def test_nothing_is_lost_on_the_way(library: Library, tmp_path: Path) -> None:
    archive = read_archive(archive_of(library, tmp_path / "out", everything=True))
    bundle = gather(library, everything=True, allow_uncertified=True)
    went = {e.skill.closure.root: e for e in (*bundle.callees, *bundle.skills)}
    came = {arrival.closure.root: arrival for arrival in archive.arrivals}
    assert came.keys() == went.keys() >= {REACHING.root, LIFTING.root, CLOSER.root}
    for key, arrival in came.items():
        skill = went[key].skill
        assert arrival.name == skill.name
        assert arrival.champion == went[key].champion
        assert arrival.closure.programs == skill.closure.programs
        assert arrival.closure.contracts == skill.closure.contracts
        assert {p.source for p in arrival.closure.programs.values()} == {
            p.source for p in skill.closure.programs.values()
        }
        assert (arrival.task, arrival.task.hash) == (skill.task, skill.task.hash)
        assert arrival.task.instruction == skill.task.instruction
        assert arrival.certificate == skill.certificate
        assert arrival.certificate.hash == skill.certificate.hash
        assert arrival.deepening == skill.deepening
        assert arrival.starts == went[key].handovers
    order = [arrival.closure.root for arrival in archive.arrivals]
    assert order.index(REACHING.root) < order.index(LIFTING.root)
    assert archive.version == bundle.version


def test_an_archive_is_text_that_says_what_it_proves(library: Library, tmp_path: Path) -> None:
    folder = archive_of(library, tmp_path / "out", "lift")
    records = records_of(folder)
    header = records[0]
    assert (header["schema"], header["licence"]) == ("voyager.archive/1", "MIT-0")
    assert (header["skills"], header["programs"]) == (2, 2)
    skills = {record["name"]: record for record in of_kind(records, "skill")}
    assert skills["lift"]["claim"]["hardware"] == "no claim"
    assert "No claim about real hardware." in skills["lift"]["claim"]["sentence"]
    assert (skills["lift"]["chosen"], skills["reach"]["chosen"]) == (True, False)
    assert (skills["lift"]["champion"], skills["reach"]["champion"]) == (True, False)
    page = (folder / "README.md").read_text()
    assert "`lift`: Simulated in PyBullet" in page
    assert "Checksums find damage, not forgery" in page
    assert str(tmp_path) not in page + json.dumps(records)


def test_a_skill_that_only_scenes_begin_after_comes_as_a_start(
    library: Library, tmp_path: Path
) -> None:
    library.crown("reach", 1)
    folder = archive_of(library, tmp_path / "out", "lift")
    (start,) = of_kind(records_of(folder), "start")
    assert start["program"] == REACHING.root
    arrivals = {arrival.name: arrival for arrival in read_archive(folder).arrivals}
    assert arrivals["lift"].starts == (library.version("reach", 1).handover,)


def test_it_is_read_in_whatever_it_comes(library: Library, tmp_path: Path) -> None:
    folder = archive_of(library, tmp_path / "out", everything=True)
    told = read_archive(folder)
    text = folder / "skills.jsonl"
    alone = tmp_path / "alone.jsonl"
    shutil.copy(text, alone)
    packed = tmp_path / "alone.jsonl.gz"
    packed.write_bytes(gzip.compress(text.read_bytes()))
    zipped = tmp_path / "folder.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as made:
        made.mkdir("out")
        for path in folder.iterdir():
            made.write(path, f"out/{path.name}")
    tarred, gzipped = tmp_path / "folder.tar", tmp_path / "folder.tar.gz"
    for target, mode in ((tarred, "w"), (gzipped, "w:gz")):
        with tarfile.open(target, mode) as whole:  # type: ignore[call-overload]
            whole.add(folder, "out")
    link = tmp_path / "link"
    link.symlink_to(tarred)
    for source in (text, alone, packed, zipped, tarred, gzipped, link):
        assert read_archive(source) == told, source


def test_two_exports_of_one_library_differ_in_their_moment_only(
    library: Library, tmp_path: Path
) -> None:
    one = records_of(archive_of(library, tmp_path / "one", everything=True))
    other = records_of(archive_of(library, tmp_path / "other", everything=True))
    assert one[1:] == other[1:]
    assert {**one[0], "made_at": ""} == {**other[0], "made_at": ""}
