"""What callers are told about a scene and about a run: plain data, and its JSON-able form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from env.transcript import Episode
from skill_store.skill import Skill
from voyager.doing.things import Thing, called
from voyager.serving.scenes import Seen, Sight


@dataclass(frozen=True, slots=True)
class View:
    """A scene as it is now.

    Attributes:
        scene: Its name, for further requests.
        seed: What it was drawn with.
        drawn_for: Name of the skill whose own scenes it is one of, or None.
        binding: Object by parameter, as the seed would have that skill run; empty without one.
        turns: Skills that were run in it.
        sight: Objects, and a picture if one was asked for.
    """

    scene: str
    seed: int
    drawn_for: str | None
    binding: Mapping[str, str]
    turns: int
    sight: Sight

    def to_json(self) -> dict[str, Any]:
        """JSON-able, without the picture."""
        return {
            "scene": self.scene,
            "seed": self.seed,
            "drawn_for": self.drawn_for,
            "binding": dict(self.binding),
            "runs": self.turns,
            "objects": _told(self.sight),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """What came of running a skill.

    Attributes:
        skill: What was run.
        proof: What is proved about it, in a sentence.
        binding: Object by parameter.
        episode: What happened, and the judge's verdict.
        true_before: Whether its goal was true before it was run.
        as_certified: Whether the scene began as the scenes of its certificate do.
        view: The scene as it is now.
    """

    skill: Skill
    proof: str
    binding: Mapping[str, str]
    episode: Episode
    true_before: bool
    as_certified: bool
    view: View

    @property
    def missing(self) -> tuple[str, ...]:
        """What is missing, in words; empty when it is solved."""
        if self.episode.solved:
            return ()
        parts = tuple(r.missing for r in self.episode.reports if r.missing)
        return parts or (self.episode.reason,)

    def to_json(self) -> dict[str, Any]:
        """JSON-able, without the picture."""
        episode = self.episode
        return {
            "skill": self.skill.name,
            "arguments": dict(self.binding),
            "solved": episode.solved,
            "outcome": episode.outcome.value,
            "margin": _finite(episode.margin),
            "missing": list(self.missing),
            "goal": self.skill.task.goal.text,
            "parts": [
                {
                    "text": r.text,
                    "holds": r.holds,
                    "margin": _finite(r.margin),
                    "missing": r.missing,
                }
                for r in episode.reports
            ],
            "contracts": [
                {"skill": check.skill, "kept": check.kept, "missing": check.missing}
                for check in episode.contracts
            ],
            "true_before": self.true_before,
            "as_certified": self.as_certified,
            "proof": self.proof,
            "simulated_seconds": episode.time,
            **self.view.to_json(),
        }


def _told(sight: Sight) -> list[dict[str, Any]]:
    """Objects as JSON-able values, with a phrase for each."""
    things = [_thing(seen) for seen in sight.objects]
    return [
        {
            "name": thing.name,
            "called": called(thing, things),
            "kind": thing.kind,
            "colour": thing.colour,
            "size": [round(edge, 4) for edge in thing.size],
            "position": [round(value, 4) for value in thing.position],
            "held": thing.name == sight.held,
            "fallen": thing.name in sight.fallen,
        }
        for thing in things
    ]


def _finite(value: float | None) -> float | None:
    """A number that JSON has."""
    return value if value is not None and math.isfinite(value) else None


def _thing(seen: Seen) -> Thing:
    return Thing(seen.name, seen.kind, seen.colour, seen.size, seen.position)
