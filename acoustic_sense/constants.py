"""Numbers and names that the whole framework agrees on.

Every public array in the project uses the axes and orders defined here, so a plugin author needs
no other source for "which joint is index 7" or "how long is a frame".
"""

from typing import Final

SAMPLE_RATE_HZ: Final = 48_000
"""Sample rate of every recording and playback inside the framework."""

FRAME_RATE_HZ: Final = 20
"""Feature frames, and poses used as targets, per second: one frame is 50 ms."""

FRAME_SAMPLES: Final = SAMPLE_RATE_HZ // FRAME_RATE_HZ
"""Samples in a frame at `SAMPLE_RATE_HZ`."""

CLIP_FRAMES: Final = 12
"""Frames in a clip (0.6 s), the unit of training."""

AMBISONIC_CHANNELS: Final = ("W", "X", "Y", "Z")
"""Channel order of every recording in memory; SN3D gains, X front, Y left, Z up."""

MEL_BINS: Final = 128
"""Slaney mel bands between 0 Hz and half the sample rate."""

SPEED_OF_SOUND_M_S: Final = 343.0
"""Speed of sound in air at 20 degrees Celsius."""

JOINT_NAMES: Final = (
    "Hips",
    "Spine",
    "Spine1",
    "Neck",
    "Head",
    "LeftShoulder",
    "LeftArm",
    "LeftForeArm",
    "LeftHand",
    "RightShoulder",
    "RightArm",
    "RightForeArm",
    "RightHand",
    "LeftUpLeg",
    "LeftLeg",
    "LeftFoot",
    "LeftToeBase",
    "RightUpLeg",
    "RightLeg",
    "RightFoot",
    "RightToeBase",
)
"""The 21 joints of a pose, in the order of the AMPL dataset."""

JOINT_PARENTS: Final = (-1, 0, 1, 2, 3, 2, 5, 6, 7, 2, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""Index of each joint's parent in `JOINT_NAMES`; -1 for the root."""

BODY_PARTS: Final = {
    "body": (0, 1, 2, 3, 4),
    "arm": (5, 6, 7, 8, 9, 10, 11, 12),
    "leg": (13, 14, 15, 16, 17, 18, 19, 20),
}
"""Joint indices of the parts that metrics are broken down by."""
