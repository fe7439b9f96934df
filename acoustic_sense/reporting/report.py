"""Report: everything that a page about one take shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from acoustic_sense.constants import FRAME_RATE_HZ, JOINT_NAMES
from acoustic_sense.errors import DatasetError
from acoustic_sense.metrics import joint_errors, pose_metrics
from acoustic_sense.types import Take

MAX_SECONDS = 60.0
"""Longest stretch of a take that a page plays; numbers cover the whole take."""


@dataclass(frozen=True, eq=False)
class Report:
    """A take, what a model made of it, and what the mean pose would have made of it.

    Poses are normalised as by `acoustic_sense.metrics.normalise_pose`: one unit is the hip-spine
    distance. Frame i covers `[i, i + 1) / 20` seconds of the take.

    Attributes:
        take: The take; its scene, where known, is drawn.
        prediction: Estimated poses, shape `(frame, 21, 3)`.
        target: True poses, the same shape.
        mean_pose: Mean pose of the training set, shape `(21, 3)` or `(frame, 21, 3)`.
        model_card: Facts about the model; plain data, nested tables allowed.
        title: Heading of the page.
        marked_s: A stretch to mark and to open at, start and end in seconds of the take.

    Raises:
        DatasetError: Shapes do not fit each other or the take, or a value is not finite.
    """

    take: Take
    prediction: Float[np.ndarray, "frame 21 3"]
    target: Float[np.ndarray, "frame 21 3"]
    mean_pose: Float[np.ndarray, "..."]
    model_card: Mapping[str, Any] = field(default_factory=dict)
    title: str = "A pose heard in music"
    marked_s: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Check the shapes and the values."""
        shape = self.target.shape
        if shape[1:] != (len(JOINT_NAMES), 3) or not shape[0]:
            raise DatasetError(f"a report needs true poses of shape (frame, 21, 3), not {shape}")
        if self.prediction.shape != shape:
            raise DatasetError(
                f"the estimate has shape {self.prediction.shape} but the truth {shape}; cut both "
                "to the same frames"
            )
        if self.mean_pose.shape not in (shape, shape[1:]):
            raise DatasetError(
                f"the mean pose has shape {self.mean_pose.shape}; give (21, 3) or {shape}"
            )
        for name in ("prediction", "target", "mean_pose"):
            if not np.isfinite(getattr(self, name)).all():
                raise DatasetError(f"the report's {name} holds values that are not finite")
        heard = self.take.recording.duration_s * FRAME_RATE_HZ
        if shape[0] > heard + 1:
            raise DatasetError(
                f"{shape[0]} frames are longer than the take's {self.take.recording.duration_s:g} "
                "s; give poses at 20 Hz"
            )

    @property
    def shown_frames(self) -> int:
        """Number of frames that the page plays."""
        return min(len(self.target), round(MAX_SECONDS * FRAME_RATE_HZ))

    @property
    def shown_seconds(self) -> float:
        """Seconds that the page plays."""
        return self.shown_frames / FRAME_RATE_HZ

    @cached_property
    def mean_poses(self) -> Float[np.ndarray, "frame 21 3"]:
        """The mean pose at each frame, shape `(frame, 21, 3)`."""
        return np.broadcast_to(self.mean_pose, self.target.shape)

    @cached_property
    def model_metrics(self) -> dict[str, float]:
        """Metrics of the estimate over all frames."""
        return pose_metrics(self.prediction, self.target)

    @cached_property
    def mean_metrics(self) -> dict[str, float]:
        """Metrics of the mean pose over all frames."""
        return pose_metrics(self.mean_poses, self.target)

    @cached_property
    def model_joint_errors(self) -> dict[str, float]:
        """Mean distance of each estimated joint to the truth, by joint name."""
        return joint_errors(self.prediction, self.target)

    @cached_property
    def mean_joint_errors(self) -> dict[str, float]:
        """Mean distance of each joint of the mean pose to the truth, by joint name."""
        return joint_errors(self.mean_poses, self.target)

    @cached_property
    def frame_errors(self) -> tuple[Float64[np.ndarray, " frame"], Float64[np.ndarray, " frame"]]:
        """RMSE of each shown frame: of the estimate, and of the mean pose."""
        count = self.shown_frames
        true = self.target[:count].astype(np.float64)

        def rmse(poses: np.ndarray) -> np.ndarray:
            values: np.ndarray = np.sqrt(((poses[:count] - true) ** 2).mean(axis=(1, 2)))
            return values

        return rmse(self.prediction), rmse(self.mean_poses)

    @cached_property
    def unit_cm(self) -> float:
        """Length of one unit, the hip-spine distance, for this person in centimetres."""
        joints = self.take.pose.joints
        return float(100 * np.median(np.linalg.norm(joints[:, 1] - joints[:, 0], axis=-1)))
