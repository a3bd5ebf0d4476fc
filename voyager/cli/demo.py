"""`voyager demo`: the browser on a library that an exploration left, in a home of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import typer

from voyager.cli.browse import ThemeOption, open_browser, require_terminal
from voyager.cli.session import begin

_ARCHIVE: Final = "library.tar.gz"


def demo(context: typer.Context, theme: ThemeOption = None) -> None:
    """Browse the shipped library. Nothing of yours is touched; what you change is gone after."""
    require_terminal()
    from skill_store.archive import restore

    with tempfile.TemporaryDirectory(prefix="voyager-") as folder:
        home = Path(folder) / "demo"
        restore(shipped_library(), home)
        session = begin(context, home, flags={"browser.theme": theme})
        open_browser(session, home_given=True)


def shipped_library() -> Path:
    """The archive: packed into an installed package, or in the checkout that this runs from.

    Raises:
        StorageError: If it is in neither.
    """
    from skill_store import StorageError

    package = Path(__file__).resolve().parents[1]
    places = (package / "data" / _ARCHIVE, package.parent / "examples" / "library" / _ARCHIVE)
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise StorageError(
            f"the shipped library is not at {places[0]}; install the project again, or explore "
            "for five minutes with `voyager explore --minutes 5` and use `voyager browse`"
        )
    return found
