"""Write the parts of the documentation that are made from the code.

    python docs/generate.py           write them
    python docs/generate.py --check   say which are out of date, and fail if one is

`robot_api.md` is made as a whole; in `goals.md` and
`browser.md` the text between two marker comments is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import env.bodies  # noqa: F401  (declares the kinds)
from env.kinds import Kind, all_kinds
from env.predicates import Predicate, all_predicates
from env.robot_api import docs_page

DOCS = Path(__file__).parent
_HARDER = {"up": "larger is harder", "down": "smaller is harder"}


def predicate_table() -> str:
    """One row for each predicate of the goal language, sorted by name."""
    rows = ["| written | true when | numbers |", "|---|---|---|"]
    for declared in all_predicates():
        numbers = "; ".join(
            f"`{t.name}` in {t.unit}, {_HARDER[t.harder]}" for t in declared.thresholds
        )
        signature = declared.signature.replace("|", " or ")
        rows.append(f"| `{signature}` | {_cell(declared)} | {numbers or '-'} |")
    return "\n".join(rows)


def _cell(declared: Predicate) -> str:
    seen = "" if declared.observe else " *"
    return declared.doc.replace("|", "\\|") + seen


def kind_table() -> str:
    """One row for each kind, in order of registration."""
    rows = ["| kind | is a | what |", "|---|---|---|"]
    for kind in all_kinds():
        rows.append(f"| `{kind.name}` | {', '.join(kind.parents) or '-'} | {_what(kind)} |")
    return "\n".join(rows)


def _what(kind: Kind) -> str:
    return kind.doc if kind.concrete else f"{kind.doc} No shape of its own."


def key_table() -> str:
    """One row for each key of the browser, by the part that has it."""
    from voyager.tui.keys import key_groups

    rows = ["| where | keys | what | name |", "|---|---|---|---|"]
    for group in key_groups():
        for number, key in enumerate(group.keys):
            where = group.title if number == 0 else ""
            rows.append(f"| {where} | {_keys(key.keys)} | {key.what} | `{key.id}` |")
    return "\n".join(rows)


def _keys(written: str) -> str:
    return " ".join(f"`{one.strip()}`" for one in written.split(", "))


def filled(page: str, marker: str, text: str) -> str:
    """A page with the text between ``<!-- marker -->`` and ``<!-- /marker -->`` replaced."""
    begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"the markers {begin} ... {end} are missing")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)


def generated() -> dict[Path, str]:
    """The wanted content of each generated file."""
    goals, browser = DOCS / "goals.md", DOCS / "browser.md"
    page = filled(goals.read_text(encoding="utf-8"), "predicates", predicate_table())
    return {
        DOCS / "robot_api.md": docs_page(),
        goals: filled(page, "kinds", kind_table()),
        browser: filled(browser.read_text(encoding="utf-8"), "keys", key_table()),
    }


def main() -> int:
    """Write or check; returns the exit code."""
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for path, text in generated().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if not check:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {'out of date' if check else 'written'}\n")
    if check and stale:
        sys.stdout.write("run: python docs/generate.py\n")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
