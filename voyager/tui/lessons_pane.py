"""What failures taught about goals like that of a skill."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from voyager.browsing.told import LessonLine, Lessons
from voyager.tui.text import QUIET, safe
from voyager.tui.vim import SCROLLING


class LessonsPane(VerticalScroll, can_focus=True):
    """Shows lessons, the most fitting first."""

    HELP = (
        "What a model is told when it tries this goal again. Lessons that never help are dropped."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static(id="lessons-text")

    def show(self, told: Lessons) -> None:
        """Show lessons."""
        lines = [line for lesson in told.lines for line in _lesson(lesson)]
        if not lines:
            empty = "No failure has taught anything about this goal or one like it."
            lines = [Content.styled(empty, QUIET)]
        self.query_one("#lessons-text", Static).update(Content("\n").join(lines))
        self.scroll_home(animate=False)


def _lesson(lesson: LessonLine) -> list[Content]:
    whose = "" if lesson.own else f" (of {lesson.goal})"
    return [
        safe(f"{lesson.id}  {lesson.failure}{whose}", "bold"),
        safe(f"   seen     {lesson.evidence}", QUIET),
        safe(f"   lesson   {lesson.lesson}"),
        safe(f"   advice   {lesson.advice}", "$text-success"),
        safe(f"   helped   {lesson.helped} of {lesson.used} times", QUIET),
        Content(""),
    ]
