"""Inference: a trained model as a file, and the pose from audio.

`load_model` returns a `Predictor`. Names are imported on first use, so that reading audio files
never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acoustic_sense.inference.description import ComponentChoice, ModelDescription
    from acoustic_sense.inference.loading import load_model, load_pipeline, shipped_models
    from acoustic_sense.inference.model import Pipeline, SensingModel, build_pipeline
    from acoustic_sense.inference.model_files import save_model
    from acoustic_sense.inference.onnx_files import export_onnx
    from acoustic_sense.inference.predictor import Predictor
    from acoustic_sense.inference.streaming import Stream

_HOME = {
    "ComponentChoice": "description",
    "ModelDescription": "description",
    "Pipeline": "model",
    "Predictor": "predictor",
    "SensingModel": "model",
    "Stream": "streaming",
    "build_pipeline": "model",
    "export_onnx": "onnx_files",
    "load_model": "loading",
    "load_pipeline": "loading",
    "save_model": "model_files",
    "shipped_models": "loading",
}

__all__ = [
    "ComponentChoice",
    "ModelDescription",
    "Pipeline",
    "Predictor",
    "SensingModel",
    "Stream",
    "build_pipeline",
    "export_onnx",
    "load_model",
    "load_pipeline",
    "save_model",
    "shipped_models",
]


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'acoustic_sense.inference' has no attribute '{name}'")
    return getattr(import_module(f"acoustic_sense.inference.{_HOME[name]}"), name)
