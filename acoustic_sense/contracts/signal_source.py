"""Signal source: makes the playback."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float32

from acoustic_sense.config import Config
from acoustic_sense.contracts.component import Component


class SignalSource(Component, ABC):
    """Makes what the loudspeakers are sent.

    A subclass sets `Config` and implements `generate`. The same configuration and the same state
    of the generator give the same samples, and a longer signal begins with the shorter one.

    Attributes:
        genre: Kind of playback, e.g. `ambient`, `jazz`, `chirp`, `noise`.
    """

    genre: str = ""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config if config is not None else self.Config()

    @abstractmethod
    def generate(
        self,
        duration_s: float,
        sample_rate_hz: int,
        speaker_count: int,
        generator: np.random.Generator,
    ) -> Float32[np.ndarray, "speaker sample"]:
        """Return the playback.

        Args:
            duration_s: Length in seconds; `round(duration_s * sample_rate_hz)` samples.
            sample_rate_hz: Samples per second.
            speaker_count: Number of loudspeaker channels.
            generator: Source of everything random.

        Returns:
            Float32 array, shape `(speaker, sample)`, absolute values at most 1.

        Raises:
            AudioError: The signal cannot be made, e.g. a file is missing or too short.
        """
