"""Long lists a page at a time: what is in them, in which order, and how many of which kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.crowd import crowd
from env.task import Task
from skill_store import DATABASE, Database
from skill_store.browsing import Browsing, Facet, Order, Question, Row

TASKS = (
    Task.make("on(a, b)", {"a": "block", "b": "block"}),
    Task.make("inside(a, b) and clear()", {"a": "ball", "b": "bowl"}),
    Task.make("held(a)", {"a": "block"}),
)
TEXTS = (("stack", "Put a on b."), ("drop", "Put a in b."), ("hold", "Hold 100% of a."))
COUNT = 30


@pytest.fixture(scope="module")
def browsing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsing]:
    home = tmp_path_factory.mktemp("crowd")
    crowd(home, TEXTS, COUNT, TASKS)
    with Database(home / DATABASE) as database:
        # stack_0 <- drop_1 <- hold_2, and one that is in use elsewhere.
        for caller, callee in (("drop_1", "stack_0"), ("hold_2", "drop_1")):
            database.execute(
                "INSERT INTO locks SELECT a.hash, b.name, b.hash FROM programs a, programs b "
                "WHERE a.name = ? AND b.name = ?",
                (caller, callee),
            )
        for name, calls in (("stack_0", 9), ("drop_1", 3)):
            database.execute(
                "INSERT INTO uses SELECT hash, ?, ? FROM programs WHERE name = ?",
                (calls, calls - 1, name),
            )
        database.execute("UPDATE skills SET bound = 0.8, state = 'active' WHERE name = 'drop_4'")
        database.execute("UPDATE skills SET bound = 0.9, state = 'active' WHERE name = 'hold_5'")
        database.execute("UPDATE skills SET state = 'retired' WHERE name = 'stack_3'")
        yield Browsing(database)


def names(browsing: Browsing, question: Question, limit: int = COUNT) -> list[str]:
    return [row.name for row in browsing.page(question, limit=limit).rows]


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        (Order.AGE, "hold_29", "stack_0"),
        (Order.NAME, "drop_1", "stack_9"),
        (Order.BOUND, "hold_5", "stack_9"),
        (Order.USES, "stack_0", "stack_9"),
        (Order.DEPTH, "hold_2", "stack_9"),
        (Order.STATE, "drop_4", "stack_3"),
    ],
)
def test_orders(browsing: Browsing, order: Order, first: str, last: str) -> None:
    found = names(browsing, Question(order=order))
    assert (found[0], found[-1], len(found)) == (first, last, COUNT)


def test_what_is_not_known_is_never_first(browsing: Browsing) -> None:
    turned = names(browsing, Question(order=Order.BOUND, backwards=True))
    assert turned[:2] == ["drop_4", "hold_5"]


def test_rows_tell_depth_uses_and_kinds(browsing: Browsing) -> None:
    rows = {row.name: row for row in browsing.page(Question(), limit=COUNT).rows}
    assert [rows[name].depth for name in ("stack_0", "drop_1", "hold_2")] == [1, 2, 3]
    assert (rows["stack_0"].calls, rows["stack_0"].kept) == (9, 8)
    assert rows["drop_1"].kinds == ("clear", "inside")


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("backwards", [False, True])
def test_pages_make_up_the_list_and_places_are_in_it(
    browsing: Browsing, order: Order, backwards: bool
) -> None:
    question = Question("put", {"hold_2": 0.4, "drop_1": 0.9}, {}, order, backwards)
    whole = names(browsing, question)
    parts = [browsing.page(question, offset, 7) for offset in range(0, COUNT, 7)]
    assert [row.name for part in parts for row in part.rows] == whole
    assert {part.total for part in parts} == {21} and len(whole) == 21
    assert [browsing.place(question, name) for name in whole] == list(range(21))
    assert browsing.place(question, "hold_5") is None


def test_words_come_before_meaning_and_names_before_words(browsing: Browsing) -> None:
    near = {"hold_2": 0.4, "hold_8": 0.7, "drop_1": 0.9}
    found = browsing.page(Question("put on", near, order=Order.FIT), limit=COUNT).rows
    assert [row.name for row in found[-3:]] == ["drop_1", "hold_8", "hold_2"]
    assert all(row.score is None for row in found[:-3])
    assert names(browsing, Question("hold_2", order=Order.FIT))[0] == "hold_2"


@pytest.mark.parametrize(("text", "number"), [("100%", 10), ("%", 10), ("_1", 11), ("\\", 0)])
def test_nothing_is_a_wildcard(browsing: Browsing, text: str, number: int) -> None:
    assert browsing.page(Question(text)).total == number


def test_facets_narrow_and_count(browsing: Browsing) -> None:
    chosen = {Facet.STATE: frozenset({"active", "retired"}), Facet.KIND: frozenset({"inside"})}
    question = Question(chosen=chosen)
    assert names(browsing, question) == ["drop_4"]
    counts = browsing.counts(question)
    # A facet's own choice leaves its other values in sight.
    assert counts[Facet.STATE] == {"probation": 9, "active": 1}
    assert counts[Facet.KIND] == {"clear": 1, "held": 1, "inside": 1, "on": 1}
    assert counts[Facet.EVIDENCE] == {"linux-kernel": 1}
    assert browsing.counts(Question())[Facet.ORIGIN] == {"learned": COUNT}


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("", {}),
        ("stack", {}),
        ("o put", {}),
        ("stack", {"hold_2": 0.4, "drop_1": 0.9, "nobody": 1.0}),
        ("", {"hold_2": 0.4}),
        ("nothing has this", {}),
        ("nothing has this", {"drop_1": 0.9}),
    ],
)
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {Facet.STATE: frozenset({"probation"})},
        {Facet.KIND: frozenset({"on", "held"}), Facet.EVIDENCE: frozenset({"linux-kernel"})},
        {Facet.ORIGIN: frozenset({"learned"}), Facet.STATE: frozenset()},
        {Facet.ORIGIN: frozenset({"edited"})},
    ],
)
def test_what_is_counted_is_what_is_listed(
    browsing: Browsing,
    text: str,
    near: dict[str, float],
    chosen: dict[Facet, frozenset[str]],
) -> None:
    """All that is asked for is a part of the statement, and nothing else: each part by itself."""
    everything = browsing.page(Question(), limit=COUNT).rows
    told = {
        Facet.STATE: lambda row: {row.state},
        Facet.KIND: lambda row: set(row.kinds),
        Facet.ORIGIN: lambda row: {row.origin},
        Facet.EVIDENCE: lambda row: {row.evidence},
    }

    def fits(row: Row, without: Facet | None = None) -> bool:
        texts = " ".join((row.name, row.instruction, row.goal)).lower()
        worded = all(word in texts for word in text.split()) or row.name in near
        wanted = {facet: values for facet, values in chosen.items() if values}
        return worded and all(
            facet is without or values & told[facet](row) for facet, values in wanted.items()
        )

    page = browsing.page(Question(text, near, chosen), limit=COUNT)
    assert {row.name for row in page.rows} == {row.name for row in everything if fits(row)}
    assert page.total == len(page.rows)
    counts = browsing.counts(Question(text, near, chosen))
    for facet in Facet:
        expected = Counter(
            value for row in everything if fits(row, facet) for value in told[facet](row)
        )
        assert counts[facet] == dict(expected), facet


def test_a_filter_may_have_any_number_of_words(browsing: Browsing) -> None:
    many = "stack " * 400
    assert browsing.page(Question(many)).total == 10
    assert browsing.page(Question(f"{many} drop")).total == 0
    assert sum(browsing.counts(Question(many))[Facet.STATE].values()) == 10


def test_a_page_past_the_end_knows_how_long_the_list_is(browsing: Browsing) -> None:
    page = browsing.page(Question("stack"), offset=200)
    assert (page.rows, page.total) == ((), 10)


def test_a_change_is_noticed(tmp_path: Path) -> None:
    with Database(tmp_path / DATABASE) as one, Database(tmp_path / DATABASE) as other:
        browsing = Browsing(one)
        before = browsing.revision()
        assert browsing.revision() == before
        other.execute(
            "INSERT INTO runs (command, seed, config, started_at) VALUES ('x', 0, '', '')"
        )
        assert browsing.revision() != before
