"""Training and evaluation: from a TOML configuration to a run folder and its scores."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acoustic_sense.training.config import TrainConfig, load_train_config
    from acoustic_sense.training.evaluation import Evaluation, evaluate
    from acoustic_sense.training.feature_store import FeatureStore
    from acoustic_sense.training.progress import TrainProgress, TrainProgressBar
    from acoustic_sense.training.run import RunResult, train

_HOME = {
    "Evaluation": "evaluation",
    "FeatureStore": "feature_store",
    "RunResult": "run",
    "TrainConfig": "config",
    "TrainProgress": "progress",
    "TrainProgressBar": "progress",
    "evaluate": "evaluation",
    "load_train_config": "config",
    "train": "run",
}

__all__ = [
    "Evaluation",
    "FeatureStore",
    "RunResult",
    "TrainConfig",
    "TrainProgress",
    "TrainProgressBar",
    "evaluate",
    "load_train_config",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'acoustic_sense.training' has no attribute '{name}'")
    return getattr(import_module(f"acoustic_sense.training.{_HOME[name]}"), name)
