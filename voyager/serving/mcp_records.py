"""What the tools of the Model Context Protocol give back, as models: clients get their schemas."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class FoundSkill(BaseModel):
    """One skill that was found."""

    name: str
    instruction: str
    goal: str
    parameters: dict[str, str] = Field(description="Kind of object by parameter.")
    callable: bool
    why_not: str = Field(description="Why it may not be called; empty when it may.")
    claim: str = Field(description="What is proved about it.")
    score: float | None = Field(description="Nearness to what was asked; null in a plain list.")


class FoundSkills(BaseModel):
    """Skills, the nearest first."""

    skills: list[FoundSkill]


class Failure(BaseModel):
    """One way in which a skill failed."""

    outcome: str
    scenes: int


class Description(BaseModel):
    """All about one skill."""

    name: str
    version: int
    state: str
    callable: bool
    why_not: str = Field(description="Why it may not be called; empty when it may.")
    instruction: str
    documentation: str
    goal: str
    effects: list[str] = Field(description="What the goal asks for, part by part.")
    parameters: dict[str, Any] = Field(description="JSON Schema of `objects` of run_skill.")
    fixed: dict[str, Any] = Field(description="Further parameters, as they were certified.")
    calls: list[str] = Field(description="Skills that it calls.")
    proof: str = Field(description="What is proved about it, and what is not.")
    bound: dict[str, Any] = Field(description="The same for machines.")
    failures: list[Failure] = Field(description="How it failed in certified scenes.")
    holds_more_often_when: str = Field(description="Condition at the start, or empty.")
    time_limit: float = Field(description="Simulated seconds.")
    call_limit: int = Field(description="Robot calls.")
    certificate: str = Field(description="Hash of the certificate.")


class SceneObject(BaseModel):
    """One object as it is now."""

    name: str = Field(description="What to call it in run_skill.")
    called: str = Field(description="A phrase for people.")
    kind: str
    colour: str
    size: list[float] = Field(description="Edges of its bounding box, metres.")
    position: list[float] = Field(
        description="Its centre, metres; x away from the robot, y to its left, z above the table."
    )
    held: bool
    fallen: bool = Field(description="Whether it left the table.")


class SceneView(BaseModel):
    """A scene as it is now."""

    scene: str = Field(description="Its name, for look_at_scene and run_skill.")
    seed: int
    drawn_for: str | None = Field(description="Skill whose own scenes it is one of, or null.")
    binding: dict[str, str] = Field(description="Objects that the seed chose for that skill.")
    runs: int = Field(description="Skills that were run in it.")
    objects: list[SceneObject]


class Part(BaseModel):
    """One part of a goal."""

    text: str
    holds: bool
    margin: float | None
    missing: str


class Contract(BaseModel):
    """One call of another skill."""

    skill: str
    kept: bool | None = Field(description="Whether it did what it promises; null: not judged.")
    missing: str


class RunResult(SceneView):
    """What came of running a skill, and the scene as it is now."""

    skill: str
    arguments: dict[str, str] = Field(description="Object by parameter.")
    solved: bool = Field(description="The verdict of the simulator's own state.")
    outcome: str
    margin: float | None = Field(description="Positive when solved; null when not judged.")
    missing: list[str] = Field(description="What is missing, in words; empty when solved.")
    goal: str
    parts: list[Part]
    contracts: list[Contract] = Field(description="Calls of other skills.")
    true_before: bool = Field(description="Whether the goal was true before it was run.")
    as_certified: bool = Field(
        description="Whether the scene began as those of the certificate do; only then does the "
        "bound speak about this run."
    )
    proof: str
    simulated_seconds: float
