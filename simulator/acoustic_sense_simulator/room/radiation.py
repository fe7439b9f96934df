"""What a directive loudspeaker radiates towards each image path, and in all, octave by octave."""

import numpy as np
from jaxtyping import Float, Float64, Int

from acoustic_sense.types import Loudspeaker
from acoustic_sense_simulator.loudspeaker import diffuse_gain, directivity_gain

_PER_OCTAVE = 5
"""Frequencies at which an octave's mean is taken."""


def image_gains(
    loudspeaker: Loudspeaker,
    orders: Int[np.ndarray, "3 image"],
    away: Float[np.ndarray, "3 image"],
    bands_hz: Float[np.ndarray, " band"],
) -> Float64[np.ndarray, "band image"]:
    """Return the amplitude of every image relative to the loudspeaker's axis.

    An image that its walls mirror along an axis sees the loudspeaker mirrored along that axis;
    mirroring the direction back gives where the sound really left it.

    Args:
        loudspeaker: Its axis and radii.
        orders: Signed number of reflections along each of pyroomacoustics' axes (Z up).
        away: Unit vectors from the microphone to the images, the same axes.
        bands_hz: Centres of the octave bands.

    Returns:
        Gains, shape `(band, image)`: the rms over each octave.
    """
    leaving = -away * np.where(orders % 2 == 0, 1.0, -1.0)
    directions = np.stack([leaving[0], leaving[2], -leaving[1]], axis=1)  # Y up
    result: np.ndarray = np.sqrt(band_energies(loudspeaker, directions, bands_hz)).T
    return result


def band_energies(
    loudspeaker: Loudspeaker,
    directions: Float[np.ndarray, "direction 3"],
    bands_hz: Float[np.ndarray, " band"],
) -> Float64[np.ndarray, "direction band"]:
    """Return the energy that a loudspeaker sends towards unit vectors, relative to its axis."""
    gains = directivity_gain(loudspeaker, directions, _around(bands_hz))
    squares = gains.reshape(len(directions), len(bands_hz), _PER_OCTAVE) ** 2
    energies: np.ndarray = squares.mean(axis=2)
    return energies


def diffuse_energy(
    loudspeaker: Loudspeaker, bands_hz: Float[np.ndarray, " band"]
) -> Float64[np.ndarray, " band"]:
    """Return the energy that a loudspeaker sends into all directions together, by octave.

    It is relative to a source that is everywhere as loud as the loudspeaker on its axis.
    """
    squares = diffuse_gain(loudspeaker, _around(bands_hz)).reshape(-1, _PER_OCTAVE) ** 2
    energy: np.ndarray = squares.mean(axis=1)
    return energy


def _around(bands_hz: Float[np.ndarray, " band"]) -> Float64[np.ndarray, " frequency"]:
    """Return frequencies spread over each octave, evenly in their logarithm."""
    spread = 2.0 ** ((np.arange(_PER_OCTAVE) + 0.5) / _PER_OCTAVE - 0.5)
    frequencies: np.ndarray = (np.asarray(bands_hz, float)[:, None] * spread).ravel()
    return frequencies
