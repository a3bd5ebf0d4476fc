"""How outcomes look in a terminal."""

from __future__ import annotations

from env.outcome import Outcome


def outcome_style(outcome: Outcome) -> str:
    """The colour of an outcome: infrastructure is neither good nor bad."""
    if outcome is Outcome.SOLVED:
        return "green"
    return "red" if outcome.about_program else "yellow"
