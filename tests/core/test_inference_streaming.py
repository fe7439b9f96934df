"""Streaming: buffers of any size give what the whole recording gives, no later than it says."""

import math

import numpy as np
import psutil
import pytest
import torch
from acoustic_sense_plugins.pose.task import Pose
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from acoustic_sense.contracts import Encoder, EncoderOutput, Feature, FeatureShape, FeatureStream
from acoustic_sense.errors import AudioError, ModelError
from acoustic_sense.inference import (
    ComponentChoice,
    ModelDescription,
    Pipeline,
    Predictor,
    SensingModel,
    Stream,
    build_pipeline,
    load_model,
)
from acoustic_sense.inference.clips import compute_frames, predict_frames
from acoustic_sense.inference.model import describe_model
from acoustic_sense.testing import ContractError, check_feature
from acoustic_sense.types import Playback, Recording

FRAME = 2400
CLIP = 12


def lively(model: SensingModel) -> SensingModel:
    """Make an untrained network depend on its input."""
    for name, buffer in model.named_buffers():
        if name.endswith("running_var"):
            buffer.fill_(0.2)
    return model.eval()


@pytest.fixture(scope="module")
def predictor():
    description = describe_model(
        ComponentChoice(name="mel-stack"),
        ComponentChoice(name="bgm2pose-fa", config={"width": 0.0625}),
        ComponentChoice(name="pose"),
    )
    pipeline = build_pipeline(description, torch.Generator().manual_seed(5))
    with torch.no_grad():
        pipeline.model.feature_mean.fill_(-40.0)
        pipeline.model.feature_deviation.fill_(20.0)
    lively(pipeline.model)
    return Predictor(pipeline)


def sound(samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    drift = np.linspace(0.02, 0.2, samples)
    recording = drift * generator.standard_normal((4, samples))
    playback = drift[::-1] * generator.standard_normal((2, samples))
    return recording.astype(np.float32), playback.astype(np.float32)


def streamed(stream, recording, playback, sizes):
    """Push buffers of these sizes, the last of them again and again, and return all poses."""
    parts, start, sizes = [], 0, list(sizes)
    while start < recording.shape[1]:
        size = sizes.pop(0) if len(sizes) > 1 else max(sizes[0], 1)
        parts.append(stream.push(recording[:, start : start + size], playback[:, start:][:, :size]))
        start += size
    return np.concatenate([*parts, stream.finish()])


# Equality


@pytest.mark.parametrize("size", [1, 7, 480, 1023, FRAME, 2401, 12 * FRAME + 5, 10**6])
def test_buffers_of_one_size_give_the_bits_of_the_whole(predictor, size):
    recording, playback = sound(17 * FRAME + 55)
    whole = predictor.predict(recording, playback)
    parts = streamed(predictor.stream(), recording, playback, [size])
    np.testing.assert_array_equal(parts, whole)
    assert whole.shape == (17, 21, 3)
    assert np.ptp(whole, axis=0).max() > 1e-2  # a model that hears nothing would prove nothing


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40_000), min_size=1, max_size=12),
    samples=st.integers(CLIP * FRAME, 40 * FRAME),
    hop=st.integers(1, CLIP),
)
def test_buffers_of_mixed_sizes_give_the_bits_of_the_whole(predictor, sizes, samples, hop):
    recording, playback = sound(samples, seed=samples)
    whole = predictor.predict(recording, playback, hop_frames=hop)
    stream = predictor.stream(hop_frames=hop)
    assert len(whole) == samples // FRAME
    np.testing.assert_array_equal(streamed(stream, recording, playback, [*sizes, 5000]), whole)
    assert stream.frame_count == len(whole)


