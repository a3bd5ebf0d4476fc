from __future__ import annotations

import contextlib
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pybullet
import pytest
from PIL import Image

from env.bullet import quaternion, rotation
from env.episode import run_episode
from env.errors import Blocked, SimulatorError, VoyagerError
from env.executors import SerialExecutor
from env.pictures import Tile, contact_sheet, write_gif
from env.program import Closure
from env.render import Camera, FilmedWorld, PacedWorld, Reel, Shot, _angles, film, shoot
from env.scene import Scene, SceneSpec, sample
from env.starts import Handover, practice_seed
from env.task import Task
from env.transcript import HandoverRecord, Start
from env.world import World
from tests.env.inline_sandbox import InlineSandbox
from tests.env.skills import CARRY, LIFT, LIFTING, PUT_ON, REACH, REACHING, STACKING, closure

SMALL = Camera(width=96, height=72)
CLOSE = Camera(width=160, height=120, eye=(0.62, 0.0, 0.9), target=(0.46, 0.0, 0.0))
"""Sees the table and what lies on it, and nothing of the background."""
TOWER = Task.make(
    "on(top, middle) and on(middle, bottom)",
    {"top": "block", "middle": "block", "bottom": "block"},
)
PILING = closure(
    '''\
from robot import Block
from skills.put_on import put_on


def tower(top: Block, middle: Block, bottom: Block) -> None:
    """Pile up three blocks."""
    put_on(middle, bottom)
    put_on(top, middle)
''',
    STACKING,
)


def _start(index: int = 0) -> Start:
    return Start(practice_seed(REACH, index))


def test_a_film_shows_the_very_episode() -> None:
    starts = [_start(0), _start(1)]
    with World() as world:
        plain = [run_episode(world, InlineSandbox(), REACH, REACHING, start) for start in starts]
    reel = Reel(tuple(Shot(REACH, REACHING, start) for start in starts), SMALL, fps=4.0)
    films = film(reel, InlineSandbox())
    assert [seen.episode.hash for seen in films] == [episode.hash for episode in plain]
    for seen in films:
        seconds = seen.episode.time + 1.0  # the settle window is part of it
        assert seen.fps == 4.0
        assert abs(len(seen.frames) - 4 * seconds) <= 2
        assert all(frame.shape == (72, 96, 3) for frame in seen.frames)
        assert (seen.frames[0] != seen.last).any()
        assert (abs(seen.frames[-1].astype(int) - seen.last) > 40).mean() < 0.02


def test_long_films_are_thinned_evenly() -> None:
    reel = Reel((Shot(REACH, REACHING, _start()),), SMALL, fps=24.0, most=8)
    (seen,) = film(reel, InlineSandbox())
    assert 4 <= len(seen.frames) <= 8
    assert seen.fps in (6.0, 3.0, 1.5)
    assert abs(len(seen.frames) - seen.fps * (seen.episode.time + 1.0)) <= 2


def test_no_frames_when_none_are_asked_for() -> None:
    (seen,) = film(Reel((Shot(REACH, REACHING, _start()),), SMALL, fps=0.0), InlineSandbox())
    assert seen.frames == ()
    assert seen.last.shape == (72, 96, 3)


def test_a_film_begins_after_the_hand_over() -> None:
    start = Start(practice_seed(REACH, 0), HandoverRecord(LIFTING.hash, LIFT.hash, 3))
    handover = Handover(LIFTING, LIFT)
    with World() as world:
        plain = run_episode(world, InlineSandbox(), REACH, REACHING, start, handover=handover)
    reel = Reel((Shot(REACH, REACHING, start, handover),), SMALL, fps=4.0)
    (seen,) = film(reel, InlineSandbox())
    assert seen.episode.hash == plain.hash
    assert abs(len(seen.frames) - 4 * (seen.episode.time + 1.0)) <= 2


def test_executors_film_too() -> None:
    reels = [Reel((Shot(REACH, REACHING, _start(i)),), SMALL, fps=0.0) for i in range(2)]
    with SerialExecutor(InlineSandbox) as executor:
        results = list(executor.map(shoot, reels))
    assert all(isinstance(result, tuple) and len(result) == 1 for result in results)


def test_the_background_is_smooth_and_nothing_of_the_key_colour_is_left() -> None:
    with FilmedWorld(Camera(160, 120, samples=1)) as world:
        assert isinstance(world, FilmedWorld)
        world.reset(REACH.sample(4))
        picture = world.look().astype(int)
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    assert not ((green < 40) & (red > 80) & (blue > 80)).any()
    corner = picture[:4, :4].reshape(-1, 3)
    assert (corner > 190).all()
    assert np.ptp(corner, axis=0).max() <= 4


