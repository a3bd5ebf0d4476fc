"""`voyager skills deepen`: more fresh scenes after admission, and the bound that they earn."""

from __future__ import annotations

import typer

from voyager.cli import screen
from voyager.cli.options import (
    ExtensionOption,
    HomeOption,
    JsonOption,
    NameArgument,
    WorkersOption,
)
from voyager.cli.session import begin

DEEPEN_SCHEMA = "voyager.deepen/1"


def deepen(
    context: typer.Context,
    name: NameArgument,
    workers: WorkersOption = None,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Run a skill on fresh scenes up to the next look (20, 40, 100) and publish its bound."""
    session = begin(context, home, extensions=extension, flags={"workers": workers}, json=json)
    from env.executors import make_executor
    from env.transcript import Episode
    from skill_store import Library
    from voyager.cli.wording import bound_words
    from voyager.deepening import deepen_skill

    err = screen.console(stderr=True)
    with (
        Library.open(session.home, learning=True) as library,
        make_executor(session.config.workers) as executor,
        err.status("deepening") as status,
    ):
        solved: list[bool] = []

        def show(episode: Episode) -> None:
            solved.append(episode.solved)
            status.update(f"deepening: {sum(solved)} of {len(solved)} fresh scenes solved")

        skill = deepen_skill(library, name, executor=executor, watch=show)
    if json:
        screen.show_json(
            {
                "schema": DEEPEN_SCHEMA,
                "name": name,
                "state": skill.state.value,
                "bound": skill.bound,
                "deepening": None if skill.deepening is None else skill.deepening.to_json(),
            }
        )
        return
    screen.show_facts(
        screen.console(),
        [("name", skill.name), ("state", skill.state.value), ("lower bound", bound_words(skill))],
    )
