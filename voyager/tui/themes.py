"""The browser's own themes, beside those that Textual brings along."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="voyager",
    primary="#7aa2c8",
    secondary="#8fb8a8",
    accent="#e0a458",
    warning="#e0b458",
    error="#d9616e",
    success="#7fb77e",
    foreground="#d8dee4",
    background="#12161b",
    surface="#181d24",
    panel="#212832",
    dark=True,
)
LIGHT: Final = Theme(
    name="voyager-light",
    primary="#2f5f8a",
    secondary="#3c7464",
    accent="#a8651a",
    warning="#9a6a10",
    error="#b3303f",
    success="#33733a",
    foreground="#20262d",
    background="#f7f6f2",
    surface="#efede6",
    panel="#e4e1d8",
    dark=False,
)
OWN: Final = (DARK, LIGHT)
