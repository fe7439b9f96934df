"""The frame that poses are given in: the world's, or that of the microphone.

A microphone cannot hear which way the world lies. Where it is turned differently from take to take,
only poses relative to it can be learnt.
"""

from typing import Final, Literal

import numpy as np
from jaxtyping import Float32

PoseFrame = Literal["world", "microphone"]

FRONT_YAW_DEG: Final = 90.0
"""Yaw of a microphone whose frame is the world's: its front is -Z, its left -X, Y is up."""


def seen_from_microphone(
    joints: Float32[np.ndarray, "frame joint 3"], yaw_deg: float
) -> Float32[np.ndarray, "frame joint 3"]:
    """Return joints turned about the vertical until the microphone's front is -Z.

    Args:
        joints: World frame, Y up.
        yaw_deg: Direction of the microphone, see `Microphone.yaw_deg`.
    """
    angle = np.radians(FRONT_YAW_DEG - yaw_deg)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y, z = np.moveaxis(joints, -1, 0)
    turned: np.ndarray = np.stack([c * x + s * z, y, c * z - s * x], axis=-1)
    return turned
