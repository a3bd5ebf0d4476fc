"""`voyager skills search`: find skills by what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import HomeOption, JsonOption
from voyager.cli.session import begin

if TYPE_CHECKING:
    from skill_store.retrieval import Hit

SEARCH_SCHEMA = "voyager.search/1"


def search(
    context: typer.Context,
    query: Annotated[
        str, typer.Argument(metavar="TEXT", help="A name, or what the skill should do, in English.")
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many at most.")] = 5,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Find skills by name or by meaning, the nearest first."""
    session = begin(context, home, json=json, load_extensions=False)
    from skill_store import Library
    from skill_store.retrieval import Retrieval

    with Library.open(session.home) as library, Retrieval(library) as retrieval:
        hits = retrieval.search(query, limit)
        notice, embedder = retrieval.notice, retrieval.embedder.id
        empty = not hits and not library.names()
    if notice:
        screen.console(stderr=True).print(screen.text(notice, "yellow"), soft_wrap=True)
    if json:
        screen.show_json(
            {
                "schema": SEARCH_SCHEMA,
                "query": query,
                "embedder": embedder,
                "hits": [_record(hit) for hit in hits],
            }
        )
        return
    out = screen.console()
    if empty:
        out.print("This library is empty; `voyager learn` fills it.", soft_wrap=True)
        return
    if not hits:
        out.print(
            screen.text(f"No skill here is near {query!r}; `voyager skills list` shows all."),
            soft_wrap=True,
        )
        return
    made = screen.table("name", "score", "state", "bound", "goal")
    for hit in hits:
        screen.add_row(
            made,
            screen.text(hit.name, "bold"),
            f"{hit.score:.2f}",
            hit.state.value,
            "-" if hit.bound is None else f"{hit.bound:.1%}",
            hit.goal,
        )
    out.print(made)


def _record(hit: Hit) -> dict[str, Any]:
    return {
        "name": hit.name,
        "score": hit.score,
        "view": hit.view.value,
        "instruction": hit.instruction,
        "goal": hit.goal,
        "state": hit.state.value,
        "bound": hit.bound,
    }
