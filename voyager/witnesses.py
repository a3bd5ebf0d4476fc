"""What else a skill's episodes show: every atom over its parameters, at the start and the end."""

from __future__ import annotations

from collections.abc import Iterable

from env.goals import ground
from env.task import Task
from env.transcript import Episode
from env.witness import Witness
from skill_store.library import Library
from skill_store.skill import Skill


def witnesses_of(task: Task) -> tuple[Witness, ...]:
    """One witness for each atom that can be said about a task's parameters."""
    atoms = dict.fromkeys((*ground(task.kinds), *task.goal.atoms))
    return tuple(Witness.of_atom(atom, task.kinds) for atom in atoms)


def record_episodes(
    library: Library,
    skill: Skill,
    purpose: str,
    episodes: Iterable[Episode],
    attempt: int | None = None,
) -> None:
    """Keep what episodes of a skill, run with the witnesses of its task, have shown.

    Args:
        library: Is written to.
        skill: What was run.
        purpose: "certification" or "deepening".
        episodes: As they were counted.
        attempt: Number in the journal, or None.

    Raises:
        StorageError: If the library cannot be written.
    """
    texts = [witness.goal.text for witness in witnesses_of(skill.task)]
    for episode in episodes:
        shown = list(zip(texts, episode.sightings, strict=False))
        library.journal.record_episode(
            program=skill.closure.root,
            task=skill.task.hash,
            purpose=purpose,
            seed=episode.start.seed,
            outcome=episode.outcome,
            margin=episode.margin,
            detail={
                "begun": [text for text, seen in shown if seen.begun],
                "ended": [text for text, seen in shown if seen.held],
            },
            attempt=attempt,
        )
