"""Films: the very episode that a certificate names, made aside, kept for a while."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from env.errors import VoyagerError
from env.transcript import Start
from skill_store import Library
from skill_store.skill import Skill
from tests.env.skills import REACH, REACHING
from tests.voyager.browsing.reels import EPISODE, FRAMES, ORDER, kept, write_film
from tests.voyager.homes import admit, certified
from voyager.browsing.film_file import MAGIC
from voyager.browsing.films import FilmState, Showing, Studio, order_for


def wait(showing: Showing, seconds: float = 120.0) -> Showing:
    """Look until the film is made."""
    end = time.monotonic() + seconds
    while showing.state is FilmState.MAKING and time.monotonic() < end:
        if not showing.look():
            time.sleep(0.02)
    return showing


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one skill, really certified."""
    folder = tmp_path_factory.mktemp("home")
    with Library.open(folder, learning=True) as library:
        admit(library, REACH, REACHING, certified(REACH, REACHING))
    return folder


@pytest.fixture(scope="module")
def skill(home: Path) -> Skill:
    """That skill."""
    with Library.open(home) as library:
        return library.get("reach")


@pytest.mark.slow
@pytest.mark.ci
def test_a_film_is_the_episode_of_the_certificate(home: Path, skill: Skill) -> None:
    scene = skill.certificate.scenes[0]
    order = order_for(skill, scene.start)
    assert order.expected == scene.episode
    with Studio(home) as studio:
        shown = wait(studio.show(order))
        assert (shown.state, shown.why) == (FilmState.READY, "")
        # The filmed run, the one without pictures and the record: the same to the last bit.
        assert shown.same is True
        assert shown.as_recorded is True
        assert shown.episode is not None
        assert shown.episode.hash == scene.episode
        assert shown.episode.calls[0].text == "open_gripper()"
        times = [frame.time for frame in shown.frames]
        assert times[0] == 0.0
        assert times == sorted(set(times))
        assert times[-1] == pytest.approx(shown.episode.time + 1.0, abs=0.01)
        first, last = shown.frames[0].atoms[0], shown.frames[-1].atoms[0]
        assert first.text == last.text == "at(gripper, block)"
        assert not first.holds
        assert first.missing
        assert last.holds
        assert last.margin == pytest.approx(shown.episode.margin, abs=0.05)
        assert not list(studio.folder.glob("*.part"))
        # A second look needs no process.
        studio.close()
        again = studio.show(order)
        assert again.state is FilmState.READY
        assert len(again.frames) == len(shown.frames)


@pytest.mark.slow
@pytest.mark.ci
def test_a_film_that_nobody_wants_any_more_ends_with_its_process(home: Path, skill: Skill) -> None:
    with Studio(home) as studio:
        first = studio.show(order_for(skill, Start(1)))
        process = first._process
        assert process is not None
        while first.episode is None and first.state is FilmState.MAKING:
            first.look()
            time.sleep(0.02)
        second = studio.show(order_for(skill, Start(2)))
        assert first.state is FilmState.CANCELLED
        assert process.poll() is not None
        assert not first.partial.exists()
        other = second._process
        assert other is not None
        assert other.poll() is None
    assert second.state is FilmState.CANCELLED
    assert other.poll() is not None


def test_a_scene_that_cannot_be_shown_is_told_in_one_sentence(home: Path, skill: Skill) -> None:
    with Studio(home) as studio:
        shown = wait(studio.show(order_for(skill, Start(1), {"block": "nothing"})))
        assert shown.state is FilmState.FAILED
        assert "there is no object 'nothing'" in shown.why
        assert not shown.partial.exists()


def test_a_process_that_dies_fails_the_film_and_the_next_one_is_made(
    home: Path, skill: Skill
) -> None:
    with Studio(home) as studio:
        shown = studio.show(order_for(skill, Start(3)))
        assert shown._process is not None
        shown._process.kill()
        wait(shown, 20.0)
        assert shown.state is FilmState.FAILED
        assert "exit status -9" in shown.why
        again = studio.show(order_for(skill, Start(3)))
        assert again.state is FilmState.MAKING


