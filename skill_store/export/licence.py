"""Under which terms exported skills may be used.

A skill's code was written by the search or by a model in somebody's home; whoever exports it says
what others may do with it. Without a word it is MIT No Attribution, the most that can be given.
Code of this project that travels with an export (a small runtime) is named in the notice.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skill_store.export.errors import ExportError

_LARGEST: Final = 256 * 1024
_NAMED: Final = re.compile(r"SPDX-License-Identifier:\s*([A-Za-z0-9.+-]+)")


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms.

    Attributes:
        identifier: SPDX identifier, for example "MIT-0"; "LicenseRef-Custom" for a text of one's
            own.
        text: The terms.
    """

    identifier: str
    text: str

    @property
    def notice(self) -> str:
        """The text of an export's LICENSE file: to what the terms apply, and the terms."""
        return f"{_SCOPE}\n{self.text.strip()}\n"


def licence_from(path: Path | None) -> Licence:
    """The terms of a file, or the ones that are given without a word.

    Args:
        path: A text file; a line `SPDX-License-Identifier: NAME` in it says what they are called.

    Raises:
        ExportError: If it cannot be read, or is no text.
    """
    if path is None:
        return MIT_0
    try:
        told = path.stat()
        if not stat.S_ISREG(told.st_mode):  # a device may never end, a pipe wait for its writer
            raise ExportError(f"the licence {path} is no plain file; name a licence text")
        if told.st_size > _LARGEST:
            raise ExportError(f"{path} is larger than {_LARGEST // 1024} KiB; name a licence text")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise ExportError(f"the licence {path} cannot be read ({why})") from error
    if not text.strip():
        raise ExportError(f"the licence {path} is empty; name a file with a text")
    named = _NAMED.search(text)
    return Licence(named[1] if named else "LicenseRef-Custom", text)


_SCOPE: Final = """\
These terms apply to the exported skills: their programs, contracts, descriptions and records.
Models and meshes of robots are not part of this export and keep their own licences. Files that
carry the name of another author in their first lines keep the terms that stand there.
"""

MIT_0: Final = Licence(
    "MIT-0",
    """\
MIT No Attribution

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
""",
)
"""What an export carries if nobody says otherwise."""
