"""What a plugin implements: one abstract class per kind of component.

`acoustic_sense.testing.check_*` makes these contracts executable. Each class is imported on first
use, so that a signal source never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acoustic_sense.contracts.batch import ClipBatch
    from acoustic_sense.contracts.component import Component
    from acoustic_sense.contracts.encoder import Encoder, EncoderOutput, FeatureShape
    from acoustic_sense.contracts.feature import Feature
    from acoustic_sense.contracts.feature_stream import FeatureStream
    from acoustic_sense.contracts.objective import Objective
    from acoustic_sense.contracts.signal_source import SignalSource
    from acoustic_sense.contracts.task import Task

_HOME = {
    "ClipBatch": "batch",
    "Component": "component",
    "Encoder": "encoder",
    "EncoderOutput": "encoder",
    "FeatureShape": "encoder",
    "Feature": "feature",
    "FeatureStream": "feature_stream",
    "Objective": "objective",
    "SignalSource": "signal_source",
    "Task": "task",
}

__all__ = [
    "ClipBatch",
    "Component",
    "Encoder",
    "EncoderOutput",
    "Feature",
    "FeatureShape",
    "FeatureStream",
    "Objective",
    "SignalSource",
    "Task",
]


def __getattr__(name: str) -> Any:
    """Import a contract on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'acoustic_sense.contracts' has no attribute '{name}'")
    return getattr(import_module(f"acoustic_sense.contracts.{_HOME[name]}"), name)
