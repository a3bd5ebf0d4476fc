"""Read an exported data set with the real `lerobot` library and compare every number.

An optional check, in an environment of its own (lerobot brings torch, some gigabytes):

    python -m venv lerobot-check
    lerobot-check/bin/python -m pip install "lerobot<0.5"
    voyager export --format lerobot --all --out episodes
    lerobot-check/bin/python scripts/check_lerobot.py episodes

It needs nothing of this project. Ends with exit code 1 if something is not as it was written.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def check(root: Path, films: int) -> dict[str, Any]:
    """Read everything; return what was counted.

    Args:
        root: Folder of the data set.
        films: Episodes of which every picture is decoded.

    Raises:
        AssertionError: If something differs.
    """
    import av
    import numpy as np
    import pandas
    import torch
    from lerobot import __version__ as version
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
    from lerobot.datasets.utils import dataset_to_policy_features

    data = LeRobotDataset(repo_id="local/episodes", root=root, video_backend="pyav")
    info = json.loads((root / "meta" / "info.json").read_text())
    ours = json.loads((root / "meta" / "recordings.json").read_text())["episodes"]
    frames = pandas.concat(
        pandas.read_parquet(path) for path in sorted((root / "data").rglob("*.parquet"))
    ).reset_index(drop=True)
    expect(len(data) == len(frames) == info["total_frames"], "frames")
    expect(data.num_episodes == len(ours) == info["total_episodes"], "episodes")
    numbers = 0
    plain = data.hf_dataset.with_format("numpy")
    for key in frames.columns:
        wanted = np.array(frames[key].tolist())
        expect(np.array_equal(np.array(plain[key]).reshape(wanted.shape), wanted), key)
        numbers += wanted.size
        stats = data.meta.stats[key]
        rows = wanted.reshape(len(wanted), -1).astype(float)
        expect(np.allclose(stats["mean"], rows.mean(axis=0)), f"mean of {key}")
        expect(np.allclose(stats["std"], rows.std(axis=0)), f"std of {key}")
        expect(np.allclose(stats["q90"], np.quantile(rows, 0.9, axis=0)), f"q90 of {key}")
    for row, record in zip(data.meta.episodes, ours, strict=True):
        part = slice(row["dataset_from_index"], row["dataset_to_index"])
        expect(set(frames["episode_index"][part]) == {record["episode_index"]}, "boundaries")
        expect(row["length"] == part.stop - part.start, "length")
    pictures, worst = 0, 0.0
    for key in data.meta.video_keys:
        for number in range(min(films, data.num_episodes)):
            with av.open(str(root / data.meta.get_video_file_path(number, key))) as film:
                seen = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
            first = data.meta.episodes[number]["dataset_from_index"]
            expect(len(seen) == data.meta.episodes[number]["length"], "pictures")
            for offset, picture in enumerate(seen):
                item = data[first + offset]
                got = (item[key].numpy().transpose(1, 2, 0) * 255.0).round()
                worst = max(worst, float(np.abs(got - picture).mean()))
                expect(item["frame_index"].item() == offset, "frame_index")
            pictures += len(seen)
    expect(worst < 2.0, f"pictures (mean difference {worst:.2f} of 255)")
    # As a policy is trained: windows of actions, batches by torch.
    ahead = [step / info["fps"] for step in range(8)]
    windows = LeRobotDataset(
        repo_id="local/episodes",
        root=root,
        video_backend="pyav",
        delta_timestamps={"action": ahead},
        episodes=[0],
    )
    batch = next(iter(torch.utils.data.DataLoader(windows, batch_size=4)))
    expect(tuple(batch["action"].shape) == (4, 8, info["features"]["action"]["shape"][0]), "batch")
    expect(all(isinstance(task, str) and task for task in batch["task"]), "tasks")
    kinds = {
        key: seen.type.value for key, seen in dataset_to_policy_features(data.features).items()
    }
    expect(kinds["observation.state"] == "STATE" and kinds["action"] == "ACTION", "kinds")
    expect(kinds.get("observation.environment_state", "ENV") == "ENV", "kinds")
    return {
        "lerobot": version,
        "episodes": len(ours),
        "identical": sum(record["identical"] for record in ours),
        "frames": len(frames),
        "numbers": numbers,
        "tasks": len(data.meta.tasks),
        "pictures": pictures,
        "difference": worst,
    }


def expect(met: bool, what: str) -> None:
    """Stop with a sentence if something differs."""
    if not met:
        raise AssertionError(f"{what}: not as it was written")


def main() -> int:
    """Check the data set that is named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("root", type=Path, help="folder of the data set")
    parser.add_argument("--films", type=int, default=3, help="episodes to decode whole")
    asked = parser.parse_args()
    try:
        found = check(asked.root, asked.films)
    except AssertionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
