"""`voyager import` and what becomes of it: quarantine, and certifying anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

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
    from skill_store.quarantine import Imported
    from voyager.recertify import Recertified

IMPORT_SCHEMA: Final = "voyager.import/1"
QUARANTINE_SCHEMA: Final = "voyager.quarantine/1"
CERTIFY_SCHEMA: Final = "voyager.certify/1"
_STYLES: Final = {
    "waiting": "yellow",
    "admitted": "green",
    "here": "green",
    "refused": "red",
    "blocked": "yellow",
}


def import_skills(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|ARCHIVE",
            help="What `voyager export --format jsonl` made, or a tar or zip of it.",
        ),
    ],
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Take skills from elsewhere into quarantine: shown, and callable only once certified here.

    Nothing of an archive is run. Damaged, altered or hostile ones are refused as a whole.
    """
    session = begin(context, home, extensions=extension, json=json)
    from skill_store import Library
    from skill_store.export.importing import read_archive
    from skill_store.quarantine import Quarantine

    archive = read_archive(source)
    with Library.open(session.home) as library:
        intake = Quarantine(library.database).take(archive)
    if json:
        screen.show_json(
            {
                "schema": IMPORT_SCHEMA,
                "archive": intake.archive,
                "added": list(intake.added),
                "waiting": list(intake.waiting),
                "here": list(intake.here),
            }
        )
        return
    out = screen.console()
    for names, what in (
        (intake.added, "in quarantine now"),
        (intake.waiting, "imported before"),
        (intake.here, "certified in this home already"),
    ):
        if names:
            told = f"{what}: {', '.join(names)}"
            out.print(screen.text(told), soft_wrap=True)
    if intake.added or intake.waiting:
        typer.echo(
            f"Nobody can call them yet; test them with: voyager skills certify --all"
            f"{session.home_flag}"
        )


def quarantine(
    context: typer.Context,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            "--drop",
            metavar="NAME",
            help="Forget this one, unless it was admitted; may be repeated.",
            show_default="none",
        ),
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List what was imported, and what became of it."""
    session = begin(context, home, json=json, load_extensions=False)
    from skill_store import Library
    from skill_store.quarantine import Quarantine

    with Library.open(session.home) as library:
        store = Quarantine(library.database)
        dropped = store.drop(drop) if drop else 0
        entries = store.entries()
    if json:
        screen.show_json(
            {
                "schema": QUARANTINE_SCHEMA,
                "dropped": dropped,
                "skills": [_record(entry) for entry in entries],
            }
        )
        return
    if drop:
        typer.echo(f"{dropped} forgotten")
    if not entries:
        typer.echo("Nothing is in quarantine; `voyager import DIR` brings skills from elsewhere.")
        return
    made = screen.table("name", "state", "goal", "calls", "said there", "why")
    for entry in entries:
        bound = "" if entry.bound is None else f", bound {entry.bound:.1%}"
        screen.add_row(
            made,
            screen.text(entry.name, "bold"),
            screen.text(entry.state.value, _STYLES[entry.state.value]),
            entry.goal,
            entry.calls,
            f"{entry.k}/{entry.n}{bound}",
            entry.why or "-",
        )
    screen.console().print(made)


def certify(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of an imported skill.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help="Also replay the certificates that they came with, bit for bit."
        ),
    ] = False,
    workers: WorkersOption = None,
    unsafe_sandbox: UnsafeOption = False,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Test imported skills on unseen scenes; what holds is a skill of this home.

    What one calls is tested before it. A name also tries again what was refused, on a stricter
    test.

    Exit code 0 when everything that was asked for is certified here, else 1.
    """
    if (name is None) != everything:
        raise typer.BadParameter("name one imported skill, or ask for --all")
    session = begin(
        context,
        home,
        extensions=extension,
        flags={"workers": workers},
        json=json,
        unsafe=unsafe_sandbox,
    )
    from skill_store.quarantine import Quarantine
    from voyager.recertify import Verdict, ahead, certify_imported

    with workshop(session) as proving:
        store = Quarantine(proving.library.database)
        waiting = ahead(store, name)
        found = list(certify_imported(proving, store, waiting, replayed=replay))
    if json:
        screen.show_json(
            {
                "schema": CERTIFY_SCHEMA,
                "skills": [one.to_json() for one in found],
                "simulated_steps": proving.ledger.budget.used,
            }
        )
    else:
        _show(found)
    if any(one.verdict in (Verdict.REFUSED, Verdict.BLOCKED) for one in found):
        raise typer.Exit(1)


def _record(entry: Imported) -> dict[str, Any]:
    settled = entry.settled_at
    return {
        "name": entry.name,
        "state": entry.state.value,
        "why": entry.why,
        "instruction": entry.instruction,
        "goal": entry.goal,
        "program": entry.program,
        "task": entry.task,
        "champion": entry.champion,
        "calls": entry.calls,
        "said": {"k": entry.k, "n": entry.n, "bound": entry.bound},
        "archive": entry.archive,
        "imported_at": entry.imported_at.isoformat(),
        "settled_at": None if settled is None else settled.isoformat(),
    }


def _show(found: list[Recertified]) -> None:
    if not found:
        typer.echo("Nothing waits in quarantine; there is nothing to certify.")
        return
    out = screen.console()
    for one in found:
        line = screen.text(f"{one.name}: ", "bold")
        line.append(one.verdict.value, style=_STYLES[one.verdict.value])
        made = one.certificate
        counted = [] if one.fresh is None else ["{} of {} fresh scenes".format(*one.fresh)]
        if made is not None:
            counted.append(f"{made.solved} of {len(made.scenes)} of its certification")
        scenes = f" ({', '.join(counted)})" if counted else ""
        line.append(screen.clean(f"{scenes}: {one.why}"))
        out.print(line, soft_wrap=True)
        if one.replayed is not None:
            told = f"  the certificate that it came with, replayed: {one.replayed.value}"
            out.print(screen.text(told), soft_wrap=True)
