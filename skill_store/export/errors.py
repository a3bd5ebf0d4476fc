"""What can be wrong with an export or an import."""

from __future__ import annotations

from env.errors import VoyagerError


class ExportError(VoyagerError):
    """Skills cannot leave as asked: unknown format, uncertified skill, a target that exists."""


class ImportRefused(VoyagerError):
    """An archive is damaged, altered, too large or hostile; nothing of it was taken."""
