"""Scene sampling: from ranges in a configuration to scenes, each from its own seed.

`GenerationConfig` describes a dataset; `scenes(config)` returns its takes as plain scenes. Nothing
here renders sound, and nothing depends on the order in which scenes are drawn.
"""

from acoustic_sense_simulator.sampling.config import GenerationConfig
from acoustic_sense_simulator.sampling.scenes import scenes

__all__ = ["GenerationConfig", "scenes"]