def test_smooth_edges_have_the_size_that_was_asked_for() -> None:
    world = FilmedWorld(Camera(80, 60, samples=2))
    with world:
        world.reset(REACH.sample(4))
        assert world.look().shape == (60, 80, 3)


def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(VoyagerError, match="there is no display"):
        PacedWorld()


# -- what is drawn is a copy ------------------------------------------------------------------


def _bodies(world: World) -> list[tuple[int, bytes, bytes]]:
    """Everything that stands in a world's physics client, whether it can be touched or not."""
    client = world.bullet._c
    ids = [
        pybullet.getBodyUniqueId(index, physicsClientId=client)
        for index in range(pybullet.getNumBodies(physicsClientId=client))
    ]
    return [(uid, *pybullet.getBodyInfo(uid, physicsClientId=client)) for uid in ids]


def _tumbling() -> Scene:
    """Things that fall on each other and come to lie askew."""
    kinds = {"a": "tray", "b": "block", "c": "bowl", "d": "block", "e": "ball"}
    scene = sample(SceneSpec(distractors=(0, 0)), kinds, 3)
    heaped = [scene.binding[name] for name in kinds]
    bodies = []
    for body in scene.bodies:
        level = heaped.index(body.name)
        bodies.append(replace(body, position=(0.46 + 0.02 * level, 0.0, 0.05 + 0.11 * level)))
    return replace(scene, bodies=tuple(bodies))


@pytest.mark.parametrize("seed", [0, 1])
def test_nothing_stands_in_a_filmed_world_that_is_not_in_a_plain_one(seed: int) -> None:
    scene = CARRY.sample(seed)  # with a place, which is drawn and has no body
    with World() as plain, FilmedWorld(SMALL) as filmed:
        plain.reset(scene)
        filmed.reset(scene)
        assert _bodies(filmed) == _bodies(plain)
        filmed.look()
        assert _bodies(filmed) == _bodies(plain)
        assert not filmed.bullet.visuals


@pytest.mark.parametrize(
    ("task", "program", "index"),
    # Of the first 40 scenes of each task, 21 and 25 ended in other last bits when the backdrop
    # stood in the client in which they were simulated.
    [(TOWER, PILING, 0), (TOWER, PILING, 21), (PUT_ON, STACKING, 0), (PUT_ON, STACKING, 25)],
)
def test_an_episode_is_the_same_to_the_last_bit_when_it_is_filmed(
    task: Task, program: Closure, index: int
) -> None:
    start = Start(practice_seed(task, index))
    with World() as world:
        plain = run_episode(world, InlineSandbox(), task, program, start)
    (seen,) = film(Reel((Shot(task, program, start),), SMALL, fps=1.0), InlineSandbox())
    assert plain.outcome.about_program
    assert len(seen.frames) > 3
    assert seen.episode.state_hash == plain.state_hash
    assert seen.episode.hash == plain.hash


@pytest.mark.parametrize("scene", [CARRY.sample(1), _tumbling()], ids=["place", "tumbling"])
def test_everything_is_drawn_where_it_is(scene: Scene) -> None:
    camera, leaning, pictures = CLOSE, 0.0, []
    with FilmedWorld(camera) as filmed, World(visuals=True) as drawn:
        filmed.reset(scene)
        drawn.reset(scene)
        for position in ((0.5, 0.2, 0.3), (0.4, -0.2, 0.25), (0.5, -0.1, 0.3)):
            for world in (filmed, drawn):
                world.follow(world.robot.plan([(position, 0.6)], 0.6))
                world.grip(opening=position[1] < 0.0, force=20.0)
            expected = drawn.bullet.picture(
                camera.eye,
                camera.target,
                width=camera.width,
                height=camera.height,
                field_of_view=camera.field_of_view,
            )
            pictures.append(filmed.look())
            assert (abs(pictures[-1].astype(int) - expected) > 8).any(axis=2).mean() < 0.0005
            for body in filmed.observe().bodies.values():
                leaning = max(leaning, 1.0 - max(abs(v) for v in rotation(body.orientation)[6:]))
    assert all((picture != pictures[0]).any() for picture in pictures[1:])
    if len(scene.bodies) == 5:
        assert leaning > 0.02


