"""A report on a home: one HTML file that shows what was learned, when, how surely, and what failed.

The file needs nothing beside itself: no script, no font, no picture from anywhere else.
"""

from __future__ import annotations

from voyager.report.writing import Report, write_report

__all__ = ["Report", "write_report"]
