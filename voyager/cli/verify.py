"""`voyager skills verify`: run certificates again, in fresh processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption, WorkersOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from env.replay import ReplayReport

VERIFY_SCHEMA = "voyager.verification/1"


def verify(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the skill.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify every skill.")] = False,
    workers: WorkersOption = None,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Replay a certificate: the same scenes, in fresh processes, compared bit for bit.

    On another platform (engine, processor, code) outcomes and margins are compared; a difference
    there refutes nothing.
    """
    if (name is None) == (not everything):
        raise typer.BadParameter("name one skill, or give --all")
    session = begin(context, home, extensions=extension, flags={"workers": workers}, json=json)
    from env.executors import ProcessExecutor
    from env.replay import ReplayVerdict, replay
    from skill_store import Library

    reports: list[tuple[str, ReplayReport]] = []
    err = screen.console(stderr=True)
    # Always processes of their own, even one: nothing of this process can leak into a replay.
    with (
        Library.open(session.home) as library,
        ProcessExecutor(session.config.workers) as executor,
        err.status("replaying") as status,
    ):
        names = library.names() if name is None else (name,)
        for number, each in enumerate(names, start=1):
            skill = library.get(each)
            status.update(screen.text(f"replaying {each} ({number} of {len(names)})"))
            report = replay(
                skill.certificate,
                skill.task,
                skill.closure,
                executor=executor,
                handovers=library.handovers_of(skill.certificate),
            )
            reports.append((each, report))
            if not json:
                status.stop()
                _show(each, report)
                status.start()
    broken = [each for each, report in reports if report.verdict is ReplayVerdict.BROKEN]
    if json:
        screen.show_json(_record(reports, not broken))
    elif not reports:
        typer.echo("This library is empty; there is nothing to verify.")
    if broken:
        raise typer.Exit(1)


def _record(reports: list[tuple[str, ReplayReport]], sound: bool) -> dict[str, Any]:
    return {
        "schema": VERIFY_SCHEMA,
        "ok": sound,
        "skills": [{"name": name, **report.to_json()} for name, report in reports],
    }


_STYLES = {"identical": "green", "agrees": "green", "other platform": "yellow", "broken": "red"}


def _show(name: str, report: ReplayReport) -> None:
    out = screen.console()
    verdict = report.verdict.value
    same = sum(scene.identical for scene in report.scenes)
    line = screen.text(f"{name}: ", "bold")
    line.append(verdict, style=_STYLES[verdict])
    line.append(f", {same} of {len(report.scenes)} episodes are the same bit for bit")
    out.print(line, soft_wrap=True)
    if report.differences:
        told = ", ".join(report.differences)
        out.print(screen.text(f"  made on another platform, with another {told}"), soft_wrap=True)
    for scene in report.scenes:
        if scene.detail:
            seed = scene.recorded.start.seed
            out.print(screen.text(f"  seed {seed}: {scene.detail}"), soft_wrap=True)
