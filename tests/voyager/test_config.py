from __future__ import annotations

import os
from pathlib import Path

import pytest

from voyager.config import (
    Config,
    ConfigError,
    Curriculum,
    Resolved,
    SandboxChoice,
    Value,
    keys,
    load,
)
from voyager.locations import Locations
from voyager.writers.settings import WriterKind


def _load(
    home: Path,
    text: str | None = None,
    environ: dict[str, str] | None = None,
    **flags: Value | None,
) -> Resolved:
    home.mkdir(exist_ok=True)
    locations = Locations.find(home)
    if text is not None:
        locations.config_file.write_text(text, encoding="utf-8")
    named = {name.replace("__", "."): value for name, value in flags.items()}
    return load(locations, named, environ or {})


def _origins(resolved: Resolved) -> dict[str, str]:
    return {setting.name: setting.origin for setting in resolved.settings}


def test_defaults_need_no_file(tmp_path: Path) -> None:
    resolved = _load(tmp_path / "absent")
    assert resolved.config == Config()
    assert set(_origins(resolved).values()) == {"default"}
    assert 1 <= resolved.config.workers <= 8
    assert resolved.config.search.steps == 4_000_000


def test_flag_beats_variable_beats_file_beats_default(tmp_path: Path) -> None:
    text = "seed = 1\nlibrary = false\n[search]\nsteps = 10\nlanes = 2\n"
    environ = {"VOYAGER_SEED": "2", "VOYAGER_SEARCH_STEPS": "20", "PATH": "/bin"}
    resolved = _load(tmp_path, text, environ, search__steps=30, workers=None)
    assert resolved.config.seed == 2
    assert resolved.config.search.steps == 30
    assert resolved.config.search.lanes == 2
    assert resolved.config.library is False
    file = str(tmp_path / "voyager.toml")
    assert _origins(resolved) == {
        **{key.name: "default" for key in keys()},
        "seed": "VOYAGER_SEED",
        "library": file,
        "search.steps": "--search-steps",
        "search.lanes": file,
    }


def test_every_key_can_be_set_by_its_variable(tmp_path: Path) -> None:
    texts = {
        bool: "no",
        int: "7",
        float: "0.5",
        str: "openai:gpt-5",
        tuple[str, ...]: "shapes, more.shapes",
        Curriculum: "random",
        WriterKind: "both",
        SandboxChoice: "monty",
    }
    environ = {key.variable: texts[key.type] for key in keys()}
    resolved = _load(tmp_path, environ=environ)
    assert all(setting.origin.startswith("VOYAGER_") for setting in resolved.settings)
    assert resolved.config.extensions == ("shapes", "more.shapes")
    assert resolved.config.library is False
    assert resolved.config.search.lanes == 7
    assert resolved.config.retention.errors == 7
    assert resolved.config.explore.proposer is Curriculum.RANDOM
    assert resolved.config.models.write == "openai:gpt-5"
    assert resolved.config.sandbox is SandboxChoice.MONTY
    assert resolved.config.models.max_usd == 0.5
    assert resolved.config.writer.kind is WriterKind.BOTH


def test_the_sandbox_without_walls_is_no_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sandbox must be one of linux-kernel, monty"):
        _load(tmp_path, environ={"VOYAGER_SANDBOX": "unsafe"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sed = 1", "unknown key 'sed' in {file}; did you mean 'seed'?"),
        ("[search]\nstep = 1", "unknown key 'search.step' in {file}; did you mean 'search.steps'?"),
        ("[serch]\n", "unknown key 'serch' in {file}; did you mean"),
        ("zzz = 1", "unknown key 'zzz' in {file}; known: browser, browser.keys"),
        ("seed = 'one'", "seed must be a whole number, but {file} says 'one'"),
        ("seed = true", "seed must be a whole number, but {file} says True"),
        ("seed = 1.0", "seed must be a whole number, but {file} says 1.0"),
        ("library = 1", "library must be true or false, but {file} says 1"),
        ("extensions = 'a'", "extensions must be a list of strings, but {file} says 'a'"),
        ("extensions = [1]", "extensions must be a list of strings, but {file} says [1]"),
        ("seed = -1", "seed must be at least 0, but {file} says -1"),
        ("[search]\nlanes = 65", "search.lanes must be at most 64, but {file} says 65"),
        ("[models]\nwrite = 1", "models.write must be a string, but {file} says 1"),
        ("[models]\nmax_usd = '1'", "models.max_usd must be a number, but {file} says '1'"),
        ("[models]\nmax_usd = true", "models.max_usd must be a number, but {file} says True"),
        ("[models]\nmax_usd = nan", "models.max_usd must be a number, but {file} says nan"),
        ("[models]\nmax_usd = -1", "models.max_usd must be at least 0, but {file} says -1.0"),
        ("[retention]\nerrors = -1", "retention.errors must be at least 0, but {file} says -1"),
        ("seed = ", "{file} is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text)
    assert str(caught.value).startswith(sentence.format(file=tmp_path / "voyager.toml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        (
            {"VOYAGER_SEDE": "1"},
            "unknown environment variable VOYAGER_SEDE; did you mean 'VOYAGER_S",
        ),
        (
            {"VOYAGER_HOMES": "x"},
            "unknown environment variable VOYAGER_HOMES; did you mean 'VOYAGER_H",
        ),
        ({"VOYAGER_SEED": "x"}, "seed must be a whole number, but VOYAGER_SEED says 'x'"),
        ({"VOYAGER_LIBRARY": "x"}, "library must be true or false, but VOYAGER_LIBRARY says 'x'"),
        ({"VOYAGER_WORKERS": "0"}, "workers must be at least 1, but VOYAGER_WORKERS says 0"),
    ],
)
def test_a_wrong_variable_is_refused(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, environ=environ)
    assert str(caught.value).startswith(sentence)


def test_a_wrong_flag_is_refused_under_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search\.steps must be at least 1, but --search-s"):
        _load(tmp_path, search__steps=0)


def test_an_empty_known_table_is_harmless(tmp_path: Path) -> None:
    assert _load(tmp_path, "[search]\n").config == Config()


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "voyager.toml").mkdir()
    with pytest.raises(ConfigError, match=r"cannot read .*voyager\.toml"):
        _load(tmp_path)
    (tmp_path / "voyager.toml").rmdir()
    (tmp_path / "voyager.toml").write_bytes(b"seed = \xff")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        _load(tmp_path)


def test_every_key_says_what_it_is() -> None:
    assert len({key.variable for key in keys()}) == len(keys())
    for key in keys():
        assert key.doc.endswith(".")


def test_the_home_is_chosen_by_flag_then_variable_then_default(tmp_path: Path) -> None:
    environ = {"VOYAGER_HOME": "relative/home"}
    assert Locations.find(tmp_path, environ) == Locations(tmp_path, "--home")
    named = Locations.find(None, environ)
    assert named == Locations(Path(os.getcwd(), "relative", "home"), "VOYAGER_HOME")
    fallback = Locations.find(None, {"VOYAGER_HOME": ""})
    assert fallback.origin == "default"
    assert fallback.home.name == "voyager-skill-library"
    assert not (tmp_path / "voyager.toml").exists()


def test_all_paths_lie_in_the_home(tmp_path: Path) -> None:
    locations = Locations.find(Path("~/somewhere"))
    assert "~" not in str(locations.home)
    for _, path in locations.named():
        assert path.is_relative_to(locations.home)
