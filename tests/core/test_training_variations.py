"""Augmented clips against the features of audio that was transformed itself."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from acoustic_sense import features
from acoustic_sense.datasets import DatasetWriter, open_dataset
from acoustic_sense.errors import ConfigError, DatasetError
from acoustic_sense.training import FeatureStore, TrainConfig, train
from acoustic_sense.training.audio_changes import AudioChange, random_delays
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.config import AugmentationConfig
from acoustic_sense.training.epochs import EpochClips
from acoustic_sense.training.microphone import MicrophoneChange
from acoustic_sense.training.variations import ClipVariations
from acoustic_sense.types import Recording

STAY = MicrophoneChange()


@pytest.fixture(scope="module")
def dataset(shared_dataset, tmp_path_factory):
    """Two takes whose four channels and two loudspeakers are all different."""
    source = open_dataset(shared_dataset)
    path = tmp_path_factory.mktemp("variations") / "d"
    generator = np.random.default_rng(5)
    with DatasetWriter(path, {"name": "d"}) as writer:
        for name in ("s0-a", "s1-a"):
            take = source.read_take(name)
            noise = generator.normal(scale=0.02, size=take.recording.samples.shape)
            samples = take.recording.samples + noise.astype(np.float32)
            recording = Recording(samples, take.recording.sample_rate_hz)
            writer.write_take(dataclasses.replace(take, recording=recording))
    return open_dataset(path)


def opened(dataset, feature="mel-stack", *, context=0, **settings):
    store = FeatureStore(dataset, feature)
    clips = ClipSet(store, dataset.takes, context_frames=context)
    return clips, ClipVariations(AugmentationConfig(**settings), clips, store)


def feature_of(feature, recording, playback) -> np.ndarray:
    return features.compute(feature, recording, playback).numpy()


def shifted(signal: np.ndarray, count: int) -> np.ndarray:
    silence = np.zeros((len(signal), abs(count)), signal.dtype)
    if count >= 0:
        return np.concatenate([silence, signal], axis=1)[:, : signal.shape[1]]
    return np.concatenate([signal[:, -count:], silence], axis=1)


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    for channel, values in zip(found, expected, strict=True):
        np.testing.assert_allclose(channel, values, atol=1e-3 * float(values.std()), rtol=1e-5)


# Delay


def test_delayed_clip_is_the_feature_of_delayed_playback(dataset):
    _, variations = opened(dataset, random_delay=True, delays_per_take=3)
    delays = random_delays("s1-a", 1200, 3)
    take = dataset.read_take("s1-a")
    for number, delay in enumerate(delays):
        playback = shifted(take.playback.samples, delay)
        expected = feature_of("mel-stack", take.recording.samples, playback)
        for start in (0, 7, 24):
            found = variations.cut(1, start, number, STAY)
            np.testing.assert_array_equal(found, expected[:, start : start + 12])


def test_only_channels_of_the_playback_are_cached_again(dataset):
    store = FeatureStore(dataset, "mel-stack")
    changed = store.changed("s0-a", [AudioChange(100), AudioChange(0), AudioChange(-100)])
    names = store.feature.channel_names
    assert {names[i] for i in changed.channels} == {n for n in names if "playback" in n}
    np.testing.assert_array_equal(
        changed.frames[1], np.asarray(store.frames("s0-a"))[list(changed.channels)]
    )


def test_changed_features_are_computed_once_and_again_when_the_audio_changes(tmp_path, make_take):
    with DatasetWriter(tmp_path / "d", {}) as writer:
        writer.write_take(make_take("t", seed=1))
        writer.write_take(make_take("u", seed=2))
    changes = [AudioChange(50)]
    store = FeatureStore(open_dataset(tmp_path / "d"), "mel-stack")
    first = np.array(store.changed("t", changes).frames)
    written = sorted(store.folder.glob("t.*.npy"))
    stamp = written[0].stat().st_mtime_ns
    store.changed("t", changes)
    assert [p.stat().st_mtime_ns for p in store.folder.glob("t.*.npy")] == [stamp]
    takes = tmp_path / "d" / "takes"
    for name in ("playback.flac", "recording.flac"):
        (takes / "t" / name).write_bytes((takes / "u" / name).read_bytes())
    again = FeatureStore(open_dataset(tmp_path / "d"), "mel-stack").changed("t", changes)
    assert written == sorted(store.folder.glob("t.*.npy"))
    assert written[0].stat().st_mtime_ns > stamp
    assert first.shape == again.frames.shape


def test_delays_cover_the_range_evenly_and_differ_between_takes():
    delays = np.array([random_delays(f"take-{i}", 1200, 8) for i in range(200)])
    assert np.abs(delays).max() <= 1200
    edges = np.linspace(-1200, 1200, 9)
    for part, column in enumerate(delays.T):
        assert edges[part] - 1 <= column.min() < column.max() <= edges[part + 1] + 1
    assert abs(delays.mean()) < 60
    assert len({tuple(row) for row in delays.tolist()}) == 200
    assert random_delays("take-0", 1200, 8) == tuple(delays[0].tolist())


def test_every_delay_is_drawn_and_validation_clips_have_none(dataset):
    _, variations = opened(dataset, random_delay=True, delays_per_take=3)
    generator = np.random.default_rng(0)
    cut = variations.draw(60, generator)
    seen = {cut(row, 0, 0)[4].tobytes() for row in range(60)}
    assert seen == {variations.cut(0, 0, number, STAY)[4].tobytes() for number in range(3)}


def test_context_of_a_delayed_clip_repeats_its_first_frame(dataset):
    _, variations = opened(dataset, context=5, random_delay=True, delays_per_take=1)
    whole = variations.cut(0, 12, 0, STAY)
    begin = variations.cut(0, 0, 0, STAY)
    assert whole.shape == begin.shape == (15, 17, 128)
    take = dataset.read_take("s0-a")
    (delay,) = random_delays("s0-a", 1200, 1)
    expected = feature_of(
        "mel-stack", take.recording.samples, shifted(take.playback.samples, delay)
    )
    np.testing.assert_array_equal(whole, expected[:, 7:24])
    np.testing.assert_array_equal(begin[:, 5:], expected[:, :12])
    for lag in range(5):
        np.testing.assert_array_equal(begin[:, lag], expected[:, 0])


# The microphone

ORDERS = list(itertools.permutations(range(3)))
SIGNS = list(itertools.product((1, -1), repeat=3))


@pytest.mark.parametrize("feature", ["mel-stack", "log-mel", "intensity", "playback-residual"])
def test_turned_clip_is_the_feature_of_the_turned_recording(dataset, feature):
    _, variations = opened(
        dataset, feature, random_axis_order=True, random_axis_sign=True, omni_gain_db=1.0
    )
    take = dataset.read_take("s0-a")
    for order, signs in zip(ORDERS, SIGNS[1:7], strict=True):
        w, axes = take.recording.samples[:1], take.recording.samples[1:]
        turned = axes[list(order)] * np.array(signs, dtype=np.float32)[:, None]
        recording = np.concatenate([w * np.float32(10 ** (4.0 / 20)), turned])
        expected = feature_of(feature, recording, take.playback.samples)
        found = variations.cut(0, 9, 0, MicrophoneChange(order, signs, omni_gain_db=4.0))
        assert_same(found, expected[:, 9:21])
        assert np.abs(found - variations.cut(0, 9, 0, STAY)).max() > 0.01


def test_delay_and_microphone_act_together(dataset):
    settings = {"random_delay": True, "delays_per_take": 2, "random_axis_sign": True}
    _, variations = opened(dataset, random_axis_order=True, **settings)
    take = dataset.read_take("s1-a")
    playback = shifted(take.playback.samples, random_delays("s1-a", 1200, 2)[1])
    recording = take.recording.samples[[0, 3, 1, 2]] * np.float32([[1], [-1], [1], [-1]])
    expected = feature_of("mel-stack", recording, playback)
    found = variations.cut(1, 3, 1, MicrophoneChange((2, 0, 1), (-1, 1, -1)))
    assert_same(found, expected[:, 3:15])


def test_all_microphones_are_drawn(dataset):
    _, variations = opened(dataset, random_axis_order=True, random_axis_sign=True)
    generator = np.random.default_rng(1)
    drawn = {variations._draw_microphone(generator) for _ in range(800)}
    assert {(d.order, d.signs) for d in drawn} == set(itertools.product(ORDERS, SIGNS))
    assert {d.omni_gain_db for d in drawn} == {0.0}


def test_batch_is_augmented_before_it_is_normalised_and_by_its_own_seed(dataset):
    clips, variations = opened(dataset, random_axis_order=True, random_delay=True)
    clips.normalise(clips.measure("train", tuple(clips_names())))

    def batch(seed, varied=variations):
        opened_epoch = EpochClips(
            clips,
            clips_names(),
            epoch=0,
            seed=seed,
            hop_frames=12,
            batch_size=6,
            sampling="random",
            augmentation=AugmentationConfig(random_start=False),
            variations=varied,
        )
        return next(iter(opened_epoch))

    first, again, plain = batch(0), batch(0), batch(0, None)
    assert torch.equal(first.features, again.features)
    assert not torch.equal(first.features, batch(1).features)
    assert torch.equal(first.joints, plain.joints)
    mean, deviation = (torch.from_numpy(v).float() for v in clips.statistics[0])
    raw, still = (b.features * deviation[:, None] + mean[:, None] for b in (first, plain))
    torch.testing.assert_close(raw[:, 0], still[:, 0], atol=1e-3, rtol=1e-4)  # W stays
    for row in range(len(raw)):
        matches = [
            [a for a in range(1, 4) if torch.allclose(raw[row, b], still[row, a], atol=1e-3)]
            for b in range(1, 4)
        ]
        axes = [found[0] - 1 for found in matches]
        assert sorted(axes) == [0, 1, 2]
        expected = still[row, 6:9][axes]
        torch.testing.assert_close(raw[row, 6:9], expected, atol=1e-4, rtol=1e-3)


def clips_names() -> tuple[str, ...]:
    return tuple(features.create("mel-stack").channel_names)


# What cannot be done


def test_stored_features_cannot_be_delayed(dataset):
    store = FeatureStore(dataset, "mel-stack")
    clips = ClipSet(store, dataset.takes)
    store.dataset = open_dataset(dataset.path)
    store.dataset.stored_feature = "mel-stack"
    for settings in ({"random_delay": True}, {"random_axis_sign": True}):
        with pytest.raises(DatasetError, match="no audio that could be changed; set random_delay"):
            ClipVariations(AugmentationConfig(**settings), clips, store)
    ClipVariations(AugmentationConfig(random_axis_order=True), clips, store)


def test_feature_that_does_not_read_the_playback_cannot_be_delayed(dataset):
    with pytest.raises(ConfigError, match="'log-mel' does not change with the playback's delay"):
        opened(dataset, "log-mel", random_delay=True)


def test_channels_of_unknown_kind_are_refused():
    from acoustic_sense.training.microphone import MicrophoneChannels

    with pytest.raises(ConfigError, match="channel 'cepstrum/X' is not known"):
        MicrophoneChannels(("recording/W", "cepstrum/X"))
    with pytest.raises(ConfigError, match="channel 'intensity/X' is not known"):
        MicrophoneChannels(("intensity/X", "intensity/Y"))


# In training


def test_nothing_is_varied_unless_asked_for():
    assert not AugmentationConfig().varies_clips
    assert AugmentationConfig().delay_ms == 25.0


def test_training_with_variations_is_reproducible_and_differs(shared_dataset, tmp_path):
    def run(name, **augmentation):
        data = {
            "data": {"path": str(shared_dataset), "protocol": "leave-one-subject-out"},
            "encoder": {"name": "bgm2pose-fa", "config": {"width": 0.0625}},
            "training": {"epochs": 1, "batch_size": 4, "augmentation": augmentation},
        }
        seen = []
        result = train(TrainConfig.model_validate(data), tmp_path / name, on_progress=seen.append)
        opened_takes = [(p.done, p.total) for p in seen if p.stage == "features"]
        return result.model.read_bytes(), opened_takes

    settings = {"random_delay": True, "delays_per_take": 2, "random_axis_order": True}
    varied, progress = run("varied", **settings, random_axis_sign=True, omni_gain_db=3.0)
    assert progress == [(done, 8) for done in range(1, 9)]
    again, _ = run("again", **settings, random_axis_sign=True, omni_gain_db=3.0)
    plain, progress = run("plain")
    assert progress == [(done, 4) for done in range(1, 5)]
    assert varied == again
    assert varied != plain
