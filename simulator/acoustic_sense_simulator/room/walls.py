"""Reflection of the walls and absorption of the air along a path."""

import numpy as np
from jaxtyping import Float64

from acoustic_sense.types import Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.room.images import mirrored_share

_AIR_PER_METRE = (0.1e-3, 0.3e-3, 0.6e-3, 1.0e-3, 1.9e-3, 5.8e-3, 20.3e-3, 60e-3)
"""Energy absorption of air per metre in the octave bands, 20 degrees, about 60 % humidity.

Source: as pyroomacoustics' own table for 60 % (Vorlaender: Auralization, 2008, table A.4), with
the 16 kHz band continued.
"""


def reflection_gain(
    room: Room, order: int, path_m: float, frequencies_hz: Float64[np.ndarray, " frequency"]
) -> Float64[np.ndarray, " frequency"]:
    """Return the gain of `order` reflections and `path_m` metres of air.

    Octave values are joined linearly in log frequency. What the walls scatter is not part of it.

    Args:
        room: The room; all its surfaces have the same absorption.
        order: Number of reflections.
        path_m: Length of the path, for the absorption of the air.
        frequencies_hz: Where the gain is wanted.

    Returns:
        Factors of the pressure, shape `(frequency,)`.
    """
    bands = np.array(ABSORPTION_BANDS_HZ)
    absorption = np.broadcast_to(np.asarray(room.absorption, float), bands.shape)
    gain = np.sqrt((1.0 - absorption) * mirrored_share(room)) ** order
    if room.air_absorption:
        gain = gain * np.exp(-0.5 * np.array(_AIR_PER_METRE) * path_m)
    smooth: np.ndarray = np.interp(np.log2(np.maximum(frequencies_hz, 1.0)), np.log2(bands), gain)
    return smooth
