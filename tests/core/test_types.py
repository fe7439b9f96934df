"""Recording, playback, pose track and scene refuse what they cannot hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acoustic_sense.constants import JOINT_NAMES, JOINT_PARENTS
from acoustic_sense.errors import AudioError, DatasetError
from acoustic_sense.types import Motion, Playback, PoseTrack, Recording, Room, Scene, Subject


def joints(frames: int) -> np.ndarray:
    generator = np.random.default_rng(frames)
    return generator.standard_normal((frames, 21, 3)).astype(np.float32)


def test_recording_needs_four_channels_first() -> None:
    with pytest.raises(AudioError, match=r"shape \(4, sample\), not \(2, 10\)"):
        Recording(np.zeros((2, 10), np.float32), 48_000)


@pytest.mark.parametrize("kind", [Recording, Playback])
def test_audio_refuses_other_dtypes_rates_and_nan(kind: type[Recording] | type[Playback]) -> None:
    good = np.zeros((4, 10), np.float32)
    with pytest.raises(AudioError, match="float32"):
        kind(good.astype(np.float64), 48_000)
    with pytest.raises(AudioError, match="positive"):
        kind(good, 0)
    bad = good.copy()
    bad[0, 3] = np.nan
    with pytest.raises(AudioError, match="1 samples that are not finite"):
        kind(bad, 48_000)


def test_duration_is_samples_over_rate() -> None:
    assert Playback(np.zeros((2, 24_000), np.float32), 48_000).duration_s == 0.5


def test_pose_track_checks_shape_values_and_lengths() -> None:
    with pytest.raises(DatasetError, match="not \\(5, 20, 3\\)"):
        PoseTrack(joints(5)[:, :20], 20.0)
    with pytest.raises(DatasetError, match="not finite"):
        PoseTrack(np.full((5, 21, 3), np.inf, np.float32), 20.0)
    with pytest.raises(DatasetError, match="activity has 4 frames but the joints have 5"):
        PoseTrack(joints(5), 20.0, activity=np.array(["a"] * 4))


def test_feature_frames_take_the_pose_at_their_centre() -> None:
    ramp = np.arange(61, dtype=np.float32)[:, None, None] * np.ones((1, 21, 3), np.float32)
    track = PoseTrack(ramp, 60.0)
    # frame i covers [i, i + 1) / 20 s, so its centre is at (3 i + 1.5) of the 60 Hz poses
    expected = 3 * np.arange(20) + 1.5
    assert np.allclose(track.at_feature_frames(20)[:, 0, 0], expected)


@given(st.integers(1, 40), st.sampled_from([20.0, 30.0, 60.0, 100.0]), st.integers(1, 60))
def test_feature_frames_stay_inside_the_track(poses: int, rate_hz: float, frames: int) -> None:
    track = PoseTrack(joints(poses), rate_hz, activity=np.array([f"a{i}" for i in range(poses)]))
    resampled = track.at_feature_frames(frames)
    assert resampled.shape == (frames, 21, 3)
    assert resampled.min() >= track.joints.min() - 1e-6
    assert resampled.max() <= track.joints.max() + 1e-6
    assert set(track.activity_at_feature_frames(frames)) <= set(track.activity)


def test_joint_tree_is_a_tree_rooted_at_the_hips() -> None:
    assert len(JOINT_NAMES) == len(JOINT_PARENTS) == 21
    assert all(parent < child for child, parent in enumerate(JOINT_PARENTS))


def test_scene_survives_json() -> None:
    scene = Scene(
        seed=3,
        room=Room(absorption=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)),
        subject=Subject(betas=(0.5, -1.0)),
        motion=Motion(activities=("walk", "sit")),
        tags=("plain-clothes",),
    )
    assert Scene.from_json(scene.to_json()) == scene
    empty = Scene(subject=None)
    assert Scene.from_json(empty.to_json()) == empty


def test_scene_refuses_unknown_keys_and_impossible_values() -> None:
    data = Scene().to_json()
    with pytest.raises(ValueError, match="sead"):
        Scene.from_json({**data, "sead": 1})
    with pytest.raises(ValueError, match="seconds"):
        Scene(seconds=0.0)
    with pytest.raises(ValueError, match="loudspeakers"):
        Scene(loudspeakers=())
