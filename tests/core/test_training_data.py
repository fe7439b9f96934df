"""What training reads: cached features, clips on a grid in track time, batches with their laws."""

import os
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acoustic_sense import features
from acoustic_sense.datasets import DatasetWriter, open_dataset
from acoustic_sense.errors import ConfigError, DatasetError, UnknownPluginError
from acoustic_sense.training import FeatureStore, TrainConfig, load_train_config
from acoustic_sense.training import feature_store as store_module
from acoustic_sense.training.clip_set import ClipIndex, ClipSet
from acoustic_sense.training.config import AugmentationConfig, format_config
from acoustic_sense.training.epochs import EpochClips
from acoustic_sense.training.sampling import batches

NAMES = tuple(features.create("mel-stack").channel_names)


def store_for(path) -> FeatureStore:
    return FeatureStore(open_dataset(path), "mel-stack")


def open_epoch(clips, store, epoch=0, **changes) -> EpochClips:
    settings = {
        "seed": 0,
        "hop_frames": 12,
        "batch_size": 4,
        "sampling": "random",
        "augmentation": AugmentationConfig(random_start=False),
        **changes,
    }
    return EpochClips(clips, tuple(store.feature.channel_names), epoch=epoch, **settings)


# The feature store


def test_cached_feature_equals_the_feature_of_the_take(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    frames = store_for(tiny_dataset).frames("s1-b")
    assert isinstance(frames, np.memmap)
    assert frames.dtype == np.float32
    take = dataset.read_take("s1-b")
    direct = features.compute("mel-stack", take.recording.samples, take.playback.samples)
    np.testing.assert_array_equal(frames, direct.numpy())


def test_long_take_is_computed_in_chunks_to_the_same_values(tiny_dataset, monkeypatch):
    from acoustic_sense.inference import clips

    take = open_dataset(tiny_dataset).read_take("s0-a")
    feature = features.create("mel-stack")
    whole = clips.compute_frames(feature, take.recording.samples, take.playback.samples)
    monkeypatch.setattr(clips, "CHUNK_FRAMES", 7)
    parts = clips.compute_frames(feature, take.recording.samples, take.playback.samples)
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_features_are_computed_once_and_again_when_the_audio_changes(tiny_dataset, make_take):
    store_for(tiny_dataset).frames("s0-a")
    cached = next((tiny_dataset / "cache").glob("mel-stack-*/s0-a.npy"))
    first = cached.stat().st_mtime_ns
    store_for(tiny_dataset).frames("s0-a")
    assert cached.stat().st_mtime_ns == first
    recording = tiny_dataset / "takes" / "s0-a" / "recording.flac"
    other = tiny_dataset / "takes" / "s2-a" / "recording.flac"
    before = np.array(store_for(tiny_dataset).frames("s0-a"))
    recording.write_bytes(other.read_bytes())
    assert not np.array_equal(store_for(tiny_dataset).frames("s0-a")[:4], before[:4])


def test_cache_does_not_trouble_the_dataset(tiny_dataset):
    from acoustic_sense.datasets import validate

    store_for(tiny_dataset).frames("s0-a")
    assert validate(open_dataset(tiny_dataset)) == []


def test_truncated_cache_left_by_a_killed_run_is_never_read(tiny_dataset):
    whole = np.array(store_for(tiny_dataset).frames("s0-a"))
    cached = next((tiny_dataset / "cache").glob("mel-stack-*/s0-a.npy"))
    cached.write_bytes(cached.read_bytes()[:1000])
    cached.with_suffix(".json").unlink()  # the note is written last, so a killed run has none
    np.testing.assert_array_equal(store_for(tiny_dataset).frames("s0-a"), whole)


def test_read_only_dataset_uses_the_users_cache(tiny_dataset, tmp_path, monkeypatch):
    (tiny_dataset / "cache").write_text("a file, so that no folder can be made here")
    user = tmp_path / "user-cache"
    monkeypatch.setattr(
        store_module, "platformdirs", SimpleNamespace(user_cache_path=lambda _: user)
    )
    frames = store_for(tiny_dataset).frames("s0-a")
    assert str(user) in str(frames.filename)


def test_another_feature_of_ampl_is_refused_with_the_one_to_use(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    dataset.stored_feature = "mel-stack"
    with pytest.raises(DatasetError, match="set feature = 'mel-stack'"):
        FeatureStore(dataset, "log-mel")


# Clips


@pytest.fixture
def shifted(tmp_path, make_take):
    """Two takes of one track, of which one begins 0.5 s later."""
    with DatasetWriter(tmp_path / "d", {}) as writer:
        writer.write_take(make_take("early", subject="s0", seconds=3.0))
        writer.write_take(make_take("late", subject="s1", seconds=2.2, start_s=0.5))
    store = store_for(tmp_path / "d")
    return ClipSet(store, store.dataset.takes), store


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it never changes
@given(hop=st.integers(1, 20), phase=st.integers(0, 19))
def test_grid_holds_every_clip_that_fits_and_segments_hear_the_same_music(shifted, hop, phase):
    clips, _ = shifted
    index = clips.grid(hop, [phase % hop])
    for take, (length, offset) in enumerate(((60, 0), (44, 10))):
        starts = index.start[index.take == take]
        every = [s for s in range(length - 11) if (s + offset - phase % hop) % hop == 0]
        assert starts.tolist() == every
    in_track = index.start + np.array([0, 10])[index.take]
    for segment in np.unique(index.segment):
        assert len(set(in_track[index.segment == segment])) == 1


def test_batch_holds_normalised_features_joints_and_labels(shifted):
    clips, store = shifted
    clips.normalise(clips.measure("train", NAMES))
    index = clips.grid(12)
    batch = clips.gather(index, np.arange(len(index)))
    mean, deviation = clips.statistics[0]
    take, start = int(batch.take[3]), int(index.start[3])
    raw = np.asarray(clips.frames[take][:, start : start + 12])
    expected = (raw - mean[:, None]) / deviation[:, None]
    np.testing.assert_allclose(batch.features[3].numpy(), expected, atol=1e-4)
    joints = store.dataset.pose_targets(clips.takes[take].id)[start : start + 12]
    np.testing.assert_array_equal(batch.joints[3].numpy(), joints)
    assert set(batch.activity.tolist()) <= {0, 1}
    assert clips.subjects == ("s0", "s1")


def test_normalised_training_frames_have_mean_zero_and_deviation_one(shifted):
    clips, _ = shifted
    (mean, deviation), _ = clips.measure("train", NAMES)
    frames = np.concatenate([np.asarray(f, dtype=np.float64) for f in clips.frames], axis=1)
    expected = np.broadcast_to(frames.mean(axis=(1, 2))[:, None], mean.shape)
    np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-12)
    expected = np.broadcast_to(frames.std(axis=(1, 2))[:, None], mean.shape)
    np.testing.assert_allclose(deviation, expected, rtol=1e-6, atol=1e-6)


def test_each_bin_has_its_own_mean_and_levels_share_a_deviation_where_asked(shifted):
    clips, _ = shifted
    (mean, deviation), _ = clips.measure("train-bins", NAMES)
    frames = np.concatenate([np.asarray(f, dtype=np.float64) for f in clips.frames], axis=1)
    np.testing.assert_allclose(mean, frames.mean(axis=1), rtol=1e-9, atol=1e-12)
    levels = np.var(frames[:6], axis=1).mean()
    np.testing.assert_allclose(deviation[:6], np.sqrt(levels), rtol=1e-5)
    phases = np.var(frames[9:], axis=1).mean()
    np.testing.assert_allclose(deviation[9:], np.sqrt(phases), rtol=1e-5)


def test_track_statistics_are_those_of_the_track(tiny_dataset):
    store = store_for(tiny_dataset)
    clips = ClipSet(store, store.dataset.takes)
    statistics = clips.measure("track", NAMES)
    for take, info in enumerate(clips.takes):
        of_track = [
            f for f, i in zip(clips.frames, clips.takes, strict=True) if i.track == info.track
        ]
        values = np.concatenate(of_track, axis=1)[0].astype(np.float64)
        assert statistics[take][0][0, 0] == pytest.approx(values.mean())


def test_take_statistics_are_those_of_the_take_alone(tiny_dataset):
    store = store_for(tiny_dataset)
    clips = ClipSet(store, store.dataset.takes)
    for frames, (mean, _) in zip(clips.frames, clips.measure("take-bins", NAMES), strict=True):
        expected = np.asarray(frames, dtype=np.float64).mean(axis=1)
        np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-12)


