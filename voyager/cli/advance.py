"""`voyager progress`: what was learned, what failed, and what an explorer would try next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption, SeedOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from rich.console import Console

    from voyager.browsing.past import Past, TriedTask
    from voyager.browsing.progress import Progress


def progress(
    context: typer.Context,
    most: Annotated[
        int, typer.Option("--most", min=0, help="Goals of the frontier that are told.")
    ] = 20,
    seed: SeedOption = None,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """List solved and failed tasks, and the goals that the frontier would propose next.

    Nothing is simulated to find out. Milestones come with --json, or from `voyager milestones`.
    """
    session = begin(context, home, extensions=extension, flags={"seed": seed}, json=json)
    from skill_store import Library
    from voyager.browsing.past import look_back
    from voyager.browsing.progress import gather

    with Library.open(session.home) as library:
        past = look_back(library)
        if not json:
            # What comes next takes seconds to work out: there is something to read meanwhile.
            _show_past(past)
        found = gather(library, session.config.seed, most, past)
    if json:
        screen.show_json(found.to_json())
        return
    _show_rest(found)


def _show_past(past: Past) -> None:
    out = screen.console()
    _table(out, "solved", past.solved)
    _table(out, "failed", past.failed)


def _show_rest(found: Progress) -> None:
    out, past = screen.console(), found.past
    if found.frontier:
        made = screen.table("next", "goal", "with", "why", title="frontier")
        for rank, one in enumerate(found.frontier, 1):
            pairs = ", ".join(f"{name}: {kind}" for name, kind in one.parameters)
            screen.add_row(made, rank, one.goal, pairs or "-", one.why)
        out.print(made)
    met = sum(one.at_steps is not None for one in past.milestones)
    screen.show_facts(
        out,
        [
            ("solved", f"{len(past.solved)} tasks"),
            ("failed", f"{len(past.failed)} tasks"),
            ("refused", f"{len(found.refused)} tasks, as not worth learning"),
            ("waiting", f"{len(past.waiting)} tasks of users"),
            ("interrupted", f"{past.interrupted} attempts"),
            ("milestones", f"{met} of {len(past.milestones)}"),
        ],
    )


def _table(out: Console, title: str, tasks: tuple[TriedTask, ...]) -> None:
    if not tasks:
        return
    made = screen.table("goal", "skill", "attempts", "steps", "last", title=title)
    for one in tasks:
        screen.add_row(
            made, one.goal, one.skill or "-", one.times, f"{one.steps:,}", one.reason or one.outcome
        )
    out.print(made)
