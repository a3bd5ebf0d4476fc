"""Reference tasks: how far a library has come, from reaching a block to sorting a table.

Nothing that proposes tasks or writes programs may look at them (an import contract proves it): they
are a yardstick, not a curriculum. A milestone is reached when the contract of some callable skill
implies its goal, so no simulation is needed to ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from env.task import Task
from skill_store.library import Library
from skill_store.routing import solvers


class Theme(StrEnum):
    """What kind of thing a milestone is about."""

    HAND = "hand"
    """Reaching, grasping, lifting."""
    STACK = "stack"
    """One thing on another."""
    CONTAINER = "container"
    """Things in bowls and trays."""
    PLACE = "place"
    """Things on marks and beside each other."""
    TIME = "time"
    """What must come first, and what must last."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """One reference task.

    Attributes:
        name: Short name, unique among them.
        level: How many things have to be brought about on top of each other; 1 is a bare hand.
        theme: What kind of thing it is.
        goal: Goal expression.
        parameters: (name, kind) pairs.
        task: The goal as a task, with the scenes that it has by default.
    """

    name: str
    level: int
    theme: Theme
    goal: str
    parameters: tuple[tuple[str, str], ...]
    task: Task = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the goal.

        Raises:
            GoalError: If it cannot be read.
            KindError: If a kind is unknown.
        """
        object.__setattr__(self, "task", Task.make(self.goal, dict(self.parameters)))


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    """The (name, kind) pairs of `name=kind name=kind`."""
    for pair in text.split():
        name, _, kind = pair.partition("=")
        yield name, kind


_TABLE: Final = (
    ("reach_block", 1, Theme.HAND, "at(gripper, block)", "block=block"),
    ("reach_ball", 1, Theme.HAND, "at(gripper, ball)", "ball=ball"),
    ("hold_block", 1, Theme.HAND, "held(block)", "block=block"),
    ("lift_block", 1, Theme.HAND, "lifted(block)", "block=block"),
    ("lift_ball", 1, Theme.HAND, "lifted(ball)", "ball=ball"),
    ("lift_block_high", 1, Theme.HAND, "lifted(block, 0.15)", "block=block"),
    ("stack_two", 2, Theme.STACK, "on(a, b) and clear()", "a=block b=block"),
    ("block_in_bowl", 2, Theme.CONTAINER, "inside(a, c) and clear()", "a=block c=bowl"),
    ("block_in_tray", 2, Theme.CONTAINER, "inside(a, c) and clear()", "a=block c=tray"),
    ("ball_in_bowl", 2, Theme.CONTAINER, "inside(a, c) and clear()", "a=ball c=bowl"),
    ("ball_in_tray", 2, Theme.CONTAINER, "inside(a, c) and clear()", "a=ball c=tray"),
    ("block_at_place", 2, Theme.PLACE, "at_place(a, p) and clear()", "a=block p=place"),
    ("ball_at_place", 2, Theme.PLACE, "at_place(a, p) and clear()", "a=ball p=place"),
    ("block_near_bowl", 2, Theme.PLACE, "near(a, c) and clear()", "a=block c=bowl"),
    (
        "block_left_of_tray",
        2,
        Theme.PLACE,
        "left_of(a, c) and near(a, c) and clear()",
        "a=block c=tray",
    ),
    ("hold_up", 2, Theme.TIME, "held_for(lifted(block, 0.1), 2.0)", "block=block"),
    ("lift_in_turn", 2, Theme.TIME, "then(lifted(a), lifted(b))", "a=block b=block"),
    ("tower_three", 3, Theme.STACK, "on(a, b) and on(b, c) and clear()", "a=block b=block c=block"),
    (
        "stack_at_place",
        3,
        Theme.STACK,
        "on(a, b) and at_place(b, p) and clear()",
        "a=block b=block p=place",
    ),
    (
        "stack_in_tray",
        3,
        Theme.CONTAINER,
        "on(a, b) and inside(b, c) and clear()",
        "a=block b=block c=tray",
    ),
    (
        "two_blocks_in_tray",
        3,
        Theme.CONTAINER,
        "inside(a, c) and inside(b, c) and clear()",
        "a=block b=block c=tray",
    ),
    (
        "block_and_ball_apart",
        3,
        Theme.CONTAINER,
        "inside(a, c) and inside(b, d) and clear()",
        "a=block b=ball c=tray d=bowl",
    ),
    (
        "two_at_places",
        3,
        Theme.PLACE,
        "at_place(a, p) and at_place(b, q) and clear()",
        "a=block b=block p=place q=place",
    ),
    (
        "row_of_three",
        3,
        Theme.PLACE,
        "left_of(a, b) and left_of(b, c) and near(a, b) and near(b, c) and clear()",
        "a=block b=block c=block",
    ),
    (
        "clear_bowl",
        3,
        Theme.TIME,
        "then(inside(a, c), at_place(a, p)) and clear()",
        "a=block c=bowl p=place",
    ),
    (
        "tower_four",
        4,
        Theme.STACK,
        "on(a, b) and on(b, c) and on(c, d) and clear()",
        "a=block b=block c=block d=block",
    ),
    (
        "two_stacks",
        4,
        Theme.STACK,
        "on(a, b) and on(c, d) and clear()",
        "a=block b=block c=block d=block",
    ),
    (
        "tower_at_place",
        4,
        Theme.STACK,
        "on(a, b) and on(b, c) and at_place(c, p) and clear()",
        "a=block b=block c=block p=place",
    ),
    (
        "all_blocks_in_tray",
        4,
        Theme.CONTAINER,
        'every("block", inside(it, c)) and clear()',
        "c=tray",
    ),
    (
        "sorted_by_kind",
        5,
        Theme.CONTAINER,
        'every("block", inside(it, c)) and every("ball", inside(it, d)) and clear()',
        "c=tray d=bowl",
    ),
)
"""Name, level, theme, goal, and its parameters as they would be given on a command line."""

MILESTONES: Final[tuple[Milestone, ...]] = tuple(
    Milestone(name, level, theme, goal, tuple(_pairs(parameters)))
    for name, level, theme, goal, parameters in _TABLE
)
"""All milestones, the easier ones first."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How a library stands towards one milestone.

    Attributes:
        milestone: The milestone.
        skill: The oldest skill in use whose contract implies it; None when there is none.
    """

    milestone: Milestone
    skill: str | None


def reached(library: Library) -> tuple[Reached, ...]:
    """Which milestones a library has reached; nothing is simulated, and nothing is written.

    Args:
        library: What has been learned.

    Returns:
        One entry a milestone, in their own order.

    Raises:
        StorageError: If the library cannot be read.
    """
    able = ((milestone, solvers(library, milestone.task)) for milestone in MILESTONES)
    return tuple(Reached(milestone, next(iter(names), None)) for milestone, names in able)
