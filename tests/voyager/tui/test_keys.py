"""The keys: each has a name of its own, under which it can be bound to another."""

from __future__ import annotations

import pytest
import typer

from voyager.cli.browse import _keymap
from voyager.config import ConfigError
from voyager.tui.keys import key_groups
from voyager.tui.vim import CHOOSING


def test_every_key_has_a_name_and_no_two_share_one() -> None:
    shared = {binding.id for binding in CHOOSING}
    ids = [key.id for group in key_groups() for key in group.keys if key.id not in shared]
    assert all(ids) and len(ids) == len(set(ids))
    assert {"skill.verify", "skills.filter", "live.pause", "playback.write"} <= set(ids)


def test_no_two_keys_of_a_part_are_the_same() -> None:
    for group in key_groups():
        if group.title in ("Dialogs", "A film"):
            continue  # several screens
        keys = [key for one in group.keys for key in one.keys.split(", ")]
        assert len(keys) == len(set(keys)), group.title


def test_settings_bind_keys() -> None:
    assert _keymap(["skill.verify=V", "list.open=o"]) == {"skill.verify": "V", "list.open": "o"}


@pytest.mark.parametrize("text", ["skill.verify", "nothing=V", "skill.verify="])
def test_a_wrong_key_is_named(text: str) -> None:
    with pytest.raises((ConfigError, typer.BadParameter), match=r"browser\.keys"):
        _keymap([text])
