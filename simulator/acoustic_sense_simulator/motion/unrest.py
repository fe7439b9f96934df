"""Unrest: breathing and the slow sway that nobody standing is without."""

import numpy as np

from acoustic_sense_simulator.motion.degrees_of_freedom import INDEX, NAMES
from acoustic_sense_simulator.motion.style import Style

_SWAY_HZ = (0.07, 0.45)
_SWAY_WAVES = 4
_BREATH = {"spine_bend": -1.0, "head_nod": 0.5, "left_arm_raise": 0.6, "right_arm_raise": 0.6}


def unrest(times_s: np.ndarray, style: Style, generator: np.random.Generator) -> np.ndarray:
    """Return small angles to add to a movement, shape `(frame, dof)`, degrees.

    Args:
        times_s: Times of the frames.
        style: Who moves.
        generator: Source of chance: phases and frequencies of the sway.
    """
    count = len(NAMES)
    frequency = generator.uniform(*_SWAY_HZ, (_SWAY_WAVES, count))
    phase = generator.uniform(0, 2 * np.pi, (_SWAY_WAVES, count))
    angles = np.zeros((len(times_s), count))
    for wave_hz, start in zip(frequency, phase, strict=True):
        angles += np.sin(2 * np.pi * wave_hz * times_s[:, None] + start)
    angles *= style.sway_deg / np.sqrt(_SWAY_WAVES)
    breath = style.breath_deg * np.sin(
        2 * np.pi * style.breath_hz * times_s + generator.uniform(0, 2 * np.pi)
    )
    for name, share in _BREATH.items():
        angles[:, INDEX[name]] += share * breath
    for name, index in INDEX.items():
        if "hip" in name or "knee" in name or "foot" in name:
            angles[:, index] *= 0.4  # the legs carry the body and keep still
    return angles
