"""Model files: safetensors with the description in the header, never a pickle."""

import json
import os
from pathlib import Path
from typing import Final

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from acoustic_sense.errors import ModelError
from acoustic_sense.inference.description import FORMAT_VERSION, ModelDescription
from acoustic_sense.inference.model import Pipeline

MODEL_NAME: Final = "model.safetensors"
_KEY: Final = "acoustic_sense"
MIN_SHARED: Final = 0.5
"""Share of the encoder's tensors that must fit when weights are taken from another model."""


def save_model(path: Path, pipeline: Pipeline) -> None:
    """Write a model file, under a temporary name first; the same model gives the same bytes."""
    tensors = {
        name: value.detach().to("cpu").contiguous().clone()
        for name, value in pipeline.model.state_dict().items()
    }
    description = json.dumps(pipeline.description.model_dump(mode="json"), sort_keys=True)
    partial = path.with_name(f".partial-{path.name}-{os.getpid()}")
    save_file(tensors, partial, metadata={_KEY: description})
    partial.replace(path)


def read_description(path: Path) -> ModelDescription:
    """Return the description in a model file.

    Raises:
        ModelError: The file is missing or is not a model file that this release reads.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path}: not a model file ({error}); give a .safetensors written by this framework"
        ) from None
    if text is None:
        raise ModelError(
            f"{path}: a safetensors file, but of another program: it does not describe a model "
            "of this framework"
        )
    try:
        data = json.loads(text)
        found = data.get("format_version")
        if found != FORMAT_VERSION:
            raise ModelError(
                f"{path}: model format {found}, but this release reads {FORMAT_VERSION}; install "
                "the release that wrote it"
            )
        return ModelDescription.model_validate(data)
    except (json.JSONDecodeError, ValidationError, AttributeError) as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"{path}: its description cannot be read: {first}") from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a model file by name, on the CPU.

    Raises:
        ModelError: The file is missing or is not safetensors.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a model file ({error})") from None


def load_weights(path: Path, pipeline: Pipeline) -> None:
    """Fill a pipeline built from the file's description with the file's weights.

    Raises:
        ModelError: A tensor is missing, unknown, or of another shape.
    """
    tensors = read_tensors(path)
    state = pipeline.model.state_dict()
    for name in sorted(set(state) ^ set(tensors)):
        where = "lacks" if name in state else "holds the unknown"
        raise ModelError(
            f"{path}: {where} tensor '{name}'; install the plugin versions it was trained with: "
            f"{', '.join(sorted(set(pipeline.description.plugins.values())))}"
        )
    for name, value in tensors.items():
        if value.shape != state[name].shape:
            raise ModelError(
                f"{path}: tensor '{name}' has shape {tuple(value.shape)}, not "
                f"{tuple(state[name].shape)}; install the plugin versions it was trained with"
            )
    pipeline.model.load_state_dict(tensors)


def initialise_from(path: Path, pipeline: Pipeline) -> frozenset[str]:
    """Copy the weights of a model file that fit a pipeline by name and shape.

    Statistics (normalisation, mean target) are left as they are: they belong to the data.

    Returns:
        Names of the tensors that were copied.

    Raises:
        ModelError: The file is not a model file, or hardly anything of the encoder fits.
    """
    read_description(path)
    tensors = read_tensors(path)
    statistics = {"feature_mean", "feature_deviation", "mean_target"}
    state = {k: v for k, v in pipeline.model.state_dict().items() if k not in statistics}
    with torch.no_grad():
        fitting = [
            name
            for name, value in state.items()
            if name in tensors and tensors[name].shape == value.shape
        ]
        encoder = [name for name in state if name.startswith("encoder.")]
        shared = len(set(encoder) & set(fitting))
        if shared < len(encoder) * MIN_SHARED:
            raise ModelError(
                f"{path}: only {shared} of {len(encoder)} tensors fit encoder "
                f"'{pipeline.description.encoder.name}' with these settings; initialise from a "
                "model of the same encoder and width"
            )
        for name in fitting:
            state[name].copy_(tensors[name])
    return frozenset(fitting)
