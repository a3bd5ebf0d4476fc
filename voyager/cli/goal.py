"""`voyager goal`: look at a goal without learning anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from voyager.cli import screen
from voyager.cli.options import (
    ExtensionOption,
    HomeOption,
    JsonOption,
    ParamOption,
    SeedOption,
    parameters,
)
from voyager.cli.session import begin

if TYPE_CHECKING:
    from env.goals import Verdict
    from env.scene import Scene
    from env.state import State
    from env.task import Task

GOAL_SCHEMA = "voyager.goal_check/1"

app = typer.Typer(name="goal", help="Look at goals.", no_args_is_help=True)


@app.callback()
def _goals() -> None:
    """Look at goals."""


@app.command()
def check(
    context: typer.Context,
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="The goal.")],
    param: ParamOption = None,
    seed: SeedOption = None,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Read a goal, and say what it still lacks in one sampled scene.

    Example: voyager goal check 'on(top, bottom)' -p top=block -p bottom=block --seed 3
    """
    session = begin(context, home, extensions=extension, flags={"seed": seed}, json=json)
    kinds = parameters(param)
    from env.task import Task
    from env.world import World

    task = Task.make(expression, kinds)
    drawn = session.config.seed
    scene = task.sample(drawn)
    with World() as world:
        world.reset(scene)
        state = world.observe(task.goal.needs)
    # A temporal goal is judged on the one instant that there is.
    verdict = task.goal.judge([state], 0, scene.binding)
    if json:
        screen.show_json(_record(task, drawn, scene, state, verdict))
    else:
        _show(task, drawn, scene, state, verdict)


def _record(task: Task, seed: int, scene: Scene, state: State, verdict: Verdict) -> dict[str, Any]:
    return {
        "schema": GOAL_SCHEMA,
        "goal": task.goal.text,
        "canonical": task.goal.canonical,
        "task": task.hash,
        "temporal": task.goal.temporal,
        "parameters": task.kinds,
        "seed": seed,
        "binding": dict(scene.binding),
        "value": verdict.holds,
        "margin": verdict.margin,
        "atoms": [
            {
                "text": report.text,
                "holds": report.holds,
                "value": report.value,
                "unit": report.unit,
                "margin": report.margin,
                "missing": report.missing,
                "within": report.within,
            }
            for report in task.goal.explain(state, scene.binding)
        ],
    }


def _show(task: Task, seed: int, scene: Scene, state: State, verdict: Verdict) -> None:
    out = screen.console()
    bodies = {body.name: body.spec for body in scene.bodies}
    bound = ", ".join(
        f"{parameter} = {name} ({bodies[name].colour} {bodies[name].kind})"
        for parameter, name in scene.binding.items()
    )
    others = len(bodies) - len(scene.binding)
    rows = [
        ("goal", task.goal.text),
        ("canonical", task.goal.canonical),
        ("scene", f"seed {seed}: {bound or 'no parameters'}; {others} other objects"),
        ("value", screen.text(str(verdict.holds).lower(), "green" if verdict.holds else "red")),
        ("margin", f"{screen.signed(verdict.margin)} (no unit; true is 0 or more)"),
    ]
    if task.goal.temporal:
        rows.append(("note", "temporal: judged as if the episode were this one instant"))
    screen.show_facts(out, rows)
    made = screen.table("part", "value", "raw", "margin", "what is missing")
    for report in task.goal.explain(state, scene.binding):
        told = f"{report.text}  (inside {report.within})" if report.within else report.text
        raw = f"{report.value:+.4g} {report.unit}" if report.unit else "-"
        screen.add_row(
            made,
            told,
            screen.text("true" if report.holds else "false", "green" if report.holds else "red"),
            raw,
            screen.signed(report.margin),
            report.missing or "-",
        )
    out.print(made)
    if verdict.holds:
        out.print(
            screen.text(
                "This goal is true before anything is done in this scene; such scenes are skipped.",
                "yellow",
            )
        )
