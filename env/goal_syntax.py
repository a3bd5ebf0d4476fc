"""From text to forms: a Python expression over a closed set of names, read with `ast`.

Nothing is ever evaluated. Every error names the column (1-based, in the text as given) and the
nearest name that would have been valid.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import warnings
from collections.abc import Iterable, Mapping
from typing import NoReturn

from env.errors import GoalError, KindError
from env.goal_forms import IT, And, Atom, Form, Not, Or
from env.goal_operators import Always, Count, Eventually, Every, HeldFor, Then
from env.kinds import all_kinds, get_kind, is_a
from env.predicates.base import RESERVED_NAMES, Predicate, Threshold, all_predicates
from env.state import GRIPPER

MAX_LENGTH = 2000
"""Characters in an expression."""
MAX_DEPTH = 24
"""Nested forms."""
MAX_ATOMS = 64
"""Atoms in an expression."""
MAX_PARAMETERS = 8
"""Parameters of a goal: more would make the canonical form slow to find."""
MAX_SECONDS = 600.0
"""Longest time in `held_for`."""
MAX_COUNT = 1000

_QUANTIFIERS = ("count", "every", "some")
_TEMPORALS = ("eventually", "always", "held_for", "then")
_FLIPPED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Check names and kinds of a task's parameters.

    Raises:
        GoalError: If a name cannot be used or there are too many.
        KindError: If a kind is unknown.
    """
    if len(parameters) > MAX_PARAMETERS:
        raise GoalError(f"{len(parameters)} parameters; at most {MAX_PARAMETERS} are possible")
    for name, kind in parameters.items():
        plain = name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
        if not plain or name in RESERVED_NAMES or len(name) > 40:
            raise GoalError(
                f"{name!r} cannot name a parameter; use a short plain word that is none of "
                f"{', '.join(sorted(RESERVED_NAMES))}"
            )
        get_kind(kind)


def check_fit(kind: str, kinds: str) -> bool:
    """Whether a term of `kind` ("gripper" or a kind name) fits an argument's `kinds`.

    Raises:
        KindError: If a kind is unknown.
    """
    options = kinds.split("|")
    if kind == GRIPPER:
        return GRIPPER in options
    return any(option != GRIPPER and is_a(kind, option) for option in options)


def parse(text: str, parameters: Mapping[str, str]) -> Form:
    """Read a goal expression.

    Args:
        text: The expression.
        parameters: Kind name by parameter name; already checked.

    Returns:
        The form as written, not yet normalised.

    Raises:
        GoalError: With the column at which it went wrong.
    """
    if len(text) > MAX_LENGTH:
        raise GoalError(
            f"the goal has {len(text)} characters; at most {MAX_LENGTH} are possible", MAX_LENGTH
        )
    flat = "".join(" " if character in "\t\r\n" else character for character in text)
    for column, character in enumerate(flat, start=1):
        if not " " <= character <= "~" or character in "#\\":
            raise GoalError(f"column {column}: a goal cannot contain {character!r}", column)
    source = flat.lstrip()
    return _Parser(source, parameters, len(flat) - len(source)).parse()