def test_context_comes_before_the_clip_and_repeats_the_first_frame(tiny_dataset):
    store = store_for(tiny_dataset)
    clips = ClipSet(store, store.dataset.takes[:1], context_frames=5)
    index = clips.grid(12)
    batch = clips.gather(index, np.array([0, 1]))
    frames = np.asarray(clips.frames[0])
    np.testing.assert_array_equal(batch.features[1].numpy(), frames[:, 7:24])
    np.testing.assert_array_equal(batch.features[0, :, 5:].numpy(), frames[:, :12])
    for lag in range(5):
        np.testing.assert_array_equal(batch.features[0, :, lag].numpy(), frames[:, 0])


def test_takes_shorter_than_a_clip_are_refused(tmp_path, make_take):
    with DatasetWriter(tmp_path / "d", {}) as writer:
        writer.write_take(make_take(seconds=0.5))
    store = store_for(tmp_path / "d")
    with pytest.raises(DatasetError, match="as long as a clip"):
        ClipSet(store, store.dataset.takes)


# Batches


@st.composite
def clip_indices(draw):
    track_count = draw(st.integers(1, 3))
    segment_count = draw(st.integers(1, 12))
    takes = draw(st.integers(1, 5))
    entries = [
        (take, segment * 12, take % track_count, segment)
        for take in range(takes)
        for segment in range(segment_count)
    ]
    return ClipIndex(*(np.array(column) for column in zip(*entries, strict=True)))


