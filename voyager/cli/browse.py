"""`voyager browse`: the skills of a home, in a program for the terminal."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from voyager.cli.options import ExtensionOption, HomeOption
from voyager.cli.session import Session, begin

ThemeOption = Annotated[
    str | None,
    typer.Option(
        "--theme",
        metavar="NAME",
        help="Colours; Ctrl+P in the browser lists all themes.",
        show_default="setting browser.theme: voyager",
    ),
]


def browse(
    context: typer.Context,
    theme: ThemeOption = None,
    home: HomeOption = None,
    extension: ExtensionOption = None,
) -> None:
    """Browse skills: what they promise, why to believe it, how they do it. `?` there helps."""
    require_terminal()
    session = begin(context, home, extensions=extension, flags={"browser.theme": theme})
    open_browser(session, home_given=bool(session.home_flag))


def require_terminal() -> None:
    """See to it that there is somebody to look.

    Raises:
        BadParameter: If there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("the browser needs a terminal; `voyager skills list` does not")


def open_browser(session: Session, *, home_given: bool) -> None:
    """Open the browser and wait until it is left.

    Args:
        session: The home and its settings.
        home_given: Whether commands have to be told which home it is.

    Raises:
        ConfigError: If there is no such theme or no such key.
    """
    # What is loaded from here on stays; to look through it again and again for garbage takes a
    # tenth of the way to the first list. The browser begins with that when the list is there.
    gc.disable()
    try:
        code = _opened(session, home_given)
    finally:
        gc.enable()
    if code:
        raise typer.Exit(code)


def _opened(session: Session, home_given: bool) -> int:
    from voyager.config import ConfigError
    from voyager.tui.app import BrowserApp

    settings = session.config.browser
    app = BrowserApp(
        session.home,
        home_given=home_given,
        keys=_keymap(settings.keys),
        extensions=tuple(session.config.extensions),
    )
    if settings.theme not in app.available_themes:
        known = ", ".join(sorted(app.available_themes))
        raise ConfigError(f"browser.theme is {settings.theme!r}; there are: {known}")
    app.theme = settings.theme
    app.run()
    return app.return_code or 0


def _keymap(texts: Iterable[str]) -> dict[str, str]:
    """Keys by the id of a binding, as settings name them."""
    from voyager.config import ConfigError

    texts = tuple(texts)
    if not texts:
        return {}
    from voyager.tui.keys import key_groups

    known = {key.id for group in key_groups() for key in group.keys}
    found = {}
    for text in texts:
        name, equals, keys = (part.strip() for part in text.partition("="))
        if not (equals and keys) or name not in known:
            raise ConfigError(
                f"browser.keys has {text!r}; it must look like skill.verify=V, with a name from "
                "docs/browser.md"
            )
        found[name] = keys
    return found
