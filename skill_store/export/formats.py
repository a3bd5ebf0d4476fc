"""The table of formats: what `voyager export --format NAME` writes, and which module does.

To add a format, write a module with

    def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None

that fills an empty folder, and add its row here; an extension calls `register_format` with its own.
If a name of the user's choice stands in it, the module may have a `check_name(name: str)`, which
refuses bad ones with an ExportError and is asked before anything is made.
The folder becomes visible when it is whole; checksums and the licence are added to it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from skill_store.export.bundle import Bundle
from skill_store.export.errors import ExportError
from skill_store.export.licence import MIT_0, Licence
from skill_store.export.writing import new_folder, require_free, write_text

if TYPE_CHECKING:
    from skill_store.export.recording import Recording

LICENCE_FILE: Final = "LICENSE"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What a user may say about an export beside which skills leave.

    Attributes:
        licence: Terms for the exported skills.
        name: Name of a package, data set or server; each format has a name of its own when None.
        single_file: Whether the Python package is written as one file.
        recordings: Episodes that were run again for the export, for formats that hold motions.
    """

    licence: Licence = MIT_0
    name: str | None = None
    single_file: bool = False
    recordings: Sequence[Recording] = ()


Exporter = Callable[[Bundle, Path, ExportOptions], None]


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table.

    Attributes:
        name: As it is asked for.
        summary: What it is, half a sentence.
        module: Has `export`; is imported when it is needed.
        recorded: Whether episodes have to be run again for it.
        named: Whether a name of the user's choice stands in it.
    """

    name: str
    summary: str
    module: str
    recorded: bool = False
    named: bool = True

    @property
    def export(self) -> Exporter:
        """What fills an empty folder with a bundle."""
        return cast("Exporter", import_module(self.module).export)

    def check_name(self, name: str) -> None:
        """Refuse a name that cannot stand in this format, before anything is made for it.

        Args:
            name: Of the user's choice.

        Raises:
            ExportError: If the format cannot hold it.
        """
        check: Callable[[str], None] | None
        check = getattr(import_module(self.module), "check_name", None)
        if check is not None:
            check(name)


FORMATS: Final[tuple[Format, ...]] = (
    Format("python", "an installable Python package", "skill_store.export.python_package"),
    Format(
        "agentskills",
        "folders in the open Agent Skills format",
        "skill_store.export.agent_skills",
        named=False,
    ),
    Format("lerobot", "episodes as a LeRobotDataset v3.0", "skill_store.export.lerobot", True),
    Format(
        "mcp",
        "a configuration for `voyager serve mcp`, and the archive",
        "skill_store.export.mcp_config",
    ),
    Format("openai", "strict tool definitions", "skill_store.export.openai_tools", named=False),
    Format(
        "langchain",
        "a module that gives LangChain tools, and the archive",
        "skill_store.export.langchain_tools",
        named=False,
    ),
    Format("gymnasium", "tasks as Gymnasium environments", "skill_store.export.gymnasium"),
    Format(
        "jsonl",
        "lossless archive for `voyager import`",
        "skill_store.export.jsonl",
        named=False,
    ),
)


_OTHERS: Final[dict[str, Format]] = {}


def register_format(row: Format) -> Format:
    """Add a format of an extension to the table.

    Args:
        row: Its module must be one that can be imported.

    Returns:
        The same row.

    Raises:
        ExportError: If the name belongs to another format.
    """
    if row != next((known for known in all_formats() if known.name == row.name), row):
        raise ExportError(f"there is a format {row.name!r} already; choose another name")
    if row not in FORMATS:
        _OTHERS[row.name] = row
    return row


def all_formats() -> tuple[Format, ...]:
    """All formats, those of extensions last."""
    return (*FORMATS, *_OTHERS.values())


def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        ExportError: If there is none, with the nearest.
    """
    known = {row.name: row for row in all_formats()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ExportError(f"unknown format {name!r}; {hint}Formats: {', '.join(sorted(known))}")


def write(row: Format, bundle: Bundle, target: Path, options: ExportOptions) -> None:
    """Write a bundle into a new folder, whole or not at all.

    Args:
        row: The format.
        bundle: What leaves.
        target: The folder; must not exist.
        options: What else was asked for.

    Raises:
        ExportError: If the target exists or cannot be written, or the format cannot hold the
            bundle.
    """
    require_free(target)
    with new_folder(target) as folder:
        row.export(bundle, folder, options)
        if not (folder / LICENCE_FILE).exists():
            write_text(folder / LICENCE_FILE, options.licence.notice)
