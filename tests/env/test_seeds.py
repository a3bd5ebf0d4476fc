from __future__ import annotations

import hashlib
import json

import pytest

from env.seeds import canonical_json, derive, digest, short


def test_a_seed_is_what_the_documentation_says() -> None:
    raw = hashlib.sha256(b'["held-out","abc",0,7]').digest()
    assert derive("held-out", "abc", 0, 7) == int.from_bytes(raw[:8], "big") >> 1


def test_seeds_fit_a_signed_column_and_differ() -> None:
    seeds = {derive("practice", "task", i) for i in range(1000)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_practice_and_held_out_seeds_are_apart() -> None:
    practice = {derive("practice", "task", i) for i in range(200)}
    held_out = {derive("held-out", "task", "closure", 0, i) for i in range(200)}
    assert not practice & held_out


def test_parts_keep_their_type_and_their_borders() -> None:
    assert derive("x", 1) != derive("x", "1")
    assert derive("x", "ab", "c") != derive("x", "a", "bc")
    with pytest.raises(TypeError, match="strings and integers"):
        derive("x", True)
    with pytest.raises(TypeError, match="strings and integers"):
        derive("x", 1.0)  # type: ignore[arg-type]


def test_a_digest_is_that_of_canonical_json() -> None:
    value = {"b": [1, 2.5, None, True], "a": "ä"}
    assert canonical_json(value) == b'{"a":"\\u00e4","b":[1,2.5,null,true]}'
    assert digest(value) == hashlib.sha256(canonical_json(value)).hexdigest()
    assert json.loads(canonical_json(value)) == value
    assert short(digest(value)) == digest(value)[:12]


def test_tuples_are_lists_and_order_of_keys_does_not_matter() -> None:
    assert digest({"a": (1, 2), "b": 0}) == digest({"b": 0, "a": [1, 2]})


def test_what_has_no_canonical_form_is_refused() -> None:
    for odd in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            digest([odd])
    for wrong in ({1: 2}, [{"a": {None: 1}}], {"x": object()}, {1, 2}):
        with pytest.raises(TypeError):
            digest(wrong)
