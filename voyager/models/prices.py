"""What models cost: a dated table in TOML, and the home's own that goes before it."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any, Final

from env.errors import VoyagerError
from skill_store.archive import PRICES
from voyager.models.base import Usage
from voyager.models.files import write_whole

PRICES_SCHEMA: Final = "voyager.prices/1"
PRICES_FILE: Final = PRICES
_SHIPPED: Final = "shipped"
_DAY: Final = re.compile(r"-20\d\d-?\d\d-?\d\d$")
_NUMBERS: Final = ("input", "output", "long_from", "long_input", "long_output")


class PriceError(VoyagerError):
    """A table of prices cannot be read, or a price in it is none."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. A dollar for a million tokens is a millionth of a dollar for one.

    Attributes:
        input: USD per million tokens read.
        output: USD per million tokens written.
        long_from: Tokens of a question from which on the long prices hold, or None.
        long_input: USD per million tokens read of a long question.
        long_output: USD per million tokens written to a long question.
        origin: "shipped", or the path of the file that says so.
        as_of: Day on which the price was read, or None when the file names none.
    """

    input: Decimal
    output: Decimal
    long_from: int | None = None
    long_input: Decimal = Decimal(0)
    long_output: Decimal = Decimal(0)
    origin: str = _SHIPPED
    as_of: date | None = None

    def micro_usd(self, usage: Usage) -> int:
        """The cost of some tokens in millionths of a dollar, rounded up."""
        long = self.long_from is not None and usage.input_tokens >= self.long_from
        read, written = (self.long_input, self.long_output) if long else (self.input, self.output)
        return math.ceil(read * usage.input_tokens + written * usage.output_tokens)

    def most_micro_usd(self, usage: Usage) -> int:
        """An upper bound of `micro_usd` for no more than these tokens."""
        short = math.ceil(self.input * usage.input_tokens + self.output * usage.output_tokens)
        return max(short, self.micro_usd(usage))


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by model, or by a pattern with `*`; the first table that knows a model decides."""

    tables: tuple[Mapping[str, Price], ...] = field(default=())

    @classmethod
    def load(cls, home: Path | None = None) -> Prices:
        """Read the shipped table and, before it, the one of a home.

        Args:
            home: A home folder, whose `prices.toml` need not exist.

        Raises:
            PriceError: If a table cannot be read.
        """
        shipped = resources.files("voyager.models").joinpath(PRICES_FILE).read_text("utf-8")
        tables = [_table(shipped, _SHIPPED)]
        if home is not None and (text := _own(home / PRICES_FILE)) is not None:
            tables.insert(0, _table(text, str(home / PRICES_FILE)))
        return cls(tuple(tables))

    def find(self, model: str) -> Price | None:
        """The price of a model, None if nobody knows it.

        A day at the end of the name does not matter unless a table names it: `gpt-5-2025-08-07`
        costs what `gpt-5` does.

        Args:
            model: Its name, as in `openai:gpt-5` or `openai:qwen3@127.0.0.1:8000`.
        """
        names = dict.fromkeys((model, _DAY.sub("", model)))
        for table in self.tables:
            for name in names:
                if name in table:
                    return table[name]
            for name in names:
                for pattern, price in table.items():
                    if "*" in pattern and fnmatchcase(name, pattern):
                        return price
        return None

    def all(self) -> dict[str, Price]:
        """Every price that is in force, by model or pattern, sorted."""
        found: dict[str, Price] = {}
        for table in reversed(self.tables):
            found.update(table)
        return dict(sorted(found.items()))


def set_price(home: Path, model: str, read: Decimal, written: Decimal) -> Path:
    """Put a price into the table of a home; what else is in it stays, comments do not.

    Args:
        home: The home folder.
        model: Name of the model, or a pattern with `*`.
        read: USD per million tokens read, >= 0.
        written: USD per million tokens written, >= 0.

    Returns:
        The file.

    Raises:
        PriceError: If the table cannot be read or written, or a price is none.
    """
    path = home / PRICES_FILE
    text = _own(path)
    table: dict[str, Mapping[str, Any]] = {} if text is None else dict(_models(text, str(path)))
    table[model] = {"input": read, "output": written}
    lines = [f'schema = "{PRICES_SCHEMA}"', f"as_of = {datetime.now(UTC).date()}"]
    for name, entry in sorted(table.items()):
        _price(name, entry, str(path), None)
        lines += ["", f"[models.{_quoted(name)}]"]
        lines += [f"{key} = {entry[key]:f}" for key in _NUMBERS if key in entry]
    try:
        home.mkdir(parents=True, exist_ok=True)
        write_whole(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise PriceError(f"cannot write {path} ({error.strerror})") from error
    return path


def _quoted(name: str) -> str:
    if any(ord(c) < 32 or c in '"\\' for c in name):
        raise PriceError(f"{name!r} cannot be the name of a model")
    return f'"{name}"'


def _own(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PriceError(f"cannot read {path} ({reason}); mend it or move it away") from error


def _models(text: str, origin: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        read = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"{origin} is not valid TOML: {error}") from error
    models = read.get("models", {})
    if not isinstance(models, dict) or not all(isinstance(one, dict) for one in models.values()):
        raise PriceError(f'{origin} must hold tables like [models."openai:gpt-5"]')
    return models


def _table(text: str, origin: str) -> Mapping[str, Price]:
    models = _models(text, origin)
    as_of = tomllib.loads(text).get("as_of")
    day = as_of if isinstance(as_of, date) else None
    return {name: _price(name, entry, origin, day) for name, entry in models.items()}


def _price(name: str, entry: Mapping[str, Any], origin: str, as_of: date | None) -> Price:
    if unknown := set(entry) - set(_NUMBERS):
        raise PriceError(
            f"{origin}: {name} has no {sorted(unknown)[0]!r}; known: {', '.join(_NUMBERS)}"
        )
    numbers = {key: _number(name, key, value, origin) for key, value in entry.items()}
    if not {"input", "output"} <= set(numbers):
        raise PriceError(f"{origin}: {name} needs both input and output, USD per million tokens")
    if len({"long_from", "long_input", "long_output"} & set(numbers)) not in (0, 3):
        raise PriceError(f"{origin}: {name} needs all of long_from, long_input, long_output")
    long_from = numbers.pop("long_from", None)
    return Price(
        **numbers,
        long_from=None if long_from is None else int(long_from),
        origin=origin,
        as_of=as_of,
    )


def _number(name: str, key: str, value: object, origin: str) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise InvalidOperation
        number = Decimal(value)
        if not number.is_finite() or number < 0:
            raise InvalidOperation
    except InvalidOperation:
        raise PriceError(
            f"{origin}: {key} of {name} must be a number of USD per million tokens, not {value!r}"
        ) from None
    return number
