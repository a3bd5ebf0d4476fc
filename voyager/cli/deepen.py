"""`voyager skills deepen`: more fresh scenes after admission, and the bound that they earn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from voyager.cli import screen
from voyager.cli.options import (
    ExtensionOption,
    HomeOption,
    JsonOption,
    UnsafeOption,
    WorkersOption,
)
from voyager.cli.session import begin

if TYPE_CHECKING:
    from rich.status import Status

    from env.executors import Executor
    from skill_store import Library
    from skill_store.skill import Skill

DEEPEN_SCHEMA: Final = "voyager.deepen/1"
ALL_SCHEMA: Final = "voyager.deepen_all/1"


def deepen(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the skill.", show_default=False)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All skills in use, one after another.")
    ] = False,
    look: Annotated[
        int | None,
        typer.Option(
            "--look",
            help="Go on to this look: 20, 40 or 100.",
            show_default="the next one; the last with --all",
        ),
    ] = None,
    workers: WorkersOption = None,
    unsafe_sandbox: UnsafeOption = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Run a skill on fresh scenes up to the next look (20, 40, 100) and publish its bound."""
    if (name is None) != every:
        raise typer.BadParameter("name one skill, or ask for --all")
    session = begin(
        context,
        home,
        extensions=extension,
        flags={"workers": workers},
        json=json,
        unsafe=unsafe_sandbox,
    )
    from env.executors import make_executor
    from env.statistics import LOOKS
    from skill_store import Library

    if look is not None and look not in LOOKS:
        raise typer.BadParameter(f"--look must be one of {', '.join(map(str, LOOKS))}")
    err = screen.console(stderr=True)
    with (
        Library.open(session.home, learning=True) as library,
        make_executor(session.config.workers) as executor,
        err.status("deepening") as status,
    ):
        if name is not None:
            _show_one(_deepened(library, name, look, executor, status), json=json)
            return
        names = [entry.name for entry in library.entries() if entry.state.callable]
        last = look or LOOKS[-1]
        skills = [_deepened(library, each, last, executor, status) for each in names]
    _show_all(skills, json=json)


def _deepened(
    library: Library, name: str, look: int | None, executor: Executor, status: Status
) -> Skill:
    """The skill, deepened to a look; one that is there already is left as it is."""
    from env.statistics import LOOKS
    from env.transcript import Episode
    from voyager.deepening import counted, deepen_skill

    skill = library.get(name)
    before = counted(library, skill)
    done = 0 if before is None else before.look
    wanted = look if look is not None else min((n for n in LOOKS if n > done), default=None)
    solved: list[bool] = []

    def show(episode: Episode) -> None:
        solved.append(episode.solved)
        told = f"{sum(solved)} of {len(solved)} fresh scenes solved"
        status.update(screen.text(f"deepening {name}: {told}"))

    if wanted is None:
        return deepen_skill(library, name, executor=executor, watch=show)
    while done < wanted:
        skill = deepen_skill(library, name, executor=executor, watch=show)
        done = wanted if skill.deepening is None else skill.deepening.look
    return skill


def _show_one(skill: Skill, *, json: bool) -> None:
    from voyager.wording import bound_words

    if json:
        deepening = None if skill.deepening is None else skill.deepening.to_json()
        screen.show_json({"schema": DEEPEN_SCHEMA, **_facts(skill), "deepening": deepening})
        return
    screen.show_facts(
        screen.console(),
        [("name", skill.name), ("state", skill.state.value), ("lower bound", bound_words(skill))],
    )


def _show_all(skills: list[Skill], *, json: bool) -> None:
    if json:
        screen.show_json({"schema": ALL_SCHEMA, "skills": [_counts(skill) for skill in skills]})
        return
    made = screen.table("name", "state", "fresh scenes", "bound")
    for skill in skills:
        counts = _counts(skill)
        bound = "-" if skill.bound is None else f"{skill.bound:.1%}"
        scenes = f"{counts['k']}/{counts['n']}"
        screen.add_row(made, screen.text(skill.name, "bold"), skill.state.value, scenes, bound)
    screen.console().print(made)


def _facts(skill: Skill) -> dict[str, Any]:
    return {"name": skill.name, "state": skill.state.value, "bound": skill.bound}


def _counts(skill: Skill) -> dict[str, Any]:
    found = skill.deepening
    k, n = (0, 0) if found is None else (found.solved, found.look)
    return {**_facts(skill), "k": k, "n": n}
