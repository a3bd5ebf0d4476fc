"""`voyager milestones`: how far the library has come along the reference tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from voyager.report.chronicle import MilestoneFacts

MILESTONES_SCHEMA = "voyager.milestones/1"


def milestones(
    context: typer.Context,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """List the reference tasks, and which skill reaches each: its contract implies the goal.

    The explorer never sees them, and nothing is simulated to find out.
    """
    session = begin(context, home, extensions=extension, json=json)
    from skill_store import Library
    from voyager.report.chronicle import gather_milestones

    with Library.open(session.home) as library:
        found = gather_milestones(library)
    met = sum(one.at_steps is not None for one in found)
    if json:
        screen.show_json(
            {
                "schema": MILESTONES_SCHEMA,
                "reached": met,
                "of": len(found),
                "milestones": [_record(one) for one in found],
            }
        )
        return
    out = screen.console()
    made = screen.table("level", "milestone", "goal", "reached by", "at step")
    for one in found:
        milestone, skill = one.reached.milestone, one.reached.skill
        screen.add_row(
            made,
            str(milestone.level),
            screen.text(milestone.name, "bold" if skill is not None else "dim"),
            milestone.goal,
            screen.text(skill, "green") if skill is not None else "-",
            "-" if one.at_steps is None else f"{one.at_steps:,}",
        )
    out.print(made)
    out.print(f"{met} of {len(found)} reached")


def _record(one: MilestoneFacts) -> dict[str, Any]:
    milestone = one.reached.milestone
    return {
        "name": milestone.name,
        "level": milestone.level,
        "theme": milestone.theme.value,
        "goal": milestone.goal,
        "parameters": [list(pair) for pair in milestone.parameters],
        "skill": one.reached.skill,
        "at_steps": one.at_steps,
    }