def first_clip_that_holds_each(model, frames, hop):
    """Literal: predict every clip, keep for each frame what the first clip that holds it says."""
    count = frames.shape[1]
    ends = [*range(CLIP, count, hop), count]
    result = {}
    for end in ends:
        clip = (torch.from_numpy(frames[:, end - CLIP : end]) + 40.0) / 20.0
        with torch.no_grad():
            poses = model(clip[None])[0].reshape(CLIP, 21, 3).numpy()
        for frame, pose in zip(range(end - CLIP, end), poses, strict=True):
            result.setdefault(frame, pose)
    return np.stack([result[frame] for frame in range(count)])


@pytest.mark.parametrize("hop", [1, 5, 12])
@pytest.mark.parametrize("count", [12, 13, 24, 31])
def test_matches_the_literal_definition(predictor, hop, count):
    recording, playback = sound(count * FRAME + 100, seed=count)
    frames = predictor.feature_frames(recording, playback)
    expected = first_clip_that_holds_each(predictor.pipeline.model, frames, hop)
    poses = streamed(predictor.stream(hop_frames=hop), recording, playback, [3001])
    np.testing.assert_allclose(poses, expected, atol=1e-5)


def test_matches_the_clips_that_evaluation_uses(predictor):
    recording, playback = sound(410 * FRAME)  # more than one chunk of the offline feature
    frames = compute_frames(predictor.pipeline.feature, recording, playback)
    expected = predict_frames(predictor.pipeline, frames).reshape(-1, 21, 3)
    poses = streamed(predictor.stream(), recording, playback, [4800])
    np.testing.assert_allclose(poses, expected, atol=1e-5)


def test_shipped_model_streams():
    predictor = load_model("small-mel-stack")
    recording, playback = sound(20 * FRAME)
    statistics = predictor.track_statistics(recording, playback)
    poses = streamed(predictor.stream(statistics=statistics), recording, playback, [960])
    np.testing.assert_array_equal(poses, predictor.predict(recording, playback))


def test_shipped_model_that_hears_the_whole_recording_says_so():
    predictor = load_model("small")
    statistics = predictor.track_statistics(*sound(20 * FRAME))
    with pytest.raises(ModelError, match="has to hear the whole recording"):
        predictor.stream(statistics=statistics)


def test_types_and_mono_playback_are_taken(predictor):
    recording, playback = sound(12 * FRAME)
    mono = playback[0]
    typed, plain = predictor.stream(), predictor.stream()
    first = typed.push(Recording(recording, 48_000), Playback(mono[None], 48_000))
    np.testing.assert_array_equal(first, plain.push(recording.astype(np.float64), mono))
    assert first.shape == (12, 21, 3)
    assert typed.finish().shape == (0, 21, 3)


def test_target_stream_gives_what_predict_target_gives(predictor):
    recording, playback = sound(14 * FRAME)
    targets = streamed(predictor.stream_target(), recording, playback, [999])
    np.testing.assert_array_equal(targets, predictor.predict_target(recording, playback))
    assert targets.shape == (14, 63)


def test_track_normalisation_needs_statistics(predictor):
    pipeline = predictor.pipeline
    description = pipeline.description.model_copy(update={"normalisation": "track"})
    own = Predictor(Pipeline(description, pipeline.feature, pipeline.model))
    recording, playback = sound(20 * FRAME)
    with pytest.raises(ModelError, match="track_statistics"):
        own.stream()
    stream = own.stream(statistics=own.track_statistics(recording, playback))
    whole = own.predict(recording, playback)
    np.testing.assert_array_equal(streamed(stream, recording, playback, [4000]), whole)
    assert np.abs(whole - predictor.predict(recording, playback)).max() > 1e-2


# Latency


@pytest.mark.parametrize("hop", [1, 4, 12, None])
def test_poses_come_no_later_than_the_stated_latency(predictor, hop):
    recording, playback = sound(40 * FRAME)
    stream = predictor.stream(hop_frames=hop)
    waits, given_count = [], 0
    for start in range(0, recording.shape[1], 600):
        poses = stream.push(recording[:, start : start + 600], playback[:, start : start + 600])
        now_s = (start + 600) / 48_000
        waits += [now_s - (given_count + i) * 0.05 for i in range(len(poses))]
        given_count += len(poses)
    assert max(waits) == pytest.approx(stream.first_latency_s) == pytest.approx(0.6)
    assert max(waits[CLIP:]) == pytest.approx(stream.latency_s) == pytest.approx(0.05 * (hop or 12))


