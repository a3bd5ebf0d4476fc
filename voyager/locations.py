"""Where everything of one agent lies: the home and what is inside it.

The home is chosen by `--home`, else by the environment variable `VOYAGER_HOME`, else it is the
user's data folder. Nothing is ever written outside it, unless a command names a file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from skill_store import ARTIFACTS, BACKUPS, DATABASE, LOCK_FILE, SETTINGS
from skill_store.database import INDEX_FOLDER

HOME_VARIABLE: Final = "VOYAGER_HOME"
# Not "voyager": on a user's machine that folder may belong to another program of that name.
_FOLDER: Final = "voyager-skill-library"


@dataclass(frozen=True, slots=True)
class Locations:
    """The paths of one home; none of them has to exist.

    Attributes:
        home: The folder that holds everything else, absolute.
        origin: What chose it: "--home", "VOYAGER_HOME" or "default".
    """

    home: Path
    origin: str

    @classmethod
    def find(cls, home: Path | None = None, environ: Mapping[str, str] | None = None) -> Locations:
        """Choose the home: the argument, else `VOYAGER_HOME`, else the user's data folder.

        Args:
            home: Value of the `--home` flag, or None when it was not given.
            environ: Environment variables; those of the process when None.

        Returns:
            The locations, with `~` and relative paths resolved. Nothing is created.
        """
        variables = os.environ if environ is None else environ
        if home is not None:
            return cls(_absolute(home), "--home")
        if named := variables.get(HOME_VARIABLE):
            return cls(_absolute(Path(named)), HOME_VARIABLE)
        return cls(platformdirs.user_data_path(_FOLDER, appauthor=False), "default")

    @property
    def config_file(self) -> Path:
        """The settings, written by hand."""
        return self.home / SETTINGS

    @property
    def database(self) -> Path:
        """The library and the journal."""
        return self.home / DATABASE

    @property
    def backups(self) -> Path:
        """Copies of the database, one before each change of its form."""
        return self.home / BACKUPS

    @property
    def lock_file(self) -> Path:
        """Held by the one process that learns in this home."""
        return self.home / LOCK_FILE

    @property
    def artifacts(self) -> Path:
        """Pictures and films that runs leave behind; may be deleted at any time."""
        return self.home / ARTIFACTS

    @property
    def report(self) -> Path:
        """What `voyager report` writes unless it is told where."""
        return self.home / "report.html"

    @property
    def index(self) -> Path:
        """A copy of the vectors for fast search; may be deleted whenever nobody learns here."""
        return self.home / INDEX_FOLDER

    def named(self) -> tuple[tuple[str, Path], ...]:
        """All paths with their names, in the order in which they are shown."""
        return (
            ("home", self.home),
            ("config", self.config_file),
            ("database", self.database),
            ("backups", self.backups),
            ("artifacts", self.artifacts),
            ("report", self.report),
            ("index", self.index),
            ("lock", self.lock_file),
        )


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))