_SHOW = (
    "import sys, time; from pathlib import Path; from env.transcript import Start; "
    "from skill_store import Library; from voyager.browsing.films import Studio, order_for; "
    "home = Path(sys.argv[1]); library = Library.open(home); "
    "shown = Studio(home).show(order_for(library.get('reach'), Start(4))); "
    "print(shown._process.pid, flush=True); time.sleep(600)"
)


def test_the_process_does_not_outlive_whoever_was_killed(home: Path) -> None:
    viewer = subprocess.Popen(
        [sys.executable, "-c", _SHOW, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert viewer.stdout is not None
    maker = int(viewer.stdout.readline())
    viewer.kill()
    viewer.wait()
    viewer.stdout.close()
    end = time.monotonic() + 60.0
    while _runs(maker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _runs(maker)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# -- what is kept -----------------------------------------------------------------------------


def test_a_film_grows_under_the_eyes_of_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "one.film"
    shown = Showing(ORDER, path, path)
    assert shown.look() is False
    write_film(path, frames=4, ended=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert shown.look() is True
    assert len(shown.frames) == 3
    path.write_bytes(whole)  # the same file goes on
    shown.look()
    assert len(shown.frames) == 4
    assert shown.state is FilmState.MAKING
    assert shown.frame_at(0.25) == 2
    assert shown.frame_at(-1.0) == 0
    assert shown.frame_at(9.0) == 3


def test_a_run_that_was_begun_again_is_shown_once(tmp_path: Path) -> None:
    path = tmp_path / "one.film"
    write_film(path, frames=5, ended=False)
    head = path.read_bytes()
    write_film(path, frames=3)
    path.write_bytes(head + path.read_bytes()[len(MAGIC) :])
    shown = Showing(ORDER, path, path)
    while shown.look():
        pass
    assert [frame.time for frame in shown.frames] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize(
    "damage", [b"GIF89a..", MAGIC + b"\xff" * 40, MAGIC + b"\0\0\0\2\0\0\0\0{]"]
)
def test_a_damaged_film_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    path = kept(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    with Studio(tmp_path) as studio:
        shown = studio.show(ORDER)
        assert shown.state is FilmState.MAKING
        assert not path.exists()


def test_films_of_a_home_are_bounded_and_the_least_watched_go_first(tmp_path: Path) -> None:
    orders = [replace(ORDER, start=Start(seed)) for seed in range(4)]
    for age, order in enumerate(orders):
        write_film(kept(tmp_path, order))
        os.utime(kept(tmp_path, order), (1000 + age, 1000 + age))
    left = kept(tmp_path).with_name("x.1-0.part")
    left.write_bytes(b"left by a process that was killed")
    os.utime(left, (1000, 1000))
    size = kept(tmp_path, orders[0]).stat().st_size
    with Studio(tmp_path, most_bytes=2 * size) as studio:
        watched = studio.show(orders[0])
        assert watched.state is FilmState.READY
        assert len(watched.frames) == FRAMES
        studio.prune()
    there = [kept(tmp_path, order).exists() for order in orders]
    assert there == [True, False, False, True]
    assert not left.exists()


def test_equal_films_have_one_name_and_others_another() -> None:
    assert ORDER.key == replace(ORDER, expected=None).key
    others = [
        replace(ORDER, certificate="d" * 64),
        replace(ORDER, start=Start(8)),
        replace(ORDER, chosen=(("block", "block_2"),)),
    ]
    assert len({ORDER.key, *(other.key for other in others)}) == 4


def test_what_a_film_says_of_its_episode(tmp_path: Path) -> None:
    write_film(kept(tmp_path))
    with Studio(tmp_path) as studio:
        shown = studio.show(ORDER)
    assert shown.as_recorded is True
    assert shown.episode is not None
    assert [call.failed for call in shown.episode.calls] == [False, True, False]
    assert shown.episode.binding == EPISODE["binding"]
    shown.order = replace(ORDER, expected="f" * 64)
    assert shown.as_recorded is False


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("a file in the way")
    with Studio(tmp_path) as studio, pytest.raises(VoyagerError, match="no films can be kept"):
        studio.show(ORDER)
