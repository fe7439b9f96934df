"""ONNX files: a trained network that runs without this framework and without torch.

The graph takes features as they are computed, normalises them, and returns what the task predicts.
What a program needs to know to feed it stands in the file's `metadata_props`:

| key | holds |
|---|---|
| `acoustic_sense_version` | release that wrote the file |
| `feature`, `feature_config` | registered feature and its settings (JSON) |
| `channel_names` | the feature's channels (JSON) |
| `bin_count`, `clip_frames`, `context_frames` | bins, frames of a clip, frames before it |
| `sample_rate_hz`, `frame_samples` | samples per second and per frame |
| `frame_rate_hz` | frames per second |
| `normalisation` | as in the model's description |
| `normalised_by` | `graph`, or `inputs` where mean and deviation are inputs of their own |
| `task` | registered task |
| `joint_names` | joints of a pose (JSON) |
| `joint_parents` | index of the joint that each hangs on, -1 for none (JSON) |
| `pose_unit`, `pose_frame` | what 1 is, and where the origin and the axes are |
| `model_card` | everything that the model file says of the model (JSON) |
"""

import copy
import json
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense import __version__
from acoustic_sense.constants import FRAME_RATE_HZ, JOINT_NAMES, JOINT_PARENTS
from acoustic_sense.errors import AcousticSenseError, ModelError
from acoustic_sense.inference.description import ModelDescription, is_by_track
from acoustic_sense.inference.model import Pipeline, SensingModel

ONNX_SUFFIX: Final = ".onnx"
TOLERANCE: Final = 1e-4
"""Largest difference between onnxruntime and torch, relative to the largest prediction above 1."""
_PACKAGES: Final = ("onnx", "onnxscript", "onnxruntime")
_OPSET: Final = 20
_POSE_SHAPE: Final = (len(JOINT_NAMES), 3)
_CHECKED_BATCHES: Final = (1, 3)


def check_onnx_packages() -> None:
    """Raise AcousticSenseError unless the packages of the extra `onnx` are installed."""
    for name in _PACKAGES:
        _package(name)


def export_onnx(path: Path, pipeline: Pipeline) -> float:
    """Write the network of a pipeline as an ONNX file and run it once beside torch.

    The same model gives the same bytes with the same versions of torch and onnx.

    Args:
        path: File to write; it is there only after it was found to agree.
        pipeline: Feature and model; the model may be on any device and in any mode.

    Returns:
        Largest difference between onnxruntime's and torch's predictions, relative to the largest
        prediction or to 1 where that is larger.

    Raises:
        AcousticSenseError: A package of the extra `onnx` is not installed.
        ModelError: The encoder or the task cannot be exported, or the file's predictions differ
            from torch's by more than `TOLERANCE`.
    """
    check_onnx_packages()
    network = _Network(pipeline)
    data = _traced(network, pipeline.description).SerializeToString(deterministic=True)
    difference = _compared(data, network)
    if not difference <= TOLERANCE:
        raise ModelError(
            f"{path}: not written, since onnxruntime differs from torch by {difference:.2g} of the "
            f"largest prediction, more than {TOLERANCE:g}; try the pinned versions of both"
        )
    path.write_bytes(data)
    return difference


