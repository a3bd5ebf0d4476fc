from __future__ import annotations

from env.program import Closure, Program
from env.sandbox import SkillErrorReport, SkillFrame, render_error
from env.sandbox.report import source_lines, visible

SOURCE = (
    "def go() -> None:\n"
    "    '''Go.'''\n"
    "    x = 'ä\u2028ü' + _ü(  1,\n"
    "        2)\n"
    "def _ü(a, b):  # \x1b[31m\n"
    "    return a\n"
)
PROGRAM = Program.parse(SOURCE)
CLOSURE = Closure.of(PROGRAM)


def frame(line: int, end: int, column: int, end_column: int) -> SkillFrame:
    return SkillFrame(PROGRAM.hash, "go", line, end, column, end_column, "go")


def render(*frames: SkillFrame, message: str = "bad") -> list[str]:
    return render_error(SkillErrorReport("ValueError", message, frames), CLOSURE).splitlines()


def test_carets_stand_under_the_expression() -> None:
    start = len("    x = 'ä\u2028ü' + ".encode())
    shown = visible("    x = 'ä\u2028ü' + _ü(  1,").strip()
    report = SkillErrorReport("ValueError", "bad", (frame(3, 4, start, 10),))
    lines = render_error(report, CLOSURE).split("\n")
    assert lines[:2] == ['  skill "go", line 3, in go', "    " + shown]
    assert lines[2] == " " * (4 + shown.index("_ü(")) + "^" * len("_ü(  1,")
    assert lines[3] == "ValueError: bad"


def test_places_that_make_no_sense_are_shown_without_carets() -> None:
    assert render(frame(0, 0, 0, 0))[:2] == ['  skill "go", line 0, in go', "ValueError: bad"]
    assert len(render(frame(99, 99, 0, 1))) == 2
    assert render(frame(6, 6, 50, 40))[1:] == ["    return a", "ValueError: bad"]
    assert render(frame(6, 6, 10**9, 10**9))[1:] == ["    return a", "ValueError: bad"]
    other = SkillFrame("0" * 64, "x", 1, 1, 0, 1, "f")
    assert render(other, message="") == ['  skill "x", line 1, in f', "ValueError"]


def test_repeated_levels_are_told_once() -> None:
    level = frame(6, 6, 4, 12)
    lines = render(level, level, level, frame(4, 4, 8, 9))
    assert lines[3] == "  (the same level 2 more times)"
    assert render(level, level)[-2] == "  (the same level 1 more times)"


def test_source_is_shown_without_control_characters() -> None:
    assert "\x1b" not in "".join(render(frame(5, 5, 0, 3)))


def test_lines_are_counted_as_python_does() -> None:
    assert len(source_lines(SOURCE)) == 7
    assert source_lines("a\r\nb\rc\nd\x0ce") == ["a", "b", "c", "d\x0ce"]
