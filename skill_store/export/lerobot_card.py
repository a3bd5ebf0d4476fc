"""What a data set says about itself in words, and the proof behind each of its episodes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from skill_store.export.bundle import Bundle
from skill_store.export.claims import MESHES, TRUST, bound_record, proof_sentence
from skill_store.export.errors import ExportError
from skill_store.export.markdown import code, plain, yaml_text
from skill_store.export.recording import Recording

SCHEMA: Final = "voyager.recordings/1"
VERSION: Final = "v3.0"
"""Of LeRobotDataset."""

_WORD: Final = "[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME: Final = re.compile(f"(?:{_WORD}/)?({_WORD})")
_LONGEST: Final = 96


def check_name(name: str) -> None:
    """Check what a data set is to be called, by the rules of the hub where such are shared.

    Raises:
        ExportError: If it cannot be the name of a data set.
    """
    found = _NAME.fullmatch(name)
    odd = "--" in name or ".." in name or name.endswith((".git", ".ipynb"))
    if found is None or odd or len(found[1]) > _LONGEST or len(name) > 2 * _LONGEST:
        raise ExportError(
            f"{name[:_LONGEST]!r} cannot be the name of a data set; use letters (a to z, A to Z), "
            f"digits, single - and ., and _ (not at either end), at most {_LONGEST} of them, for "
            "example 'put_on_episodes' or 'owner/put_on_episodes'"
        )


def provenance(bundle: Bundle, recordings: Sequence[Recording]) -> dict[str, Any]:
    """The record of what the format has no place for: proofs of skills, scenes of episodes.

    Args:
        bundle: The skills whose episodes they are.
        recordings: At least one.
    """
    present = dict.fromkeys(recording.skill for recording in recordings)
    names = recordings[0].names
    return {
        "schema": SCHEMA,
        "version": bundle.version,
        "made_at": bundle.made_at.isoformat(),
        "action_units": dict(names.units),
        "skills": [_skill_record(bundle, name) for name in present],
        "episodes": [
            {
                "episode_index": number,
                "skill": recording.skill,
                "start": recording.start.to_json(),
                "episode": recording.episode,
                "identical": recording.identical,
                "parameters": list(recording.parameters),
                "clipped": recording.clipped,
            }
            for number, recording in enumerate(recordings)
        ],
    }


def _skill_record(bundle: Bundle, name: str) -> dict[str, Any]:
    skill = bundle.named(name).skill
    return {
        "name": name,
        "goal": skill.task.goal.text,
        "task": skill.task.to_json(),
        "closure": skill.closure.hash,
        "certificate": skill.certificate.hash,
        "proof": proof_sentence(skill),
        "bound": bound_record(skill),
    }


def card(bundle: Bundle, recordings: Sequence[Recording], licence: str, name: str | None) -> str:
    """The README.md of a data set.

    Args:
        bundle: The skills whose episodes they are.
        recordings: At least one.
        licence: SPDX identifier.
        name: What it is called, or None; see `check_name`.

    Returns:
        Front matter in YAML and a page in Markdown. What comes from a skill is quoted: it cannot
        end the one or begin anything in the other.
    """
    first = recordings[0]
    differ = sum(not recording.identical for recording in recordings)
    replayed = (
        f"All {len(recordings)} episodes are, bit for bit, the ones that the certificates record."
        if not differ
        else f"{differ} of {len(recordings)} episodes solved their scene, but did not run as the "
        "certificates record them (another platform); `meta/recordings.json` says which."
    )
    counted = Counter(recording.skill for recording in recordings)
    units = [f"- {code(column)}: {plain(text)}" for column, text in first.names.units.items()]
    pictures = "a film of each episode" if first.video is not None else "no pictures"
    lines = [
        "---",
        "license: other",
        f"license_name: {yaml_text(licence)}",
        "license_link: LICENSE",
        "task_categories: [robotics]",
        "tags: [LeRobot, simulation, pybullet]",
        "configs:",
        "- config_name: default",
        "  data_files: data/*/*.parquet",
        "---",
        "",
        f"# {plain(name or 'Episodes of certified skills')}",
        "",
        f"LeRobotDataset {VERSION}: {len(recordings)} solved episodes, "
        f"{sum(r.length for r in recordings)} frames, {first.fps} a second, {pictures}.",
        "",
        "Nobody demonstrated these motions: programs made them, which were found in simulation and "
        "certified on scenes that they had never seen. Only solved episodes are written down.",
        "Poses are exact, from the simulator: there is no camera in the loop and no noise.",
        "",
        replayed,
        "",
        "## Skills",
        "",
    ]
    for known, count in counted.items():
        skill = bundle.named(known).skill
        lines += [
            f"- **{plain(known)}** ({count} episodes): {code(skill.task.goal.text)}. "
            f"{plain(proof_sentence(skill))}"
        ]
    lines += [
        "",
        "## Frames",
        "",
        "World frame: x forwards from the robot, y to its left, z up from the table top; metres, "
        "radians, seconds.",
        "",
        f"- `observation.state`: {_listed(first.names.state)} of the gripper.",
        "- `observation.environment_state`: for each parameter of the task, in order (zeros where "
        f"a task has fewer): {_listed(first.names.thing)}.",
        f"- `action`: {_listed(first.names.action)}, from this frame to the next:",
        "",
        *units,
        "",
        "State and environment state are the first numbers of what the Gymnasium environment of "
        "the same task shows, and its actions are these; an episode ends with one second at rest.",
        "",
        f"{TRUST} {MESHES}",
    ]
    return "\n".join(lines) + "\n"


def _listed(names: Sequence[str]) -> str:
    return plain(", ".join(names))
