"""`voyager skills verify`: run certificates again, in fresh processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption, UnsafeOption, WorkersOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from env.errors import VoyagerError
    from env.executors import Executor
    from env.replays import ReplayReport
    from skill_store import Library

VERIFY_SCHEMA = "voyager.verification/1"


def verify(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of the skill.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify every skill.")] = False,
    workers: WorkersOption = None,
    unsafe_sandbox: UnsafeOption = False,
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
    session = begin(
        context,
        home,
        extensions=extension,
        flags={"workers": workers},
        json=json,
        unsafe=unsafe_sandbox,
    )
    from env.errors import VoyagerError
    from env.executors import ProcessExecutor
    from env.replays import ReplayReport, ReplayVerdict
    from skill_store import Library

    found: dict[str, ReplayReport | VoyagerError] = {}
    err = screen.console(stderr=True)
    # Always processes of their own, even one: nothing of this process can leak into a replay.
    with (
        Library.open(session.home) as library,
        ProcessExecutor(session.config.workers) as executor,
        err.status("replaying") as status,
    ):
        names = library.names() if name is None else (name,)
        for number, each in enumerate(names, start=1):
            status.update(screen.text(f"replaying {each} ({number} of {len(names)})"))
            try:
                found[each] = _replayed(each, library, executor)
            except VoyagerError as error:
                if name is not None:
                    raise
                found[each] = error  # one skill that cannot be replayed must not hide the others
            if not json:
                status.stop()
                _show(each, found[each])
                status.start()
    sound = all(
        isinstance(report, ReplayReport) and report.verdict is not ReplayVerdict.BROKEN
        for report in found.values()
    )
    if json:
        screen.show_json(_record(found, sound))
    elif not found:
        typer.echo("This library is empty; there is nothing to verify.")
    if not sound:
        raise typer.Exit(1)


def _replayed(name: str, library: Library, executor: Executor) -> ReplayReport:
    from env.replays import replay

    skill = library.get(name)
    return replay(
        skill.certificate,
        skill.task,
        skill.closure,
        executor=executor,
        handovers=library.handovers_of(skill.certificate),
    )


def _record(found: dict[str, ReplayReport | VoyagerError], sound: bool) -> dict[str, Any]:
    return {
        "schema": VERIFY_SCHEMA,
        "ok": sound,
        "skills": [{"name": name, **_skill_record(report)} for name, report in found.items()],
    }


def _skill_record(report: ReplayReport | VoyagerError) -> dict[str, Any]:
    if isinstance(report, Exception):
        return {"error": screen.clean(report), "identical": False, "k": None, "n": None}
    again = (scene.replayed for scene in report.scenes)
    solved = sum(scene is not None and scene.outcome.value == "solved" for scene in again)
    return {"error": None, "k": solved, "n": len(report.scenes), **report.to_json()}


_STYLES = {"identical": "green", "agrees": "green", "other platform": "yellow", "broken": "red"}


def _show(name: str, report: ReplayReport | VoyagerError) -> None:
    from voyager.wording import fingerprint_words

    out = screen.console()
    if isinstance(report, Exception):
        line = screen.text(f"{name}: ", "bold")
        line.append(screen.clean(f"cannot be replayed: {report}"), style="red")
        out.print(line, soft_wrap=True)
        return
    verdict = report.verdict.value
    same = sum(scene.identical for scene in report.scenes)
    line = screen.text(f"{name}: ", "bold")
    line.append(verdict, style=_STYLES[verdict])
    line.append(f", {same} of {len(report.scenes)} episodes are the same bit for bit")
    out.print(line, soft_wrap=True)
    if report.differences:
        told = ", ".join(report.differences)
        out.print(screen.text(f"  made on another platform, with another {told}"), soft_wrap=True)
        for field in report.differences:
            # Records leave out what is as it always was.
            values = (p.to_json().get(field, getattr(p, field)) for p in report.platforms)
            was, now = map(fingerprint_words, values)
            out.print(screen.text(f"    {field}: {was} then, {now} here"), soft_wrap=True)
    first = report.first_difference
    if first is not None:
        number = report.scenes.index(first) + 1
        text = f"  the first to differ is seed {first.recorded.start.seed}, scene {number}"
        out.print(screen.text(f"{text} of {len(report.scenes)}"), soft_wrap=True)
    for scene in report.scenes:
        if scene.detail:
            seed = scene.recorded.start.seed
            out.print(screen.text(f"  seed {seed}: {scene.detail}"), soft_wrap=True)
