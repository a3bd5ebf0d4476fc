"""`voyager skills film`: an episode as a film, with its calls and the goal's margins on the way."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

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
    from collections.abc import Iterator

    from env.transcript import Start
    from skill_store.skill import Skill
    from voyager.browsing.filmed import FilmFrame
    from voyager.browsing.films import Order, Showing, Studio

FILMED_SCHEMA: Final = "voyager.filmed/1"
_LOOK_S: Final = 0.1


def film(
    context: typer.Context,
    name: NameArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write it: .gif, .mp4, or its last picture as .png.",
            show_default="no file",
        ),
    ] = None,
    scene: Annotated[
        int | None,
        typer.Option(
            "--scene",
            min=1,
            help="A scene of the certificate by its place, from 1; then those of the deepening.",
            show_default="the scene of --seed",
        ),
    ] = None,
    seed: SeedOption = None,
    version: Annotated[
        int | None,
        typer.Option("--version", min=1, help="A version of it.", show_default="the champion"),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            "--arg",
            metavar="NAME=OBJECT",
            help="Bind a parameter to an object of the scene; may be repeated.",
            show_default="bound by the seed",
        ),
    ] = None,
    unsafe_sandbox: UnsafeOption = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Film one episode of a skill: pictures, calls, and how near the goal was at each of them.

    A scene of the certificate is run again as it was, hand-over included, and compared with the
    record. Films are kept in the home for a while, so that a second look costs nothing.
    """
    if scene is not None and (seed is not None or arg):
        raise typer.BadParameter("--scene goes neither with --seed nor with --arg; leave one away")
    session = begin(
        context, home, extensions=extension, flags={"seed": seed}, json=json, unsafe=unsafe_sandbox
    )
    chosen = pairs(arg, "--arg", "top=OBJECT")
    from env.transcript import Start
    from skill_store import Library
    from voyager.browsing.films import Studio, order_for
    from voyager.browsing.reel import check_target, write_film

    if out is not None:
        check_target(out)
    with Library.open(session.home) as library:
        skill = library.get(name) if version is None else library.version(name, version)
    start = Start(session.config.seed) if scene is None else _start(skill, scene)
    with Studio(session.home, session.config.extensions) as studio:
        shown = _wait(studio, order_for(skill, start, chosen))
    if out is not None:
        write_film(shown.frames, out)
    if json:
        screen.show_json(_record(shown, out))
        return
    _show(shown, out)


def _start(skill: Skill, place: int) -> Start:
    scenes = list(skill.certificate.scenes)
    if skill.deepening is not None:
        scenes += skill.deepening.scenes
    if place > len(scenes):
        raise typer.BadParameter(f"--scene {place}: {skill.name} has {len(scenes)} scenes")
    return scenes[place - 1].start


def _wait(studio: Studio, order: Order) -> Showing:
    from env.errors import VoyagerError
    from voyager.browsing.films import FilmState

    shown = studio.show(order)
    err = screen.console(stderr=True)
    with err.status("running") as told:
        while shown.state is FilmState.MAKING:
            if not shown.look():
                time.sleep(_LOOK_S)
            told.update(f"filming: {len(shown.frames)} pictures")
    if shown.state is FilmState.FAILED:
        raise VoyagerError(shown.why)
    return shown


def _record(shown: Showing, out: Path | None) -> dict[str, Any]:
    episode = shown.episode
    return {
        "schema": FILMED_SCHEMA,
        "skill": shown.order.skill,
        "version": shown.order.version,
        "start": shown.order.start.to_json(),
        "goal": shown.goal,
        "file": None if out is None else str(out),
        "as_recorded": shown.as_recorded,
        "same": shown.same,
        "episode": None if episode is None else {**asdict(episode), "calls": len(episode.calls)},
        "trace": [] if episode is None else [asdict(call) for call in episode.calls],
        "frames": [
            {"time": frame.time, "atoms": [asdict(atom) for atom in frame.atoms]}
            for frame in shown.frames
        ],
    }


def _show(shown: Showing, out: Path | None) -> None:
    console = screen.console()
    atoms = [atom.text for atom in shown.frames[0].atoms] if shown.frames else []
    made = screen.table("time", "call", *atoms)
    for frame, calls in _rows(shown):
        margins = [
            screen.text(screen.signed(atom.margin), "green" if atom.holds else "red")
            for atom in frame.atoms
        ]
        screen.add_row(made, f"{frame.time:6.2f} s", calls, *margins)
    console.print(made)
    episode = shown.episode
    if episode is not None:
        recorded = {None: "", True: ", as recorded", False: ", NOT as it was recorded"}
        line = screen.text(episode.outcome.replace("_", " "), "bold")
        line.append(f"{recorded[shown.as_recorded]}: {len(shown.frames)} pictures")
        if episode.reason:
            line.append(screen.clean(f"; {episode.reason}"))
        console.print(line, soft_wrap=True)
    if out is not None:
        typer.echo(f"film: {screen.clean(out)}")


def _rows(shown: Showing) -> Iterator[tuple[FilmFrame, str]]:
    """Each frame before which calls were made, with those calls; and the last one."""
    calls = list(shown.episode.calls) if shown.episode is not None else []
    for index, frame in enumerate(shown.frames):
        made = []
        while calls and calls[0].time <= frame.time + 1e-9:
            made.append(calls.pop(0).text)
        if made or index == len(shown.frames) - 1:
            yield frame, "\n".join(made) or "-"
