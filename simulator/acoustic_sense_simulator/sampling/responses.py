"""Smooth random curves over octave bands: responses of equipment, absorption of walls."""

import numpy as np

_KERNEL = np.array([1.0, 2.0, 1.0]) / np.sqrt(6.0)
"""Smoothing over neighbouring octaves that keeps unit variance."""


def smooth_octaves(generator: np.random.Generator, band_count: int) -> np.ndarray:
    """Draw a curve of unit standard deviation that varies slowly from octave to octave.

    Args:
        generator: Source of randomness.
        band_count: Number of octave bands.

    Returns:
        Array of shape `(band_count,)`.
    """
    white = generator.standard_normal(band_count + len(_KERNEL) - 1)
    smooth: np.ndarray = np.convolve(white, _KERNEL, mode="valid")
    return smooth


def response_db(
    generator: np.random.Generator, spread_db: float, band_count: int
) -> tuple[float, ...]:
    """Draw the frequency response of a loudspeaker or microphone.

    Args:
        generator: Source of randomness; advances the same whatever the spread.
        spread_db: Standard deviation in dB; 0 gives a flat response.
        band_count: Number of frequencies.

    Returns:
        Gains in dB, or an empty tuple for a flat response.
    """
    curve = smooth_octaves(generator, band_count)
    if spread_db == 0:
        return ()
    return tuple(round(float(gain), 2) for gain in spread_db * curve)