def test_pictures_follow_a_snapshot_back() -> None:
    scene = sample(SceneSpec(distractors=(0, 0)), {"block": "block"}, 0)
    with FilmedWorld(CLOSE) as world:
        world.reset(scene)
        kept, before = world.snapshot(), world.look()
        x, y, z = scene.bodies[0].position
        world.grip(opening=False, force=20.0)
        with contextlib.suppress(Blocked):
            for position in ((x - 0.1, y, 0.2), (x - 0.1, y, z), (x + 0.03, y, z)):
                world.follow(world.robot.plan([(position, 0.0)], 0.5))
        pushed = world.body(scene.bodies[0].name)
        assert pushed is not None
        assert math.dist(pushed.position, (x, y, z)) > 0.03
        world.follow(world.robot.plan([(scene.start.position, scene.start.yaw)], 0.5))
        after = world.look()
        world.restore(kept)
        back = world.look()
        world.reset(CARRY.sample(2))
        other = world.look()
    # The arm is back as well, so this is the block alone.
    assert (abs(after.astype(int) - before) > 40).any(axis=2).mean() > 0.003
    assert (back == before).all()
    assert (abs(other.astype(int) - before) > 40).any(axis=2).mean() > 0.01


@pytest.mark.parametrize("roll", [0.0, 0.4, -2.5, math.pi])
@pytest.mark.parametrize("pitch", [0.0, -1.1, math.pi / 2, -math.pi / 2])
@pytest.mark.parametrize("yaw", [0.0, 0.7, -3.0])
def test_angles_turn_a_thing_as_its_quaternion_does(roll: float, pitch: float, yaw: float) -> None:
    orientation = quaternion(roll, pitch, yaw)
    again = quaternion(*_angles(orientation))
    assert rotation(again) == pytest.approx(rotation(orientation), abs=1e-6)


def test_both_clients_are_closed() -> None:
    def connected() -> int:
        return sum(pybullet.getConnectionInfo(i)["isConnected"] for i in range(1000))

    before = connected()
    with FilmedWorld(SMALL) as world:
        assert connected() == before + 2
        world.close()
        assert connected() == before
    assert connected() == before


def test_a_copy_that_cannot_be_built_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FilmedWorld(SMALL) as world:
        world.reset(REACH.sample(4))
        with monkeypatch.context() as patched:
            patched.setattr(tempfile, "tempdir", str(tmp_path / "none"))
            with pytest.raises(SimulatorError, match="set TMPDIR"):
                world.look()
        assert world.look().shape == (72, 96, 3)
    assert list(tmp_path.iterdir()) == []


# -- files ------------------------------------------------------------------------------------


def _frames(count: int, noise: bool = False) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        frame = np.full((72, 96, 3), 200, np.uint8)
        if noise:
            frame = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        frame[10:20, index : index + 10] = (220, 30, 30)
        made.append(frame)
    return made


def test_a_gif_keeps_its_frames_and_the_colours_of_small_things(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    write_gif(_frames(12), path, fps=10.0)
    with Image.open(path) as picture:
        assert picture.n_frames == 12
        assert picture.info["loop"] == 0
        assert picture.info["duration"] == 100
        red, green, blue = picture.convert("RGB").getpixel((4, 14))
    assert red > 200
    assert green < 60
    assert blue < 60


def test_a_gif_fits_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    write_gif(_frames(4, noise=True), path, limit=80_000)
    assert path.stat().st_size <= 80_000
    with Image.open(path) as picture:
        assert picture.width < 160


def test_a_contact_sheet_holds_all_tiles(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    frames = _frames(7)
    tiles = [
        Tile(frame, f"seed {i}: \x1b[31m{'long ' * 30}", i % 2 == 0)
        for i, frame in enumerate(frames)
    ]
    contact_sheet(tiles, path, title="a title " * 40, subtitle="more")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels.shape[1] > 4 * 96  # two rows, of four and three
    assert pixels.shape[0] > 2 * 72
    reds = (pixels == (220, 30, 30)).all(axis=2)
    assert reds.sum() == 7 * 10 * 10


def test_pictures_that_cannot_be_written(tmp_path: Path) -> None:
    frames = _frames(1)
    with pytest.raises(VoyagerError, match="cannot write"):
        write_gif(frames, tmp_path / "none" / "x.gif")
    with pytest.raises(VoyagerError, match="cannot write"):
        contact_sheet([Tile(frames[0], "x")], tmp_path / "none" / "x.png", title="t")
    with pytest.raises(VoyagerError, match="no frames"):
        write_gif([], tmp_path / "x.gif")
    with pytest.raises(VoyagerError, match="no pictures"):
        contact_sheet([], tmp_path / "x.png", title="t")
