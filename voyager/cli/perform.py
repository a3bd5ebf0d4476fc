"""`voyager skills run`: execute a skill on a scene and print what it did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.browsing.wording import called, written
from voyager.cli import screen
from voyager.cli.options import (
    ExtensionOption,
    HomeOption,
    JsonOption,
    NameArgument,
    SeedOption,
    UnsafeOption,
    pairs,
)
from voyager.cli.session import begin

if TYPE_CHECKING:
    from env.transcript import CallRecord
    from skill_store.skill import Skill
    from voyager.performance import Performance

RUN_SCHEMA = "voyager.run/1"


def run(
    context: typer.Context,
    name: NameArgument,
    seed: SeedOption = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            "--arg",
            metavar="NAME=OBJECT",
            help="Bind a parameter to an object of the scene; may be repeated.",
            show_default="bound by the seed",
        ),
    ] = None,
    gif: Annotated[
        Path | None,
        typer.Option("--gif", metavar="FILE", help="Write a film of it.", show_default="no film"),
    ] = None,
    gui: Annotated[bool, typer.Option("--gui", help="Watch it in PyBullet's own window.")] = False,
    unsafe_sandbox: UnsafeOption = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Run a skill on the scene of a seed; print its calls, what moved, and the margins.

    Exit code 0 when the judge says that the goal was met, else 1.
    """
    if gif is not None and gui:
        raise typer.BadParameter("--gif and --gui do not go together; leave one away")
    if gif is not None and not gif.absolute().parent.is_dir():
        raise typer.BadParameter(f"--gif {gif}: there is no folder {gif.absolute().parent}")
    session = begin(
        context, home, extensions=extension, flags={"seed": seed}, json=json, unsafe=unsafe_sandbox
    )
    chosen = pairs(arg, "--arg", "top=OBJECT")
    from env.pictures import write_gif
    from env.sandbox import open_sandbox
    from skill_store import Library
    from voyager.performance import FILM_FPS, perform

    with Library.open(session.home) as library:
        skill = library.get(name)
    err = screen.console(stderr=True)
    with open_sandbox() as sandbox, err.status("running"):
        done = perform(
            skill, session.config.seed, chosen, sandbox=sandbox, filmed=gif is not None, window=gui
        )
        if gif is not None and done.film is not None:
            write_gif(done.film.frames or (done.film.last,), gif, fps=FILM_FPS)
    if json:
        screen.show_json(_record(skill, done, gif))
    else:
        _show(skill, done, gif)
    if not done.episode.solved:
        raise typer.Exit(1)


def _record(skill: Skill, done: Performance, gif: Path | None) -> dict[str, Any]:
    return {
        "schema": RUN_SCHEMA,
        "skill": skill.name,
        "solved": done.episode.solved,
        "film": None if gif is None else str(gif),
        "objects": [
            {
                "name": body.name,
                "kind": body.spec.kind,
                "colour": body.spec.colour,
                "position": list(body.position),
            }
            for body in done.scene.bodies
        ],
        "episode": done.episode.to_json(),
    }


def _show(skill: Skill, done: Performance, gif: Path | None) -> None:
    from env.sandbox import render_error
    from voyager.cli.wording import outcome_style

    out = screen.console()
    episode, scene = done.episode, done.scene
    parameter_of = {name: parameter for parameter, name in scene.binding.items()}
    objects = ", ".join(
        f"{body.name} ({body.spec.colour} {body.spec.kind}"
        + (f", {parameter_of[body.name]})" if body.name in parameter_of else ")")
        for body in scene.bodies
    )
    bound = ", ".join(f"{parameter}={name}" for parameter, name in scene.binding.items())
    out.print(screen.text(f"{skill.name}({bound})", "bold"), soft_wrap=True)
    out.print(screen.text(f"scene of seed {scene.seed}: {objects}"), soft_wrap=True)
    out.print()
    made = screen.table("time", "line", "call", "result", "moved")
    for call in episode.calls:
        screen.add_row(
            made,
            f"{call.time:6.2f} s",
            f"{call.skill}:{call.line}",
            "  " * call.depth + called(call.name, call.args, call.kwargs),
            _result(call),
            ", ".join(f"{name} {metres:.3f} m" for name, metres in call.moved) or "-",
        )
    if episode.calls:
        out.print(made)
    for check in episode.contracts:
        if check.kept is not None:
            verdict = "kept its contract" if check.kept else f"broke its contract: {check.missing}"
            words = called(check.skill, (), check.arguments)
            style = "" if check.kept else "red"
            out.print(screen.text(f"{check.ended:6.2f} s  {words} {verdict}", style))
    if episode.output:
        out.print(screen.text(f"it printed:\n{episode.output}"))
    if episode.error is not None:
        out.print(screen.text(render_error(episode.error, skill.closure), "red"))
    if episode.reports:
        atoms = screen.table("part of the goal", "holds", "raw", "margin", "what is missing")
        for report in episode.reports:
            screen.add_row(
                atoms,
                report.text,
                screen.text("yes" if report.holds else "no", "green" if report.holds else "red"),
                f"{report.value:+.4g} {report.unit}" if report.unit else "-",
                screen.signed(report.margin),
                report.missing or "-",
            )
        out.print(atoms)
    line = screen.text(episode.outcome.value.replace("_", " "), outcome_style(episode.outcome))
    line.append(f", margin {screen.signed(episode.margin)}, {episode.time:.2f} simulated seconds")
    if episode.reason:
        line.append(screen.clean(f": {episode.reason}"))
    out.print(line, soft_wrap=True)
    if gif is not None:
        typer.echo(f"film: {screen.clean(gif)}")


def _result(call: CallRecord) -> object:
    if call.error is not None:
        return screen.text(f"{call.error['type']}: {call.error['message']}", "red")
    if call.result is None:
        return f"{call.duration:.2f} s" if call.duration else "-"
    return written(call.result)
