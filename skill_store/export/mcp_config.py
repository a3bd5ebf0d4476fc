"""Skills for clients of the Model Context Protocol: a configuration, and the archive.

mcp.json       what a client is told in order to start the server
skills.jsonl   the archive, for a home that does not have the skills yet
tools.json     the skills' definitions, to read
README.md
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from skill_store.export import jsonl
from skill_store.export.bundle import Bundle
from skill_store.export.claims import MESHES, TRUST
from skill_store.export.formats import ExportOptions
from skill_store.export.openai_tools import definitions, names_of, proofs_table, write_tools
from skill_store.export.writing import write_text

SERVER: Final = "robot-skills"
"""What the server is called in a client's configuration."""


def configuration(name: str = SERVER) -> dict[str, Any]:
    """What most clients read; `HOME` is to be replaced by the home's whole path."""
    return {
        "mcpServers": {name: {"command": "voyager", "args": ["serve", "mcp", "--home", "HOME"]}}
    }


def export(bundle: Bundle, folder: Path, options: ExportOptions) -> None:
    """Write configuration, archive, definitions and a page about them into an empty folder."""
    jsonl.export(bundle, folder, options)  # its page is replaced by the one below
    config = configuration(options.name or SERVER)
    write_text(folder / "mcp.json", json.dumps(config, indent=2) + "\n")
    write_tools(folder / "tools.json", definitions(bundle))
    write_text(folder / "README.md", _page(bundle, config, options))


def _page(bundle: Bundle, config: dict[str, Any], options: ExportOptions) -> str:
    return f"""\
# {len(bundle.skills)} robot skills for clients of the Model Context Protocol

{proofs_table(bundle, names_of(bundle))}

The server is `voyager serve mcp`; `mcp.json` is what most clients take to start it:

```json
{json.dumps(config, indent=2)}
```

Replace `HOME` by the whole path of a home in which the skills are certified. In the one that they
were exported from they are. Anywhere else, with voyager-skill-library and its extra `mcp`:

```console
$ voyager import THIS_FOLDER --home HOME     # into quarantine: nobody can call them yet
$ voyager skills certify --all --home HOME   # on scenes that nobody has seen; what holds is a skill
$ voyager serve mcp --transport http --home HOME     # or for several clients, on this machine only
```

The server offers `search_skills`, `describe_skill`, `new_scene`, `look_at_scene` and `run_skill`
over all certified skills of that home; `tools.json` is only to read. {TRUST}

Licence of the skills: {options.licence.identifier}, see `LICENSE`. {MESHES}
"""
