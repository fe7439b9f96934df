"""Style: how one person stands and moves, the same in all of their takes."""

from dataclasses import dataclass

import numpy as np

from acoustic_sense_simulator.motion.degrees_of_freedom import INDEX, NAMES, clipped

# Mean and spread (uniform, +-) of the neutral stand, degrees; zero for all other degrees of freedom
_NEUTRAL_TRUNK = {
    "pelvis_pitch": (0.0, 4.0),
    "spine_bend": (3.0, 5.0),
    "spine_lean": (0.0, 2.0),
    "head_nod": (0.0, 6.0),
}
_NEUTRAL_SIDE = {
    "arm_raise": (12.0, 4.0),
    "arm_front": (10.0, 10.0),
    "arm_swing": (2.0, 6.0),
    "arm_twist": (8.0, 10.0),
    "elbow": (16.0, 9.0),
    "hip_flex": (1.0, 1.5),
    "hip_spread": (3.5, 2.0),
    "hip_turn": (8.0, 6.0),
    "knee": (4.0, 3.0),
}


@dataclass(frozen=True, eq=False)
class Style:
    """A personal style of movement.

    Attributes:
        neutral: Angles of the relaxed stand, shape `(dof,)`, degrees.
        amplitude: Size of movements against the tables of `activities`.
        tempo: Speed of movements against the tables.
        left_handed: Chance that a movement of either side is done by the left.
        breath_hz: Breaths per second.
        breath_deg: Size of the chest's breathing.
        sway_deg: Size of the slow unrest of every joint.
    """

    neutral: np.ndarray
    amplitude: float
    tempo: float
    left_handed: float
    breath_hz: float
    breath_deg: float
    sway_deg: float


def personal_style(seed: int) -> Style:
    """Return the style that belongs to a subject's `style_seed`."""
    generator = np.random.default_rng(seed)
    neutral = np.zeros(len(NAMES))
    for name, (mean, spread) in _NEUTRAL_TRUNK.items():
        neutral[INDEX[name]] = mean + spread * generator.uniform(-1, 1)
    for name, (mean, spread) in _NEUTRAL_SIDE.items():
        shared, left, right = generator.uniform(-1, 1, 3)
        for side, own in (("left", left), ("right", right)):
            neutral[INDEX[f"{side}_{name}"]] = mean + spread * (0.75 * shared + 0.25 * own)
    return Style(
        neutral=clipped(neutral),
        amplitude=float(generator.uniform(0.85, 1.1)),
        tempo=float(generator.uniform(0.8, 1.2)),
        left_handed=float(generator.choice([0.2, 0.8], p=[0.85, 0.15])),
        breath_hz=float(generator.uniform(0.2, 0.33)),
        breath_deg=float(generator.uniform(0.6, 1.4)),
        sway_deg=float(generator.uniform(0.3, 0.8)),
    )
