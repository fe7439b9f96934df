"""Degrees of freedom: what a procedural pose is described by, in degrees, and their limits.

Angles are anatomical, so that a straight line between two poses is a natural movement:

- `pelvis_*` turns the pelvis against the direction in which the person faces: pitch forwards, yaw
  and roll to the left.
- `spine_*` bends forwards, twists and leans to the left, shared by the three spine joints;
  `head_*` likewise for neck and head.
- `<side>_arm_raise` is the angle of the upper arm from hanging (0) over horizontal (90) to upright
  (180), in the plane that `<side>_arm_front` gives: 0 sideways, 90 in front. `<side>_arm_swing`
  then swings the whole arm forwards, as in walking. `<side>_arm_twist` turns the upper arm about
  itself, negative outwards, and `<side>_elbow` bends.
- `<side>_hip_flex` lifts the thigh to the front, against the vertical whatever the pelvis does;
  `<side>_hip_spread` sets the foot sideways by what this angle of the straight leg would, so that
  bending both legs leaves the feet where they are; `<side>_hip_turn` turns the toes out;
  `<side>_knee` bends.
- `<side>_foot` pitches the foot's sole against the floor, toes up, so that 0 is flat on the
  floor; the ankle bends as far as it must and can.
"""

from typing import Final

import numpy as np

_TRUNK: Final = {
    "pelvis_pitch": (-15.0, 60.0),
    "pelvis_yaw": (-50.0, 50.0),
    "pelvis_roll": (-15.0, 15.0),
    "spine_bend": (-20.0, 65.0),
    "spine_twist": (-45.0, 45.0),
    "spine_lean": (-30.0, 30.0),
    "head_nod": (-40.0, 45.0),
    "head_turn": (-60.0, 60.0),
}
_SIDE: Final = {
    "arm_raise": (3.0, 178.0),
    "arm_front": (-60.0, 110.0),
    "arm_swing": (-55.0, 176.0),
    "arm_twist": (-95.0, 80.0),
    "elbow": (2.0, 140.0),
    "hip_flex": (-30.0, 115.0),
    "hip_spread": (-15.0, 45.0),
    "hip_turn": (-20.0, 40.0),
    "knee": (0.0, 135.0),
    "foot": (-85.0, 45.0),
}

LIMITS_DEG: Final = _TRUNK | {
    f"{side}_{name}": limits for side in ("left", "right") for name, limits in _SIDE.items()
}
"""Least and greatest angle of each degree of freedom."""

NAMES: Final = tuple(LIMITS_DEG)
"""Order of the degrees of freedom in arrays."""

SIDE_NAMES: Final = tuple(_SIDE)
"""Degrees of freedom that each side has."""

INDEX: Final = {name: index for index, name in enumerate(NAMES)}
"""Column of each degree of freedom."""

_ODD_TRUNK: Final = ("pelvis_yaw", "pelvis_roll", "spine_twist", "spine_lean", "head_turn")


def clipped(angles: np.ndarray) -> np.ndarray:
    """Return the angles `(..., dof)` brought within `LIMITS_DEG`."""
    low, high = np.array(list(LIMITS_DEG.values())).T
    return np.asarray(np.clip(angles, low, high))


def mirrored(pose: dict[str, float]) -> dict[str, float]:
    """Return a pose with left and right exchanged.

    Examples:
        >>> mirrored({"left_elbow": 90.0, "spine_twist": 20.0})
        {'right_elbow': 90.0, 'spine_twist': -20.0}
    """
    swapped = {}
    for name, value in pose.items():
        side, _, rest = name.partition("_")
        if side in ("left", "right"):
            swapped[f"{'right' if side == 'left' else 'left'}_{rest}"] = value
        else:
            swapped[name] = -value if name in _ODD_TRUNK else value
    return swapped
