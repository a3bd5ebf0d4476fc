"""Predicates and kinds declared outside this package, made known to worker processes.

A worker is a fresh interpreter. The parent sends it the names of the modules that declared
something beyond what `env` ships; the worker imports them and so declares the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from env.errors import VoyagerError
from env.kinds import all_kinds
from env.predicates.base import all_predicates, declared_in


def extension_modules() -> tuple[str, ...]:
    """Sorted names of the modules outside `env` that declared predicates or drawable kinds.

    An abstract kind draws nothing and so leaves no trace of its module: declare it beside a
    concrete one.
    """
    modules = {declared.module for declared in all_predicates()}
    modules |= {declared_in(kind.draw) for kind in all_kinds() if kind.draw is not None}
    return tuple(sorted(m for m in modules if m != "env" and not m.startswith("env.")))


def load_extensions(names: Iterable[str]) -> None:
    """Import the modules that `extension_modules` named in another process.

    Args:
        names: Module names.

    Raises:
        VoyagerError: If one cannot be imported here, for example because it is a script.
    """
    for name in names:
        if name in ("__main__", "__mp_main__"):
            raise VoyagerError(
                "a predicate or kind is declared in the script that was started; worker processes "
                "cannot import that, so move the declaration into a module of its own"
            )
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:  # a script that ends itself, for example
            raise VoyagerError(
                f"cannot import {name!r}, which declares predicates or kinds: {error}; "
                "put it where worker processes find it (installed, or on PYTHONPATH)"
            ) from error
