"""`voyager config` and `voyager paths`: what is set, and where everything lies."""

from __future__ import annotations

from typing import Annotated

import typer

from voyager.cli import screen
from voyager.cli.options import HomeOption, JsonOption
from voyager.cli.session import begin, find_home

CONFIG_SCHEMA = "voyager.config/1"
PATHS_SCHEMA = "voyager.paths/1"

app = typer.Typer(name="config", help="Look at the settings.", no_args_is_help=True)


@app.callback()
def _settings() -> None:
    """Look at the settings."""


@app.command()
def show(
    context: typer.Context,
    origin: Annotated[
        bool, typer.Option("--origin", help="Also say where each value comes from.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Print all settings: flag > VOYAGER_* variable > voyager.toml > default."""
    session = begin(context, home, json=json, load_extensions=False)
    from voyager.config import keys

    docs = {key.name: key.doc for key in keys()}
    settings = session.resolved.settings
    if json:
        screen.show_json(
            {
                "schema": CONFIG_SCHEMA,
                "file": str(session.locations.config_file),
                "settings": [
                    {"name": s.name, "value": s.value, "origin": s.origin, "doc": docs[s.name]}
                    for s in settings
                ],
            }
        )
        return
    made = screen.table("key", "value", *(["origin"] if origin else []), "meaning")
    for setting in settings:
        told = [setting.origin] if origin else []
        screen.add_row(made, setting.name, _shown(setting.value), *told, docs[setting.name])
    screen.console().print(made)


def paths(context: typer.Context, home: HomeOption = None, json: JsonOption = False) -> None:
    """Print where everything lies; nothing is ever written elsewhere unless a command names it."""
    locations = find_home(context, home, json=json)
    if json:
        screen.show_json(
            {
                "schema": PATHS_SCHEMA,
                "origin": locations.origin,
                "paths": {name: str(where) for name, where in locations.named()},
                "present": {name: where.exists() for name, where in locations.named()},
            }
        )
        return
    for name, where in locations.named():
        note = "" if where.exists() else "  (not there yet)"
        # Not through a table: a path must stay in one piece to be copied.
        typer.echo(f"{name:<10}{screen.clean(where)}{note}")
    typer.echo(f"{'chosen by':<10}{locations.origin}")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "(none)"
    return str(value).lower() if isinstance(value, bool) else str(value)
