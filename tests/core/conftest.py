"""Fixtures of the core's tests: small takes and datasets made of synthetic arrays."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from acoustic_sense.cli.main import run
from acoustic_sense.constants import JOINT_NAMES, SAMPLE_RATE_HZ
from acoustic_sense.datasets import DatasetWriter, open_dataset
from acoustic_sense.types import Playback, PoseTrack, Recording, Take, TakeInfo

POSE_RATE_HZ = 40.0


def standing_pose() -> np.ndarray:
    """Joints of a rough standing person, shape (21, 3), metres."""
    generator = np.random.default_rng(3)
    pose = generator.normal(scale=0.25, size=(len(JOINT_NAMES), 3))
    pose[:, 1] += 1.0
    pose[0], pose[1] = (0.0, 1.0, 0.0), (0.0, 1.1, 0.0)
    pose[3], pose[4] = (0.0, 1.5, 0.0), (0.0, 1.7, 0.0)
    return pose


def make_take(
    take_id: str = "t0",
    *,
    subject: str = "s0",
    track: str = "a",
    genre: str = "ambient",
    room: str = "r0",
    seconds: float = 1.8,
    start_s: float = 0.0,
    seed: int = 0,
    tags: tuple[str, ...] = (),
) -> Take:
    """A take whose arms swing, and whose recording is louder while they are up."""
    generator = np.random.default_rng(seed)
    sample_count, pose_count = round(seconds * SAMPLE_RATE_HZ), round(seconds * POSE_RATE_HZ)
    swing = np.sin(2 * np.pi * (np.arange(pose_count) / POSE_RATE_HZ / 1.3 + seed / 7))
    joints = np.repeat(standing_pose()[None], pose_count, axis=0)
    joints[:, 5:13, 1] += 0.3 * swing[:, None]
    track_generator = np.random.default_rng(sum(map(ord, track)))
    playback = 0.1 * track_generator.standard_normal((2, sample_count))
    level = np.interp(
        np.arange(sample_count) / SAMPLE_RATE_HZ, np.arange(pose_count) / POSE_RATE_HZ, swing
    )
    recording = playback.mean(axis=0) * (1 + 0.8 * level) * np.array([[1], [0.5], [0.3], [0.2]])
    recording += 0.001 * generator.standard_normal(recording.shape)
    info = TakeInfo(take_id, subject, track, genre, room, seconds, start_s, seed, tags)
    return Take(
        info,
        Recording(recording.astype(np.float32), SAMPLE_RATE_HZ),
        Playback(playback.astype(np.float32), SAMPLE_RATE_HZ),
        PoseTrack(
            joints.astype(np.float32),
            POSE_RATE_HZ,
            activity=np.where(swing > 0, "raise", "lower"),
        ),
        extra={"latency_s": 0.01},
    )


@pytest.fixture(name="make_take")
def make_take_fixture() -> Callable[..., Take]:
    return make_take


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Path:
    """Three subjects, two tracks, 1.8 s a take; a test may change it."""
    return write_tiny(tmp_path / "tiny")


@pytest.fixture(scope="session")
def shared_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as `tiny_dataset`, for tests that leave it as it is."""
    return write_tiny(tmp_path_factory.mktemp("shared") / "tiny")


def write_tiny(path: Path) -> Path:
    with DatasetWriter(path, {"name": "tiny"}) as writer:
        for number, subject in enumerate(("s0", "s1", "s2")):
            for track, genre in (("a", "ambient"), ("b", "jazz")):
                take_id = f"{subject}-{track}"
                writer.write_take(
                    make_take(take_id, subject=subject, track=track, genre=genre, seed=number)
                )
    return path


TRAIN = """
[data]
path = "{data}"
feature = "mel-stack"

[encoder]
name = "bgm2pose-fa"
config = {{ width = 0.125 }}

[training]
epochs = 1
batch_size = 4
threads = 1
"""


@pytest.fixture(scope="session", name="TRAIN")
def train_text():
    return TRAIN


@pytest.fixture(scope="session")
def outcome():
    """A function that runs the program; returns its exit code, standard output and error."""

    def outcome(capsys, *arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return outcome


@pytest.fixture(scope="session")
def left_in():
    """A function that lists what is in a folder."""
    return lambda folder: sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(scope="session")
def trained(shared_dataset, tmp_path_factory):
    """A folder with `data`, `train.toml` and `run`, made once by the program itself."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(shared_dataset, folder / "data")
    (folder / "train.toml").write_text(TRAIN.format(data="data"))
    assert run(["train", str(folder / "train.toml"), "--out", str(folder / "run")]) == 0
    return folder


@pytest.fixture
def pair(trained, tmp_path):
    """Recording and playback of a take as files, in a folder of their own."""
    take = open_dataset(trained / "data").read_take("s2-a")
    folder = tmp_path / "pair"
    folder.mkdir()
    ambix = take.recording.samples[[0, 2, 3, 1]].T
    soundfile.write(folder / "recording.wav", ambix, 48_000, subtype="PCM_24")
    soundfile.write(folder / "playback.wav", take.playback.samples.T, 48_000, subtype="PCM_24")
    return folder
