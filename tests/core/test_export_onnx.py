"""ONNX export: onnxruntime alone gives what torch gives, for any number of clips."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from acoustic_sense.cli.main import run
from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape, Task
from acoustic_sense.errors import AcousticSenseError, ModelError
from acoustic_sense.inference import (
    ComponentChoice,
    Pipeline,
    Predictor,
    SensingModel,
    build_pipeline,
    export_onnx,
    load_pipeline,
    onnx_files,
    save_model,
)
from acoustic_sense.inference.clips import compute_frames
from acoustic_sense.inference.model import describe_model

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

TOLERANCE = 1e-4


def pipeline_of(width=0.0625, normalisation="train-bins", **settings) -> Pipeline:
    """A model whose predictions depend on its input, with statistics of every bin's own."""
    description = describe_model(
        ComponentChoice(name="mel-stack"),
        ComponentChoice(name="bgm2pose-fa", config={"width": width, **settings}),
        ComponentChoice(name="pose"),
        normalisation=normalisation,
    )
    built = build_pipeline(description, torch.Generator().manual_seed(5))
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for name, value in built.model.named_buffers():
            if name.endswith("running_mean"):
                value.normal_(0.0, 0.1, generator=generator)
            elif name.endswith("running_var"):
                value.uniform_(0.2, 0.6, generator=generator)
        built.model.feature_mean.normal_(-40.0, 10.0, generator=generator)
        built.model.feature_deviation.uniform_(5.0, 20.0, generator=generator)
    built.model.eval()
    return built


