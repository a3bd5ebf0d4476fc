"""Learning progress: where trying has lately been worth while.

Competence on an arm (a sort of task) is followed by a fast and a slow moving average of its
outcomes; their distance is the progress. What is mastered and what is hopeless both tend to
nothing, what is being learned stands out. After Kanitscheider et al., "Multi-task curriculum
learning in a complex, visual, hard-exploration domain: Minecraft" (2021); the idea is that of
Oudeyer, Kaplan and Hafner, "Intrinsic motivation systems" (2007).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FAST: Final = 0.5
SLOW: Final = 0.15
UNTRIED: Final = 0.5
"""Progress that is hoped for where nothing was tried yet: the most that one success can show."""
LEAST: Final = 0.05
"""Nothing is given up for ever."""


def learning_progress(outcomes: Iterable[bool]) -> float:
    """The progress on an arm.

    Args:
        outcomes: Whether each try of it was solved, oldest first.

    Returns:
        Between `LEAST` and 0.5.
    """
    fast = slow = 0.0
    hope = UNTRIED
    for solved in outcomes:
        fast += FAST * (solved - fast)
        slow += SLOW * (solved - slow)
        # Until something has worked there is no progress to measure, only hope that fades.
        hope = 0.0 if solved else hope / 2.0
    return max(abs(fast - slow), hope, LEAST)