class _Parser:
    """One reading of one expression."""

    def __init__(self, source: str, parameters: Mapping[str, str], shift: int) -> None:
        self._source = source
        self._parameters = parameters
        self._shift = shift
        self._atoms = 0
        self._it: str | None = None

    def parse(self) -> Form:
        if not self._source:
            raise GoalError("the goal is empty; write for example lifted(thing)", 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(self._source, mode="eval").body
        except SyntaxError as error:
            column = self._shift + min(error.offset or 1, len(self._source) + 1)
            raise GoalError(f"column {column}: not an expression: {error.msg}", column) from None
        except (RecursionError, MemoryError, ValueError):
            raise GoalError("the goal is nested too deeply to be read", 1) from None
        return self._form(tree, 0, temporal=True)

    def _fail(self, node: ast.expr | ast.keyword, message: str) -> NoReturn:
        column = self._shift + node.col_offset + 1
        raise GoalError(f"column {column}: {message}", column)

    @staticmethod
    def _nearest(word: str, known: Iterable[str]) -> str:
        options = sorted(known)
        near = difflib.get_close_matches(word, options, n=1)
        return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(options)}"

    def _form(self, node: ast.expr, depth: int, *, temporal: bool) -> Form:
        """Read a formula; `temporal` tells whether temporal operators may stand here."""
        if depth > MAX_DEPTH:
            self._fail(node, f"nested deeper than {MAX_DEPTH}")
        if isinstance(node, ast.BoolOp):
            members = tuple(self._form(v, depth + 1, temporal=temporal) for v in node.values)
            return And(members) if isinstance(node.op, ast.And) else Or(members)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self._form(node.operand, depth + 1, temporal=temporal))
        if isinstance(node, ast.Compare):
            return self._comparison(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth, temporal)
        if isinstance(node, ast.Name):
            known = {declared.name for declared in all_predicates()}
            if node.id in known or node.id in RESERVED_NAMES - {GRIPPER, IT}:
                self._fail(node, f"{node.id} must be called: {node.id}(...)")
            self._fail(node, f"{node.id!r} alone is no condition; put it in a predicate")
        self._fail(node, "expected a predicate, 'and', 'or', 'not' or a comparison of count(...)")

    def _call(self, node: ast.Call, depth: int, temporal: bool) -> Form:
        if not isinstance(node.func, ast.Name):
            self._fail(node, "only predicates and goal operators can be called")
        name = node.func.id
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self._fail(argument, "'*' has no place in a goal")
        if name in _TEMPORALS:
            if not temporal:
                self._fail(
                    node, f"{name}(...) cannot stand inside another temporal operator or count"
                )
            return self._temporal(node, name, depth)
        if name == "count":
            self._fail(node, "compare count(...) with a number, for example count(...) >= 2")
        if name in _QUANTIFIERS:
            kind, body = self._quantified(node, name, depth)
            return Every(kind, body) if name == "every" else Count(kind, body, 1)
        for declared in all_predicates():
            if declared.name == name:
                return self._atom(node, declared)
        known = {declared.name for declared in all_predicates()}
        hint = self._nearest(name, {*known, *_QUANTIFIERS, *_TEMPORALS})
        self._fail(node, f"unknown predicate {name!r}; {hint}")

    def _temporal(self, node: ast.Call, name: str, depth: int) -> Form:
        wanted = {"held_for": "a condition and seconds", "then": "two conditions"}
        count = 2 if name in wanted else 1
        arguments = list(node.args)
        if name == "held_for" and [word.arg for word in node.keywords] == ["seconds"]:
            arguments.append(node.keywords[0].value)
        elif node.keywords:
            self._fail(node.keywords[0], f"{name}(...) takes no {node.keywords[0].arg!r}")
        if len(arguments) != count:
            self._fail(node, f"{name}(...) takes {wanted.get(name, 'one condition')}")
        first = self._form(arguments[0], depth + 1, temporal=False)
        if name == "eventually":
            return Eventually(first)
        if name == "always":
            return Always(first)
        if name == "held_for":
            seconds = self._number(arguments[1])
            if not 0.0 < seconds <= MAX_SECONDS:
                self._fail(arguments[1], f"seconds must be above 0 and at most {MAX_SECONDS:g}")
            return HeldFor(first, seconds)
        second = arguments[1]
        if _is_call(second, "then"):
            rest = self._form(second, depth + 1, temporal=True)
            return Then((first, *rest.parts()))
        return Then((first, self._form(second, depth + 1, temporal=False)))

    def _quantified(self, node: ast.Call, name: str, depth: int) -> tuple[str, Form]:
        if node.keywords or len(node.args) != 2:
            self._fail(node, f'{name}(...) takes a kind and a condition: {name}("block", ...)')
        if self._it is not None:
            self._fail(node, f"{name}(...) inside another quantifier would leave 'it' unclear")
        kind = node.args[0]
        if not isinstance(kind, ast.Constant) or not isinstance(kind.value, str):
            self._fail(kind, f'write the kind as a string: {name}("block", ...)')
        try:
            get_kind(kind.value)
        except KindError:
            hint = self._nearest(kind.value, {known.name for known in all_kinds()})
            self._fail(kind, f"unknown kind {kind.value!r}; {hint}")
        self._it = kind.value
        body = self._form(node.args[1], depth + 1, temporal=False)
        self._it = None
        if not any(isinstance(form, Atom) and IT in form.arguments for form in body.walk()):
            self._fail(node.args[1], f"the condition of {name}(...) must mention 'it'")
        return kind.value, body

    def _comparison(self, node: ast.Compare, depth: int) -> Form:
        if len(node.ops) != 1:
            self._fail(node, "compare count(...) with one number; join two comparisons by 'and'")
        left, right, operator = node.left, node.comparators[0], type(node.ops[0])
        if _is_call(right, "count") and not _is_call(left, "count"):
            left, right = right, left
            operator = _FLIPPED.get(operator, operator)
        if (
            not _is_call(left, "count")
            or not isinstance(left, ast.Call)
            or operator not in _FLIPPED
        ):
            self._fail(node, "only count(...) can be compared, by >=, >, <=, <, == or !=")
        number = self._number(right)
        if number != int(number) or not 0.0 <= number <= MAX_COUNT:
            self._fail(right, f"count(...) is compared with a whole number from 0 to {MAX_COUNT}")
        k = int(number)
        kind, body = self._quantified(left, "count", depth + 1)

        def at_least(n: int) -> Form | None:
            return Count(kind, body, n) if n > 0 else None

        low, high = at_least(k), at_least(k + 1)
        if operator is ast.GtE and low:
            return low
        if operator is ast.Gt and high:
            return high
        if operator is ast.Lt and low:
            return Not(low)
        if operator is ast.LtE and high:
            return Not(high)
        if operator in (ast.Eq, ast.NotEq) and high:
            exactly = And((low, Not(high))) if low else Not(high)
            return exactly if operator is ast.Eq else Not(exactly)
        self._fail(node, f"this is always {operator is ast.GtE}: a count is never below 0")

    def _atom(self, node: ast.Call, declared: Predicate) -> Atom:
        self._atoms += 1
        if self._atoms > MAX_ATOMS:
            self._fail(node, f"more than {MAX_ATOMS} atoms")
        arity = len(declared.arguments)
        if len(node.args) < arity or len(node.args) > arity + len(declared.thresholds):
            self._fail(
                node, f"it is written {declared.signature}, not with {len(node.args)} values"
            )
        terms: list[str] = []
        for argument, (name, kinds) in zip(node.args, declared.arguments, strict=False):
            terms.append(self._term(argument, declared, name, kinds))
        if len(set(terms)) != len(terms):
            self._fail(node, f"{declared.name}(...) relates different things")
        names = [threshold.name for threshold in declared.thresholds]
        given = dict(zip(names, node.args[arity:], strict=False))
        for word in node.keywords:
            if word.arg is None or word.arg not in names:
                hint = self._nearest(word.arg or "**", names) if names else "it has none"
                self._fail(word, f"{declared.name}(...) has no number {word.arg!r}; {hint}")
            if word.arg in given:
                self._fail(word, f"{word.arg!r} is given twice")
            given[word.arg] = word.value
        numbers = tuple(
            self._threshold(given[threshold.name], threshold)
            if threshold.name in given
            else float(threshold.default)
            for threshold in declared.thresholds
        )
        return Atom(declared.name, tuple(terms), numbers)

    def _term(self, node: ast.expr, declared: Predicate, name: str, kinds: str) -> str:
        if not isinstance(node, ast.Name):
            self._fail(node, f"{name} of {declared.name}(...) must be a parameter or 'gripper'")
        term = node.id
        if term == IT and self._it is None:
            self._fail(node, "'it' has a meaning only inside count, every and some")
        if term == GRIPPER:
            kind = GRIPPER
        elif term == IT and self._it is not None:
            kind = self._it
        elif term in self._parameters:
            kind = self._parameters[term]
        else:
            known = {*self._parameters, GRIPPER, *([IT] if self._it else [])}
            self._fail(node, f"unknown parameter {term!r}; {self._nearest(term, known)}")
        if not check_fit(kind, kinds):
            wanted = kinds.replace("|", " or ")
            what = term if term == GRIPPER else f"{term} ({kind})"
            self._fail(node, f"{name} of {declared.name}(...) must be a {wanted}, not {what}")
        return term

    def _threshold(self, node: ast.expr, threshold: Threshold) -> float:
        number = self._number(node)
        if not 0.0 < number <= threshold.most:
            most = "" if math.isinf(threshold.most) else f" and at most {threshold.most:g}"
            self._fail(node, f"{threshold.name} must be above 0{most}, in {threshold.unit}")
        return number

    def _number(self, node: ast.expr) -> float:
        sign = 1.0
        value = node
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub | ast.UAdd):
            sign = -1.0 if isinstance(value.op, ast.USub) else 1.0
            value = value.operand
        if (
            not isinstance(value, ast.Constant)
            or isinstance(value.value, bool)
            or not isinstance(value.value, int | float)
        ):
            self._fail(node, "expected a number")
        try:
            number = sign * float(value.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self._fail(node, "expected a finite number")
        return number


def _is_call(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
