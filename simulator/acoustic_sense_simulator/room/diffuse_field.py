"""A diffuse field at an ambisonics microphone: noise that has an energy over time and frequency.

References:
    Jacobsen, Roisin: The coherence of reverberant sound fields, J. Acoust. Soc. Am. 108, 2000.
"""

import numpy as np
from jaxtyping import Float, Float64

_CROSSOVER_OCTAVES = 0.25


def diffuse_field(
    energy: Float[np.ndarray, "band bin"],
    bands_hz: Float[np.ndarray, " band"],
    bin_s: float,
    sample_rate_hz: int,
    generator: np.random.Generator,
) -> Float64[np.ndarray, "4 tap"]:
    """Return four uncorrelated channels; X, Y, Z each have a third of W's energy (SN3D).

    Args:
        energy: Sum of squared amplitudes in each time bin, of a response as white as each band's.
        bands_hz: Centres of the octave bands.
        bin_s: Length of a bin in seconds.
        sample_rate_hz: Samples per second.
        generator: Source of the noise.

    Returns:
        Float64 array, shape `(4, tap)`, W, X, Y, Z.
    """
    count = round(energy.shape[1] * bin_s * sample_rate_hz)
    middles = (np.arange(energy.shape[1]) + 0.5) * bin_s * sample_rate_hz
    per_sample = energy / (bin_s * sample_rate_hz)
    envelopes = [np.sqrt(np.interp(np.arange(count), middles, row)) for row in per_sample]
    masks = _octave_masks(bands_hz, np.fft.rfftfreq(count, 1 / sample_rate_hz))
    field = np.zeros((4, count))
    for channel in field:
        spectrum = np.fft.rfft(generator.standard_normal(count))
        for envelope, mask in zip(envelopes, masks, strict=True):
            channel += envelope * np.fft.irfft(spectrum * mask, n=count)
    field[1:] *= np.sqrt(1 / 3)
    return field


def _octave_masks(
    bands_hz: Float[np.ndarray, " band"], frequencies_hz: Float64[np.ndarray, " bin"]
) -> Float64[np.ndarray, "band bin"]:
    """Return gains over frequency of octave filters whose squares add up to one."""
    octaves = np.log2(np.maximum(frequencies_hz, 1e-3) / bands_hz[0])
    edges = np.arange(1, len(bands_hz))[:, None] - 0.5
    above = np.clip((octaves - edges) / _CROSSOVER_OCTAVES + 0.5, 0.0, 1.0) * np.pi / 2
    passed = np.concatenate([np.ones((1, len(octaves))), np.sin(above)])
    stopped = np.concatenate([np.cos(above), np.ones((1, len(octaves)))])
    masks: np.ndarray = passed * stopped
    return masks
