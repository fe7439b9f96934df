"""The body-relative frame that poses are compared in."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.errors import DatasetError

ArrayT = TypeVar("ArrayT", np.ndarray, Tensor)

HIPS = JOINT_NAMES.index("Hips")
SPINE = JOINT_NAMES.index("Spine")
_UP = 1


def normalise_pose(joints: ArrayT) -> ArrayT:
    """Return poses relative to the body: hips at the origin, hip-spine length 1, feet on y = 0.

    At each frame, Hips is subtracted, the result divided by the distance from Hips to Spine, then
    y shifted so that the lowest joint is at 0. One unit is the hip-spine distance, 9.21 cm on
    average in AMPL. Normalising twice changes nothing.

    Args:
        joints: Numpy array or tensor, shape `(..., 21, 3)`, Y up, any unit of length.

    Returns:
        The same kind, shape and dtype.

    Raises:
        DatasetError: The shape is wrong, or Hips and Spine of a pose coincide.

    Examples:
        >>> pose = np.random.default_rng(0).normal(size=(21, 3))
        >>> normalised = normalise_pose(pose)
        >>> float(round(np.linalg.norm(normalised[1] - normalised[0]), 6))
        1.0
        >>> float(normalised[:, 1].min())
        0.0
    """
    if joints.ndim < 2 or tuple(joints.shape[-2:]) != (len(JOINT_NAMES), 3):
        raise DatasetError(
            f"poses have shape (..., {len(JOINT_NAMES)}, 3), not {tuple(joints.shape)}; "
            "reshape them, joints in the order of acoustic_sense.constants.JOINT_NAMES"
        )
    if isinstance(joints, np.ndarray):
        return _normalise_array(joints)
    return _normalise_tensor(joints)


def _normalise_array(joints: np.ndarray) -> np.ndarray:
    relative = joints - joints[..., HIPS : HIPS + 1, :]
    length = np.linalg.norm(relative[..., SPINE : SPINE + 1, :], axis=-1, keepdims=True)
    _check_length(bool((length > 0).all()))
    scaled = relative / length
    scaled[..., _UP] -= scaled[..., _UP].min(axis=-1, keepdims=True)
    return np.asarray(scaled, dtype=joints.dtype)


def _normalise_tensor(joints: Tensor) -> Tensor:
    relative = joints - joints[..., HIPS : HIPS + 1, :]
    length = torch.linalg.vector_norm(relative[..., SPINE : SPINE + 1, :], dim=-1, keepdim=True)
    _check_length(bool((length > 0).all()))
    scaled = relative / length
    lowest = scaled[..., _UP].amin(dim=-1, keepdim=True)
    floor = torch.zeros_like(scaled)
    floor[..., _UP] = lowest
    normalised: Tensor = scaled - floor
    return normalised


def _check_length(positive: bool) -> None:
    if not positive:
        raise DatasetError(
            "a pose has Hips and Spine at the same point, or is not finite, so it has no scale; "
            "leave that frame out"
        )
