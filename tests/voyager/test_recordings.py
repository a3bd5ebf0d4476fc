"""Episodes written down: those of the certificates, in the terms of the environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from env.executors import SerialExecutor
from env.render import Camera
from env.task import Task
from skill_store import Library
from skill_store.archive import restore
from skill_store.export.bundle import Bundle, gather
from voyager.recordings import NAMES, Reels, asked, record
from voyager.serving.control import RATE
from voyager.serving.gymnasium_env import TaskEnv
from voyager.serving.observation import OBJECT_SIZE, STATE_SIZE

ARCHIVE = Path(__file__).resolve().parents[2] / "examples" / "library" / "library.tar.gz"


@pytest.fixture(scope="module")
def executor() -> Iterator[SerialExecutor]:
    with SerialExecutor() as opened:
        yield opened


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    home = tmp_path_factory.mktemp("recorded") / "home"
    restore(ARCHIVE, home)
    with Library.open(home) as library:
        return gather(library, names=("grasp", "put_in"), allow_uncertified=True)


@pytest.fixture(scope="module")
def reels(bundle: Bundle, executor: SerialExecutor) -> Reels:
    return record(bundle, executor, most=2)


def test_every_solved_episode_is_written_down_once(bundle: Bundle, reels: Reels) -> None:
    assert reels.unrecorded == ()
    assert [recording.skill for recording in reels.recordings] == ["grasp"] * 2 + ["put_in"] * 2
    for name in ("grasp", "put_in"):
        solved = [
            scene.start
            for scene in bundle.named(name).skill.certificate.scenes
            if scene.outcome.value == "solved"
        ]
        assert [r.start for r in reels.recordings if r.skill == name] == solved[:2]


def test_on_the_platform_of_the_certificate_they_are_the_same_to_the_bit(
    bundle: Bundle, reels: Reels
) -> None:
    certified = all(exported.certified for exported in bundle.skills)
    recorded = {
        scene.start: scene.episode
        for exported in bundle.skills
        for scene in exported.skill.certificate.scenes
    }
    for recording in reels.recordings:
        assert recording.identical == (recording.episode == recorded[recording.start])
        assert recording.identical or not certified


def test_numbers_fit_their_names(reels: Reels) -> None:
    for recording in reels.recordings:
        frames = recording.length
        assert recording.fps == RATE
        assert recording.states.shape == (frames, STATE_SIZE) == (frames, len(NAMES.state))
        wide = len(recording.parameters) * OBJECT_SIZE
        assert recording.things.shape == (frames, wide)
        assert recording.actions.shape == (frames, len(NAMES.action))
        assert np.abs(recording.actions).max() <= 1.0
        assert set(np.unique(recording.actions[:, 4])) <= {-1.0, 0.0, 1.0}
        assert recording.actions[-15:, :3] == pytest.approx(0.0, abs=0.02)  # the second at rest


def test_a_frame_is_what_the_environment_shows_and_actions_lead_on(
    bundle: Bundle, reels: Reels
) -> None:
    plain = [r for r in reels.recordings if r.start.handover is None]
    solved = 0
    for recording in plain:
        env = TaskEnv(bundle.named(recording.skill).skill.task)
        seen, _ = env.reset(options={"scene_seed": recording.start.seed})
        first = np.concatenate([recording.states[0], recording.things[0]])
        assert np.array_equal(seen[: len(first)], first)
        rest = np.zeros((2 * RATE, 5), np.float32)
        for action in [*recording.actions, *rest]:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                break
        solved += terminated
        env.close()

    # Nothing corrects them on the way, and still they lead where they led.
    assert len(plain) >= 3
    assert solved >= len(plain) - 1


@pytest.mark.slow
@pytest.mark.ci
def test_pictures_are_taken_at_the_frames_and_change_nothing(
    bundle: Bundle, executor: SerialExecutor, reels: Reels
) -> None:
    grasp = Bundle((bundle.named("grasp"),), (), {}, (), bundle.made_at, bundle.version)
    filmed = record(grasp, executor, camera=Camera(width=64, height=48), most=1)
    (recording,) = filmed.recordings
    alone = next(r for r in reels.recordings if r.start == recording.start)

    assert recording.episode == alone.episode
    assert np.array_equal(recording.states, alone.states)
    assert np.array_equal(recording.actions, alone.actions)
    assert recording.video is not None
    assert recording.video.shape == (48, 64, 3)
    assert min(picture.std() for picture in recording.video.samples) > 5.0
    assert recording.video.data[4:8] == b"ftyp"


def test_what_is_asked_for_names_the_objects_of_the_scene() -> None:
    task = Task.make("on(top, bottom)", {"top": "ball", "bottom": "block"})
    scene = task.sample(1)
    colours = {body.name: body.spec.colour for body in scene.bodies}
    top, bottom = (colours[scene.binding[name]] for name in ("top", "bottom"))
    assert asked(task, scene) == f"Put the {top} ball on the {bottom} block"

    worded = Task.make(
        "on(top, bottom) or held(top)",
        {"top": "ball", "bottom": "block"},
        instruction="stop the top from rolling: the bottom may carry it",
    )
    scene = worded.sample(1)
    colours = {body.name: body.spec.colour for body in scene.bodies}
    top, bottom = (colours[scene.binding[name]] for name in ("top", "bottom"))
    assert asked(worded, scene) == (
        f"stop the {top} ball from rolling: the {bottom} block may carry it"
    )