@pytest.mark.parametrize("sampling", ["random", "track", "segment"])
@given(index=clip_indices(), batch_size=st.integers(2, 9), seed=st.integers(0, 2**32))
def test_batches_keep_their_promises(sampling, index, batch_size, seed):
    chosen = batches(index, sampling, batch_size, np.random.default_rng(seed))
    again = batches(index, sampling, batch_size, np.random.default_rng(seed))
    assert [b.tolist() for b in chosen] == [b.tolist() for b in again]
    rows = np.concatenate(chosen) if chosen else np.array([], dtype=int)
    assert len(set(rows.tolist())) == len(rows)  # no clip twice an epoch, so none twice a batch
    assert all(2 <= len(batch) <= batch_size for batch in chosen)
    groups = 1 if sampling == "random" else len(np.unique(index.track))
    sizes = [len(index)] if sampling == "random" else np.bincount(index.track).tolist()
    assert len(chosen) > 0 or max(sizes) < 2
    if min(sizes) >= batch_size:
        assert len(index) - len(rows) <= groups * max(1, batch_size // 2)
    for batch in chosen:
        if sampling != "random":
            assert len(set(index.track[batch])) == 1
        if sampling == "segment":
            segments = index.segment[batch].tolist()
            changes = sum(a != b for a, b in pairwise(segments))
            assert changes == len(set(segments)) - 1  # each segment in one piece


def test_segment_batches_hold_the_same_music_by_others(tiny_dataset):
    store = store_for(tiny_dataset)
    clips = ClipSet(store, store.dataset.takes)
    for batch in open_epoch(clips, store, sampling="segment", batch_size=3):
        assert len(set(batch.segment.tolist())) == 1
        assert len(set(batch.subject.tolist())) == 3


def test_ranks_share_an_epoch_without_overlap(tiny_dataset):
    store = store_for(tiny_dataset)
    clips = ClipSet(store, store.dataset.takes)
    whole = open_epoch(clips, store).batches
    ranks = [open_epoch(clips, store, rank=rank, world_size=2).batches for rank in (0, 1)]
    assert len(ranks[0]) == len(ranks[1])
    together = {tuple(rows.tolist()) for batches in ranks for rows in batches}
    assert together <= {tuple(rows.tolist()) for rows in whole}
    assert len(together) == 2 * len(ranks[0])


def test_random_start_reaches_every_frame_over_epochs(shifted):
    clips, store = shifted
    vary = AugmentationConfig(random_start=True)
    starts = set()
    for epoch in range(60):
        opened = open_epoch(clips, store, epoch, augmentation=vary)
        starts |= set((opened._index.start % 12).tolist())
    assert starts == set(range(12))


def test_level_jitter_is_one_gain_in_db_on_the_recording_channels(tiny_dataset):
    store = store_for(tiny_dataset)
    clips = ClipSet(store, store.dataset.takes)
    clips.normalise(clips.measure("train", NAMES))
    plain = next(iter(open_epoch(clips, store)))
    vary = AugmentationConfig(random_start=False, level_jitter_db=3.0)
    varied = next(iter(open_epoch(clips, store, augmentation=vary)))
    _, deviation = clips.statistics[0]
    shift = (varied.features - plain.features) * torch.from_numpy(deviation)[:, None]
    gain = shift[:, 0].mean(dim=(1, 2))
    assert gain.abs().min() > 0.01
    expected = torch.zeros_like(shift)
    expected[:, :4] = gain[:, None, None, None]
    torch.testing.assert_close(shift, expected, atol=1e-3, rtol=1e-3)


# The configuration


def write_config(folder, text):
    file = folder / "train.toml"
    file.write_text(text)
    return file


def test_configuration_is_read_and_written_back(tmp_path):
    file = write_config(
        tmp_path,
        """
        [data]
        path = "tiny"
        [data.protocol]
        name = "cross-music"
        test_subjects = ["s2"]
        [encoder]
        name = "bgm2pose-fa"
        config = { width = 0.25 }
        [[objectives]]
        name = "bgm2pose-cpe"
        [training]
        epochs = 7
        time_budget_minutes = 2.5
        [training.augmentation]
        noise = 0.1
        """,
    )
    config = load_train_config(file)
    assert config.data.path == tmp_path / "tiny"
    assert config.feature.name == "mel-stack"
    (tmp_path / "elsewhere").mkdir()
    copy = write_config(tmp_path / "elsewhere", format_config(config))
    assert load_train_config(copy) == config


def test_protocol_may_be_a_name_or_a_file_beside_the_configuration(tmp_path):
    file = write_config(tmp_path, '[data]\npath = "d"\nprotocol = "cross-room"')
    assert load_train_config(file).data.protocol.name == "cross-room"
    file = write_config(tmp_path, '[data]\npath = "d"\nprotocol = "mine.toml"')
    assert load_train_config(file).data.protocol.name == str(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("[training]\nepochs = 1", ConfigError, "'data'"),
        ('[data]\npath = "x"\n[training]\nepoch = 3', ConfigError, "did you mean 'epochs'"),
        ('[data]\npath = "x"\n[training]\nepochs = 0', ConfigError, "training.epochs"),
        (
            '[data]\npath = "x"\n[encoder]\nname = "bgm2pose-fa"\nconfig = { widht = 1 }',
            ConfigError,
            "encoder 'bgm2pose-fa'.*did you mean 'width'",
        ),
        (
            '[data]\npath = "x"\n[encoder]\nname = "bgm2pose-af"',
            UnknownPluginError,
            "did you mean 'bgm2pose-fa'",
        ),
        ('[data]\npath = "x"\nfeature = "mel"', UnknownPluginError, "unknown feature 'mel'"),
    ],
)
def test_errors_name_the_key_and_suggest(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        load_train_config(write_config(tmp_path, text))


def test_every_setting_is_described():
    def fields(model):
        for name, field in model.model_fields.items():
            yield name, field.description
            for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if hasattr(kind, "model_fields"):
                    yield from fields(kind)

    assert [name for name, description in fields(TrainConfig) if not description] == []


def test_gathering_is_faster_than_any_training_step(tmp_path, make_take):
    with DatasetWriter(tmp_path / "d", {}) as writer:
        writer.write_take(make_take(seconds=30.0))
    store = store_for(tmp_path / "d")
    clips = ClipSet(store, store.dataset.takes)
    index = clips.grid(12)
    rows = np.arange(48)
    clips.gather(index, rows)
    start = os.times().user
    for _ in range(5):
        clips.gather(index, rows)
    assert (os.times().user - start) / (5 * len(rows)) < 0.002  # seconds a clip
