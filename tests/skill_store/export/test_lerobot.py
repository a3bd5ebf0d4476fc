"""A LeRobotDataset v3.0, read back by a reader that only knows the format's description."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from markdown_it import MarkdownIt

from env.transcript import Start
from skill_store import Library
from skill_store.archive import restore
from skill_store.export.bundle import Bundle, gather
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions, find_format, write
from skill_store.export.lerobot import CAMERA_KEY, check_name
from skill_store.export.lerobot_card import card
from skill_store.export.licence import MIT_0
from skill_store.export.recording import Names, Recording, Video
from skill_store.export.writing import CHECKSUMS, checksums

ARCHIVE = Path(__file__).resolve().parents[3] / "examples" / "library" / "library.tar.gz"
NAMES = Names(("x", "y"), ("u", "v", "w"), ("dx",), {"dx": "metres"})
FPS = 20


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    home = tmp_path_factory.mktemp("lerobot") / "home"
    restore(ARCHIVE, home)
    with Library.open(home) as library:
        return gather(library, names=("grasp", "put_in"), allow_uncertified=True)


def film(frames: np.ndarray) -> bytes:
    """An MP4 of frames (n, height, width, 3)."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": "2", "bf": "0"})
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def greys(length: int, first: int) -> np.ndarray:
    """Frames that are grey all over, each a little lighter than the one before."""
    levels = (first + 4 * np.arange(length)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (length, 32, 48, 3)).copy()


def recording(
    skill: str, length: int, parameters: tuple[str, ...], *, seed: int, pictures: bool = False
) -> Recording:
    rng = np.random.default_rng(seed)
    frames = greys(length, 20 + 5 * seed)
    return Recording(
        skill=skill,
        sentence=f"{skill} the {'red' if seed % 2 else 'blue'} ball",
        robot="panda",
        start=Start(seed),
        episode=f"{seed:064x}",
        identical=seed != 2,
        parameters=parameters,
        names=NAMES,
        fps=FPS,
        states=rng.normal(size=(length, 2)).astype(np.float32),
        things=rng.normal(size=(length, 3 * len(parameters))).astype(np.float32),
        actions=rng.uniform(-1, 1, (length, 1)).astype(np.float32),
        clipped=seed,
        video=Video(film(frames), "h264", "yuv420p", frames[::4]) if pictures else None,
    )


@dataclass(frozen=True)
class Dataset:
    """A data set read back."""

    root: Path
    info: Mapping[str, Any]
    stats: Mapping[str, Any]
    tasks: tuple[str, ...]
    episodes: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls, root: Path) -> Dataset:
        info = json.loads((root / "meta/info.json").read_text())
        assert info["codebase_version"] == "v3.0"
        table = pq.read_table(root / "meta/tasks.parquet")
        index = json.loads(table.schema.metadata[b"pandas"])["index_columns"]
        assert index == ["task"]
        tasks = dict(zip(table["task_index"].to_pylist(), table["task"].to_pylist(), strict=True))
        rows = [
            row
            for path in sorted((root / "meta/episodes").rglob("*.parquet"))
            for row in pq.read_table(path).to_pylist()
        ]
        return cls(
            root,
            info,
            json.loads((root / "meta/stats.json").read_text()),
            tuple(tasks[number] for number in range(len(tasks))),
            tuple(rows),
        )

    def column(self, episode: int, key: str) -> np.ndarray:
        """One feature of one episode, by the file and the rows that its record names."""
        row = self.episodes[episode]
        name = self.info["data_path"].format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        values = pq.read_table(self.root / name, columns=[key, "index"])
        inside = [
            row["dataset_from_index"] <= index < row["dataset_to_index"]
            for index in values["index"].to_pylist()
        ]
        return np.array(values.filter(inside)[key].to_pylist())

    def picture(self, episode: int, timestamp: float) -> np.ndarray:
        """The picture of an episode's frame, found by its time."""
        row = self.episodes[episode]
        name = self.info["video_path"].format(
            video_key=CAMERA_KEY,
            chunk_index=row[f"videos/{CAMERA_KEY}/chunk_index"],
            file_index=row[f"videos/{CAMERA_KEY}/file_index"],
        )
        wanted = row[f"videos/{CAMERA_KEY}/from_timestamp"] + timestamp
        with av.open(str(self.root / name)) as container:
            for frame in container.decode(video=0):
                if frame.time is not None and abs(frame.time - wanted) < 1e-4:
                    return frame.to_ndarray(format="rgb24")
        raise AssertionError(f"there is no picture at {wanted} s")


RECORDINGS = (
    recording("grasp", 7, ("graspable",), seed=1),
    recording("grasp", 5, ("graspable",), seed=2),
    recording("put_in", 9, ("graspable", "container"), seed=3),
)


