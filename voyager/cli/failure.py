"""How errors end: one sentence on stderr, an exit code, and never a traceback by surprise."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Final

import typer

from voyager.cli.screen import clean
from voyager.cli.session import Invocation

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
ERROR_SCHEMA: Final = "voyager.error/1"
_OURS: Final = ("env", "skill_store", "curriculum", "voyager")


def explain(error: Exception, invocation: Invocation) -> int:
    """Tell the user what went wrong.

    Args:
        error: What ended the command.
        invocation: How the command was called.

    Returns:
        The exit code.
    """
    if _on_purpose(error):
        sentence = str(error)
        if invocation.debug:
            traceback.print_exception(error)
    elif isinstance(error, OSError) or sys.stdout is None:
        why = getattr(error, "strerror", None) or "it is closed"
        sentence = f"the output cannot be written ({why}); send it somewhere else"
    else:
        sentence = _unexpected(error, invocation)
    _tell(type(error).__name__, sentence, invocation)
    return FAILED


def _on_purpose(error: Exception) -> bool:
    # By name, because a foreign package called `env` may be what went wrong.
    return any(
        kind.__name__ == "VoyagerError" and kind.__module__ == "env.errors"
        for kind in type(error).__mro__
    )


def _unexpected(error: Exception, invocation: Invocation) -> str:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] in _OURS:
        where = _keep(error, invocation)
        return f"{what}; another package may stand in its place, run `voyager doctor` ({where})"
    return f"unexpected {what}; this is a fault in the program ({_keep(error, invocation)})"


def _keep(error: Exception, invocation: Invocation) -> str:
    """Put the traceback somewhere, and say where."""
    text = "".join(traceback.format_exception(error))
    if invocation.debug:
        sys.stderr.write(text)
        return "traceback above"
    folders = [Path(tempfile.gettempdir())]
    if invocation.artifacts is not None:
        folders.insert(0, invocation.artifacts)
    for folder in folders:
        path = folder / f"error-{time.strftime('%Y%m%dT%H%M%S')}.txt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return f"traceback in {path}"
    return "traceback with `voyager --debug`"


def _tell(kind: str, sentence: str, invocation: Invocation) -> None:
    shown = clean(sentence)
    # Where nothing can be written (a closed or full output), the exit code has to do.
    with contextlib.suppress(OSError, AttributeError):
        typer.echo(f"error: {shown}", err=True)
    if invocation.json:
        record = {"schema": ERROR_SCHEMA, "error": kind, "message": shown}
        with contextlib.suppress(OSError, AttributeError):
            typer.echo(json.dumps(record, indent=2))
