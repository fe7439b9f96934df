"""Metrics: how far estimated poses are from the truth.

Conventions: a pose is 21 joints x 3 coordinates in the order of
`acoustic_sense.constants.JOINT_NAMES`, Y up. Metrics compare poses as they are given; bring both
to the same frame with `normalise_pose` first, so that one unit is the hip-spine distance.
"""

from acoustic_sense.metrics.normalisation import normalise_pose
from acoustic_sense.metrics.pose import PCKH_FACTORS, joint_errors, joint_rmse, pose_metrics

__all__ = ["PCKH_FACTORS", "joint_errors", "joint_rmse", "normalise_pose", "pose_metrics"]
