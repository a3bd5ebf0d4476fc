"""Names and sentences for goals that nobody worded."""

from __future__ import annotations

import pytest

from curriculum.wording import parameter_name, sentence
from env.goals import Goal


@pytest.mark.parametrize(
    ("goal", "kinds", "expected"),
    [
        ("lifted(ball)", {"ball": "ball"}, "Lift ball"),
        ("on(a, b) and clear()", {"a": "block", "b": "block"}, "Put a on b and get clear"),
        ("at(gripper, bowl)", {"bowl": "bowl"}, "Reach bowl"),
        (
            "on(a, b) and on(b, c) and clear()",
            dict.fromkeys("abc", "block"),
            "Put a on b, put b on c and get clear",
        ),
    ],
)
def test_a_goal_reads_as_a_sentence(goal: str, kinds: dict[str, str], expected: str) -> None:
    assert sentence(Goal.parse(goal, kinds)) == expected


def test_parameters_are_called_after_their_kinds() -> None:
    assert parameter_name("block", ()) == "block"
    assert parameter_name("block", {"block", "block_2"}) == "block_3"
    assert parameter_name("object", ()) == "some_object"