# Features with memory, encoders that ask for earlier frames


class Loudness(Feature):
    """Level over all frames so far and the two that follow: memory and look-ahead."""

    local = False
    channel_names = ("level/heard", "level/sent")
    bin_count = 2

    def levels(self, recording, playback):
        frames = [
            signal.unflatten(-1, (-1, self.frame_samples)).square().mean((1, 3))
            for signal in (recording, playback)
        ]
        return torch.stack(frames, dim=1)[..., None] * torch.tensor([1.0, 10.0])

    def forward(self, recording, playback):
        whole = recording.shape[-1] // self.frame_samples * self.frame_samples
        levels = self.levels(recording[..., :whole], playback[..., :whole])
        padded = nn.functional.pad(levels.cumsum(2), (0, 0, 0, 2), mode="replicate")
        return padded[:, :, 2:]


class LoudnessStream(FeatureStream):
    look_ahead_frames = 2

    def __init__(self, feature):
        super().__init__(feature)
        self.total = torch.zeros(2, 1, 2)
        self.seen = 0

    def push(self, recording, playback):
        levels = self.feature.levels(recording[None], playback[None])[0]
        sums = self.total + levels.cumsum(1)
        self.total = sums[:, -1:]
        skipped = max(2 - self.seen, 0)
        self.seen += levels.shape[1]
        return sums[:, skipped:]

    def finish(self):
        return self.total.expand(-1, min(self.seen, 2), -1)


class StreamingLoudness(Loudness):
    def stream(self):
        return LoudnessStream(self)


class ForgetfulStream(LoudnessStream):
    def push(self, recording, playback):
        self.total = torch.zeros(2, 1, 2)
        return super().push(recording, playback)


class LateStream(LoudnessStream):
    look_ahead_frames = 1


class Running(Encoder):
    """Means over a frame and the five before it."""

    context_frames = 5
    latent_dim = local_dim = summary_dim = 4

    def forward(self, features):
        windows = features.unfold(2, 6, 1).mean(-1)
        latents = windows.permute(0, 2, 1, 3).flatten(2)
        return EncoderOutput(latents, latents, latents.mean(1))


def with_memory(feature: Feature) -> Predictor:
    shape = FeatureShape(feature.channel_names, feature.bin_count)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        task = Pose(None, 4)
    choice = ComponentChoice(name="of-this-test")
    description = ModelDescription(
        feature=choice,
        encoder=choice,
        task=choice,
        channel_names=feature.channel_names,
        bin_count=feature.bin_count,
    )
    model = SensingModel(Running(None, shape), task, 2, 2)
    return Predictor(Pipeline(description, feature.eval(), model.eval()))


@pytest.mark.parametrize("samples", [12 * FRAME, 13 * FRAME + 1, 31 * FRAME, 36 * FRAME + 70])
@pytest.mark.parametrize("size", [700, FRAME, 50_000])
def test_memory_look_ahead_and_context_give_what_the_whole_gives(samples, size):
    predictor = with_memory(StreamingLoudness())
    recording, playback = sound(samples)
    frames = compute_frames(Loudness(), recording, playback)
    expected = predict_frames(predictor.pipeline, frames).reshape(-1, 21, 3)
    assert np.ptp(expected, axis=0).max() > 1e-2
    poses = streamed(predictor.stream(), recording, playback, [size])
    np.testing.assert_allclose(poses, expected, atol=1e-5)


