"""`mls`: maximum length sequence."""

import numpy as np
from jaxtyping import Float
from pydantic import Field
from scipy import signal

from acoustic_sense_plugins.test_signals.periodic import PeriodicConfig, PeriodicSource


class MlsConfig(PeriodicConfig):
    """Length of the sequence."""

    order: int = Field(
        15, ge=4, le=20, description="The period has 2^order - 1 samples: 0.68 s for 15 at 48 kHz."
    )


class Mls(PeriodicSource):
    """Maximum length sequence: two values, circular autocorrelation a pulse, repeated."""

    Config = MlsConfig
    config: MlsConfig
    genre = "noise"

    def period(self, sample_rate_hz: int) -> Float[np.ndarray, " sample"]:
        """Return one period of +1 and -1, the same at every sample rate."""
        return maximum_length_sequence(self.config.order)


def maximum_length_sequence(order: int) -> Float[np.ndarray, " sample"]:
    """Return one period of a maximum length sequence as +1 and -1.

    Its circular autocorrelation is 2^order - 1 at 0 and -1 elsewhere.

    Examples:
        >>> maximum_length_sequence(4).size
        15
    """
    return np.asarray(2.0 * signal.max_len_seq(order)[0] - 1.0)
