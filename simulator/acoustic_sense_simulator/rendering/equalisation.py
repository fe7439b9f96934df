"""Frequency responses of loudspeakers and microphones as minimum-phase filters."""

import numpy as np
from jaxtyping import Float32

from acoustic_sense.errors import SimulationError
from acoustic_sense.types.scene import RESPONSE_FREQUENCIES_HZ
from acoustic_sense_simulator.rendering.convolution import filtered
from acoustic_sense_simulator.scattering.minimum_phase import causal_log_gain

_TAPS = 4096


def equalised(
    samples: Float32[np.ndarray, "channel sample"],
    response_db: tuple[float, ...],
    sample_rate_hz: int,
) -> Float32[np.ndarray, "channel sample"]:
    """Return samples through a frequency response; an empty response leaves them as they are.

    Args:
        samples: Float32 array, shape `(channel, sample)`.
        response_db: Gain in dB at each of `RESPONSE_FREQUENCIES_HZ`, joined linearly in log
            frequency and held outside; empty for a flat response.
        sample_rate_hz: Samples per second.

    Raises:
        SimulationError: A wrong number of gains.
    """
    if not response_db:
        return samples
    equal = samples.copy()
    equalise(equal, response_db, sample_rate_hz)
    return equal


def equalise(
    samples: Float32[np.ndarray, "channel sample"],
    response_db: tuple[float, ...],
    sample_rate_hz: int,
) -> None:
    """Send samples through a frequency response in place, see `equalised`."""
    if not response_db:
        return
    if len(response_db) != len(RESPONSE_FREQUENCIES_HZ):
        raise SimulationError(
            f"response_db has {len(response_db)} gains; give one for each of "
            f"{len(RESPONSE_FREQUENCIES_HZ)} frequencies from 63 Hz to 16 kHz, or none"
        )
    taps = minimum_phase_taps(response_db, sample_rate_hz)
    for channel in samples:
        channel[:] = filtered(channel[None], [taps[None]])[0]


def minimum_phase_taps(
    response_db: tuple[float, ...], sample_rate_hz: int
) -> Float32[np.ndarray, " tap"]:
    """Return the minimum-phase impulse response of a gain over frequency."""
    frequency = np.fft.rfftfreq(_TAPS, 1 / sample_rate_hz)
    places = np.log2(np.array(RESPONSE_FREQUENCIES_HZ))
    gain_db = np.interp(np.log2(np.maximum(frequency, 1.0)), places, np.array(response_db))
    taps = np.fft.irfft(np.exp(causal_log_gain(gain_db * np.log(10) / 20)), n=_TAPS)[: _TAPS // 2]
    short: np.ndarray = taps.astype(np.float32)
    return short
