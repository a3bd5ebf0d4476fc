"""Texts of others on a page, as real readers of Markdown and YAML see them."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from skill_store.export.markdown import code, plain, yaml_text
from skill_store.export.schemas import one_line

READER = MarkdownIt("gfm-like", {"linkify": False})
TEXTS = st.text(st.sampled_from(list("ab1 _*`#-+=.()[]<>!&;|~\\\n\t\"':/")), max_size=30)


def pieces(markdown: str) -> list[tuple[str, str]]:
    """Kinds of all that a reader shows of a page, with their text."""
    inside = [block.children or [] for block in READER.parse(markdown) if block.type == "inline"]
    return [(piece.type, piece.content) for block in inside for piece in block if piece.content]


@given(TEXTS)
@example("# Heading")
@example("1. a list")
@example("- - -")
@example("___")
@example("<script>alert(1)</script>")
@example("[name](http://evil.example)")
@example("\n---\nlicense: mit")
@example("a __b__ c")
def test_a_plain_text_is_shown_as_it_is_and_is_nothing_else(text: str) -> None:
    page = READER.render(plain(text))
    wanted = one_line(text)
    if not wanted:
        assert page == ""
        return
    escaped = wanted.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert page == f"<p>{escaped.replace(chr(34), '&quot;')}</p>\n"


@given(TEXTS)
@example("`")
@example("``` a ``")
@example(r"\`")
@example("a `b` c")
def test_code_holds_whatever_it_is(text: str) -> None:
    wanted = one_line(text) or "  "
    assert pieces(f"- {code(text)}. After") == [("code_inline", wanted), ("text", ". After")]


@given(st.text(max_size=40))
@example("1.0")
@example("no")
@example("a: b # c")
@example("x\n---\ny")
@example("\U0001f600 \u2028 \ufeff")
def test_yaml_reads_a_text_and_nothing_else(text: str) -> None:
    written = yaml_text(text)
    assert "---" not in written and len(written.splitlines()) == 1
    try:
        found = yaml.safe_load(f"key: {written}\nother: 1\n")
    except yaml.YAMLError:
        pytest.fail(f"not YAML: {written!r}")
    assert found.keys() == {"key", "other"}
    kept = one_line(text)
    assert found["key"] == kept or "---" in kept
