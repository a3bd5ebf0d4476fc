"""Archives that are damaged, altered or made to do harm are refused, in one sentence."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from env.program import Program
from skill_store.export import ImportRefused
from skill_store.export import parcel as parcel_module
from skill_store.export import records as records_module
from skill_store.export.importing import read_archive
from tests.skill_store.export.archives import (
    Records,
    archive_of,
    forged,
    of_kind,
    sealed,
)
from tests.skill_store.export.homes import make_library
from tests.skill_store.samples import plain


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound archive: `lift`, and the `reach` that it calls."""
    place = tmp_path_factory.mktemp("archive")
    with make_library(place / "home") as library:
        return archive_of(library, place / "out", "lift")


def refused(source: Path, why: str) -> None:
    with pytest.raises(ImportRefused, match=why or None) as caught:
        read_archive(source)
    told = str(caught.value)
    assert told.startswith(f"{source} cannot be imported: ")
    assert told.endswith("; nothing was changed")
    assert "\n" not in told


# -- damage -----------------------------------------------------------------------------------


def test_every_cut_and_many_flipped_bits_are_found(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "skills.jsonl").read_bytes()
    target = tmp_path / "damaged.jsonl"
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    for cut in [0, 1, *ends[:-1], *(end - 1 for end in ends), len(whole) // 2]:
        target.write_bytes(whole[:cut])
        refused(target, "")
    for place in range(0, len(whole), len(whole) // 150):
        target.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        refused(target, "")


def test_lines_that_went_missing_are_missed(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "skills.jsonl").read_text().splitlines(keepends=True)
    target = tmp_path / "x.jsonl"
    target.write_text("".join([*lines[:3], *lines[4:]]))
    refused(target, "lines, its end counts")
    target.write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    refused(target, "not those that its end was written for")
    target.write_text("".join(lines[:-1]))
    refused(target, "its end is missing")


def test_a_folder_is_held_to_its_checksums(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "folder"
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    forged(folder, other / "skills.jsonl", lambda records: records[0].update(version="9"))
    refused(other, "not what its checksum in SHA256SUMS says")
    (other / "SHA256SUMS").unlink()
    assert read_archive(other).version == "9"
    (other / "skills.jsonl").unlink()
    refused(other, "no 'skills.jsonl' in it")


def test_what_is_not_there_or_something_else_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none", "No such file")
    for name, content, why in (
        ("empty", b"", "it is empty"),
        ("line", b"\n", "line 1 is no JSON"),
        ("text", b"hello\n", "line 1 is no JSON"),
        ("list", b"[1]\n", "line 1 is no JSON object"),
        ("bytes", b"\xff\xfe\n", "no UTF-8"),
        ("other", b'{"record": "header", "schema": "x/1"}\n', "does not begin with a header"),
    ):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, why)


def test_a_newer_form_says_so(folder: Path, tmp_path: Path) -> None:
    target = forged(folder, tmp_path / "x", lambda r: r[0].update(schema="voyager.archive/2"))
    refused(target, "has the form 'voyager.archive/2'.*update")


# -- records that were altered, with checksums that fit again ----------------------------------


def _alter(kind: str, number: int, **changes: object) -> Callable[[Records], object]:
    return lambda records: of_kind(records, kind)[number].update(changes)


def _inside(kind: str, key: str, **changes: object) -> Callable[[Records], object]:
    return lambda records: [r[key].update(changes) for r in of_kind(records, kind)[-1:]]


def _scene(**changes: object) -> Callable[[Records], object]:
    """Other scenes, and no hash beside them that would give them away."""

    def change(records: Records) -> None:
        task = of_kind(records, "contract")[-1]["task"]
        task["scene"].update(changes)
        del task["hash"]

    return change


def _drop(kind: str, number: int) -> Callable[[Records], object]:
    return lambda records: records.remove(of_kind(records, kind)[number])


def _twice(kind: str) -> Callable[[Records], object]:
    return lambda records: records.insert(
        records.index(of_kind(records, kind)[0]), of_kind(records, kind)[0]
    )


ALTERED: list[tuple[str, Callable[[Records], object], str]] = [
    ("source", _alter("program", 0, source=plain("reach", doc="x").entry.source + "\n1"), "line 2"),
    ("program hash", _alter("program", 0, hash="0" * 64), "says hash"),
    ("lock", _alter("program", 1, lock={"reach": "0" * 64}), "altered|does not stand before"),
    ("no lock", _alter("program", 1, lock={}), "pins no version"),
    ("source is no text", _alter("program", 0, source=5), "needs a `source` text"),
    ("program missing", _drop("program", 0), "does not stand before it"),
    ("program twice", _twice("program"), "twice"),
    ("contract missing", _drop("contract", 0), "no contract"),
    ("contract twice", _twice("contract"), "twice"),
    ("contract of nobody", _alter("contract", 0, program="f" * 64), "no program 'ffffffffffff'"),
    ("goal", _inside("contract", "task", goal="held(block)"), "hash that it states"),
    ("goal with a hash", _inside("contract", "task", goal="held(block)", hash=""), "hash"),
    ("goal is code", _inside("contract", "task", goal="__import__('os')"), "line 5"),
    ("a goal too deep", _inside("contract", "task", goal="not " * 90 + "held(block)"), "line 5"),
    ("scene", _scene(secret=1), "secret"),
    ("robot", _scene(robot="tank"), "tank"),
    ("kinds", _scene(distractor_kinds=["gun"]), "gun"),
    ("a scene of no numbers", _scene(gap="wide"), "line 5"),
    ("start", _alter("start", 0, closure="0" * 64), "a start does not have the hashes"),
    ("start missing", _drop("start", 0), "begins after a skill that is not in it"),
    ("skill missing", _drop("skill", 0), "'reach', which comes without a certificate"),
    ("skill twice", _twice("skill"), "twice"),
    ("name", _alter("skill", 0, name="reach_for"), "the program of the skill 'reach_for'"),
    ("name is no text", _alter("skill", 0, name=["reach"]), "must be a short text"),
    ("closure", _alter("skill", 1, closure="0" * 64), "hashes that it states"),
    ("task", _alter("skill", 1, task="0" * 64), "hashes that it states"),
    ("champion", _alter("skill", 1, champion="yes"), "must be true or false"),
    ("certificate", _inside("skill", "certificate", solved=20, k=20, needed=1), "hash"),
    ("no certificate", _alter("skill", 1, certificate=None), "schema"),
    ("refused", _inside("skill", "certificate", admitted=False), "hash"),
    ("deepening", _alter("skill", 0, deepening={}), "schema"),
    ("order", lambda records: records.append(records[1]), "no record that belongs there"),
    ("unknown", lambda records: records.append({"record": "virus"}), "no record that belongs"),
    ("no header fields", lambda records: records[0].pop("version"), "lacks 'version'"),
    ("moment", lambda records: records[0].update(made_at="yesterday"), "is no time"),
]


@pytest.mark.parametrize(("change", "why"), [pytest.param(*a[1:], id=a[0]) for a in ALTERED])
def test_what_was_altered_is_found(
    folder: Path, tmp_path: Path, change: Callable[[Records], object], why: str
) -> None:
    refused(forged(folder, tmp_path / "x", change), why)


def test_a_certificate_must_be_that_of_its_program(folder: Path, tmp_path: Path) -> None:
    def swap(records: Records) -> None:
        reach, lift = of_kind(records, "skill")
        lift["certificate"], reach["certificate"] = reach["certificate"], lift["certificate"]

    refused(forged(folder, tmp_path / "x", swap), "for another task")

    def foreign(records: Records) -> None:
        reach, lift = of_kind(records, "skill")
        lift["deepening"] = reach["deepening"]

    refused(forged(folder, tmp_path / "y", foreign), "that of another certificate")


def test_a_scene_may_not_ask_for_a_million_things(folder: Path, tmp_path: Path) -> None:
    for extras in (
        [["block", 0, 10**9]],
        [["block", 5, 2]],
        [["block", 0.5, 2]],
        [["block", True, 2]],
        [["block", -3, 2]],
    ):
        target = forged(folder, tmp_path / "x", _scene(extras=extras))
        refused(target, r"line 5: a scene asks for .* of 'block'; 0 to 24 are read")


def test_nobody_runs_a_program_to_look_at_it(folder: Path, tmp_path: Path) -> None:
    evil = (
        "from robot import Block\nimport math\n\n\ndef reach(block: Block) -> None:\n"
        f'    """Evil."""\n    open({str(tmp_path / "owned")!r}, "w")\n'
    )
    program = Program.parse(evil)
    target = forged(folder, tmp_path / "x", lambda r: r[1].update(program.to_json()))
    refused(target, "does not stand before")
    source = "import os\nos.system('true')\n\n\ndef reach(block: Block) -> None:\n    pass\n"
    refused(forged(folder, tmp_path / "y", _alter("program", 0, source=source)), "line 2")
    assert not (tmp_path / "owned").exists()


# -- text that tricks a reader ----------------------------------------------------------------

TRICKS = [
    ("key twice", '{"record": "header", "a": 1, "a": 2}', "'a' comes twice"),
    ("key twice below", '{"a": {"b": 1, "b": 1}}', "'b' comes twice"),
    ("NaN", '{"a": NaN}', "NaN is no number"),
    ("infinity", '{"a": -Infinity}', "-Infinity is no number"),
    ("too large", '{"a": 1e999}', "too large"),
    ("long", '{"a": ' + "9" * 5000 + "}", "5000 digits"),
    ("nested", '{"a": ' + "[" * 40 + "]" * 40 + "}", "deeper than 32"),
    ("very nested", "[" * 200_000 + "]" * 200_000, "nested too deep|deeper than"),
    ("half a pair", '{"a": "\\ud800"}', "no UTF-8"),
    ("half a pair as a key", '{"\\udfff": 1}', "no UTF-8"),
]


@pytest.mark.parametrize(("line", "why"), [pytest.param(*t[1:], id=t[0]) for t in TRICKS])
def test_text_that_tricks_a_reader_is_refused(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "x").write_bytes(sealed(line + "\n"))
    refused(tmp_path / "x", why)


def test_sizes_are_limited(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "LONGEST_LINE", 1000)
    refused(folder, r"line \d+ has \d+ bytes; at most 1000 are read")
    monkeypatch.setattr(records_module, "MOST_LINES", 4)
    refused(folder, r"it has \d+ lines; at most 4 are read")
    monkeypatch.setattr(parcel_module, "LARGEST", 2**20)
    monkeypatch.setattr(parcel_module, "_LARGEST_LIST", 2**10)
    big = tmp_path / "big"
    big.write_bytes(b"x" * (2**20 + 2**10 + 1))
    refused(big, "has more than 1 MiB")
    bomb = tmp_path / "bomb.gz"
    bomb.write_bytes(gzip.compress(b"\n" * 2**24))
    refused(bomb, "unpacks to more than 1 MiB")


# -- containers -------------------------------------------------------------------------------


def _tar(target: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(target, "w:gz") as made:
        for member, content in members:
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return target


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def test_tar_tricks_are_refused(folder: Path, tmp_path: Path) -> None:
    text = (folder / "skills.jsonl").read_bytes()
    sound = _member("skills.jsonl"), text
    assert read_archive(_tar(tmp_path / "ok", sound)).arrivals
    for member, why in (
        (_member("skills.jsonl", tarfile.SYMTYPE, "/etc/passwd"), "no plain file"),
        (_member("skills.jsonl", tarfile.LNKTYPE, "skills.jsonl"), "no plain file"),
        (_member("skills.jsonl", tarfile.CHRTYPE), "no plain file"),
        (_member("skills.jsonl", tarfile.FIFOTYPE), "no plain file"),
        (_member("../skills.jsonl"), "leads out of the archive"),
        (_member("/skills.jsonl"), "leads out of the archive"),
        (_member("a/../../skills.jsonl"), "leads out of the archive"),
        (_member("a\\..\\skills.jsonl"), "leads out of the archive"),
    ):
        refused(_tar(tmp_path / "x", (member, b""), sound), why)
    refused(_tar(tmp_path / "x", sound, sound), "is in it twice")
    refused(_tar(tmp_path / "x", sound, (_member("a/skills.jsonl"), text)), "is in it twice")
    refused(_tar(tmp_path / "x", (_member("a/b/skills.jsonl"), text)), "no 'skills.jsonl'")
    many = [(_member(f"f{number}"), b"") for number in range(70)]
    refused(_tar(tmp_path / "x", *many), "more than 64 files")
    whole = (tmp_path / "ok").read_bytes()
    for cut in (10, len(whole) // 2, len(whole) - 4):
        (tmp_path / "x").write_bytes(whole[:cut])
        refused(tmp_path / "x", "")


def _zip(target: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members:
            made.writestr(name, content)
    return target


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_tricks_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (folder / "skills.jsonl").read_bytes()
    sound = "skills.jsonl", text
    assert read_archive(_zip(tmp_path / "ok", sound)).arrivals
    for name in ("../skills.jsonl", "/skills.jsonl", "a/../../x"):
        refused(_zip(tmp_path / "x", (name, b""), sound), "leads out of the archive")
    link = zipfile.ZipInfo("skills.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(_zip(tmp_path / "x", (link, b"/etc/passwd")), "no plain file")
    refused(_zip(tmp_path / "x", sound, sound), "is in it twice")
    refused(_zip(tmp_path / "x", *((f"f{n}", b"") for n in range(70))), "more than 64 files")
    monkeypatch.setattr(parcel_module, "LARGEST", 2**20)
    refused(_zip(tmp_path / "x", ("skills.jsonl", b"\n" * 2**24)), "unpacks to more than 1 MiB")
    whole = bytearray((tmp_path / "ok").read_bytes())
    whole[8] = 99  # a method of packing that nobody knows, in both places that tell it
    whole[whole.find(b"PK\x01\x02") + 10] = 99
    (tmp_path / "x").write_bytes(bytes(whole))
    refused(tmp_path / "x", "packed in a way that is not read here")


def test_in_a_folder_nothing_but_plain_files_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "skills.jsonl").symlink_to("/etc/passwd")
    refused(folder, "is a link")
    (folder / "skills.jsonl").unlink()
    os.mkfifo(folder / "skills.jsonl")
    refused(folder, "no plain file")
    (folder / "skills.jsonl").unlink()
    (folder / "skills.jsonl").mkdir()
    refused(folder, "cannot be read")
    refused(Path("/dev/zero"), "no plain file")
