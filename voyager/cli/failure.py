"""How errors end: one sentence on stderr, an exit code, and never a traceback by surprise."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import typer

from voyager.cli.screen import clean
from voyager.cli.session import Invocation

FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
TERMINATED: Final = 143
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


def misused(wrong: typer.TyperException, arguments: Sequence[str]) -> int:
    """Tell the user that a command is not used like this.

    Args:
        wrong: What the command line refused.
        arguments: As they were given: they may hold `--json`, but were not understood.

    Returns:
        The exit code.
    """
    from typer.rich_utils import rich_format_error

    rich_format_error(cast("Any", wrong))  # its own type is private to typer
    if "--json" in arguments:
        _tell_json(type(wrong).__name__, wrong.format_message())
    return wrong.exit_code


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
        _tell_json(kind, shown)


def _tell_json(kind: str, sentence: str) -> None:
    # In one line, so that it is the last line of a log whatever came before it.
    record = {"schema": ERROR_SCHEMA, "error": kind, "message": clean(sentence)}
    with contextlib.suppress(OSError, AttributeError):
        typer.echo(json.dumps(record))
