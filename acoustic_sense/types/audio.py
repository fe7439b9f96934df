"""Recording and playback: the two signals that every method starts from."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import AMBISONIC_CHANNELS
from acoustic_sense.errors import AudioError


@dataclass(frozen=True, eq=False)
class Recording:
    """What the ambisonics microphone heard.

    Attributes:
        samples: Float32 array, shape `(4, sample)`, channels W, X, Y, Z with SN3D gains
            (X front, Y left, Z up of the microphone), full scale 1.0.
        sample_rate_hz: Samples per second.

    Raises:
        AudioError: The array is not `(4, sample)` or holds values that are not finite.
    """

    samples: Float32[np.ndarray, "4 sample"]
    sample_rate_hz: int

    def __post_init__(self) -> None:
        """Check the shape and the values."""
        expected = len(AMBISONIC_CHANNELS)
        if self.samples.ndim != 2 or self.samples.shape[0] != expected:
            raise AudioError(
                f"a recording has shape (4, sample), not {self.samples.shape}; "
                "give first-order ambisonics, channels first"
            )
        _check_samples(self.samples, self.sample_rate_hz, "recording")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[1] / self.sample_rate_hz)


@dataclass(frozen=True, eq=False)
class Playback:
    """What the loudspeakers are sent; known at inference too.

    Attributes:
        samples: Float32 array, shape `(speaker, sample)`, full scale 1.0.
        sample_rate_hz: Samples per second.

    Raises:
        AudioError: The array is not `(speaker, sample)` or holds values that are not finite.
    """

    samples: Float32[np.ndarray, "speaker sample"]
    sample_rate_hz: int

    def __post_init__(self) -> None:
        """Check the shape and the values."""
        if self.samples.ndim != 2 or self.samples.shape[0] < 1:
            raise AudioError(
                f"a playback has shape (speaker, sample), not {self.samples.shape}; "
                "give at least one loudspeaker channel, channels first"
            )
        _check_samples(self.samples, self.sample_rate_hz, "playback")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[1] / self.sample_rate_hz)


def _check_samples(samples: np.ndarray, sample_rate_hz: int, what: str) -> None:
    if samples.dtype != np.float32:
        raise AudioError(f"a {what} holds float32 samples, not {samples.dtype}; convert it first")
    if sample_rate_hz <= 0:
        raise AudioError(f"a {what}'s sample rate must be positive, not {sample_rate_hz} Hz")
    if not np.isfinite(samples).all():
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise AudioError(f"the {what} holds {bad} samples that are not finite; mend the file")
