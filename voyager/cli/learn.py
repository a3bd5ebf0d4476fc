"""`voyager learn`: from a goal to a certified skill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import (
    CallsOption,
    ExtensionOption,
    HomeOption,
    JsonOption,
    ModelOption,
    ParamOption,
    SeedOption,
    UnsafeOption,
    WorkersOption,
    WriterOption,
    parameters,
)
from voyager.cli.session import Session, begin

if TYPE_CHECKING:
    from env.executors import Executor
    from skill_store import Library
    from skill_store.skill import Skill
    from voyager.gallery import Gallery
    from voyager.learn import LearnReport


def learn(
    context: typer.Context,
    expression: Annotated[str, typer.Argument(metavar="GOAL", help="What must become true.")],
    param: ParamOption = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the skill.", show_default="made from the goal"),
    ] = None,
    instruction: Annotated[
        str | None,
        typer.Option(
            "--instruction",
            help="The task in words, for people.",
            show_default="made from the goal",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=1,
            help="Simulated steps that may be spent.",
            show_default="setting search.steps: 4,000,000",
        ),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(
            "--lanes",
            min=1,
            max=64,
            help="Practice scenes searched side by side.",
            show_default="setting search.lanes: 4",
        ),
    ] = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    writer: WriterOption = None,
    model: ModelOption = None,
    calls: CallsOption = None,
    no_library: Annotated[
        bool, typer.Option("--no-library", help="Call no skill of the library.")
    ] = False,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="Leave out the contact sheet and the film.")
    ] = False,
    unsafe_sandbox: UnsafeOption = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Learn a skill for a goal, certify it on scenes that it never saw, and keep it.

    Example: voyager learn 'on(top, bottom) and clear()' -p top=block -p bottom=block
    """
    session = begin(
        context,
        home,
        extensions=extension,
        flags={
            "seed": seed,
            "workers": workers,
            "library": False if no_library else None,
            "search.steps": steps,
            "search.lanes": lanes,
            "writer.kind": writer,
            "writer.calls": calls,
            "models.write": model,
        },
        json=json,
        unsafe=unsafe_sandbox,
    )
    kinds = parameters(param)
    from env.executors import make_executor
    from env.task import Task
    from skill_store import Library
    from voyager.cli.progress import watching
    from voyager.cli.writing import open_chosen_writer
    from voyager.learn import learn as learn_task

    config = session.config
    task = Task.make(expression, kinds, instruction=instruction)
    with (
        Library.open(session.home, learning=True) as library,
        make_executor(config.workers) as executor,
    ):
        chosen = open_chosen_writer(session, library, implied=model is not None and writer is None)
        with watching() as watch:
            report = learn_task(
                task,
                library,
                executor=executor,
                steps=config.search.steps,
                lanes=config.search.lanes,
                name=name,
                use_library=config.library,
                seed=config.seed,
                writer=chosen,
                watch=watch,
            )
        gallery = None
        if report.skill is not None and not no_pictures:
            gallery = _pictures(report.skill, library, executor, session)
    if json:
        screen.show_json(_record(report, gallery))
    else:
        _show(report, gallery, session)
    if report.skill is None:
        raise typer.Exit(1)


def _pictures(
    skill: Skill, library: Library, executor: Executor, session: Session
) -> Gallery | None:
    """The pictures of a skill; a skill is learned whether or not they can be taken."""
    from env.errors import VoyagerError
    from voyager.gallery import make_gallery, places

    there = places(skill, session.locations.artifacts)
    if there.sheet.exists() and there.film.exists():
        return there
    err = screen.console(stderr=True)
    try:
        with err.status("taking pictures"):
            handovers = library.handovers_of(skill.certificate)
            gallery = make_gallery(skill, handovers, executor, session.locations.artifacts)
    except VoyagerError as error:
        typer.echo(f"no pictures: {screen.clean(error)}", err=True)
        return None
    if gallery.differing:
        typer.echo(
            f"{len(gallery.differing)} of the filmed episodes did not go as the certificate "
            f"records; run `voyager skills verify {skill.name}{session.home_flag}`",
            err=True,
        )
    return gallery


def _record(report: LearnReport, gallery: Gallery | None) -> dict[str, Any]:
    skill = report.skill
    pictures = None
    if gallery is not None:
        pictures = {"sheet": str(gallery.sheet), "film": str(gallery.film)}
    return {
        **report.to_json(),
        "source": None if skill is None else skill.source,
        "pictures": pictures,
    }


def _show(report: LearnReport, gallery: Gallery | None, session: Session) -> None:
    out = screen.console()
    skill = report.skill
    if skill is None:
        typer.echo(f"not learned: {screen.clean(report.reason)}", err=True)
        typer.echo(
            f"{report.simulated_steps:,} simulated steps, {report.nodes:,} nodes; a larger "
            "--steps, or skills for parts of the goal learned first, may help",
            err=True,
        )
        return
    from voyager.wording import certificate_facts

    if report.known:
        out.print(screen.text(f"The library has a skill for this already: {skill.name}", "bold"))
    else:
        out.print(screen.text(f"Learned {skill.name}", "bold green"))
    out.print()
    screen.show_source(skill.source, out)
    out.print()
    rows = certificate_facts(skill)
    if not report.known:
        spent = f"{report.simulated_steps:,} simulated steps, {report.nodes:,} search nodes"
        rows.append(("spent", spent))
    screen.show_facts(out, rows)
    if gallery is not None:
        for name, where in (("pictures", gallery.sheet), ("film", gallery.film)):
            # Not through a table: a path must stay in one piece to be copied.
            typer.echo(f"{name:<13}{screen.clean(where)}")
    _suggest(skill, session)


def _suggest(skill: Skill, session: Session) -> None:
    flag = session.home_flag
    typer.echo("\nnext:")
    typer.echo(f"  voyager skills run {skill.name} --seed 1 --gif {skill.name}.gif{flag}")
    typer.echo(f"  voyager skills verify {skill.name}{flag}")
    typer.echo(f"  voyager skills deepen {skill.name}{flag}")
