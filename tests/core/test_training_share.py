"""Training on a share of the labels: which frames are ever seen, and what stays as it was."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acoustic_sense.config import config_hash
from acoustic_sense.datasets import DatasetWriter, open_dataset
from acoustic_sense.errors import ConfigError
from acoustic_sense.training import FeatureStore, TrainConfig, evaluate, load_train_config, train
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.config import AugmentationConfig, format_config
from acoustic_sense.training.epochs import EpochClips
from acoustic_sense.training.preparation import prepare
from acoustic_sense.types import PoseTrack

POSE_RATE_HZ = 40.0
FRAMES = 60
"""Frames of 50 ms of a take of three seconds."""


def config_for(dataset, **data) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "data": {"path": str(dataset), "protocol": "leave-one-subject-out", **data},
            "encoder": {"name": "bgm2pose-fa", "config": {"width": 0.0625}},
            "objectives": [{"name": "bgm2pose-cpe"}],
            "training": {"epochs": 2, "batch_size": 4, "average_last_epochs": 1, "threads": 1},
        }
    )


def write(path, takes, poisoned_from_s=None):
    """Write takes; the arms of all training takes are absurd from a time on, if one is given."""
    with DatasetWriter(path, {"name": "share"}) as writer:
        for take in takes:
            if poisoned_from_s is not None and take.info.subject != "s2":
                joints = take.pose.joints.copy()
                joints[round(poisoned_from_s * POSE_RATE_HZ) :, 5:13] += 1000.0
                pose = PoseTrack(joints, POSE_RATE_HZ, activity=take.pose.activity)
                take = dataclasses.replace(take, pose=pose)
            writer.write_take(take)
    return path


@pytest.fixture
def takes(make_take):
    return [
        make_take(f"s{n}-{track}", subject=f"s{n}", track=track, seconds=3.0, seed=n)
        for n in range(3)
        for track in ("a", "b")
    ]


@pytest.fixture
def clean(takes, tmp_path):
    return write(tmp_path / "clean" / "d", takes)


@pytest.fixture
def shifted(tmp_path, make_take):
    """Two takes of one track, of which one begins 0.5 s later."""
    path = tmp_path / "d"
    with DatasetWriter(path, {}) as writer:
        writer.write_take(make_take("early", subject="s0", seconds=3.0))
        writer.write_take(make_take("late", subject="s1", seconds=2.2, start_s=0.5))
    store = FeatureStore(open_dataset(path), "mel-stack")
    return store, ClipSet(store, store.dataset.takes)


# ------------------------------------------------------------------------------------- clips


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0.001, 1.0), hop=st.integers(1, 20), phase=st.integers(0, 19))
def test_clips_are_those_of_the_whole_take_that_end_within_the_share(shifted, share, hop, phase):
    store, whole = shifted
    part = ClipSet(store, whole.takes, label_share=share)
    phases = [phase % hop]
    every, kept = whole.grid(hop, phases), part.grid(hop, phases)
    for take, length in enumerate((60, 44)):
        limit = max(12, round(share * length))
        expected = [s for s in every.start[every.take == take].tolist() if s + 12 <= limit]
        found = kept.start[kept.take == take].tolist()
        assert found == (expected or [0])
        assert expected or limit < 12 + hop - 1  # one clip fits any grid from there on
    in_track = kept.start + np.array([0, 10])[kept.take]
    for segment in np.unique(kept.segment):
        assert len(set(in_track[kept.segment == segment])) == 1


def test_statistics_are_those_of_the_whole_recordings(clean):
    whole, part = (
        prepare(config_for(clean, **data)).pipeline.model for data in ({}, {"train_share": 0.2})
    )
    np.testing.assert_array_equal(whole.feature_mean.numpy(), part.feature_mean.numpy())
    np.testing.assert_array_equal(whole.feature_deviation.numpy(), part.feature_deviation.numpy())
    assert not np.array_equal(whole.mean_target.numpy(), part.mean_target.numpy())


@pytest.mark.parametrize("sampling", ["random", "track", "segment"])
def test_one_clip_a_take_is_read_in_every_epoch_wherever_the_grid_starts(clean, sampling):
    store = FeatureStore(open_dataset(clean), "mel-stack")
    clips = ClipSet(store, store.dataset.takes, label_share=0.01)
    for epoch in range(15):
        opened = EpochClips(
            clips,
            tuple(store.feature.channel_names),
            epoch=epoch,
            seed=0,
            hop_frames=12,
            batch_size=3,
            sampling=sampling,
            augmentation=AugmentationConfig(random_start=True),
        )
        seen = [int(take) for batch in opened for take in batch.take]
        assert sorted(seen) == list(range(6))
        for batch in opened:
            for row, take in enumerate(batch.take):
                expected = clips.joints[int(take)][:12]
                np.testing.assert_array_equal(batch.joints[row].numpy(), expected)
            if sampling == "segment":
                assert len(set(batch.segment.tolist())) == 1


# ------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_labels_after_the_share_change_nothing_and_its_last_ones_do(clean, takes, tmp_path, share):
    end_s = max(12, round(share * FRAMES)) / 20
    after = write(tmp_path / "after" / "d", takes, poisoned_from_s=end_s)
    before = write(tmp_path / "before" / "d", takes, poisoned_from_s=end_s - 0.025)
    run, same, other = (
        train(config_for(path, train_share=share), tmp_path / str(number))
        for number, path in enumerate((clean, after, before))
    )
    assert same.history == run.history
    assert same.model.read_bytes() == run.model.read_bytes()
    assert other.history[0]["loss"] > 1000 * run.history[0]["loss"]
    assert run.metrics["train_clips"] == 4 * {0.1: 1, 0.4: 2}[share]
    poisoned = evaluate(same.folder, after, nearest_neighbour=True)
    assert poisoned.scores == evaluate(run.folder, clean, nearest_neighbour=True).scores
    assert poisoned.scores["nearest_neighbour"]["rmse"] < 10


def test_same_share_gives_the_same_bytes_and_a_whole_one_those_without_it(clean, tmp_path):
    run, again, whole, unsaid = (
        train(config_for(clean, **data), tmp_path / str(number)).model.read_bytes()
        for number, data in enumerate(
            ({"train_share": 0.4}, {"train_share": 0.4}, {"train_share": 1}, {})
        )
    )
    assert run == again
    assert whole == unsaid
    assert run != whole


# ------------------------------------------------------------------------------------- settings


def test_share_is_written_and_read_back_and_a_whole_one_is_left_out(clean, tmp_path):
    part, whole = config_for(clean, train_share=0.1), config_for(clean, train_share=1)
    file = tmp_path / "train.toml"
    file.write_text(format_config(part))
    assert load_train_config(file).data.train_share == 0.1
    assert "train_share" not in format_config(whole)
    assert config_hash(part) != config_hash(whole)
    file.write_text(format_config(whole))
    assert load_train_config(file) == config_for(clean)


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_share_is_above_nothing_and_at_most_all(tmp_path, share):
    file = tmp_path / "train.toml"
    file.write_text(f'[data]\npath = "d"\ntrain_share = {share}\n')
    with pytest.raises(ConfigError, match=r"'data\.train_share'"):
        load_train_config(file)
