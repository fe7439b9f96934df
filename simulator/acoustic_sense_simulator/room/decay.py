"""Reverberation time of a room by statistics, for walls that scatter enough to mix the sound.

Between two walls sound travels paths of unequal length, and those that happen to be long lose
less: the decay is slower than Eyring's formula says, which gives all the mean length. If each path
is independent of the one before it, the energy falls by `exp(-s)` a metre with

    (1 - a) <exp(s l)> = 1,

the mean being over the chords l of the room and a the walls' absorption (Kuttruff expands it to
second order in l). Eyring's is the same with `<l> = 4 V / S` for every l.

References:
    Kuttruff: Room Acoustics, 2009, chapter 5. Eyring: Reverberation time in dead rooms, J. Acoust.
    Soc. Am. 1, 1930.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.room.walls import _AIR_PER_METRE

_CHORDS = 20_000
_SIXTY_DB = 6 * np.log(10)
_FASTEST_PER_METRE = 60.0
_STEPS = 8


def reverberation_time(room: Room) -> Float64[np.ndarray, " band"]:
    """Return the time in which the sound falls by 60 dB, in seconds for each octave.

    Args:
        room: The room.

    Examples:
        >>> reverberation_time(Room(size_m=(6.0, 3.0, 5.0), absorption=0.25))[0].round(2)
        np.float64(0.42)
    """
    absorption = np.broadcast_to(np.asarray(room.absorption, float), len(ABSORPTION_BANDS_HZ))
    per_metre = np.array([_decay_per_metre(room.size_m, float(a)) for a in absorption])
    if room.air_absorption:
        per_metre = per_metre + np.array(_AIR_PER_METRE)
    times: np.ndarray = _SIXTY_DB / (SPEED_OF_SOUND_M_S * per_metre)
    return times


def absorption_for(size_m: tuple[float, float, float], rt60_s: float) -> float:
    """Return the absorption of all walls that gives a room a reverberation time, without air.

    Args:
        size_m: Inner size of the room.
        rt60_s: Reverberation time.

    Returns:
        Energy absorption, between 0 and 1.

    Examples:
        >>> round(absorption_for((8.0, 3.0, 7.0), 0.5), 2)
        0.25
    """
    per_metre = _SIXTY_DB / (SPEED_OF_SOUND_M_S * rt60_s)
    return float(1 - 1 / np.exp(per_metre * chords(size_m)).mean())


@lru_cache(maxsize=64)
def chords(size_m: tuple[float, float, float]) -> Float64[np.ndarray, " chord"]:
    """Return lengths of paths from wall to wall in metres, as diffuse sound travels them.

    From evenly spread points of the walls, in directions by Lambert's cosine law; always the same.
    Their mean is `4 V / S`.
    """
    generator = np.random.default_rng(0)
    size = np.asarray(size_m, float)
    areas = size.prod() / size
    normal = generator.choice(3, _CHORDS, p=areas / areas.sum())
    every = np.arange(_CHORDS)
    places = generator.random((_CHORDS, 3)) * size
    places[every, normal] = 0.0
    angle = 2 * np.pi * generator.random(_CHORDS)
    rising = np.sqrt(generator.random(_CHORDS))
    along = np.sqrt(1 - rising**2)
    directions = np.empty((_CHORDS, 3))
    directions[every, normal] = rising
    directions[every, (normal + 1) % 3] = along * np.cos(angle)
    directions[every, (normal + 2) % 3] = along * np.sin(angle)
    ahead = np.where(directions > 0, size - places, places)
    lengths = (ahead / np.maximum(np.abs(directions), 1e-12)).min(axis=1)
    lengths *= 4 * size.prod() / (2 * areas.sum()) / lengths.mean()
    lengths.setflags(write=False)
    return np.asarray(lengths)


@lru_cache(maxsize=512)
def _decay_per_metre(size_m: tuple[float, float, float], absorption: float) -> float:
    """Return the loss at the walls as an exponent of energy per metre travelled."""
    if absorption >= 1.0:
        return _FASTEST_PER_METRE
    lengths = chords(size_m)
    per_metre = float(-np.log1p(-absorption) / lengths.mean())  # Eyring's, never too small
    for _ in range(_STEPS):  # Newton's; the logarithm of the mean is convex, so from one side
        growth = np.exp(per_metre * lengths)
        excess = np.log(growth.mean()) + np.log1p(-absorption)
        per_metre -= float(excess * growth.sum() / (growth * lengths).sum())
    return per_metre
