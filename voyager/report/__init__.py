"""A report on a home: one HTML file that shows what was learned, when, how surely, and what failed.

The file needs nothing beside itself: no script, no font, no picture from anywhere else. The facade
is lazy: whoever only counts milestones loads no pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voyager.report.writing import Report, write_report

__all__ = ["Report", "write_report"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'voyager.report' has no attribute {name!r}")
    from voyager.report import writing

    return getattr(writing, name)