class _Network(nn.Module):
    """Normalisation, encoder and task, as the file holds them."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.model: SensingModel = copy.deepcopy(pipeline.model).cpu().float().eval()
        self.by_inputs = is_by_track(pipeline.description.normalisation)
        self.is_pose = self.model.task.target_dim == math.prod(_POSE_SHAPE)
        self.frames = pipeline.description.clip_frames + self.model.encoder.context_frames

    @property
    def input_names(self) -> list[str]:
        statistics = ["feature_mean", "feature_deviation"] if self.by_inputs else []
        return ["features", *statistics]

    @property
    def output_name(self) -> str:
        return "pose" if self.is_pose else "prediction"

    def forward(
        self,
        features: Float[Tensor, "batch channel frame bin"],
        mean: Float[Tensor, "channel bin"] | None = None,
        deviation: Float[Tensor, "channel bin"] | None = None,
    ) -> Tensor:
        if mean is None or deviation is None:
            mean, deviation = self.model.feature_mean, self.model.feature_deviation
        prediction: Tensor = self.model((features - mean[:, None]) / deviation[:, None])
        return torch.unflatten(prediction, 2, _POSE_SHAPE) if self.is_pose else prediction

    def example(self, batch: int) -> tuple[Tensor, ...]:
        """Return inputs like those of training, the same at every call."""
        mean, deviation = self.model.feature_mean, self.model.feature_deviation
        shape = (batch, len(mean), self.frames, mean.shape[1])
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(batch))
        features = mean[:, None] + deviation[:, None] * noise
        return (features, mean, deviation) if self.by_inputs else (features,)


def _traced(network: _Network, description: ModelDescription) -> Any:
    """Return the network as an ONNX model with its metadata.

    torch.export (`dynamo=True`) instead of the older trace: the trace is deprecated, and it writes
    whatever torch cannot see (the loops compiled by numba that attention uses outside of inference)
    into the file as a constant, silently. torch.export takes the branch meant for it, or fails.
    """
    batch: dict[int, Any] = {0: torch.export.Dim("batch")}
    try:
        with _quiet():
            program = torch.onnx.export(
                network,
                network.example(batch=2),
                dynamo=True,
                opset_version=_OPSET,
                input_names=network.input_names,
                output_names=[network.output_name],
                dynamic_shapes=(batch, *({} for _ in network.input_names[1:])),
                verbose=False,
            )
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(
            f"encoder '{description.encoder.name}' with task '{description.task.name}' cannot be "
            f"exported to ONNX: {reason[0]}; use operations that torch.export supports"
        ) from error
    if program is None:
        raise ModelError("torch returned no ONNX program; install the pinned versions")
    proto = program.model_proto
    _remove_notes(proto)
    proto.producer_name, proto.producer_version = "acoustic-sense", __version__
    for key, value in sorted(_metadata(network, description).items()):
        proto.metadata_props.add(key=key, value=value)
    _package("onnx").checker.check_model(proto)
    return proto


def _metadata(network: _Network, description: ModelDescription) -> dict[str, str]:
    card = description.model_dump(mode="json")
    texts = {
        "acoustic_sense_version": __version__,
        "feature": description.feature.name,
        "normalisation": description.normalisation,
        "normalised_by": "inputs" if network.by_inputs else "graph",
        "task": description.task.name,
    }
    values = {
        "feature_config": card["feature"]["config"],
        "channel_names": card["channel_names"],
        "bin_count": description.bin_count,
        "clip_frames": description.clip_frames,
        "context_frames": network.model.encoder.context_frames,
        "sample_rate_hz": description.sample_rate_hz,
        "frame_samples": description.sample_rate_hz // FRAME_RATE_HZ,
        "frame_rate_hz": FRAME_RATE_HZ,
        "model_card": card,
    }
    if network.is_pose:
        texts["pose_unit"] = "distance from hips to spine"
        texts["pose_frame"] = "origin at the hips, lowest joint at height 0, Y up"
        values["joint_names"] = card["joint_names"]
        values["joint_parents"] = JOINT_PARENTS
    return texts | {key: json.dumps(value, sort_keys=True) for key, value in values.items()}


def _remove_notes(proto: Any) -> None:
    """Remove what the exporter notes of its own run: source files, lines, names of nodes."""
    graph = proto.graph
    holders = [proto, graph, *proto.functions]
    parts = (graph.node, graph.input, graph.output, graph.value_info, graph.initializer)
    for holder in (*holders, *(item for part in parts for item in part)):
        for field in ("metadata_props", "doc_string"):
            holder.ClearField(field)


def _compared(data: bytes, network: _Network) -> float:
    """Return the largest relative difference between onnxruntime and torch over some batches."""
    runtime = _package("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    differences = []
    for batch in _CHECKED_BATCHES:
        inputs = network.example(batch)
        with torch.inference_mode():
            expected = network(*inputs).numpy()
        feeds = {
            name: value.numpy() for name, value in zip(network.input_names, inputs, strict=True)
        }
        (found,) = session.run([network.output_name], feeds)
        differences.append(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
    return float(np.max(differences))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's warnings and log lines, which concern its own libraries, to itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise AcousticSenseError(
            f"ONNX files need the package '{name}'; install it with: "
            "pip install 'acoustic-sense[onnx]'"
        ) from None
