"""`voyager tasks`: what an explorer is asked to learn before it chooses for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption, ParamOption, parameters
from voyager.cli.session import begin

if TYPE_CHECKING:
    from skill_store import Request, Skill

ADD_SCHEMA = "voyager.task_add/1"
LIST_SCHEMA = "voyager.tasks/1"
DROP_SCHEMA = "voyager.task_drop/1"

app = typer.Typer(
    name="tasks", help="Ask the explorer for skills, or take that back.", no_args_is_help=True
)


@app.command()
def add(
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
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for a skill; explorers take what waits before they choose tasks of their own."""
    session = begin(context, home, extensions=extension, json=json)
    from env.task import Task
    from skill_store import Library
    from voyager.learn import check_name

    task = Task.make(expression, parameters(param), instruction=instruction)
    if name is not None:
        check_name(name)
    with Library.open(session.home) as library:
        skill = library.find(task.hash)
        queued = None if skill is not None else library.queue.add(task, name)
    if json:
        screen.show_json(
            {
                "schema": ADD_SCHEMA,
                "added": queued is not None and queued.added,
                "skill": None if skill is None else skill.name,
                "task": None if queued is None else _record(queued.request),
            }
        )
    elif skill is not None:
        typer.echo(screen.clean(_known(skill)))
    elif queued is not None:
        number, goal = queued.request.id, queued.request.goal
        waits = "waits" if queued.added else "is waiting already"
        typer.echo(screen.clean(f"task {number} {waits}: {goal}"))


@app.command("list")
def list_tasks(
    context: typer.Context,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that are still to be done.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what was asked for and what became of it, oldest first."""
    session = begin(context, home, json=json, load_extensions=False)
    from skill_store import Library, RequestState

    with Library.open(session.home) as library:
        requests = library.queue.list(RequestState.WAITING if waiting else None)
    if json:
        screen.show_json({"schema": LIST_SCHEMA, "tasks": [_record(r) for r in requests]})
        return
    if not requests:
        typer.echo("No task waits; ask for one, for example:")
        typer.echo(f"  voyager tasks add 'lifted(block)' --param block=block{session.home_flag}")
        return
    made = screen.table("task", "state", "goal", "with", "asked for", "note")
    for request in requests:
        screen.add_row(
            made,
            request.id,
            request.state.value,
            request.goal,
            ", ".join(f"{name}: {kind}" for name, kind in request.parameters) or "-",
            f"{request.queued_at:%Y-%m-%d %H:%M}",
            request.note or "-",
        )
    screen.console().print(made)


@app.command()
def drop(
    context: typer.Context,
    number: Annotated[
        int, typer.Argument(metavar="ID", help="Number of the task, see `voyager tasks list`.")
    ],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Take a waiting task back; an attempt at it that is under way is finished all the same."""
    session = begin(context, home, json=json, load_extensions=False)
    from skill_store import Library

    with Library.open(session.home) as library:
        request = library.queue.drop(number)
    if json:
        screen.show_json({"schema": DROP_SCHEMA, "task": _record(request)})
        return
    typer.echo(screen.clean(f"task {request.id} is dropped: {request.goal}"))


def _known(skill: Skill) -> str:
    known = f"the skill {skill.name!r} solves this task already"
    return known if skill.state.callable else f"{known}, but it is {skill.state.value}"


def _record(request: Request) -> dict[str, Any]:
    settled = request.settled_at
    return {
        "id": request.id,
        "state": request.state.value,
        "goal": request.goal,
        "instruction": request.instruction,
        "parameters": [list(pair) for pair in request.parameters],
        "name": request.name,
        "hash": request.task_hash,
        "note": request.note,
        "queued_at": request.queued_at.isoformat(),
        "settled_at": None if settled is None else settled.isoformat(),
    }
