"""Reflection of the walls and absorption of the air along a path, as zero-phase filters."""

import numpy as np
from jaxtyping import Float64

from acoustic_sense.types import Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ

_AIR_PER_METRE = (0.1e-3, 0.3e-3, 0.6e-3, 1.0e-3, 1.9e-3, 5.8e-3, 20.3e-3, 60e-3)
"""Energy absorption of air per metre in the octave bands, 20 degrees, about 60 % humidity.

Source: as pyroomacoustics' own table for 60 % (Vorlaender: Auralization, 2008, table A.4), with
the 16 kHz band continued.
"""


def reflection_response(
    room: Room, order: int, path_m: float, sample_rate_hz: int, fft_size: int, taps: int
) -> Float64[np.ndarray, " bin"]:
    """Return the gain over frequency of `order` reflections and `path_m` metres of air.

    Octave values are joined linearly in log frequency. The filter is zero-phase and limited to
    `taps` samples either side of time zero.

    Args:
        room: The room; all its surfaces have the same absorption.
        order: Number of reflections.
        path_m: Length of the path, for the absorption of the air.
        sample_rate_hz: Samples per second.
        fft_size: Length of the transform.
        taps: Samples either side of time zero.

    Returns:
        Float64 array, shape `(fft_size // 2 + 1,)`.
    """
    bands = np.array(ABSORPTION_BANDS_HZ)
    absorption = np.broadcast_to(np.asarray(room.absorption, float), bands.shape)
    gain = np.sqrt(1.0 - absorption) ** order
    if room.air_absorption:
        gain = gain * np.exp(-0.5 * np.array(_AIR_PER_METRE) * path_m)
    frequency = np.fft.rfftfreq(fft_size, 1 / sample_rate_hz)
    smooth = np.interp(np.log2(np.maximum(frequency, 1.0)), np.log2(bands), gain)
    response = np.fft.irfft(smooth, n=fft_size)
    window = np.zeros(fft_size)
    fade = np.cos(np.linspace(0, np.pi / 2, taps + 1)) ** 2
    window[: taps + 1] = fade
    window[-taps:] = fade[:0:-1]
    limited: np.ndarray = np.fft.rfft(response * window).real
    return limited