def test_look_ahead_adds_to_the_latency():
    stream = with_memory(StreamingLoudness()).stream(hop_frames=3)
    assert (stream.latency_s, stream.first_latency_s) == pytest.approx((0.25, 0.7))
    recording, playback = sound(14 * FRAME)
    assert stream.push(recording[:, :-1], playback[:, :-1]).shape[0] == 0
    assert stream.push(recording[:, -1:], playback[:, -1:]).shape[0] == 12


def test_feature_that_hears_the_whole_first_predicts_but_does_not_stream():
    predictor = with_memory(Loudness())
    recording, playback = sound(20 * FRAME)
    expected = with_memory(StreamingLoudness()).predict(recording, playback)
    np.testing.assert_allclose(predictor.predict(recording, playback), expected, atol=1e-5)
    with pytest.raises(ModelError, match="has to hear the whole recording"):
        predictor.stream()
    assert Stream(predictor.pipeline).latency_s == math.inf


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (ForgetfulStream, "does not give what the whole take gives"),
        (LateStream, "looks 1 frames ahead, but gave 1 of 3"),
    ],
)
def test_contract_holds_a_stream_to_the_feature(made, message):
    class Broken(Loudness):
        def stream(self):
            return made(self)

    check_feature(StreamingLoudness())
    check_feature(Loudness())
    with pytest.raises(ContractError, match=message):
        check_feature(Broken())


def test_memory_does_not_grow_with_the_recording():
    stream = with_memory(StreamingLoudness()).stream()
    recording, playback = sound(48_000)
    for _ in range(20):
        stream.push(recording, playback)
    before = psutil.Process().memory_info().rss
    for _ in range(600):
        stream.push(recording, playback)
    grown = psutil.Process().memory_info().rss - before
    assert grown < 20e6 < 600 * recording.nbytes / 10


# Mistakes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r, p: (r[:3], p), r"\(4, sample\)"),
        (lambda r, p: (r[0], p), r"\(4, sample\)"),
        (lambda r, p: (r, p[:1]), "has 1 channels, but had 2 before"),
        (lambda r, p: (r, p[:, 1:]), "cut both to the same"),
        (lambda r, p: (r * np.nan, p), "not finite"),
        (lambda r, p: (Recording(r, 44_100), p), "resample"),
    ],
)
def test_refused_buffers_leave_the_stream_as_it_was(predictor, change, message):
    recording, playback = sound(13 * FRAME)
    stream = predictor.stream()
    stream.push(recording[:, :5000], playback[:, :5000])
    with pytest.raises(AudioError, match=message):
        stream.push(*change(recording[:, 5000:9000], playback[:, 5000:9000]))
    parts = [stream.push(recording[:, 5000:], playback[:, 5000:]), stream.finish()]
    np.testing.assert_array_equal(np.concatenate(parts), predictor.predict(recording, playback))


def test_ended_stream_takes_nothing_more(predictor):
    stream = predictor.stream()
    stream.push(*sound(12 * FRAME))
    stream.finish()
    for again in (stream.finish, lambda: stream.push(*sound(10))):
        with pytest.raises(AudioError, match=r"has ended; begin another one"):
            again()


@pytest.mark.parametrize("samples", [0, 12 * FRAME - 1])
def test_less_than_a_clip_is_refused_at_the_end(predictor, samples):
    stream = predictor.stream()
    assert stream.push(*sound(samples)).shape == (0, 21, 3)
    with pytest.raises(AudioError, match=r"less than one clip of 0\.6 s"):
        stream.finish()


@pytest.mark.parametrize("hop", [0, 13, -1])
def test_hop_outside_a_clip_is_refused(predictor, hop):
    with pytest.raises(ModelError, match=f"hop_frames is {hop}, but must lie between 1 and the 12"):
        predictor.stream(hop_frames=hop)


def test_rate_of_arrays_is_checked(predictor):
    with pytest.raises(AudioError, match="44100 Hz but the model reads 48000"):
        predictor.stream(44_100).push(*sound(100))
