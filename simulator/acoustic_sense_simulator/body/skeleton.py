"""SMPL's 24 joints, and how the framework's 21 joints are read from them."""

from typing import Final

import numpy as np
from jaxtyping import Float, Int

from acoustic_sense.constants import JOINT_NAMES

SMPL_JOINT_NAMES: Final = (
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hand",
    "right_hand",
)
"""Joints of the SMPL skeleton, in SMPL's order. Left is +x of a body that faces +z."""

SMPL_PARENTS: Final = (
    *(-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
    *(9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21),
)
"""Index of each SMPL joint's parent; -1 for the pelvis."""

SMPL_OF_JOINT: Final = {
    "Hips": "pelvis",
    "Spine": "spine1",
    "Spine1": "spine3",
    "Neck": "neck",
    "Head": "head",
    "LeftShoulder": "left_collar",
    "LeftArm": "left_shoulder",
    "LeftForeArm": "left_elbow",
    "LeftHand": "left_wrist",
    "RightShoulder": "right_collar",
    "RightArm": "right_shoulder",
    "RightForeArm": "right_elbow",
    "RightHand": "right_wrist",
    "LeftUpLeg": "left_hip",
    "LeftLeg": "left_knee",
    "LeftFoot": "left_ankle",
    "LeftToeBase": "left_foot",
    "RightUpLeg": "right_hip",
    "RightLeg": "right_knee",
    "RightFoot": "right_ankle",
    "RightToeBase": "right_foot",
}
"""SMPL joint at which each of the framework's 21 joints lies.

Motion-capture names say which bone *begins* at a joint: `LeftArm` is the shoulder joint, `LeftHand`
the wrist. SMPL has three spine joints and the target skeleton two: `Spine` lies towards the lowest
of them (`spine_share`), `Spine1` is the one that carries neck and collars (SMPL's `spine3`), as it
does in the target's tree; `spine2` is left out. SMPL's `left_hand` and `right_hand` (the knuckles)
are left out too.
"""


def smpl_joint(name: str) -> int:
    """Return the index of an SMPL joint."""
    return SMPL_JOINT_NAMES.index(name)


SPINE_SHARE: Final = 0.1747
"""Distance from `Hips` to `Spine` over the length of the spine from pelvis to neck.

The distance is the unit of normalised poses, so it has to go with the size of the person. Between
SMPL's pelvis and spine1 it does not: it differs by 18 % (standard deviation) among the embedded
bodies, the whole spine by 3 %. The share gives AMPL's 9.21 cm on average over those bodies.
"""


def spine_share(rest_joints: Float[np.ndarray, "24 3"]) -> float:
    """Return how far along the way from pelvis to spine1 `Spine` lies; above 1 is beyond it."""
    chain = [smpl_joint(name) for name in ("pelvis", "spine1", "spine2", "spine3", "neck")]
    lengths = np.linalg.norm(np.diff(rest_joints[chain], axis=0), axis=1)
    return float(SPINE_SHARE * lengths.sum() / lengths[0])


def target_joint_indices() -> Int[np.ndarray, " 21"]:
    """Return the SMPL index of each joint of `acoustic_sense.constants.JOINT_NAMES`, in order."""
    return np.array([smpl_joint(SMPL_OF_JOINT[name]) for name in JOINT_NAMES], dtype=np.intp)
