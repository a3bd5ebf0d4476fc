"""Recorded episodes as a LeRobotDataset v3.0; the one file that knows Arrow and Parquet.

    meta/info.json                                    features, counts, where files lie
    meta/stats.json                                   min, max, mean, std, quantiles of each feature
    meta/tasks.parquet                                sentence -> task_index
    meta/episodes/chunk-000/file-000.parquet          one row an episode: length, files, statistics
    data/chunk-000/file-000.parquet                   one row a frame
    videos/KEY/chunk-000/file-000.mp4                 one film an episode, if pictures were taken
    meta/recordings.json                              ours: skill, seed and proof of each episode

Written by the format's description and by what its reader asks for, without its library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from skill_store.export.bundle import Bundle
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions
from skill_store.export.lerobot_card import VERSION, card, check_name, provenance
from skill_store.export.recording import Names, Pixels, Recording, Video
from skill_store.export.writing import write_json, write_text

__all__ = ["CAMERA_KEY", "Names", "Recording", "Video", "check_name", "export"]

CAMERA_KEY: Final = "observation.images.front"
_CHUNK: Final = 1000
"""Files of a folder, at most."""
_FILE_MB: Final = 100
_VIDEO_MB: Final = 200
_QUANTILES: Final = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_PLACE: Final = "chunk-{chunk_index:03d}/file-{file_index:03d}"
_DATA: Final = f"data/{_PLACE}.parquet"
_VIDEO: Final = f"videos/{{video_key}}/{_PLACE}.mp4"
_EPISODES: Final = f"meta/episodes/{_PLACE}.parquet"
_COUNTED: Final = ("frame_index", "episode_index", "index", "task_index")

Stats = dict[str, dict[str, Any]]
Columns = dict[str, np.ndarray[Any, Any]]


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write recordings as a data set.

    Args:
        bundle: The skills whose episodes they are.
        folder: Exists, and is empty.
        options: Its `recordings`, and its `name` for the card.

    Raises:
        ExportError: If there is no recording, they do not fit together, the name cannot be that
            of a data set, or Arrow is missing.
    """
    if options.name is not None:
        check_name(options.name)
    recordings = options.recordings
    if not recordings:
        raise ExportError(
            "there is no solved episode to write down: a data set needs recordings of at least "
            "one certified skill"
        )
    first = recordings[0]
    if any(
        (r.fps, r.robot, r.video is None) != (first.fps, first.robot, first.video is None)
        or (r.video is not None and first.video is not None and r.video.shape != first.video.shape)
        for r in recordings
    ):
        raise ExportError(
            "episodes of one data set need the same robot, rate and camera; export the skills of "
            "each robot on their own"
        )
    tasks = list(dict.fromkeys(recording.sentence for recording in recordings))
    wide = max(recording.things.shape[1] for recording in recordings)
    columns = list(_numbered(recordings, tasks, wide))
    places = _files(columns)
    stats = [_stats_of(c, r.video) for c, r in zip(columns, recordings, strict=True)]
    _write_data(folder, columns, places)
    _write_videos(folder, recordings)
    _write_tasks(folder, tasks)
    _write_episodes(folder, recordings, columns, places, stats)
    write_json(folder / "meta" / "stats.json", _all_stats(columns, recordings))
    info = _info(recordings, columns, len(tasks))
    write_json(folder / "meta" / "info.json", info)
    write_json(folder / "meta" / "recordings.json", provenance(bundle, recordings))
    write_text(
        folder / "README.md", card(bundle, recordings, options.licence.identifier, options.name)
    )


# -- frames -----------------------------------------------------------------------------------