@pytest.fixture(scope="module")
def dataset(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("datasets") / "plain"
    write(find_format("lerobot"), bundle, root, ExportOptions(recordings=RECORDINGS))
    return Dataset.read(root)


def test_every_number_comes_back_in_its_episode(dataset: Dataset) -> None:
    for number, made in enumerate(RECORDINGS):
        assert np.array_equal(dataset.column(number, "observation.state"), made.states)
        assert np.array_equal(dataset.column(number, "action"), made.actions)
        things = dataset.column(number, "observation.environment_state")
        wide = made.things.shape[1]
        assert np.array_equal(things[:, :wide], made.things)
        assert not things[:, wide:].any()  # no such object in this task
        assert things.shape[1] == 6
        times = dataset.column(number, "timestamp")
        assert times == pytest.approx(np.arange(made.length) / FPS, abs=1e-6)
        assert list(dataset.column(number, "frame_index")) == list(range(made.length))
        assert set(dataset.column(number, "episode_index")) == {number}
        assert {dataset.tasks[i] for i in dataset.column(number, "task_index")} == {made.sentence}


def test_what_describes_the_frames_fits_them(dataset: Dataset) -> None:
    info = dataset.info
    assert info["total_episodes"] == 3
    assert info["total_frames"] == 21
    assert info["total_tasks"] == len(dataset.tasks) == 3
    assert info["splits"] == {"train": "0:3"}
    assert info["fps"] == FPS
    assert info["robot_type"] == "panda"
    assert info["video_path"] is None
    table = pq.read_schema(dataset.root / "data/chunk-000/file-000.parquet")
    assert set(table.names) == set(info["features"])
    for key, feature in info["features"].items():
        kind = table.field(key).type
        wide = getattr(kind, "list_size", 1)
        value = str(getattr(kind, "value_type", kind))
        assert feature["shape"] == [wide]
        assert feature["dtype"] == {"float": "float32"}.get(value, value)
        if feature["names"] is not None:
            assert len(feature["names"]) == wide
    assert info["features"]["observation.environment_state"]["names"][3] == "object1.u"
    bounds = [(r["dataset_from_index"], r["dataset_to_index"]) for r in dataset.episodes]
    assert bounds == [(0, 7), (7, 12), (12, 21)]
    assert [row["length"] for row in dataset.episodes] == [7, 5, 9]
    assert dataset.episodes[2]["tasks"] == [RECORDINGS[2].sentence]


def test_statistics_are_those_of_the_numbers(dataset: Dataset) -> None:
    whole = np.concatenate([made.states for made in RECORDINGS]).astype(float)
    stats = dataset.stats["observation.state"]
    assert stats["count"] == [21]
    for name, value in (
        ("min", whole.min(axis=0)),
        ("max", whole.max(axis=0)),
        ("mean", whole.mean(axis=0)),
        ("std", whole.std(axis=0)),
        ("q01", np.quantile(whole, 0.01, axis=0)),
        ("q50", np.quantile(whole, 0.50, axis=0)),
        ("q99", np.quantile(whole, 0.99, axis=0)),
    ):
        assert stats[name] == pytest.approx(value)
    mine = dataset.episodes[1]
    assert mine["stats/action/mean"] == pytest.approx(RECORDINGS[1].actions.mean(axis=0), abs=1e-6)
    assert mine["stats/action/count"] == [5]
    assert set(dataset.stats) == set(dataset.info["features"])


def test_proof_and_scenes_stand_beside_the_format(dataset: Dataset, bundle: Bundle) -> None:
    ours = json.loads((dataset.root / "meta/recordings.json").read_text())
    assert ours["schema"] == "voyager.recordings/1"
    assert [episode["start"]["seed"] for episode in ours["episodes"]] == [1, 2, 3]
    assert [episode["identical"] for episode in ours["episodes"]] == [True, False, True]
    assert [episode["clipped"] for episode in ours["episodes"]] == [1, 2, 3]
    for told in ours["skills"]:
        skill = bundle.named(told["name"]).skill
        assert told["certificate"] == skill.certificate.hash
        assert told["bound"]["hardware"] == "no claim"
        assert "No claim about real hardware" in told["proof"]
    card = (dataset.root / "README.md").read_text()
    assert "1 of 3 episodes solved their scene, but did not run as the certificates" in card
    assert all(told["proof"] in card for told in ours["skills"])
    listed = (dataset.root / CHECKSUMS).read_text()
    assert all(digest in listed for digest in checksums(dataset.root).values())


def headings(page: str) -> list[str]:
    """Headings of a page, as a reader of Markdown finds them."""
    blocks = MarkdownIt("gfm-like", {"linkify": False}).parse(page)
    assert not any(block.type in ("html_block", "hr", "fence") for block in blocks)
    return [b.content for a, b in pairwise(blocks) if a.type == "heading_open"]


def read_card(text: str) -> tuple[dict[str, Any], str]:
    """Front matter of a card, cut off where the hub cuts it off, and its page."""
    _, matter, page = text.split("---", 2)
    found = yaml.safe_load(matter)
    assert found.keys() == {
        "license",
        "license_name",
        "license_link",
        "task_categories",
        "tags",
        "configs",
    }
    return found, page


@pytest.mark.parametrize("name", ["put_in", "owner/put_in.v1-2", "A", "x" * 96, "o/" + "x" * 96])
def test_a_name_stands_on_the_card(bundle: Bundle, tmp_path: Path, name: str) -> None:
    row = find_format("lerobot")
    row.check_name(name)
    options = ExportOptions(recordings=RECORDINGS, name=name)
    write(row, bundle, tmp_path / "data", options)
    matter, page = read_card((tmp_path / "data" / "README.md").read_text())
    assert (matter["license"], matter["license_name"]) == ("other", "MIT-0")
    assert headings(page) == [name, "Skills", "Frames"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "my data",
        "x\n---\nlicense: mit",
        "x\n\n# Another",
        "# x",
        "`x`",
        "<b>x</b>",
        "a/b/c",
        "/x",
        "x/",
        "../x",
        "a--b",
        "a..b",
        "-x",
        "x.",
        "__x__",
        "x.git",
        "x" * 97,
        "\u00e9t\u00e9",
        "x\n",
    ],
)
def test_what_cannot_be_the_name_of_a_data_set_is_refused(
    bundle: Bundle, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ExportError, match="cannot be the name of a data set; use letters") as told:
        check_name(name)
    assert "\n" not in str(told.value) and len(str(told.value)) < 400
    options = ExportOptions(recordings=RECORDINGS, name=name)
    with pytest.raises(ExportError, match="cannot be the name of a data set"):
        write(find_format("lerobot"), bundle, tmp_path / "data", options)
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_a_skill_breaks_out_of_the_card(bundle: Bundle) -> None:
    """What archives may say of a skill, and more: also what is checked elsewhere is quoted here."""
    evil = (
        "x\n---\nlicense: mit\n\n# Evil\n\n```\n<script>x</script> [a](http://evil.example) **b** `"
    )
    exported = bundle.named("grasp")
    task = replace(exported.skill.task, instruction=evil)
    hostile = replace(exported, skill=replace(exported.skill, name=evil, task=task))
    other = replace(bundle, skills=(hostile, *bundle.skills[1:]))
    names = Names((evil, "y"), (evil,), (evil,), {evil: evil})
    made = replace(RECORDINGS[0], skill=evil, sentence=evil, names=names, robot=evil)
    text = card(other, (made,), f"{MIT_0.identifier}\n---\nlicense: mit", None)
    matter, page = read_card(text)
    assert (matter["license"], matter["license_name"]) == ("other", "MIT-0 -- license: mit")
    assert headings(page) == ["Episodes of certified skills", "Skills", "Frames"]
    inside = MarkdownIt("gfm-like", {"linkify": False}).parse(page)
    kinds = {piece.type for block in inside for piece in block.children or []}
    assert kinds <= {
        "text",
        "text_special",
        "softbreak",
        "code_inline",
        "strong_open",
        "strong_close",
    }
    # It is told all the same, as it is.
    assert " ".join(evil.split()) in MarkdownIt().render(page).replace("&lt;", "<").replace(
        "&gt;", ">"
    )


