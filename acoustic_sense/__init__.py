"""acoustic-sense: an open framework for acoustic sensing of people.

A known sound is played in a room, one first-order ambisonics microphone records it, and a model
reads the 3D human pose from what the body did to the sound. The names exported here are stable.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acoustic_sense import features, inference, metrics
    from acoustic_sense.datasets import open_dataset
    from acoustic_sense.plugin_loading import load_plugins

try:
    __version__ = version("acoustic-sense")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__", "features", "inference", "load_plugins", "metrics", "open_dataset"]

_LAZY = {
    "features": ("acoustic_sense.features", None),
    "inference": ("acoustic_sense.inference", None),
    "metrics": ("acoustic_sense.metrics", None),
    "load_plugins": ("acoustic_sense.plugin_loading", "load_plugins"),
    "open_dataset": ("acoustic_sense.datasets", "open_dataset"),
}


def __getattr__(name: str) -> Any:
    """Import a stable name on first use, so that `import acoustic_sense` stays fast."""
    if name not in _LAZY:
        raise AttributeError(f"module 'acoustic_sense' has no attribute '{name}'")
    module_name, attribute = _LAZY[name]
    module = import_module(module_name)
    return module if attribute is None else getattr(module, attribute)
