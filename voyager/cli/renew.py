"""`voyager skills renew`: prove stale skills again, under the judge and engine at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

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
from voyager.cli.workshop import workshop

if TYPE_CHECKING:
    from voyager.renewal import Renewal

RENEW_SCHEMA: Final = "voyager.renew/1"
_STYLES: Final = {
    "renewed": "green",
    "valid": "green",
    "refused": "yellow",
    "unreadable": "red",
}


def renew(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the skill.", show_default=False)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All stale skills, callees before their callers.")
    ] = False,
    workers: WorkersOption = None,
    unsafe_sandbox: UnsafeOption = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Certify the program of a stale skill again, on fresh scenes under the judge at hand.

    The test is the next one of its task, and so a stricter one. What holds is in use again, on
    probation; what does not stays stale.

    Exit code 0 when no skill stays stale of those that were named, else 1.
    """
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
    from voyager.renewal import Verdict, renew_all, stale
    from voyager.renewal import renew as renew_skill

    with workshop(session) as proving:
        if name is not None:
            found = [renew_skill(proving, name)]
        else:
            found = list(renew_all(proving, stale(proving.library)))
    if json:
        screen.show_json(
            {
                "schema": RENEW_SCHEMA,
                "skills": [renewal.to_json() for renewal in found],
                "simulated_steps": proving.ledger.budget.used,
            }
        )
    else:
        _show(found)
    if any(renewal.verdict in (Verdict.REFUSED, Verdict.UNREADABLE) for renewal in found):
        raise typer.Exit(1)


def _show(found: list[Renewal]) -> None:
    if not found:
        typer.echo("No skill is stale; there is nothing to renew.")
        return
    out = screen.console()
    for renewal in found:
        line = screen.text(f"{renewal.skill}: ", "bold")
        line.append(renewal.verdict.value, style=_STYLES[renewal.verdict.value])
        made = renewal.certificate
        scenes = "" if made is None else f" ({made.solved} of {len(made.scenes)} scenes)"
        line.append(screen.clean(f"{scenes}, {renewal.why}"))
        out.print(line, soft_wrap=True)
