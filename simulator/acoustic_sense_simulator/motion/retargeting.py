"""Retarget a BVH skeleton with CMU's joint names to SMPL's 24 joints."""

import numpy as np
from scipy.spatial.transform import Rotation

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.skeleton import SMPL_JOINT_NAMES, SMPL_PARENTS, smpl_joint
from acoustic_sense_simulator.motion.bvh import BvhMotion
from acoustic_sense_simulator.motion.capture import Capture, leg_length

_CMU_NAMES = {
    "pelvis": "Hips",
    "left_hip": "LeftUpLeg",
    "right_hip": "RightUpLeg",
    "spine1": "LowerBack",
    "left_knee": "LeftLeg",
    "right_knee": "RightLeg",
    "spine2": "Spine",
    "left_ankle": "LeftFoot",
    "right_ankle": "RightFoot",
    "spine3": "Spine1",
    "left_foot": "LeftToeBase",
    "right_foot": "RightToeBase",
    "neck": "Neck",
    "left_collar": "LeftShoulder",
    "right_collar": "RightShoulder",
    "head": "Head",
    "left_shoulder": "LeftArm",
    "right_shoulder": "RightArm",
    "left_elbow": "LeftForeArm",
    "right_elbow": "RightForeArm",
    "left_wrist": "LeftHand",
    "right_wrist": "RightHand",
}
_LIMBS = tuple(
    (f"{s}_{a}", f"{s}_{b}")
    for s in ("left", "right")
    for a, b in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "foot"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
)
_REQUIRED = tuple(
    name for name in _CMU_NAMES.values() if name == "Hips" or name.endswith(("Leg", "Arm", "Foot"))
)
_JUMP_RAD = np.deg2rad(50)  # a first frame this far from the second is a calibration pose


def retargeted(motion: BvhMotion, name: str, rest_joints: np.ndarray) -> Capture:
    """Return a BVH movement as rotations of SMPL's joints.

    Each limb's rotation is corrected by the turn between the rest directions of the two skeletons;
    a joint that the file lacks (toes, collar bones, ...) follows its parent. A first frame far from
    the second, the calibration pose of CMU's files, is left out.

    Args:
        motion: The movement; Y up.
        name: What to call it.
        rest_joints: SMPL joints of the body's T-pose, shape `(24, 3)`, metres.

    Raises:
        SimulationError: The skeleton lacks a joint that is needed.
    """
    missing = [joint for joint in _REQUIRED if joint not in motion.names]
    if missing:
        raise SimulationError(
            f"motion '{name}': its skeleton lacks {', '.join(missing)}; name joints as CMU does"
        )
    index = {j: motion.names.index(n) for j, n in _CMU_NAMES.items() if n in motion.names}
    rotations, root = motion.world_rotations()
    rest = motion.rest_positions()
    corrections = _corrections(index, rest, rest_joints)
    world: list[Rotation] = []
    for joint, parent in zip(SMPL_JOINT_NAMES, SMPL_PARENTS, strict=True):
        if joint in index:
            world.append(rotations[index[joint]] * corrections[joint])
        else:
            world.append(world[parent])
    pose = np.stack(
        [
            (world[j] if parent < 0 else world[parent].inv() * world[j]).as_rotvec()
            for j, parent in enumerate(SMPL_PARENTS)
        ],
        axis=1,
    )
    scale = leg_length(rest_joints) / _leg(index, rest)
    first = 1 if len(pose) > 2 and _jumps(pose) else 0
    leg_m = leg_length(rest_joints)
    return Capture(name, pose[first:], root[first:] * scale, 1 / motion.frame_s, leg_m)


def _corrections(
    index: dict[str, int], rest: np.ndarray, rest_joints: np.ndarray
) -> dict[str, Rotation]:
    """Return the turn from SMPL's rest direction to the file's, for every joint of the file."""
    corrections: dict[str, Rotation] = {}
    ends = dict(_LIMBS)
    for joint, parent in zip(SMPL_JOINT_NAMES, SMPL_PARENTS, strict=True):
        end = ends.get(joint)
        if end in index and joint in index:
            ours = rest_joints[smpl_joint(end)] - rest_joints[smpl_joint(joint)]
            theirs = rest[index[end]] - rest[index[joint]]
            corrections[joint] = _between(ours, theirs)
        else:  # hands and toes go on like the bone before them, the trunk is upright in both
            before = corrections.get(SMPL_JOINT_NAMES[parent], Rotation.identity())
            corrections[joint] = before if _is_tip(joint) else Rotation.identity()
    return corrections


def _is_tip(joint: str) -> bool:
    return joint.endswith(("wrist", "hand", "foot", "ankle"))


def _between(a: np.ndarray, b: np.ndarray) -> Rotation:
    """Return the least rotation from direction `a` to direction `b`."""
    if np.linalg.norm(b) < 1e-9:
        return Rotation.identity()
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    axis = np.cross(a, b)
    size = np.linalg.norm(axis)
    angle = np.arctan2(size, a @ b)
    return Rotation.from_rotvec(axis / max(size, 1e-12) * angle)


def _leg(index: dict[str, int], rest: np.ndarray) -> float:
    hip, knee, ankle = (rest[index[f"left_{joint}"]] for joint in ("hip", "knee", "ankle"))
    return float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle))


def _jumps(pose: np.ndarray) -> bool:
    first, second = (Rotation.from_rotvec(frame) for frame in pose[:2])
    return bool((first.inv() * second).magnitude().max() > _JUMP_RAD)
