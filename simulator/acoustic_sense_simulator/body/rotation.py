"""Rotations of a skeleton: axis-angle vectors to matrices, and down the tree of joints."""

import numpy as np
from jaxtyping import Float

from acoustic_sense_simulator.body.skeleton import SMPL_PARENTS


def rotation_matrices(
    axis_angle: Float[np.ndarray, "*shape 3"],
) -> Float[np.ndarray, "*shape 3 3"]:
    """Return the rotation matrix of each axis-angle vector (Rodrigues' formula).

    Args:
        axis_angle: Vectors along the axis, as long as the angle in radians.

    Returns:
        Float64 matrices that turn column vectors.
    """
    vectors = axis_angle.astype(np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    cross = np.stack(rows, axis=-1).reshape(*x.shape, 3, 3)
    # R = I + sin(a)/a K + (1 - cos(a))/a^2 K^2, both factors through sinc so that a = 0 is safe
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross))


def joint_transforms(
    local: Float[np.ndarray, "frame 24 3 3"], rest_joints: Float[np.ndarray, "24 3"]
) -> tuple[Float[np.ndarray, "frame 24 3 3"], Float[np.ndarray, "frame 24 3"]]:
    """Run forward kinematics down the SMPL tree, the pelvis staying where it is at rest.

    Args:
        local: Rotation of each joint relative to its parent.
        rest_joints: Joints of the T-pose, metres.

    Returns:
        Rotation of each joint relative to the world, and its position in metres.
    """
    rotations = np.empty_like(local)
    positions = np.empty((len(local), len(SMPL_PARENTS), 3))
    rotations[:, 0], positions[:, 0] = local[:, 0], rest_joints[0]
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        rotations[:, joint] = rotations[:, parent] @ local[:, joint]
        bone = rest_joints[joint] - rest_joints[parent]
        positions[:, joint] = positions[:, parent] + rotations[:, parent] @ bone
    return rotations, positions