def test_films_are_found_by_episode_and_time(bundle: Bundle, tmp_path: Path) -> None:
    made = (
        recording("grasp", 8, ("graspable",), seed=1, pictures=True),
        recording("grasp", 6, ("graspable",), seed=2, pictures=True),
    )
    write(find_format("lerobot"), bundle, tmp_path / "data", ExportOptions(recordings=made))
    dataset = Dataset.read(tmp_path / "data")
    feature = dataset.info["features"][CAMERA_KEY]
    assert feature["dtype"] == "video"
    assert feature["shape"] == [32, 48, 3]
    assert feature["info"]["video.fps"] == FPS
    for number, one in enumerate(made):
        grey = greys(one.length, 20 + 5 * (number + 1))
        for frame in (0, one.length // 2, one.length - 1):
            seen = dataset.picture(number, frame / FPS)
            assert seen.shape == (32, 48, 3)
            assert abs(float(seen.mean()) - float(grey[frame].mean())) < 2.0
    stats = dataset.stats[CAMERA_KEY]
    pictures = np.concatenate([one.video.samples for one in made if one.video]) / 255.0
    assert np.array(stats["mean"]).shape == (3, 1, 1)
    assert np.array(stats["mean"]).ravel() == pytest.approx(pictures.mean(axis=(0, 1, 2)))


@pytest.mark.parametrize(
    ("recordings", "says"),
    [
        ((), "no solved episode"),
        ((RECORDINGS[0], replace(RECORDINGS[1], robot="xarm6")), "same robot"),
        (
            (RECORDINGS[0], recording("grasp", 4, ("graspable",), seed=4, pictures=True)),
            "rate and camera",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_and_leaves_nothing(
    bundle: Bundle, tmp_path: Path, recordings: tuple[Recording, ...], says: str
) -> None:
    with pytest.raises(ExportError, match=says):
        write(
            find_format("lerobot"), bundle, tmp_path / "data", ExportOptions(recordings=recordings)
        )
    assert list(tmp_path.iterdir()) == []