def session_of(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def metadata_of(path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def by_torch(pipeline: Pipeline, features: np.ndarray) -> np.ndarray:
    """What the model predicts for features that are not normalised, `(batch, frame, 21, 3)`."""
    mean, deviation = pipeline.model.feature_mean, pipeline.model.feature_deviation
    with torch.no_grad():
        normalised = (torch.from_numpy(features) - mean[:, None]) / deviation[:, None]
        return pipeline.model(normalised).reshape(len(features), -1, 21, 3).numpy()


def feature_clips(pipeline: Pipeline, count: int) -> np.ndarray:
    generator = np.random.default_rng(count)
    signals = (
        generator.standard_normal((channels, count * 12 * 2400)).astype(np.float32)
        for channels in (4, 2)
    )
    frames = compute_frames(pipeline.feature, *signals)
    return np.ascontiguousarray(frames.reshape(len(frames), count, 12, 128).swapaxes(0, 1))


def check_against_torch(path, pipeline: Pipeline) -> None:
    session = session_of(path)
    statistics = {  # of models that are normalised by the recording itself
        each.name: getattr(pipeline.model, each.name).numpy()
        for each in session.get_inputs()
        if each.name != "features"
    }
    for count in (1, 2, 7):
        features = feature_clips(pipeline, count)
        expected = by_torch(pipeline, features)
        (poses,) = session.run(["pose"], {"features": features, **statistics})
        assert poses.shape == (count, 12, 21, 3)
        np.testing.assert_allclose(poses, expected, atol=TOLERANCE)
        assert np.ptp(expected, axis=(0, 1)).max() > 100 * TOLERANCE


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folder with a narrow model as `model.safetensors` and `model.onnx`."""
    folder = tmp_path_factory.mktemp("exported")
    pipeline = pipeline_of()
    save_model(folder / "model.safetensors", pipeline)
    assert export_onnx(folder / "model.onnx", pipeline) < TOLERANCE
    return folder


def test_runtime_gives_what_torch_gives(exported):
    check_against_torch(exported / "model.onnx", pipeline_of())


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"width": 1.0}, id="full-width", marks=pytest.mark.slow),
        {"attention": False, "playback_conditioning": False, "time_kernel": 1},
    ],
)
def test_runtime_gives_what_torch_gives_at_other_settings(settings, tmp_path):
    pipeline = pipeline_of(**settings)
    export_onnx(tmp_path / "model.onnx", pipeline)
    check_against_torch(tmp_path / "model.onnx", pipeline)


def test_statistics_of_the_track_are_inputs(tmp_path):
    pipeline = pipeline_of(normalisation="track-bins")
    export_onnx(tmp_path / "model.onnx", pipeline)
    assert metadata_of(tmp_path / "model.onnx")["normalised_by"] == "inputs"
    generator = np.random.default_rng(1)
    recording, playback = (
        0.1 * generator.standard_normal((channels, 24 * 2400)).astype(np.float32)
        for channels in (4, 2)
    )
    predictor = Predictor(pipeline)
    mean, deviation = predictor.track_statistics(recording, playback)
    frames = predictor.feature_frames(recording, playback)
    feeds = {
        "features": np.ascontiguousarray(frames.reshape(15, 2, 12, 128).swapaxes(0, 1)),
        "feature_mean": mean.astype(np.float32),
        "feature_deviation": deviation.astype(np.float32),
    }
    (poses,) = session_of(tmp_path / "model.onnx").run(None, feeds)
    expected = predictor.predict(recording, playback)
    np.testing.assert_allclose(poses.reshape(24, 21, 3), expected, atol=TOLERANCE)


class Mean(Encoder):
    """Two frames of context, averaged into each frame."""

    context_frames = 2
    latent_dim = local_dim = summary_dim = 15

    def forward(self, features):
        latents = features.mean(3).unfold(2, 3, 1).mean(3).transpose(1, 2)
        return EncoderOutput(latents, latents, latents.mean(1))


class ByValue(Mean):
    """Looks at values while it decides what to do, which no graph can hold."""

    def forward(self, features):
        return super().forward(-features if features.sum() > 0 else features)


class Sums(Task):
    target_dim = 1

    def forward(self, latents):
        return latents.sum(2, keepdim=True)

    target = initialise = loss = metrics = None


def own_pipeline(encoder: type[Encoder]) -> Pipeline:
    other = pipeline_of()
    model = SensingModel(encoder(None, FeatureShape(("x",) * 15, 128)), Sums(None, 15), 15, 128)
    return Pipeline(other.description, other.feature, model.eval())


def test_other_encoders_and_tasks_are_exported(tmp_path):
    pipeline = own_pipeline(Mean)
    export_onnx(tmp_path / "model.onnx", pipeline)
    features = np.random.default_rng(0).standard_normal((3, 15, 14, 128)).astype(np.float32)
    (values,) = session_of(tmp_path / "model.onnx").run(["prediction"], {"features": features})
    means = features.astype(np.float64).mean(3).sum(1)
    expected = (means[:, :-2] + means[:, 1:-1] + means[:, 2:]) / 3
    np.testing.assert_allclose(values[..., 0], expected, atol=TOLERANCE)
    metadata = metadata_of(tmp_path / "model.onnx")
    assert metadata["context_frames"] == "2"
    assert "joint_names" not in metadata


def test_network_that_no_graph_can_hold_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"encoder 'bgm2pose-fa' .* cannot be exported to ONNX"):
        export_onnx(tmp_path / "model.onnx", own_pipeline(ByValue))
    assert not list(tmp_path.iterdir())


def test_file_that_differs_from_torch_is_not_written(exported, tmp_path, monkeypatch):
    graph = onnx.load(exported / "model.onnx")
    monkeypatch.setattr(onnx_files, "_traced", lambda network, description: graph)
    other = pipeline_of()
    with torch.no_grad():
        other.model.task.head.bias[7] += 0.01
    with pytest.raises(ModelError, match="not written, since onnxruntime differs from torch"):
        export_onnx(tmp_path / "model.onnx", other)
    assert not list(tmp_path.iterdir())


# The file


def test_file_says_how_to_feed_it(exported):
    metadata = metadata_of(exported / "model.onnx")
    session = session_of(exported / "model.onnx")
    (features,), (pose,) = session.get_inputs(), session.get_outputs()
    names = json.loads(metadata["channel_names"])
    clip_frames, bins = int(metadata["clip_frames"]), int(metadata["bin_count"])
    assert features.shape == ["batch", len(names), clip_frames, bins] == ["batch", 15, 12, 128]
    assert pose.shape == ["batch", 12, 21, 3]
    assert names[:4] == ["recording/W", "recording/X", "recording/Y", "recording/Z"]
    assert json.loads(metadata["joint_names"]) == list(JOINT_NAMES)
    assert json.loads(metadata["joint_parents"])[0] == -1
    assert (metadata["sample_rate_hz"], metadata["frame_samples"]) == ("48000", "2400")
    assert (metadata["normalisation"], metadata["normalised_by"]) == ("train-bins", "graph")
    assert metadata["feature"] == "mel-stack"
    assert json.loads(metadata["model_card"])["encoder"]["config"]["width"] == 0.0625
    documented = {
        word.strip("` ")
        for line in onnx_files.__doc__.splitlines()
        if line.startswith("| `")
        for word in line.split("|")[1].split(",")
    }
    assert set(metadata) == documented


def test_file_runs_where_neither_torch_nor_the_framework_is_imported(exported):
    code = (
        "import sys, numpy as np, onnxruntime\n"
        "s = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])\n"
        "p, = s.run(None, {'features': np.zeros((5, 15, 12, 128), np.float32)})\n"
        "print(p.shape, s.get_modelmeta().custom_metadata_map['feature'],\n"
        "      {'torch', 'acoustic_sense'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(exported / "model.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(5, 12, 21, 3) mel-stack set()"


def test_model_in_training_gives_the_same_file_and_stays_in_training(exported, tmp_path):
    pipeline = pipeline_of()
    pipeline.model.train()
    export_onnx(tmp_path / "again.onnx", pipeline)
    assert pipeline.model.training
    assert (tmp_path / "again.onnx").read_bytes() == (exported / "model.onnx").read_bytes()


def test_file_bears_no_trace_of_the_machine(exported):
    data = (exported / "model.onnx").read_bytes()
    for trace in (b".py", b"site-packages", b"torch"):
        assert trace not in data


# The command


def outcome(capsys, *arguments):
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_command_exports_the_shipped_model(tmp_path, capsys):
    out = tmp_path / "small.onnx"
    code, text, errors = outcome(capsys, "export", "small", "--out", out)
    assert (code, errors) == (0, "")
    assert text.startswith(f"{out}: 1.9 MB from model 'small', within ")
    assert list(tmp_path.iterdir()) == [out]
    check_against_torch(out, load_pipeline("small"))


@pytest.mark.parametrize(
    ("model", "out", "message"),
    [
        ("small", "model.pt", "name a file ending in .onnx"),
        ("smal", "model.onnx", "did you mean 'small'"),
        ("small", "nowhere/model.onnx", "make it first"),
    ],
)
def test_command_refuses_in_one_line(model, out, message, tmp_path, capsys):
    code, text, errors = outcome(capsys, "export", model, "--out", tmp_path / out)
    assert (code, text) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_extra_is_named(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    code, _, errors = outcome(capsys, "export", "small", "--out", tmp_path / "model.onnx")
    assert code == 2
    assert errors == (
        f"error: ONNX files need the package '{name}'; install it with: "
        "pip install 'acoustic-sense[onnx]'\n"
    )
    with pytest.raises(AcousticSenseError, match=r"acoustic-sense\[onnx\]"):
        export_onnx(tmp_path / "model.onnx", pipeline_of())
    assert not list(tmp_path.iterdir())
