"""Episodes written down frame by frame, as data sets of motions hold them.

A recording is plain numbers and, perhaps, a film. It is made by running a certificate's episode
again in the simulator (`voyager.recordings`), and says whether that was the very same episode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from env.transcript import Start

Floats = np.ndarray[Any, np.dtype[np.float32]]
"""Numbers; the shape is said where it is used."""
Pixels = np.ndarray[Any, np.dtype[np.uint8]]
"""(k, height, width, 3) RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A film of an episode, one picture for each frame of its recording.

    Attributes:
        data: The bytes of an MP4 file.
        codec: Name of its codec.
        pixels: Name of its pixel format.
        samples: Some of its pictures before they were encoded, for statistics.
    """

    data: bytes
    codec: str
    pixels: str
    samples: Pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        _, height, width, channels = self.samples.shape
        return int(height), int(width), int(channels)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What the columns of recordings are called; the same for all of one export.

    Attributes:
        state: Of the robot's numbers.
        thing: Of one object's numbers.
        action: Of the actions' numbers.
        units: What the action's numbers mean, for people.
    """

    state: tuple[str, ...]
    thing: tuple[str, ...]
    action: tuple[str, ...]
    units: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One episode, from the instant at which its program began to the end of its settle window.

    Attributes:
        skill: Name of the skill that was run.
        sentence: What was asked for in this scene, in words.
        robot: Name of the robot.
        start: Where it began.
        episode: Hash of the episode as it went now.
        identical: Whether that is the hash that the certificate records.
        parameters: Names of the task's parameters, in order.
        names: What the columns are called.
        fps: Frames a simulated second.
        states: (n, s) the robot at each frame.
        things: (n, p * t) the objects that the parameters are bound to, one after the other.
        actions: (n, a) what was done from each frame to the next.
        clipped: Frames whose action was cut to its range.
        video: Pictures of it, or None.
    """

    skill: str
    sentence: str
    robot: str
    start: Start
    episode: str
    identical: bool
    parameters: tuple[str, ...]
    names: Names
    fps: int
    states: Floats
    things: Floats
    actions: Floats
    clipped: int = 0
    video: Video | None = None

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.states)
