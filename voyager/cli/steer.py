"""`voyager explorer`: how a running explorer stands, and how it is made to pause and to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from voyager.cli import screen
from voyager.cli.options import HomeOption, JsonOption
from voyager.cli.session import Session, begin

if TYPE_CHECKING:
    from voyager.browsing.live import BudgetLine, DraftNode, LiveView

app = typer.Typer(
    name="explorer",
    help="Look at a running explorer, make it pause and go on.",
    no_args_is_help=True,
)


@app.command()
def status(context: typer.Context, home: HomeOption = None, json: JsonOption = False) -> None:
    """Tell what the explorer of this home is doing: task, attempt, budget, and what came of it."""
    session = begin(context, home, json=json, load_extensions=False)
    view = _look(session)
    if json:
        screen.show_json(view.to_json())
    else:
        _show(view)


@app.command()
def pause(context: typer.Context, home: HomeOption = None, json: JsonOption = False) -> None:
    """Make the explorer of this home wait after the attempt under way.

    It holds on to the home meanwhile. What it waits counts for no limit, not even for --minutes.
    The pause is over when it is resumed, stopped, or started anew.
    """
    _ask(begin(context, home, json=json, load_extensions=False), paused=True, json=json)


@app.command()
def resume(context: typer.Context, home: HomeOption = None, json: JsonOption = False) -> None:
    """Make a paused explorer of this home go on."""
    _ask(begin(context, home, json=json, load_extensions=False), paused=False, json=json)


def _look(session: Session) -> LiveView:
    from voyager.browsing.live import LiveReader

    with LiveReader(session.home) as reader:
        return reader.look()


def _ask(session: Session, *, paused: bool, json: bool) -> None:
    from voyager.browsing.live import ask_pause

    changed = ask_pause(session.home, paused=paused)
    view = _look(session)
    if json:
        screen.show_json(view.to_json())
    elif paused:
        when = "pauses after the attempt under way" if changed else "was asked to pause before"
        typer.echo(f"the explorer {when}; go on with: voyager explorer resume{session.home_flag}")
    else:
        typer.echo("the explorer goes on" if changed else "the explorer was not asked to pause")


def _show(view: LiveView) -> None:
    out = screen.console()
    record = view.record
    facts: list[tuple[str, object]] = [("explorer", _state(view))]
    if record:
        task = record["task"]
        facts += [
            ("task", task["goal"] if task is not None else record["text"]),
            *((("why", f"{record['proposer']}: {record['why']}"),) if record.get("why") else ()),
            *((("doing", _doing(view)),) if record["event"] is not None else ()),
            ("certified", f"{record['certified']} in {record['attempts']} attempts of this run"),
            *((line.name, budget_words(line)) for line in view.budget),
        ]
    facts += [("waiting", f"{view.waiting} tasks of users"), ("skills", view.skills)]
    if view.milestones is not None:
        facts.append(("milestones", f"{view.milestones[0]} of {view.milestones[1]}"))
    screen.show_facts(out, facts)
    if view.drafts:
        made = screen.table("draft", "from", "value", "outcome", "told")
        for draft in view.drafts:
            screen.add_row(made, *_draft(draft))
        out.print(made)
    if view.attempts:
        made = screen.table("attempt", "goal", "outcome", "steps")
        for one in view.attempts:
            screen.add_row(made, one.id, one.goal, one.outcome, f"{one.steps:,}")
        out.print(made)


def _state(view: LiveView) -> str:
    words = {
        "none": "nobody has explored here",
        "busy": f"another command learns here: {view.command}",
        "died": "not running; the last run did not end by itself",
        "ended": "not running; the last run is over",
        "pausing": "pauses after the attempt under way",
    }
    told = words.get(view.state.value, view.state.value)
    return f"{told} (pid {view.pid})" if view.pid is not None else told


def _doing(view: LiveView) -> str:
    event = view.record["event"]
    told = f"{event['stage']}: {event['text']}"
    if event["nodes"]:
        told += f", {event['nodes']} nodes"
    if event["of"]:
        told += f", {event['solved']}/{event['of']} solved"
    if event["budget"]:
        told += f", {event['simulated_steps']:,} of {event['budget']:,} steps"
    return told


def budget_words(line: BudgetLine) -> str:
    """What was used of something, and what may be."""
    fine = line.name in ("usd", "hours", "minutes")
    used = f"{line.used:,.2f}" if fine else f"{line.used:,.0f}"
    if line.cap is None:
        return f"{used}, no limit"
    return f"{used} of {line.cap:,.2f}" if fine else f"{used} of {line.cap:,.0f}"


def _draft(draft: DraftNode) -> tuple[object, ...]:
    value = "-" if draft.value is None else f"{draft.value:.2f}"
    return draft.id, draft.parent or "-", value, draft.outcome, draft.feedback or "-"