def _numbered(
    recordings: Sequence[Recording], tasks: Sequence[str], wide: int
) -> Iterator[Columns]:
    """The columns of each episode, with all the numbers that place it in the whole."""
    begun = 0
    for number, recording in enumerate(recordings):
        n = recording.length
        things = np.zeros((n, wide), np.float32)
        things[:, : recording.things.shape[1]] = recording.things
        columns: Columns = {"observation.state": recording.states}
        if wide:
            columns["observation.environment_state"] = things
        columns |= {
            "action": recording.actions,
            "timestamp": np.arange(n, dtype=np.float32) / np.float32(recording.fps),
            "frame_index": np.arange(n, dtype=np.int64),
            "episode_index": np.full(n, number, np.int64),
            "index": np.arange(begun, begun + n, dtype=np.int64),
            "task_index": np.full(n, tasks.index(recording.sentence), np.int64),
        }
        begun += n
        yield columns


def _files(columns: Sequence[Columns]) -> list[tuple[int, int]]:
    """(chunk, file) of each episode's frames: files are filled up to their size."""
    places, number, size = [], 0, 0
    for episode in columns:
        bytes_ = sum(column.nbytes for column in episode.values())
        if size and size + bytes_ > _FILE_MB * 1024 * 1024:
            number, size = number + 1, 0
        size += bytes_
        places.append((number // _CHUNK, number % _CHUNK))
    return places


def _write_data(
    folder: Path, columns: Sequence[Columns], places: Sequence[tuple[int, int]]
) -> None:
    pa, pq = _arrow()
    for place in dict.fromkeys(places):
        path = _made(folder / _DATA.format(chunk_index=place[0], file_index=place[1]))
        mine = [c for c, where in zip(columns, places, strict=True) if where == place]
        tables = [
            pa.table({key: _array(pa, column) for key, column in episode.items()})
            for episode in mine
        ]
        # One group of rows for each episode, so that one can be read without the others.
        with pq.ParquetWriter(path, tables[0].schema) as writer:
            for table in tables:
                writer.write_table(table)


def _array(pa: Any, column: np.ndarray[Any, Any]) -> Any:
    if column.ndim == 1:
        return pa.array(column)
    flat = pa.array(np.ascontiguousarray(column).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, column.shape[1])


def _write_videos(folder: Path, recordings: Sequence[Recording]) -> None:
    for number, recording in enumerate(recordings):
        if recording.video is not None:
            chunk, file = divmod(number, _CHUNK)
            name = _VIDEO.format(video_key=CAMERA_KEY, chunk_index=chunk, file_index=file)
            _made(folder / name).write_bytes(recording.video.data)


# -- what describes them ------------------------------------------------------------------------


def _write_tasks(folder: Path, tasks: Sequence[str]) -> None:
    """The sentences as a pandas frame with the sentence as its index, as readers expect it."""
    pa, pq = _arrow()
    text = {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object"}
    number = {"name": "task_index", "field_name": "task_index"}
    number |= {"pandas_type": "int64", "numpy_type": "int64"}
    frame = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [{**number, "metadata": None}, {**text, "metadata": None}],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.0.0",
    }
    table = pa.table(
        {"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks)}
    ).replace_schema_metadata({b"pandas": json.dumps(frame).encode()})
    pq.write_table(table, _made(folder / "meta" / "tasks.parquet"))


def _write_episodes(
    folder: Path,
    recordings: Sequence[Recording],
    columns: Sequence[Columns],
    places: Sequence[tuple[int, int]],
    stats: Sequence[Stats],
) -> None:
    pa, pq = _arrow()
    rows = []
    for number, (recording, episode) in enumerate(zip(recordings, columns, strict=True)):
        index = episode["index"]
        row: dict[str, Any] = {
            "episode_index": number,
            "tasks": [recording.sentence],
            "length": recording.length,
            "data/chunk_index": places[number][0],
            "data/file_index": places[number][1],
            "dataset_from_index": int(index[0]),
            "dataset_to_index": int(index[-1]) + 1,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        if recording.video is not None:
            chunk, file = divmod(number, _CHUNK)
            row |= {
                f"videos/{CAMERA_KEY}/chunk_index": chunk,
                f"videos/{CAMERA_KEY}/file_index": file,
                f"videos/{CAMERA_KEY}/from_timestamp": 0.0,
                f"videos/{CAMERA_KEY}/to_timestamp": recording.length / recording.fps,
            }
        for key, found in stats[number].items():
            row |= {f"stats/{key}/{name}": value for name, value in found.items()}
        rows.append(row)
    path = _made(folder / _EPISODES.format(chunk_index=0, file_index=0))
    pq.write_table(pa.Table.from_pylist(rows), path)


def _info(
    recordings: Sequence[Recording], columns: Sequence[Columns], tasks: int
) -> dict[str, Any]:
    first = recordings[0]
    names = {
        "observation.state": list(first.names.state),
        "observation.environment_state": [
            f"object{number}.{name}"
            for number in range(max(len(r.parameters) for r in recordings))
            for name in first.names.thing
        ],
        "action": list(first.names.action),
    }
    features: dict[str, Any] = {}
    for key, column in columns[0].items():
        features[key] = {
            "dtype": str(column.dtype),
            "shape": [1] if column.ndim == 1 else [int(column.shape[1])],
            "names": names.get(key),
        }
    if first.video is not None:
        height, width, channels = first.video.shape
        features[CAMERA_KEY] = {
            "dtype": "video",
            "shape": [height, width, channels],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.channels": channels,
                "video.codec": first.video.codec,
                "video.pix_fmt": first.video.pixels,
                "video.fps": first.fps,
                "video.is_depth_map": False,
                "has_audio": False,
            },
        }
    return {
        "codebase_version": VERSION,
        "robot_type": first.robot,
        "total_episodes": len(recordings),
        "total_frames": sum(recording.length for recording in recordings),
        "total_tasks": tasks,
        "chunks_size": _CHUNK,
        "data_files_size_in_mb": _FILE_MB,
        "video_files_size_in_mb": _VIDEO_MB,
        "fps": first.fps,
        "splits": {"train": f"0:{len(recordings)}"},
        "data_path": _DATA,
        "video_path": _VIDEO if first.video is not None else None,
        "features": features,
    }


# -- statistics ---------------------------------------------------------------------------------


def _stats_of(columns: Columns, video: Video | None) -> Stats:
    stats = {key: _column_stats(column) for key, column in columns.items()}
    if video is not None:
        stats[CAMERA_KEY] = _picture_stats(video.samples)
    return stats


def _all_stats(columns: Sequence[Columns], recordings: Sequence[Recording]) -> Stats:
    """Over all frames at once: exact, where joining the episodes' quantiles would be a guess."""
    whole = {key: np.concatenate([c[key] for c in columns]) for key in columns[0]}
    stats = {key: _column_stats(column) for key, column in whole.items()}
    videos = [recording.video.samples for recording in recordings if recording.video is not None]
    if videos:
        stats[CAMERA_KEY] = _picture_stats(np.concatenate(videos))
    return stats


def _column_stats(column: np.ndarray[Any, Any]) -> dict[str, Any]:
    rows = column.reshape(len(column), -1).astype(np.float64)
    return {name: value.tolist() for name, value in _described(rows).items()} | {
        "count": [len(rows)]
    }


def _picture_stats(pictures: Pixels) -> dict[str, Any]:
    """For each channel, of values in [0, 1], with the shape (3, 1, 1)."""
    pixels = pictures.reshape(-1, pictures.shape[-1]).astype(np.float64) / 255.0
    return {
        name: value.reshape(-1, 1, 1).tolist() for name, value in _described(pixels).items()
    } | {"count": [len(pictures)]}


def _described(rows: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    quantiles = np.quantile(rows, list(_QUANTILES.values()), axis=0)
    return {
        "min": rows.min(axis=0),
        "max": rows.max(axis=0),
        "mean": rows.mean(axis=0),
        "std": rows.std(axis=0),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
    }


# -- files ------------------------------------------------------------------------------------


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ExportError(
            "this format needs pyarrow; install the extra: "
            "python -m pip install 'voyager-skill-library[lerobot]'"
        ) from error
    return pyarrow, pyarrow.parquet
