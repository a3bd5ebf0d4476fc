"""`voyager doctor`: is everything here as it must be?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption
from voyager.cli.session import invocation_of

if TYPE_CHECKING:
    from voyager.doctor import Finding

DOCTOR_SCHEMA = "voyager.doctor/1"
_STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}


def doctor(
    context: typer.Context,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Also run the sandbox's whole conformance suite.")
    ] = False,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            "--backend",
            metavar="NAME",
            help="With --sandbox, the suite on this backend; may be repeated.",
            show_default="all with walls that are installed",
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read every skill back, also in a large library.")
    ] = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Check Python, packages, engine, sandbox, home and database; exit code 1 if one is wrong."""
    invocation_of(context).json = json
    from voyager.doctor import Health, examine

    suites = _backends(backend) if sandbox or backend else ()
    out, err = screen.console(), screen.console(stderr=True)
    findings: list[Finding] = []
    with err.status("looking") as status:
        for finding in examine(home, extension, conformance=suites, full=full):
            findings.append(finding)
            if json:
                continue
            status.stop()
            line = screen.text(f"{finding.health.value:<6}", _STYLES[finding.health.value])
            line.append(screen.clean(f"{finding.name}: {finding.detail}"))
            out.print(line, soft_wrap=True)
            if finding.remedy:
                out.print(screen.text(f"      {finding.remedy}", "dim"), soft_wrap=True)
            status.start()
    wrong = [finding for finding in findings if finding.health is Health.WRONG]
    if json:
        screen.show_json(
            {
                "schema": DOCTOR_SCHEMA,
                "ok": not wrong,
                "findings": [
                    {
                        "name": finding.name,
                        "health": finding.health.value,
                        "detail": finding.detail,
                        "remedy": finding.remedy,
                    }
                    for finding in findings
                ],
            }
        )
    if wrong:
        raise typer.Exit(1)


def _backends(names: list[str] | None) -> tuple[str, ...]:
    from importlib.util import find_spec

    from env.backend import Backend

    known = [backend.value for backend in Backend]
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(f"--backend {name!r} must be one of {', '.join(known)}")
    if names:
        return tuple(names)
    there = [Backend.KERNEL.value]
    if find_spec("pydantic_monty") is not None:
        there.append(Backend.MONTY.value)
    return tuple(there)
