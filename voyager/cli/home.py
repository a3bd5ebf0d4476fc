"""`voyager home`: keep a home small, put it into a file, and get it back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import HomeOption, JsonOption
from voyager.cli.session import begin, find_home

GC_SCHEMA = "voyager.home_gc/1"
BACKUP_SCHEMA = "voyager.home_backup/1"
RESTORE_SCHEMA = "voyager.home_restore/1"

app = typer.Typer(
    name="home", help="Back a home up, restore it, clear it out.", no_args_is_help=True
)


@app.command()
def gc(context: typer.Context, home: HomeOption = None, json: JsonOption = False) -> None:
    """Forget what is older than the settings in [retention] say; never evidence of a skill."""
    session = begin(context, home, json=json, load_extensions=False)
    from skill_store.retention import Retention, collect

    keep = asdict(session.config.retention)
    done = collect(session.home, Retention(**keep))
    if json:
        screen.show_json({"schema": GC_SCHEMA, **asdict(done), "days": keep})
        return
    screen.show_facts(
        screen.console(),
        [
            ("notes of attempts", _counted(done.details, keep["details"])),
            ("episodes", _counted(done.episodes, keep["episodes"])),
            ("tracebacks", _counted(done.errors, keep["errors"])),
            ("pictures", _counted(done.pictures, keep["pictures"])),
            ("drafts", _counted(done.drafts, keep["drafts"])),
            ("freed", _bytes(done.freed)),
        ],
    )
    if not done.compacted:
        screen.console().print(
            "The database keeps its free space for now, because a process learns in this home."
        )


@app.command()
def backup(
    context: typer.Context,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The archive (else in the home's backups)."),
    ] = None,
    artifacts: Annotated[
        bool, typer.Option("--artifacts", help="Also pictures, films and tracebacks.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Put library, journal, settings and prices into one file; works while an explorer runs."""
    locations = find_home(context, home, json=json)
    from skill_store.archive import backup as make_backup

    made = make_backup(locations.home, target, artifacts=artifacts)
    if json:
        screen.show_json({"schema": BACKUP_SCHEMA, **_record(made)})
        return
    typer.echo(f"{made.skills} skills in {screen.clean(made.path)} ({_bytes(made.size)})")


@app.command()
def restore(
    context: typer.Context,
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="What `home backup` made.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make the home what it was; what is there now is moved into its backups."""
    locations = find_home(context, home, json=json)
    from skill_store.archive import restore as restore_backup

    done = restore_backup(archive, locations.home)
    if json:
        screen.show_json(
            {
                "schema": RESTORE_SCHEMA,
                **_record(done.backup),
                "kept": None if done.kept is None else str(done.kept),
            }
        )
        return
    typer.echo(f"{done.backup.skills} skills as of {done.backup.made_at[:16]} UTC are back")
    if done.kept is not None:
        typer.echo(f"what was there before is in {screen.clean(done.kept)}")


def _record(made: Any) -> dict[str, Any]:
    return {**asdict(made), "path": str(made.path), "files": list(made.files)}


def _counted(number: int, days: int) -> str:
    return f"{number} older than {days} days" if days else "kept for good"


def _bytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
