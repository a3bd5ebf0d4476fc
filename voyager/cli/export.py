"""`voyager export`: skills leave home, in a format that others read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption, WorkersOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from skill_store.export import Bundle, Format
    from voyager.recordings import Reels

EXPORT_SCHEMA: Final = "voyager.export/1"
FORMATS_SCHEMA: Final = "voyager.export_formats/1"
_PIXELS: Final = (320, 240)


def export(
    context: typer.Context,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="What to write; --formats lists them.",
            show_default="none",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="A folder that is not there yet.",
            show_default="none",
        ),
    ] = None,
    skill: Annotated[
        list[str] | None,
        typer.Option(
            "--skill",
            metavar="NAME",
            help="A skill that leaves; may be repeated.",
            show_default="none",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All certified skills.")] = False,
    min_bound: Annotated[
        float | None,
        typer.Option(
            "--min-bound",
            metavar="SHARE",
            help="All whose measured lower bound is at least this, as in 0.8.",
            show_default="none",
        ),
    ] = None,
    allow_uncertified: Annotated[
        bool,
        typer.Option(
            "--allow-uncertified",
            help="Also skills whose certificate does not count here; each says so.",
        ),
    ] = False,
    licence: Annotated[
        Path | None,
        typer.Option(
            "--licence",
            metavar="FILE",
            help="Terms for the exported skills.",
            show_default="MIT No Attribution",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Name of the package, data set or server.",
            show_default="each format's own",
        ),
    ] = None,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="python: one file in place of a package.")
    ] = False,
    episodes: Annotated[
        int | None,
        typer.Option(
            "--episodes",
            min=1,
            help="lerobot: so many solved episodes of each skill.",
            show_default="20",
        ),
    ] = None,
    video: Annotated[bool, typer.Option("--video", help="lerobot: with a film of each.")] = False,
    workers: WorkersOption = None,
    formats: Annotated[
        bool, typer.Option("--formats", help="List the formats and do nothing else.")
    ] = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Write certified skills into a new folder, whole or not at all.

    What they call goes with them. Each says what was proved, and what was not.
    """
    if formats:
        begin(context, home, extensions=extension, json=json)
        _show_formats(json)
        return
    if format_name is None or out is None:
        raise typer.BadParameter("say what to write and where: --format FORMAT --out DIR")
    if (bool(skill), everything, min_bound is not None).count(True) != 1:
        raise typer.BadParameter("choose skills in one way: --skill NAME, --all or --min-bound")
    if single_file and format_name != "python":
        raise typer.BadParameter("--single-file is for the format python")
    if (episodes is not None or video) and format_name != "lerobot":
        raise typer.BadParameter("--episodes and --video are for the format lerobot")
    session = begin(context, home, extensions=extension, flags={"workers": workers}, json=json)
    from skill_store import Library
    from skill_store.export import (
        ExportOptions,
        all_formats,
        find_format,
        gather,
        licence_from,
        write,
    )
    from skill_store.export.writing import require_free

    row = find_format(format_name)
    if name is not None and not row.named:
        others = ", ".join(sorted(one.name for one in all_formats() if one.named))
        raise typer.BadParameter(f"--name is for the formats {others}")
    if name is not None:
        row.check_name(name)
    terms = licence_from(licence)
    require_free(out)
    with Library.open(session.home) as library:
        bundle = gather(
            library,
            names=skill or None,
            everything=everything,
            min_bound=min_bound,
            allow_uncertified=allow_uncertified,
        )
    reels = None
    if row.recorded:
        reels = _recorded(bundle, session.config.workers, episodes, video)
    options = ExportOptions(
        licence=terms,
        name=name,
        single_file=single_file,
        recordings=() if reels is None else reels.recordings,
    )
    write(row, bundle, out, options)
    if json:
        _show_json(row, bundle, out, reels)
    else:
        _show(row, bundle, out, reels)


def _recorded(bundle: Bundle, workers: int, most: int | None, video: bool) -> Reels:
    """Run the episodes again that the format holds, telling how far it is."""
    from env.executors import make_executor
    from env.render import Camera
    from voyager.recordings import PER_SKILL, record

    err = screen.console(stderr=True)
    with make_executor(workers) as executor, err.status("running episodes again") as status:

        def told(skill: str, done: int, of: int) -> None:
            status.update(screen.text(f"running episodes again: {skill}, {done} of {of}"))

        return record(
            bundle,
            executor,
            camera=Camera(*_PIXELS) if video else None,
            most=PER_SKILL if most is None else most,
            note=told,
        )


def _show_formats(json: bool) -> None:
    from skill_store.export import all_formats

    if json:
        rows = [{"name": row.name, "summary": row.summary} for row in all_formats()]
        screen.show_json({"schema": FORMATS_SCHEMA, "formats": rows})
        return
    screen.show_facts(screen.console(), [(row.name, row.summary) for row in all_formats()])


def _show_json(row: Format, bundle: Bundle, out: Path, reels: Reels | None) -> None:
    from skill_store.export.claims import bound_record
    from skill_store.export.writing import CHECKSUMS, checksums

    screen.show_json(
        {
            "schema": EXPORT_SCHEMA,
            "format": row.name,
            "out": str(out),
            "skills": [
                {"name": e.skill.name, "version": e.skill.version, **bound_record(e.skill)}
                for e in bundle.skills
            ],
            "callees": [e.skill.name for e in bundle.callees],
            "left_out": [{"name": left, "why": why} for left, why in bundle.left_out],
            "episodes": None if reels is None else len(reels.recordings),
            "files": [*checksums(out), CHECKSUMS],
        }
    )


def _show(row: Format, bundle: Bundle, out: Path, reels: Reels | None) -> None:
    from skill_store.export.claims import short_claim

    shown = screen.console()
    count = len(bundle.skills)
    told = f"{count} skill{'' if count == 1 else 's'}"
    if bundle.callees:
        told += f" and {len(bundle.callees)} that they call"
    shown.print(screen.text(f"{told} as {row.name} in {out}", "bold"), soft_wrap=True)
    for exported in bundle.skills:
        claim = short_claim(exported.skill)
        style = "" if exported.certified else "yellow"
        shown.print(screen.text(f"  {exported.skill.name}: {claim}", style), soft_wrap=True)
    if reels is not None:
        episodes = len(reels.recordings)
        shown.print(f"  {episodes} episode{'' if episodes == 1 else 's'}", soft_wrap=True)
        for lost in reels.unrecorded:
            told = f"  not written: {lost.skill}, seed {lost.start.seed}: {lost.reason}"
            shown.print(screen.text(told, "yellow"), soft_wrap=True)
    for left, why in bundle.left_out:
        shown.print(screen.text(f"  left out: {left}: {why}", "yellow"), soft_wrap=True)
