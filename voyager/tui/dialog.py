"""Dialogs: what is to be done, the command that does it, and three ways out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from voyager.tui import deeds
from voyager.tui.deeds import Deed
from voyager.tui.text import one_line, safe
from voyager.tui.vim import CHOOSING

Twinned = Callable[[Deed], str]
"""The command line of a deed, as somebody would type it."""


class DeedDialog(ModalScreen[Deed | None]):
    """Asks whether something shall be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,n", "leave", "Cancel", id="dialog.leave"),
        Binding("y", "copy", "Copy the command", id="dialog.copy"),
        Binding("enter", "accept", "Do it", id="dialog.accept"),
    ]
    AUTO_FOCUS = "#accept"

    def __init__(self, deed: Deed, twinned: Twinned) -> None:
        """Take what is to be done, and who knows its command."""
        super().__init__()
        self._deed = deed
        self._twinned = twinned

    def compose(self) -> ComposeResult:
        """A title, a sentence, the command, the buttons."""
        with Vertical(classes="dialog"):
            yield Label(safe(self._deed.title, "bold"), classes="dialog-title")
            yield Static(safe(self._deed.what))
            yield Static(safe(f"$ {self._twinned(self._deed)}"), classes="dialog-twin")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Do it", variant="primary", id="accept", compact=True)
                yield Button("Copy command", id="copy", compact=True)
                yield Button("Cancel", id="leave", compact=True)

    @on(Button.Pressed, "#accept")
    def action_accept(self) -> None:
        """Do it."""
        self.dismiss(self._deed)

    @on(Button.Pressed, "#copy")
    def action_copy(self) -> None:
        """Put the command into the clipboard."""
        self.app.copy_to_clipboard(self._twinned(self._deed))
        self.app.notify("the command is in the clipboard")

    @on(Button.Pressed, "#leave")
    def action_leave(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


class FormDialog(ModalScreen[Deed | None]):
    """A dialog with fields; its command is shown while they are filled in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="form.leave"),
        Binding("ctrl+s", "accept", "Do it", id="form.accept"),
    ]

    def __init__(self, twinned: Twinned) -> None:
        """Take who knows the command of a deed."""
        super().__init__()
        self._twinned = twinned

    def deed(self) -> Deed | None:
        """What the fields ask for; None while something is missing."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Show the command as it would be."""
        self.tell()

    @on(Input.Changed)
    def tell(self) -> None:
        """Show the command as the fields have it."""
        deed = self.deed()
        told = "" if deed is None else f"$ {self._twinned(deed)}"
        self.query_one(".dialog-twin", Static).update(safe(told))

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Do it, if nothing is missing."""
        deed = self.deed()
        if deed is not None:
            self.dismiss(deed)

    def action_leave(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)


class TaskDialog(FormDialog):
    """Asks for a goal that an explorer shall learn."""

    def __init__(
        self, twinned: Twinned, goal: str = "", parameters: Mapping[str, str] | None = None
    ) -> None:
        """Begin with a goal, or with none.

        Args:
            twinned: Who knows the command of a deed.
            goal: A goal.
            parameters: Kind by parameter.
        """
        super().__init__(twinned)
        self._goal = goal
        self._given = ", ".join(f"{name}={kind}" for name, kind in (parameters or {}).items())

    def compose(self) -> ComposeResult:
        """A goal, its parameters, the command."""
        with Vertical(classes="dialog"):
            yield Label(safe("queue a task", "bold"), classes="dialog-title")
            yield Static(safe("What must become true; explorers take what waits first."))
            goal = "on(top, bottom) and clear()"
            yield Input(self._goal, placeholder=goal, id="goal", compact=True)
            kinds = "top=block, bottom=block"
            yield Input(self._given, placeholder=kinds, id="parameters", compact=True)
            yield Static(classes="dialog-twin")
            yield Static(safe("Enter asks for it, Escape leaves."), classes="dialog-hint")

    def deed(self) -> Deed | None:
        """The wish, once there is a goal."""
        goal = self.query_one("#goal", Input).value.strip()
        if not goal:
            return None
        pairs = (
            part.partition("=") for part in self.query_one("#parameters", Input).value.split(",")
        )
        return deeds.queue(
            goal, {name.strip(): kind.strip() for name, _, kind in pairs if name.strip()}
        )


class FormatList(OptionList):
    """Formats of an export."""

    BINDINGS: ClassVar[list[BindingType]] = [*CHOOSING]


class ExportDialog(FormDialog):
    """Asks for a format and a folder."""

    AUTO_FOCUS = "FormatList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+a", "widen", "One or all skills", id="export.widen"),
    ]

    def __init__(
        self, name: str | None, formats: Iterable[tuple[str, str]], folder: Path, twinned: Twinned
    ) -> None:
        """Offer formats.

        Args:
            name: The skill at hand, if any.
            formats: (name, summary) pairs.
            folder: Where exports go if nobody says otherwise.
            twinned: Who knows the command of a deed.
        """
        super().__init__(twinned)
        self._name = name
        self._all = name is None
        self._formats = tuple(formats)
        self._folder = folder
        self._typed = False

    def compose(self) -> ComposeResult:
        """Formats, a folder, the command."""
        with Vertical(classes="dialog"):
            yield Label(safe("export", "bold"), classes="dialog-title")
            yield Static(id="what")
            yield FormatList(
                *(
                    Option(safe(f"{name:<14} {one_line(summary)}"), id=name)
                    for name, summary in self._formats
                )
            )
            yield Input(placeholder="folder to write", id="folder", compact=True)
            yield Static(classes="dialog-twin")
            yield Static(
                safe("Enter writes it, Ctrl+A takes one or all skills, Escape leaves."),
                classes="dialog-hint",
            )

    def on_mount(self) -> None:
        """Begin with the first format."""
        formats = self.query_one(FormatList)
        formats.highlighted = 0
        self._suggest()
        super().on_mount()

    def deed(self) -> Deed | None:
        """The export, once there is a folder."""
        at = self.query_one(FormatList).highlighted
        folder = self.query_one("#folder", Input).value.strip()
        if at is None or not folder:
            return None
        name = None if self._all else self._name
        return deeds.export(self._formats[at][0], name, Path(folder).expanduser())

    @on(OptionList.OptionHighlighted)
    def format_changed(self) -> None:
        """Suggest a folder for the format."""
        self._suggest()

    @on(OptionList.OptionSelected)
    def format_taken(self) -> None:
        """Write it."""
        self.action_accept()

    def action_widen(self) -> None:
        """Take all skills, or the one at hand."""
        self._all = self._name is None or not self._all
        self._suggest()

    def _suggest(self) -> None:
        at = self.query_one(FormatList).highlighted or 0
        told = "all skills with a valid certificate" if self._all else str(self._name)
        self.query_one("#what", Static).update(safe(f"What leaves: {told}."))
        field = self.query_one("#folder", Input)
        suggested = {
            str(self._target(name, every)) for name, _ in self._formats for every in (0, 1)
        }
        if self._formats and (not field.value or field.value in suggested):
            field.value = str(self._target(self._formats[at][0], self._all))
        self.tell()

    def _target(self, format: str, every: object) -> Path:
        return self._folder / f"{'skills' if every else self._name}-{format}"


class RunDialog(ModalScreen[int | None]):
    """Asks for the seed of a scene to run a skill on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="run.leave"),
    ]

    def __init__(self, name: str, seed: int, twinned: Callable[[int], str]) -> None:
        """Offer the scene in view.

        Args:
            name: The skill.
            seed: Of the scene in view.
            twinned: The command for a seed.
        """
        super().__init__()
        self._name = name
        self._seed = seed
        self._twinned = twinned

    def compose(self) -> ComposeResult:
        """A seed, and the command."""
        with Vertical(classes="dialog"):
            yield Label(safe(f"run {self._name}", "bold"), classes="dialog-title")
            yield Static(safe("It is run on the scene of a seed, and shown."))
            yield Input(str(self._seed), type="integer", id="seed", compact=True)
            yield Static(classes="dialog-twin")
            yield Static(safe("Enter runs it, Escape leaves."), classes="dialog-hint")

    def on_mount(self) -> None:
        """Show the command."""
        self.tell()

    @on(Input.Changed)
    def tell(self) -> None:
        """Show the command as the field has it."""
        seed = self._read()
        told = "" if seed is None else f"$ {self._twinned(seed)}"
        self.query_one(".dialog-twin", Static).update(safe(told))

    @on(Input.Submitted)
    def accept(self) -> None:
        """Run it, if there is a seed."""
        seed = self._read()
        if seed is not None:
            self.dismiss(seed)

    def action_leave(self) -> None:
        """Leave."""
        self.dismiss(None)

    def _read(self) -> int | None:
        text = self.query_one("#seed", Input).value.strip()
        return int(text) if text.isdecimal() and int(text) < 2**63 else None


class ChoiceDialog(ModalScreen[str | None]):
    """Asks for one of a few things."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Cancel", id="choice.leave"),
    ]

    def __init__(self, title: str, choices: Iterable[tuple[str, str]], chosen: str) -> None:
        """Offer choices.

        Args:
            title: What is chosen.
            choices: (value, words) pairs.
            chosen: The value that holds now.
        """
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """A list."""
        with Vertical(classes="dialog"):
            yield Label(safe(self._title, "bold"), classes="dialog-title")
            yield FormatList(*(Option(safe(words), id=value) for value, words in self._choices))

    def on_mount(self) -> None:
        """Begin where things stand."""
        values = [value for value, _ in self._choices]
        at = values.index(self._chosen) if self._chosen in values else 0
        self.query_one(FormatList).highlighted = at

    @on(OptionList.OptionSelected)
    def accept(self, event: OptionList.OptionSelected) -> None:
        """Take a choice."""
        self.dismiss(event.option.id)

    def action_leave(self) -> None:
        """Leave."""
        self.dismiss(None)
