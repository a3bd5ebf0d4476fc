"""`voyager api`: what a skill may call, in the forms that are made from the one table."""

from __future__ import annotations

from typing import Annotated

import typer

from voyager.cli.options import ExtensionOption, HomeOption
from voyager.cli.session import begin


def api(
    context: typer.Context,
    stub: Annotated[bool, typer.Option("--stub", help="A typed stub, robot.pyi.")] = False,
    prompt: Annotated[bool, typer.Option("--prompt", help="As a prompt tells it.")] = False,
    docs: Annotated[bool, typer.Option("--docs", help="As a Markdown page.")] = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
) -> None:
    """Print the robot API: all that a skill may call (as a prompt tells it, unless asked)."""
    if stub + prompt + docs > 1:
        raise typer.BadParameter("choose one of --stub, --prompt and --docs")
    begin(context, home, extensions=extension)
    from env import robot_api

    if stub:
        typer.echo(robot_api.stub(), nl=False)
    elif docs:
        typer.echo(robot_api.docs_page(), nl=False)
    else:
        typer.echo(robot_api.prompt(), nl=False)
