"""The command line: `voyager`."""

from voyager.cli.app import main, run

__all__ = ["main", "run"]
