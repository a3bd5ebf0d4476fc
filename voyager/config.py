"""Settings: one `voyager.toml`, overruled by `VOYAGER_*` variables, overruled by flags.

The fields of `Config` are the declaration list. A new key is one new field: its name, type,
default, bounds and sentence give the file's key (`search.steps`), the variable
(`VOYAGER_SEARCH_STEPS`), the checks and the listing.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from env.backend import Backend
from env.errors import VoyagerError
from voyager.locations import HOME_VARIABLE, Locations
from voyager.models.settings import ModelsConfig
from voyager.writers.settings import WriterConfig, WriterKind

Value = bool | int | float | str | tuple[str, ...]

_Number = TypeVar("_Number", int, float)

_PREFIX: Final = "VOYAGER_"
_MOST_WORKERS: Final = 8
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "on": True} | {
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_TYPES: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    tuple[str, ...]: "a list of strings",
}


class Curriculum(StrEnum):
    """Who proposes tasks to an explorer."""

    FRONTIER = "frontier"
    """Goals just past what the library reaches."""
    RANDOM = "random"
    """Goals at random, to compare with."""
    FIXED = "fixed"
    """Goals in a fixed order, to compare with."""
    MODEL = "model"
    """A language model."""
    MIXED = "mixed"
    """The frontier and a language model, each as often as it is worth while."""


class SandboxChoice(StrEnum):
    """Where programs run; the one without walls has a flag and no setting."""

    KERNEL = Backend.KERNEL.value
    """Behind walls that Linux holds up."""
    MONTY = Backend.MONTY.value
    """In an interpreter of a part of Python, for systems without such walls."""


class ConfigError(VoyagerError):
    """A setting is unknown, of the wrong type or out of range, or the file cannot be read."""


_CHOICES: Final[tuple[type[StrEnum], ...]] = (Curriculum, WriterKind, SandboxChoice)
_TYPES.update({kind: "one of " + ", ".join(kind) for kind in _CHOICES})


def _usable_cpus() -> int:
    """The CPUs that this process may use, at most eight: each worker holds a simulator."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux has it
        count = os.cpu_count() or 1
    return min(count, _MOST_WORKERS)


def _key(doc: str, minimum: int | None = None, maximum: int | None = None) -> dict[str, Any]:
    return {"doc": doc, "minimum": minimum, "maximum": maximum}


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """Settings of the search writer, the table `[search]` of the file."""

    steps: int = field(
        default=4_000_000,
        metadata=_key("Simulated steps that one `learn` may spend on its search.", minimum=1),
    )
    lanes: int = field(
        default=4,
        metadata=_key("Practice scenes that the search steps side by side.", 1, 64),
    )


@dataclass(frozen=True, slots=True)
class RetentionConfig:
    """What `voyager home gc` forgets, in days: the table `[retention]`. 0 keeps it for good."""

    details: int = field(
        default=180,
        metadata=_key("Days after which `home gc` empties an attempt's notes; 0: never.", 0, 36500),
    )
    episodes: int = field(
        default=90,
        metadata=_key("Days after which it deletes episodes of no skill's program.", 0, 36500),
    )
    errors: int = field(
        default=30,
        metadata=_key("Days after which it deletes tracebacks.", 0, 36500),
    )
    pictures: int = field(
        default=90,
        metadata=_key("Days after which it deletes pictures of replaced programs.", 0, 36500),
    )
    drafts: int = field(
        default=90,
        metadata=_key("Days after which it deletes drafts of attempts without a skill.", 0, 36500),
    )


@dataclass(frozen=True, slots=True)
class ExploreConfig:
    """Settings of `voyager explore`, the table `[explore]` of the file."""

    steps: int = field(
        default=0,
        metadata=_key("Simulated steps after which a run ends; 0 for no such limit.", 0),
    )
    tasks: int = field(
        default=0,
        metadata=_key("Attempts after which a run ends; 0 for no such limit.", 0),
    )
    minutes: int = field(
        default=0,
        metadata=_key("Minutes after which no new attempt begins; 0 for no such limit.", 0),
    )
    attempt_steps: int = field(
        default=150_000,
        metadata=_key(
            "Simulated steps of the first attempt at a task; twice as many when it comes back.", 1
        ),
    )
    proposer: Curriculum = field(
        default=Curriculum.FRONTIER,
        metadata=_key(
            "Who proposes tasks: frontier, model or mixed, or (to compare with) random or fixed."
        ),
    )


