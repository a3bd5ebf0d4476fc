"""The command behind each action is one that the command line takes."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer

from voyager.browsing.twins import Twin
from voyager.cli.app import app
from voyager.tui import deeds
from voyager.tui.deeds import Deed

HOME = Path("home")
PROGRAM = typer.main.get_command(app)
LISTED = (
    deeds.verify("grasp"),
    deeds.deepen("grasp"),
    deeds.renew("grasp"),
    deeds.run("grasp", 3),
    deeds.pin("grasp", False),
    deeds.pin("grasp", True),
    deeds.retire("grasp"),
    deeds.restore("grasp"),
    deeds.restore("grasp", 2),
    deeds.edit("grasp", Path("edited.py")),
    deeds.export("jsonl", None, Path("out")),
    deeds.export("jsonl", "grasp", Path("out")),
    deeds.queue("on(a, b)", {"a": "block", "b": "block"}),
    Deed("", "", ("skills", "list"), ""),
    *(Deed("", "", ("skills", name, "grasp"), "") for name in ("search", "show", "source", "diff")),
)


@pytest.mark.parametrize("deed", LISTED, ids=lambda deed: " ".join(deed.words))
def test_every_twin_is_a_command_with_the_modules_of_the_user(deed: Deed) -> None:
    twin = Twin(deed.words, HOME, extensions=("mine.kinds", "mine.goals"))
    command, words = PROGRAM, shlex.split(twin.line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    # Parsed by the command itself: it refuses an option that it does not have.
    context = command.make_context(deed.words[0], words)
    known = {parameter.name for parameter in command.params}
    modules = ["mine.kinds", "mine.goals"] if "extension" in known else None
    assert context.params.get("extension") == modules
    assert Path(context.params["home"]) == HOME
    assert set(words) < set(twin.command) and "--json" in twin.command
