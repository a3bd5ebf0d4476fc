"""Skills for LangChain agents: a module that makes tools of them, and the archive they come from.

    skill_tools.py   `tools(home)` gives LangChain tools, of exactly these programs
    skills.jsonl     the archive, for a home that does not have them yet
    tools.json       the definitions as a model sees them
    README.md

Nothing is run from the archive: whoever has it imports it and certifies it first. In the home that
it was exported from the module works at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from skill_store.export import jsonl
from skill_store.export.bundle import Bundle
from skill_store.export.claims import MESHES, TRUST
from skill_store.export.errors import ExportError
from skill_store.export.formats import ExportOptions
from skill_store.export.openai_tools import definitions, names_of, proofs_table, write_tools
from skill_store.export.writing import write_text

MODULE: Final = "skill_tools.py"
_QUOTES: Final = '"""'


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write module, archive, definitions and a page about them into an empty folder.

    Raises:
        ExportError: If no skill of the bundle is certified: there would be no tool.
    """
    programs = {e.skill.name: e.skill.closure.root for e in bundle.skills if e.certified}
    if not programs:
        raise ExportError(
            "no skill of this export is certified here, so none could be called as a tool; "
            "--format jsonl takes uncertified ones along"
        )
    jsonl.export(bundle, folder, options)  # its page is replaced by the one below
    write_tools(folder / "tools.json", definitions(bundle))
    write_text(folder / MODULE, _module(programs))
    write_text(folder / "README.md", _page(bundle, programs, options))


def _module(programs: dict[str, str]) -> str:
    pinned = "".join(f'    "{name}": "{program}",\n' for name, program in programs.items())
    return f"""\
{_QUOTES}LangChain tools of {len(programs)} certified robot skills, in simulation.

    with tools("HOME") as skills:
        agent = create_agent("openai:gpt-5", skills)

HOME is a home of voyager-skill-library in which these skills are certified, see README.md.
{_QUOTES}

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voyager.serving.langchain_tools import SkillTools

PROGRAMS = {{
{pinned}}}
{_QUOTES}Hash of the program by skill: another program under the same name is refused.{_QUOTES}


def tools(home: str, **options: Any) -> SkillTools:
    {_QUOTES}The skills as tools that share one simulated scene; close them, or use a `with` block.

    Args:
        home: Home folder in which they are certified.
        **options: `seed`, `pictures`; see `voyager.serving.langchain_tools.skills_as_tools`.
    {_QUOTES}
    from voyager.serving.langchain_tools import skills_as_tools

    return skills_as_tools(home, names=list(PROGRAMS), programs=PROGRAMS, **options)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {{sys.argv[0]}} HOME")
    with tools(sys.argv[1]) as made:
        for tool in made:
            print(f"{{tool.name}}: {{tool.description}}")
"""


def _page(bundle: Bundle, programs: dict[str, str], options: ExportOptions) -> str:
    left = [e.skill.name for e in bundle.skills if e.skill.name not in programs]
    only = (
        f"\nNot certified where they were exported, so in the archive only: {', '.join(left)}.\n"
        if left
        else ""
    )
    return f"""\
# {len(programs)} robot skills as LangChain tools

{proofs_table(bundle, names_of(bundle))}
{only}
Each call runs in simulation, in a sandbox, and the simulator's own state says whether it was
solved. Two tools beside the skills, `new_scene` and `look_at_scene`, set up a table and list its
objects: skills are given objects by name.

```python
from langchain.agents import create_agent
from skill_tools import tools

with tools("HOME") as skills:
    agent = create_agent("openai:gpt-5", skills)
    agent.invoke({{"messages": [("user", "Tidy the table.")]}})
```

`HOME` is a home in which these skills are certified. In the one that they were exported from they
are. Anywhere else, with voyager-skill-library installed:

```console
$ voyager import THIS_FOLDER --home HOME     # into quarantine: nobody can call them yet
$ voyager skills certify --all --home HOME   # on scenes that nobody has seen; what holds is a skill
$ python skill_tools.py HOME                 # lists the tools
```

The module asks for exactly these programs, by their hashes. {TRUST}

Licence of the skills: {options.licence.identifier}, see `LICENSE`. {MESHES}
"""
