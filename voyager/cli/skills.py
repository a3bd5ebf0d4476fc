"""`voyager skills`: look at what the library holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from voyager.cli import screen
from voyager.cli.options import ExtensionOption, HomeOption, JsonOption, NameArgument
from voyager.cli.session import begin

if TYPE_CHECKING:
    from skill_store.skill import Skill, SkillEntry
    from voyager.cli.life import Life

LIST_SCHEMA = "voyager.skills/1"
SKILL_SCHEMA = "voyager.skill/1"

app = typer.Typer(name="skills", help="Look at skills, run them, check them.", no_args_is_help=True)


@app.command("list")
def list_skills(context: typer.Context, home: HomeOption = None, json: JsonOption = False) -> None:
    """List all skills, oldest first."""
    session = begin(context, home, json=json, load_extensions=False)
    from env.backend import DEFAULT
    from skill_store import Library
    from skill_store.quarantine import Quarantine, QuarantineState

    with Library.open(session.home) as library:
        entries = library.entries()
        waiting = Quarantine(library.database).entries(QuarantineState.WAITING)
    if json:
        screen.show_json(
            {
                "schema": LIST_SCHEMA,
                "skills": [_entry_record(e) for e in entries],
                "quarantine": [entry.name for entry in waiting],
            }
        )
        return
    out = screen.console()
    if waiting:
        names = ", ".join(entry.name for entry in waiting)
        told = f"In quarantine, to be certified before anybody can call them: {names}"
        out.print(screen.text(told, "yellow"), soft_wrap=True)
    if not entries:
        out.print("This library is empty; teach it something, for example:")
        flag = session.home_flag
        typer.echo(f"  voyager learn 'lifted(block)' --param block=block{flag}")
        return
    made = screen.table("name", "state", "goal", "certified", "bound", "calls")
    for entry in entries:
        screen.add_row(
            made,
            screen.text(entry.name, "bold"),
            screen.text(entry.state.value, _STATE_STYLES[entry.state.value]),
            entry.goal,
            f"{entry.k}/{entry.n}" + ("" if entry.sandbox == DEFAULT else f" ({entry.sandbox})"),
            "-" if entry.bound is None else f"{entry.bound:.1%}",
            ", ".join(entry.callees) or "-",
        )
    out.print(made)


@app.command()
def show(
    context: typer.Context,
    name: NameArgument,
    home: HomeOption = None,
    extension: ExtensionOption = None,
    json: JsonOption = False,
) -> None:
    """Print everything about a skill: task, effects, versions, certificate, seeds, callees."""
    session = begin(context, home, extensions=extension, json=json)
    from skill_store import Library
    from voyager.cli.life import Life

    with Library.open(session.home) as library:
        skill = library.get(name)
        life = Life.of(library, skill)
    if json:
        screen.show_json(_skill_record(skill, life))
    else:
        _show(skill, life)


@app.command()
def source(
    context: typer.Context,
    name: NameArgument,
    home: HomeOption = None,
    extension: ExtensionOption = None,
) -> None:
    """Print the program of a skill."""
    session = begin(context, home, extensions=extension)
    from skill_store import Library

    with Library.open(session.home) as library:
        skill = library.get(name)
    screen.show_source(skill.source, screen.console())


_STATE_STYLES = {"probation": "yellow", "active": "green", "stale": "magenta", "retired": "dim"}


def _entry_record(entry: SkillEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.version,
        "state": entry.state.value,
        "pinned": entry.pinned,
        "instruction": entry.instruction,
        "goal": entry.goal,
        "parameters": [list(pair) for pair in entry.parameters],
        "k": entry.k,
        "n": entry.n,
        "bound": entry.bound,
        "program": entry.program,
        "task": entry.task,
        "calls": list(entry.callees),
        "sandbox": entry.sandbox,
        "added_at": entry.added_at.isoformat(),
    }


def _skill_record(skill: Skill, life: Life) -> dict[str, Any]:
    return {
        "schema": SKILL_SCHEMA,
        "name": skill.name,
        "state": skill.state.value,
        "added_at": skill.added_at.isoformat(),
        "task": skill.task.to_json(),
        "closure": skill.closure.to_json(),
        "source": skill.source,
        "bound": skill.bound,
        **life.to_json(),
        "certificate": skill.certificate.to_json(),
        "deepening": None if skill.deepening is None else skill.deepening.to_json(),
    }


def _show(skill: Skill, life: Life) -> None:
    from env.fingerprint import fingerprint
    from voyager.cli.life import life_facts, show_versions
    from voyager.wording import certificate_facts, scene_rows

    out = screen.console()
    certificate = skill.certificate
    about = ", ".join(f"{name}: {kind}" for name, kind in skill.task.parameters) or "none"
    screen.show_facts(
        out,
        [
            ("name", skill.name),
            ("state", screen.text(skill.state.value, _STATE_STYLES[skill.state.value])),
            ("instruction", skill.task.instruction),
            ("goal", skill.task.goal.text),
            ("parameters", about),
            ("added", f"{skill.added_at:%Y-%m-%d %H:%M} UTC"),
            *life_facts(skill, life),
            *certificate_facts(skill),
            ("replay", f"voyager skills verify {skill.name}"),
        ],
    )
    out.print()
    screen.show_source(skill.source, out)
    if skill.callees:
        made = screen.table("calls", "promise", "program", title="Contracts of its callees")
        programs = skill.closure.programs
        for key, program in sorted(programs.items(), key=lambda item: item[1].name):
            if key != skill.closure.root:
                contract = skill.closure.contracts.get(key)
                promise = "unknown" if contract is None else contract.goal.text
                screen.add_row(made, program.name, promise, key[:12])
        out.print(made)
    show_versions(life, out)
    made = screen.table("#", "seed", "outcome", "margin", "began", title="Held-out scenes")
    for row in scene_rows(certificate):
        screen.add_row(made, *row)
    out.print(made)
    here = fingerprint(skill.task.scene.robot)
    differs = set(certificate.fingerprint.differences(here))
    recorded = certificate.fingerprint.to_json()
    rows = [(name, _marked(recorded[name], name in differs)) for name in recorded]
    out.print(screen.text("Fingerprint", "bold"))
    screen.show_facts(
        out,
        [
            *rows,
            ("task", skill.task.hash),
            ("program", skill.closure.root),
            ("closure", skill.closure.hash),
            ("certificate", certificate.hash),
        ],
    )


def _marked(value: object, differs: bool) -> object:
    """One line of the fingerprint, its hashes cut to what people compare."""
    from voyager.wording import fingerprint_words

    told = fingerprint_words(value)
    return screen.text(f"{told}  (another one here)", "yellow") if differs else told
