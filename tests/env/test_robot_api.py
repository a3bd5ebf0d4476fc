"""What is generated from the table of actions agrees with the table."""

from __future__ import annotations

import ast

import env.bodies  # noqa: F401  (declares the kinds that the stub lists)
from env.actions import ACTIONS
from env.errors import ACTION_ERRORS
from env.kinds import all_kinds
from env.program import kind_annotation
from env.robot_api import docs_page, prompt, stub, table


def test_the_stub_is_python_and_has_every_call_error_and_kind() -> None:
    tree = ast.parse(stub())
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    classes = {n.name for n in tree.body if isinstance(n, ast.ClassDef)}
    names = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets}  # type: ignore[attr-defined]
    assert list(functions) == list(ACTIONS)
    assert classes == {"ActionError", *(e.__name__ for e in ACTION_ERRORS)}
    assert names == {kind_annotation(kind.name) for kind in all_kinds()}
    for name, node in functions.items():
        own = [a.arg for a in node.args.args]
        assert own == list(ACTIONS[name].signature.parameters)
        assert node.returns is not None and all(a.annotation for a in node.args.args)
        assert ast.get_docstring(node)


def test_the_sandbox_table_is_the_same_table() -> None:
    found = table()
    assert [a["name"] for a in found["actions"]] == list(ACTIONS)
    for action in found["actions"]:
        assert action["parameters"] == list(ACTIONS[action["name"]].signature.parameters)
    assert found["errors"] == [e.__name__ for e in ACTION_ERRORS]


def test_prompt_and_docs_tell_units_and_errors_of_every_call() -> None:
    for text in (prompt(), docs_page()):
        assert "metres" in text and "radians" in text
        for action in ACTIONS.values():
            assert f"{action.name}(" in text
            assert action.doc.splitlines()[0] in text
        for error in ACTION_ERRORS:
            assert error.__name__ in text
