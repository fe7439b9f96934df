"""Motion track: a body's movement over time as SMPL parameters."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, eq=False)
class MotionTrack:
    """A movement in world coordinates, metres, Y up.

    Attributes:
        smpl_pose: Axis-angle rotations of the 24 SMPL joints, radians.
        smpl_trans: Translation of the body.
        activity: Name of the activity at each frame.
        rate_hz: Frames per second.
    """

    smpl_pose: Float32[np.ndarray, "frame 72"]
    smpl_trans: Float32[np.ndarray, "frame 3"]
    activity: np.ndarray
    rate_hz: float
