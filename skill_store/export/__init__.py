"""Skills leave home: one bundle, many formats."""

from skill_store.export.bundle import Bundle, Exported, gather
from skill_store.export.errors import ExportError, ImportRefused
from skill_store.export.formats import (
    FORMATS,
    ExportOptions,
    Format,
    all_formats,
    find_format,
    register_format,
    write,
)
from skill_store.export.licence import MIT_0, Licence, licence_from

__all__ = [
    "FORMATS",
    "MIT_0",
    "Bundle",
    "ExportError",
    "ExportOptions",
    "Exported",
    "Format",
    "ImportRefused",
    "Licence",
    "all_formats",
    "find_format",
    "gather",
    "licence_from",
    "register_format",
    "write",
]
