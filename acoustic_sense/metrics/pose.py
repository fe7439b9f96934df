"""Pose errors: RMSE, MAE and PCKh, whole body and per part."""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from acoustic_sense.constants import BODY_PARTS, JOINT_NAMES
from acoustic_sense.errors import DatasetError

PCKH_FACTORS: Final = (0.5, 1, 2, 3, 4)
"""Thresholds of PCKh, in head lengths."""

NECK = JOINT_NAMES.index("Neck")
HEAD = JOINT_NAMES.index("Head")

Poses = np.ndarray | Tensor


def pose_metrics(prediction: Poses, target: Poses) -> dict[str, float]:
    """Return the errors of estimated poses.

    - `rmse`, `mae`: root mean square and mean absolute error over all coordinates, in the unit of
      the poses.
    - `pckh@k` for k in `PCKH_FACTORS`: share of joints whose distance to the truth is strictly
      below `k |Neck - Head|` of the true pose at that frame.
    - each also per part as `rmse/arm` and so on, parts as in `acoustic_sense.constants.BODY_PARTS`.

    Args:
        prediction: Estimated poses, numpy array or tensor, shape `(..., 21, 3)`.
        target: True poses, the same shape. Neither is normalised here.

    Returns:
        The metrics by name, plain floats.

    Raises:
        DatasetError: Shapes differ or are not `(..., 21, 3)`, there is no pose at all, or a value
            is not finite.

    References:
        Andriluka et al., "2D human pose estimation: new benchmark and state of the art analysis",
        CVPR 2014 (PCKh).

    Examples:
        >>> target = np.zeros((2, 21, 3))
        >>> target[:, 4, 1] = 1.0  # a head one unit above the neck
        >>> prediction = target.copy()
        >>> prediction[0, 8, 0] = 3.0  # one hand of one frame off by three units
        >>> metrics = pose_metrics(prediction, target)
        >>> round(metrics["rmse"], 4), round(metrics["mae"], 4), round(metrics["pckh@0.5"], 4)
        (0.2673, 0.0238, 0.9762)
        >>> metrics["pckh@3"] == metrics["pckh@0.5"], metrics["pckh@4"], metrics["rmse/leg"]
        (True, 1.0, 0.0)
    """
    difference, head = _difference_and_head(prediction, target)
    distance = np.linalg.norm(difference, axis=-1)
    metrics = _summarise(difference, distance, head, "")
    for part, joints in BODY_PARTS.items():
        chosen = list(joints)
        metrics |= _summarise(difference[:, chosen], distance[:, chosen], head, f"/{part}")
    return metrics


def joint_rmse(prediction: Poses, target: Poses) -> dict[str, float]:
    """Return the root mean square error of each joint, over all poses and its three coordinates.

    The mean of their squares is the square of `rmse` in `pose_metrics`.

    Args:
        prediction: Estimated poses, numpy array or tensor, shape `(..., 21, 3)`.
        target: True poses, the same shape.

    Returns:
        RMSE in the unit of the poses, by joint name.

    Raises:
        DatasetError: As in `pose_metrics`.

    Examples:
        >>> prediction = np.zeros((21, 3))
        >>> prediction[4] = (0.0, 3.0, 0.0)
        >>> errors = joint_rmse(prediction, np.zeros((21, 3)))
        >>> round(errors["Head"], 4), errors["Neck"]
        (1.7321, 0.0)
    """
    difference, _ = _difference_and_head(prediction, target)
    rmse = np.sqrt(np.mean(difference**2, axis=(0, 2)))
    return {name: float(rmse[index]) for index, name in enumerate(JOINT_NAMES)}


def joint_errors(prediction: Poses, target: Poses) -> dict[str, float]:
    """Return the mean distance between estimated and true position of each joint.

    Args:
        prediction: Estimated poses, numpy array or tensor, shape `(..., 21, 3)`.
        target: True poses, the same shape.

    Returns:
        Mean distance in the unit of the poses, by joint name.

    Raises:
        DatasetError: As in `pose_metrics`.

    Examples:
        >>> prediction = np.zeros((21, 3))
        >>> prediction[4] = (0.0, 3.0, 4.0)
        >>> errors = joint_errors(prediction, np.zeros((21, 3)))
        >>> errors["Head"], errors["Neck"]
        (5.0, 0.0)
    """
    difference, _ = _difference_and_head(prediction, target)
    distance = np.linalg.norm(difference, axis=-1).mean(axis=0)
    return {name: float(distance[index]) for index, name in enumerate(JOINT_NAMES)}


def _difference_and_head(
    prediction: Poses, target: Poses
) -> tuple[Float64[np.ndarray, "pose 21 3"], Float64[np.ndarray, " pose"]]:
    """Return the errors and the true head lengths, all leading axes flattened."""
    estimated, true = _to_float64(prediction), _to_float64(target)
    joint_shape = (len(JOINT_NAMES), 3)
    if estimated.shape != true.shape or true.shape[-2:] != joint_shape:
        raise DatasetError(
            f"predicted poses {estimated.shape} and true poses {true.shape} must have the same "
            f"shape (..., {joint_shape[0]}, 3); reshape them first"
        )
    if true.size == 0:
        raise DatasetError("there is no pose to compare; check that the selection holds clips")
    if not (np.isfinite(estimated).all() and np.isfinite(true).all()):
        raise DatasetError("poses hold values that are not finite; leave those frames out")
    true = true.reshape(-1, *joint_shape)
    head = np.linalg.norm(true[:, NECK] - true[:, HEAD], axis=-1)
    return estimated.reshape(-1, *joint_shape) - true, head


def _to_float64(poses: Poses) -> np.ndarray:
    if isinstance(poses, Tensor):
        return poses.detach().to("cpu", torch.float64).numpy()
    return np.asarray(poses, dtype=np.float64)


def _summarise(
    difference: Float64[np.ndarray, "pose joint 3"],
    distance: Float64[np.ndarray, "pose joint"],
    head: Float64[np.ndarray, " pose"],
    suffix: str,
) -> dict[str, float]:
    metrics = {
        f"rmse{suffix}": float(np.sqrt(np.mean(difference**2))),
        f"mae{suffix}": float(np.mean(np.abs(difference))),
    }
    for factor in PCKH_FACTORS:
        metrics[f"pckh@{factor}{suffix}"] = float(np.mean(distance < factor * head[:, None]))
    return metrics
