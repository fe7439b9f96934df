"""Inference: model files make the round trip, and every length and mistake is met."""

import json
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from acoustic_sense.errors import AudioError, ModelError
from acoustic_sense.inference import (
    ComponentChoice,
    build_pipeline,
    load_model,
    loading,
    save_model,
)
from acoustic_sense.inference.clips import (
    clip_starts,
    frame_moments,
    frame_statistics,
    predict_frames,
)
from acoustic_sense.inference.model import describe_model
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.types import Playback, Recording


@pytest.fixture(scope="module")
def pipeline():
    description = describe_model(
        ComponentChoice(name="mel-stack"),
        ComponentChoice(name="bgm2pose-fa", config={"width": 0.0625}),
        ComponentChoice(name="pose"),
    )
    built = build_pipeline(description, torch.Generator().manual_seed(5))
    with torch.no_grad():
        built.model.feature_mean.fill_(-40.0)
        built.model.feature_deviation.fill_(20.0)
        built.model.mean_target.copy_(torch.arange(63.0))
    return built


@pytest.fixture
def model_file(pipeline, tmp_path):
    save_model(tmp_path / "small.safetensors", pipeline)
    return tmp_path / "small.safetensors"


def sound(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    count = round(seconds * 48_000)
    recording = 0.1 * generator.standard_normal((4, count))
    playback = 0.1 * generator.standard_normal((2, count))
    return recording.astype(np.float32), playback.astype(np.float32)


def test_settings_that_were_not_given_are_in_the_file(model_file):
    """So that a default that changes later does not change what the model computes."""
    encoder = load_model(model_file).description.encoder
    assert encoder.config["width"] == 0.0625
    assert set(encoder.config) == set(load_plugins().encoders["bgm2pose-fa"].Config.model_fields)


def test_model_makes_the_round_trip(pipeline, model_file):
    predictor = load_model(model_file)
    assert predictor.description == pipeline.description
    for name, value in pipeline.model.state_dict().items():
        assert torch.equal(predictor.pipeline.model.state_dict()[name], value), name
    assert predictor.feature_name == "mel-stack"
    assert predictor.card["encoder"]["name"] == "bgm2pose-fa"
    np.testing.assert_array_equal(predictor.mean_pose.ravel(), np.arange(63))


def test_same_model_gives_the_same_file(pipeline, model_file, tmp_path):
    save_model(tmp_path / "again.safetensors", pipeline)
    assert (tmp_path / "again.safetensors").read_bytes() == model_file.read_bytes()


def test_building_is_seeded_and_leaves_the_global_generator_alone(pipeline):
    state = torch.get_rng_state()
    builds = [
        build_pipeline(pipeline.description, torch.Generator().manual_seed(seed)).model
        for seed in (1, 1, 2)
    ]
    assert torch.equal(torch.get_rng_state(), state)
    weights = [torch.cat([p.flatten() for p in model.parameters()]) for model in builds]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@given(frame_count=st.integers(0, 100), clip_frames=st.integers(1, 20))
def test_clips_cover_every_frame_and_never_leave_the_take(frame_count, clip_frames):
    starts = clip_starts(frame_count, clip_frames)
    covered = {frame for start in starts for frame in range(start, start + clip_frames)}
    assert covered == (set(range(frame_count)) if frame_count >= clip_frames else set())
    assert len(starts) == -(-frame_count // clip_frames) if starts else frame_count < clip_frames


@pytest.mark.parametrize("seconds", [0.6, 0.61, 0.94, 1.2, 1.7999])
def test_every_length_gives_a_pose_for_each_whole_frame(model_file, seconds):
    predictor = load_model(model_file)
    recording, playback = sound(seconds)
    poses = predictor.predict(recording, playback)
    assert poses.shape == (recording.shape[1] // 2400, 21, 3)
    assert poses.dtype == np.float32
    assert np.isfinite(poses).all()


def test_last_partial_clip_is_aligned_to_the_end(model_file):
    predictor = load_model(model_file)
    recording, playback = sound(0.9)
    poses = predictor.predict(recording, playback)
    first = predictor.predict(recording[:, :28_800], playback[:, :28_800])
    last = predictor.predict(recording[:, -28_800:], playback[:, -28_800:])
    np.testing.assert_allclose(poses[:12], first, atol=1e-4)
    np.testing.assert_allclose(poses[12:], last[6:], atol=1e-4)


def test_prediction_is_that_of_the_model_clip_by_clip(pipeline, model_file):
    predictor = load_model(model_file)
    recording, playback = sound(1.2)
    frames = torch.from_numpy(predictor.feature_frames(recording, playback))
    clips = torch.stack([frames[:, :12], frames[:, 12:]])
    with torch.no_grad():
        model = predictor.pipeline.model.eval()
        expected = model((clips + 40.0) / 20.0).reshape(24, 21, 3).numpy()
    np.testing.assert_allclose(predictor.predict(recording, playback), expected, atol=1e-4)


def test_arrays_and_types_give_the_same(model_file):
    predictor = load_model(model_file)
    recording, playback = sound(0.7)
    typed = predictor.predict(Recording(recording, 48_000), Playback(playback, 48_000))
    np.testing.assert_array_equal(predictor.predict(recording, playback), typed)
    wide = predictor.predict(recording.astype(np.float64), playback.astype(np.float64))
    np.testing.assert_array_equal(wide, typed)


@pytest.mark.parametrize("normalisation", ["track", "track-bins"])
def test_track_normalisation_uses_the_recording_itself(pipeline, tmp_path, normalisation):
    description = pipeline.description.model_copy(update={"normalisation": normalisation})
    own = build_pipeline(description, torch.Generator().manual_seed(5))
    for name, buffer in own.model.named_buffers():
        if name.endswith("running_var"):  # an untrained network hardly looks at its input
            buffer.fill_(0.05)
    save_model(tmp_path / "track.safetensors", own)
    predictor = load_model(tmp_path / "track.safetensors")
    recording, playback = sound(0.9)
    frames = predictor.feature_frames(recording, playback)
    mean, deviation = frame_statistics(
        [frame_moments(frames)], normalisation, description.channel_names
    )
    expected = predict_frames(predictor.pipeline, frames, (mean, deviation)).reshape(-1, 21, 3)
    predicted = predictor.predict(recording, playback)
    tolerance = 1e-5 * np.abs(expected).max()  # this network's predictions reach 1e4
    np.testing.assert_allclose(predicted, expected, atol=tolerance)
    unlike = predict_frames(predictor.pipeline, frames).reshape(-1, 21, 3)
    assert np.abs(predicted - unlike).max() > 100 * tolerance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r, p: (r[:, :20_000], p[:, :20_000], 48_000), "shorter than one clip"),
        (lambda r, p: (r[:3], p, 48_000), r"\(4, sample\)"),
        (lambda r, p: (r, p[:, 1:], 48_000), "cut both to the same"),
        (lambda r, p: (r, p, 44_100), "resample"),
        (lambda r, p: (r * np.nan, p, 48_000), "not finite"),
    ],
)
def test_wrong_audio_is_refused(model_file, change, message):
    recording, playback, rate = change(*sound(0.7))
    with pytest.raises(AudioError, match=message):
        load_model(model_file).predict(recording, playback, rate)


