"""Pictures of a certificate: its own held-out episodes, run again and looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from env.certificate import SceneRecord
from env.errors import SimulatorError
from env.executors import Executor, Lost
from env.outcome import Outcome
from env.pictures import Tile, contact_sheet, write_gif
from env.render import Camera, Film, Reel, Shot, shoot
from env.seeds import short
from env.starts import Handover
from skill_store.errors import StorageError
from skill_store.skill import Skill
from voyager.performance import FILM_CAMERA, FILM_FPS

TILES: Final = 10
TILE_CAMERA: Final = Camera(samples=2)
CLIP_CAMERA: Final = Camera(width=280, height=210)
CLIP_FPS: Final = 8.0
_LONGEST_CLIP: Final = 60


@dataclass(frozen=True, slots=True)
class Gallery:
    """Where the pictures of a skill lie.

    Attributes:
        sheet: PNG: how held-out scenes ended.
        film: Animated GIF of one held-out scene.
        differing: Seeds of episodes that did not end as the certificate records.
    """

    sheet: Path
    film: Path
    differing: tuple[int, ...] = ()


def places(skill: Skill, folder: Path) -> Gallery:
    """Where the pictures of a skill belong, whether they are there or not."""
    stem = f"{skill.name}-{short(skill.certificate.hash)}"
    return Gallery(folder / f"{stem}.png", folder / f"{stem}.gif")


def make_gallery(
    skill: Skill, handovers: Sequence[Handover], executor: Executor, folder: Path
) -> Gallery:
    """Take pictures of a skill's certificate.

    Args:
        skill: The skill.
        handovers: The skills that its scenes begin after (`Library.handovers_of`).
        executor: Where to film.
        folder: Where to put them; made when it is not there.

    Returns:
        Where they are.

    Raises:
        StorageError: If the folder cannot be made.
        VoyagerError: If a file cannot be written.
        SimulatorError: If a worker was lost.
        SandboxError: If the sandbox cannot stand on this machine.
    """
    gallery = places(skill, folder)
    _make(folder)
    known = {handover.key: handover for handover in handovers}
    scenes = skill.certificate.scenes
    shown, starred = chosen(scenes), star(scenes)
    # The film first: it takes longest, so that the other workers take the stills meanwhile.
    reels = [Reel((_shot(skill, scenes[starred], known),), FILM_CAMERA, FILM_FPS)]
    shots = [_shot(skill, scenes[index], known) for index in shown]
    share = -(-len(shots) // executor.workers)
    reels += [
        Reel(tuple(shots[first : first + share]), TILE_CAMERA, fps=0.0)
        for first in range(0, len(shots), share)
    ]
    film, *stills = [seen for result in executor.map(shoot, reels) for seen in _received(result)]
    write_gif(film.frames or (film.last,), gallery.film, fps=FILM_FPS)
    contact_sheet(
        [
            _tile(scenes[index], shot, still)
            for index, shot, still in zip(shown, shots, stills, strict=True)
        ],
        gallery.sheet,
        title=f"{skill.name}: {skill.certificate.solved} of {len(scenes)} unseen scenes solved",
        subtitle=f"{skill.task.goal.text}   ·   certificate {short(skill.certificate.hash)}",
    )
    pairs = [(scenes[starred], film)]
    pairs += [(scenes[index], still) for index, still in zip(shown, stills, strict=True)]
    differing = {s.start.seed for s, seen in pairs if seen.episode.hash != s.episode}
    return Gallery(gallery.sheet, gallery.film, tuple(sorted(differing)))


def clip_place(skill: Skill, folder: Path) -> Path:
    """Where the small film of a skill belongs, whether it is there or not."""
    return places(skill, folder).film.with_suffix(".small.gif")


def make_clips(
    skills: Sequence[tuple[Skill, Sequence[Handover]]], executor: Executor, folder: Path
) -> int:
    """Film one held-out scene of each skill, small and with few frames: made in seconds.

    Args:
        skills: Each with the skills that its scenes begin after (`Library.handovers_of`).
        executor: Where to film.
        folder: Where to put them, see `clip_place`; made when it is not there.

    Returns:
        How many were made; one whose worker was lost is left out.

    Raises:
        StorageError: If the folder cannot be made.
        VoyagerError: If a file cannot be written.
        SandboxError: If the sandbox cannot stand on this machine.
    """
    _make(folder)
    reels = []
    for skill, handovers in skills:
        scenes = skill.certificate.scenes
        known = {handover.key: handover for handover in handovers}
        shot = _shot(skill, scenes[star(scenes)], known)
        reels.append(Reel((shot,), CLIP_CAMERA, CLIP_FPS, most=_LONGEST_CLIP))
    made = 0
    for (skill, _), result in zip(skills, executor.map(shoot, reels), strict=True):
        if isinstance(result, Lost):
            continue
        (seen,) = result
        write_gif(seen.frames or (seen.last,), clip_place(skill, folder), fps=CLIP_FPS)
        made += 1
    return made


def chosen(scenes: Sequence[SceneRecord]) -> tuple[int, ...]:
    """Which scenes are shown: every failure there is room for, and the first of the others."""
    failed = [i for i, scene in enumerate(scenes) if scene.outcome is not Outcome.SOLVED][:TILES]
    others = [i for i in range(len(scenes)) if i not in failed][: TILES - len(failed)]
    return tuple(sorted((*failed, *others)))


def star(scenes: Sequence[SceneRecord]) -> int:
    """Which scene is filmed: the first that was solved, if possible without a hand-over."""
    solved = [i for i, scene in enumerate(scenes) if scene.outcome is Outcome.SOLVED]
    alone = [i for i in solved if scenes[i].start.handover is None]
    return (alone or solved or [0])[0]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot make {folder} ({error.strerror}); check its rights, or choose another home "
            "with --home"
        ) from error


def _shot(skill: Skill, scene: SceneRecord, known: Mapping[tuple[str, str], Handover]) -> Shot:
    first = scene.start.handover
    handover = None if first is None else known.get((first.closure, first.task))
    return Shot(skill.task, skill.closure, scene.start, handover)


def _received(result: tuple[Film, ...] | Lost) -> tuple[Film, ...]:
    if isinstance(result, Lost):
        raise SimulatorError(f"no pictures were taken: {result.detail}; try again")
    return result


def _tile(scene: SceneRecord, shot: Shot, still: Film) -> Tile:
    words = f"seed {scene.start.seed}: {still.episode.outcome.value.replace('_', ' ')}"
    if shot.handover is not None:
        words += f" after {shot.handover.closure.entry.name}"
    return Tile(still.last, words, still.episode.solved)
