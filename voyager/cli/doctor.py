"""`voyager doctor`: is everything here as it must be?"""

from __future__ import annotations

from typing import Annotated

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption
from voyager.cli.session import invocation_of
from voyager.doctor import Finding, Health, examine

DOCTOR_SCHEMA = "voyager.doctor/1"
_STYLES = {Health.OK: "green", Health.NOTE: "yellow", Health.WRONG: "bold red"}


def doctor(
    context: typer.Context,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Also run the sandbox's whole conformance suite.")
    ] = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Check Python, packages, engine, sandbox, home and database; exit code 1 if one is wrong."""
    invocation_of(context).json = json
    out, err = screen.console(), screen.console(stderr=True)
    findings: list[Finding] = []
    with err.status("looking") as status:
        for finding in examine(home, extension, conformance=sandbox):
            findings.append(finding)
            if json:
                continue
            status.stop()
            line = screen.text(f"{finding.health.value:<6}", _STYLES[finding.health])
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