# Files that are no model


def test_pickle_is_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    for name in ("trap.safetensors", "model.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        with pytest.raises(ModelError, match="not a model file"):
            load_model(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_missing_model_names_those_that_ship(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "shipped_models", lambda: {"small": tmp_path / "s.safetensors"})
    with pytest.raises(ModelError, match="did you mean 'small'"):
        load_model("smal")


def test_shipped_models_load_by_name(model_file, monkeypatch):
    monkeypatch.setattr(loading, "shipped_models", lambda: {"small": model_file})
    assert load_model("small").feature_name == "mel-stack"


def test_every_shipped_model_loads_and_predicts():
    for name in loading.shipped_models():
        poses = load_model(name).predict(*sound(0.7))
        assert poses.shape == (14, 21, 3)


def test_interrupted_run_says_how_to_go_on(tmp_path):
    with pytest.raises(ModelError, match="resume its training"):
        load_model(tmp_path)


def test_safetensors_of_others_are_refused(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="of another program"):
        load_model(tmp_path / "other.safetensors")


def rewritten(model_file, change):
    """Write the model file again with its description or its tensors changed."""
    from safetensors import safe_open

    with safe_open(model_file, framework="pt") as file:
        data = json.loads(file.metadata()["acoustic_sense"])
    tensors = load_file(model_file)
    change(data, tensors)
    save_file(tensors, model_file, metadata={"acoustic_sense": json.dumps(data)})
    return model_file


def _later_format(data, tensors):
    data["format_version"] = 99


def _unknown_encoder(data, tensors):
    data["encoder"]["name"] = "private-encoder"
    data["plugins"]["encoder"] = "private-plugin 1.2"


def _other_channels(data, tensors):
    data["channel_names"] = data["channel_names"][:-1]


def _bad_description(data, tensors):
    data["bin_count"] = "many"


def _without_tensor(data, tensors):
    del tensors["feature_mean"]


def _more_tensors(data, tensors):
    tensors["spare"] = torch.zeros(2)


def _other_shape(data, tensors):
    tensors["feature_mean"] = torch.zeros(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_later_format, "model format 99"),
        (_unknown_encoder, "unknown encoder 'private-encoder'.*private-plugin 1.2"),
        (_other_channels, "not the 14 of 128"),
        (_bad_description, "description cannot be read"),
        (_without_tensor, "lacks tensor 'feature_mean'"),
        (_more_tensors, "unknown tensor 'spare'"),
        (_other_shape, r"shape \(3,\)"),
    ],
)
def test_model_that_does_not_fit_says_why(model_file, change, message):
    with pytest.raises(ModelError, match=message):
        load_model(rewritten(model_file, change))