@dataclass(frozen=True, slots=True)
class BrowserConfig:
    """Settings of `voyager browse`, the table `[browser]` of the file."""

    theme: str = field(
        default="voyager",
        metadata=_key("Colours of the browser; Ctrl+P there lists all themes."),
    )
    keys: tuple[str, ...] = field(
        default=(),
        metadata=_key("Other keys for its actions, as in skill.verify=V."),
    )


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; every field has a default that works."""

    workers: int = field(
        default_factory=_usable_cpus,
        metadata=_key("Processes that run episodes; never changes a result.", 1, 256),
    )
    seed: int = field(
        default=0,
        metadata=_key("Everything random is derived from it.", 0, 2**63 - 1),
    )
    library: bool = field(
        default=True,
        metadata=_key("Whether the search may call the skills of the library."),
    )
    sandbox: SandboxChoice = field(
        default=SandboxChoice.KERNEL,
        metadata=_key("Where programs run: linux-kernel, or monty (a part of Python) elsewhere."),
    )
    extensions: tuple[str, ...] = field(
        default=(),
        metadata=_key("Python modules to import: they register kinds and predicates."),
    )
    search: SearchConfig = field(default_factory=SearchConfig)
    explore: ExploreConfig = field(default_factory=ExploreConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    writer: WriterConfig = field(default_factory=WriterConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    browser: BrowserConfig = field(default_factory=BrowserConfig)


@dataclass(frozen=True, slots=True)
class Key:
    """One declared setting.

    Attributes:
        name: Name in the file and in messages, with dots for tables: `search.steps`.
        variable: Name of its environment variable.
        type: Python type of its value.
        default: Value when nothing sets it.
        doc: One sentence.
        minimum: Least value allowed, for numbers.
        maximum: Greatest value allowed, for numbers.
    """

    name: str
    variable: str
    type: Any
    default: Value
    doc: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it stands: `origin` is a flag, a variable, the file's path or "default"."""

    name: str
    value: Value
    origin: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The outcome of `load`.

    Attributes:
        config: The typed settings.
        settings: Every key in order of declaration, with where its value came from.
    """

    config: Config
    settings: tuple[Setting, ...]


def keys() -> tuple[Key, ...]:
    """All declared settings in order of declaration."""
    return tuple(_declared(Config, ()))


def load(
    locations: Locations,
    flags: Mapping[str, Value | None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Resolved:
    """Read all settings of a home.

    Args:
        locations: Where the file lies; a file that is not there counts as empty.
        flags: Values given on the command line by key name; None means not given.
        environ: Environment variables; those of the process when None.

    Returns:
        The settings and the origin of each.

    Raises:
        ConfigError: If a key or variable is unknown (with the nearest name), a value has the
            wrong type or is out of range, or the file cannot be read.
    """
    declared = {key.name: key for key in keys()}
    found: dict[str, Setting] = {
        key.name: Setting(key.name, key.default, "default") for key in declared.values()
    }
    layers = (
        _from_file(locations.config_file, declared),
        _from_variables(os.environ if environ is None else environ, declared),
        _from_flags(flags or {}, declared),
    )
    for layer in layers:
        found.update({setting.name: setting for setting in layer})
    values = {name: setting.value for name, setting in found.items()}
    return Resolved(_build(Config, (), values), tuple(found.values()))


def _declared(section: type, path: tuple[str, ...]) -> Iterable[Key]:
    hints = get_type_hints(section)
    defaults = section()
    for item in fields(section):
        names = (*path, item.name)
        if is_dataclass(hints[item.name]):
            yield from _declared(hints[item.name], names)
            continue
        variable = _PREFIX + "_".join(names).upper()
        default = getattr(defaults, item.name)
        yield Key(".".join(names), variable, hints[item.name], default, **item.metadata)


def _build(section: type, path: tuple[str, ...], values: Mapping[str, Value]) -> Any:
    hints = get_type_hints(section)
    arguments: dict[str, Any] = {}
    for item in fields(section):
        names = (*path, item.name)
        nested = hints[item.name]
        if is_dataclass(nested) and isinstance(nested, type):
            arguments[item.name] = _build(nested, names, values)
        else:
            arguments[item.name] = values[".".join(names)]
    return section(**arguments)


def _from_file(path: Path, declared: Mapping[str, Key]) -> list[Setting]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except NotADirectoryError as error:
        raise ConfigError(f"{path.parent} is not a folder; choose another with --home") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"cannot read {path} ({reason}); mend it or move it away") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return [
        Setting(name, _typed(_known(name, declared, str(path)), value, str(path)), str(path))
        for name, value in _flat(table, (), declared)
    ]


def _flat(
    table: Mapping[str, Any], path: tuple[str, ...], declared: Mapping[str, Key]
) -> Iterable[tuple[str, Any]]:
    for name, value in table.items():
        names = (*path, name)
        joined = ".".join(names)
        if isinstance(value, dict) and joined not in declared:
            yield from _flat(value, names, declared)
            if not value and not any(key.startswith(joined + ".") for key in declared):
                yield joined, value
        else:
            yield joined, value


def _from_variables(environ: Mapping[str, str], declared: Mapping[str, Key]) -> list[Setting]:
    by_variable = {key.variable: key for key in declared.values()}
    settings = []
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable == HOME_VARIABLE:
            continue
        if variable not in by_variable:
            hint = _nearest(variable, (*by_variable, HOME_VARIABLE))
            raise ConfigError(f"unknown environment variable {variable}; {hint}")
        key = by_variable[variable]
        settings.append(Setting(key.name, _parsed(key, environ[variable]), variable))
    return settings


def _from_flags(flags: Mapping[str, Value | None], declared: Mapping[str, Key]) -> list[Setting]:
    settings = []
    for name, value in flags.items():
        if value is not None:
            origin = "--" + name.replace(".", "-")
            settings.append(
                Setting(name, _typed(_known(name, declared, "the flags"), value, origin), origin)
            )
    return settings


def _known(name: str, declared: Mapping[str, Key], where: str) -> Key:
    if name in declared:
        return declared[name]
    tables = {key.rpartition(".")[0] for key in declared} - {""}
    if name in tables:
        raise ConfigError(f"{name!r} in {where} is a table; write [{name}] and its keys below it")
    hint = _nearest(name, (*declared, *sorted(tables)))
    raise ConfigError(f"unknown key {name!r} in {where}; {hint}")


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"


def _parsed(key: Key, text: str) -> Value:
    """The value of a variable, which is always a string."""
    value: Any = text.strip()
    if key.type is bool:
        value = _BOOLEANS.get(value.lower(), value)
    elif key.type is int:
        with contextlib.suppress(ValueError):  # what is no number is refused below
            value = int(value)
    elif key.type is float:
        with contextlib.suppress(ValueError):
            value = float(value)
    elif key.type == tuple[str, ...]:
        value = [part.strip() for part in value.split(",") if part.strip()]
    return _typed(key, value, key.variable)


def _typed(key: Key, value: object, where: str) -> Value:
    if key.type is bool and isinstance(value, bool):
        return value
    if key.type is int and isinstance(value, int) and not isinstance(value, bool):
        return _bounded(key, value, where)
    if key.type is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _bounded(key, float(value), where)
    if key.type is str and isinstance(value, str):
        return value
    if (
        key.type == tuple[str, ...]
        and isinstance(value, list | tuple)
        and all(isinstance(part, str) for part in value)
    ):
        return tuple(value)
    for choice in _CHOICES:
        if key.type is choice and isinstance(value, str) and value in list(choice):
            chosen: str = choice(value)
            return chosen
    raise ConfigError(f"{key.name} must be {_TYPES[key.type]}, but {where} says {value!r}")


def _bounded(key: Key, value: _Number, where: str) -> _Number:
    if not math.isfinite(value):
        raise ConfigError(f"{key.name} must be {_TYPES[key.type]}, but {where} says {value}")
    if key.minimum is not None and value < key.minimum:
        raise ConfigError(f"{key.name} must be at least {key.minimum}, but {where} says {value}")
    if key.maximum is not None and value > key.maximum:
        raise ConfigError(f"{key.name} must be at most {key.maximum}, but {where} says {value}")
    return value
