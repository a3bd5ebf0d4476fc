"""The command `voyager`: its groups of commands, and how every error ends.

Importing this loads no physics: commands import what they need when they run, so that
`voyager --help` answers at once.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from voyager import __version__
from voyager.cli import (
    advance,
    api,
    browse,
    budget,
    compare,
    deepen,
    demo,
    do,
    doctor,
    explore,
    export,
    film,
    goal,
    home,
    imports,
    learn,
    lifecycle,
    milestones,
    models,
    perform,
    renew,
    report,
    search,
    serve,
    settings,
    skills,
    steer,
    tasks,
    verify,
    writing,
)
from voyager.cli.failure import INTERRUPTED, TERMINATED, explain, misused
from voyager.cli.session import Invocation

app = typer.Typer(
    name="voyager",
    help="A robot arm that keeps learning skills in simulation, and can prove each of them.",
    epilog="Begin with: voyager explore --minutes 5",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"voyager {__version__}")
        raise typer.Exit


@app.callback()
def _all_commands(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print tracebacks instead of keeping them in a file.")
    ] = False,
) -> None:
    context.ensure_object(Invocation).debug = debug


app.command("explore")(explore.explore)
app.command("learn")(learn.learn)
app.command("do")(do.do)
app.command("compare")(compare.compare)
app.command("browse")(browse.browse)
app.command("demo")(demo.demo)
app.command("report")(report.report)
app.command("progress")(advance.progress)
app.command("milestones")(milestones.milestones)
app.add_typer(goal.app)
app.add_typer(skills.app)
skills.app.command("search")(search.search)
skills.app.command("verify")(verify.verify)
skills.app.command("run")(perform.run)
skills.app.command("film")(film.film)
skills.app.command("deepen")(deepen.deepen)
skills.app.command("renew")(renew.renew)
skills.app.command("edit")(lifecycle.edit)
skills.app.command("diff")(lifecycle.diff)
skills.app.command("pin")(lifecycle.pin)
skills.app.command("unpin")(lifecycle.unpin)
skills.app.command("retire")(lifecycle.retire)
skills.app.command("restore")(lifecycle.restore)
skills.app.command("quarantine")(imports.quarantine)
skills.app.command("certify")(imports.certify)
app.command("export")(export.export)
app.command("import")(imports.import_skills)
app.add_typer(tasks.app)
app.add_typer(steer.app)
app.add_typer(writing.app)
app.add_typer(models.app)
app.add_typer(budget.app)
app.add_typer(home.app)
app.add_typer(serve.app)
app.add_typer(settings.app)
app.command("paths")(settings.paths)
app.command("doctor")(doctor.doctor)
app.command("api")(api.api)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; those of the process when None.

    Returns:
        The exit code: 0 done, 1 not done, 2 used wrongly, 130 interrupted, 143 terminated.
    """
    invocation = Invocation()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        command = typer.main.get_command(needed(given))
        code = command.main(given, prog_name="voyager", standalone_mode=False, obj=invocation)
    except typer.TyperException as wrong:
        return misused(wrong, given)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        code = INTERRUPTED
    # The last line of defence: whatever it is, the user gets one sentence.
    except Exception as error:
        return explain(error, invocation)
    if code in (INTERRUPTED, TERMINATED):
        typer.echo("interrupted; what was stored before is intact", err=True)
    return code if isinstance(code, int) else 0


def needed(arguments: Sequence[str]) -> typer.Typer:
    """The commands that have to be made ready, parameter by parameter, for a command line.

    Args:
        arguments: Without the program's name.

    Returns:
        The command or the group that they begin with, by itself; all of them when they begin with
        none, so that help and errors know all.
    """
    name = next(iter(arguments), "")
    commands = [one for one in app.registered_commands if one.name == name]
    groups = [one for one in app.registered_groups if _name(one.typer_instance) == name]
    if not commands and not groups:
        return app
    made = copy.copy(app)
    made.registered_commands, made.registered_groups = commands, groups
    return made


def _name(group: typer.Typer | None) -> object:
    return None if group is None else group.info.name


def main() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run())
