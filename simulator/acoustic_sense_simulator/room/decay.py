"""Reverberation time of a room by statistics, for walls that scatter enough to mix the sound.

References:
    Eyring: Reverberation time in dead rooms, J. Acoust. Soc. Am. 1, 1930. Kuttruff: Room Acoustics,
    2009, equation 5.23, with the absorption of the air.
"""

import numpy as np
from jaxtyping import Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.room.walls import _AIR_PER_METRE


def reverberation_time(room: Room) -> Float64[np.ndarray, " band"]:
    """Return the time in which the sound falls by 60 dB, in seconds for each octave.

    Args:
        room: The room.

    Examples:
        >>> reverberation_time(Room(size_m=(6.0, 3.0, 5.0), absorption=0.25))[0].round(3)
        np.float64(0.4)
    """
    x, y, z = room.size_m
    volume, surface = x * y * z, 2 * (x * y + y * z + x * z)
    absorption = np.broadcast_to(np.asarray(room.absorption, float), len(ABSORPTION_BANDS_HZ))
    absorbing = -surface * np.log1p(-np.minimum(absorption, 1.0 - 1e-9))
    if room.air_absorption:
        absorbing = absorbing + 4 * volume * np.array(_AIR_PER_METRE)
    times: np.ndarray = 24 * np.log(10) * volume / (SPEED_OF_SOUND_M_S * absorbing)
    return times
