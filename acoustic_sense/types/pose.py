"""Pose track: where the joints of one person are over time."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import FRAME_RATE_HZ, JOINT_NAMES
from acoustic_sense.errors import DatasetError


@dataclass(frozen=True, eq=False)
class PoseTrack:
    """Joint positions over time, and where known the SMPL parameters behind them.

    Attributes:
        joints: Float32 array, shape `(frame, 21, 3)`, metres, world frame (right-handed, Y up),
            joints in the order of `acoustic_sense.constants.JOINT_NAMES`. Frame i is the pose at
            time `i / rate_hz`.
        rate_hz: Poses per second.
        activity: Name of the activity at each frame, shape `(frame,)`, or None where unlabelled.
        smpl_pose: Axis-angle joint rotations, shape `(frame, 72)`, or None.
        smpl_trans: Root translation in metres, shape `(frame, 3)`, or None.
        smpl_betas: Shape coefficients, shape `(beta,)`, or None.

    Raises:
        DatasetError: A shape is wrong, a length differs, or a position is not finite.
    """

    joints: Float32[np.ndarray, "frame 21 3"]
    rate_hz: float
    activity: np.ndarray | None = None
    smpl_pose: Float32[np.ndarray, "frame 72"] | None = None
    smpl_trans: Float32[np.ndarray, "frame 3"] | None = None
    smpl_betas: Float32[np.ndarray, " beta"] | None = None

    def __post_init__(self) -> None:
        """Check shapes, lengths and values."""
        joint_count = len(JOINT_NAMES)
        if self.joints.ndim != 3 or self.joints.shape[1:] != (joint_count, 3):
            raise DatasetError(
                f"a pose track has shape (frame, {joint_count}, 3), not {self.joints.shape}"
            )
        if not np.isfinite(self.joints).all():
            raise DatasetError("the pose track holds positions that are not finite")
        if self.rate_hz <= 0:
            raise DatasetError(f"the pose rate must be positive, not {self.rate_hz} Hz")
        for name in ("activity", "smpl_pose", "smpl_trans"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.joints):
                raise DatasetError(
                    f"{name} has {len(values)} frames but the joints have {len(self.joints)}"
                )

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.joints) / self.rate_hz

    def at_feature_frames(
        self, frame_count: int, start_s: float = 0.0
    ) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the joints at the centres of the first `frame_count` feature frames.

        Feature frame i covers `[i, i + 1) / 20 Hz` after `start_s`; its pose is that of its
        centre, linearly interpolated between the two nearest poses and held at the ends.

        Args:
            frame_count: Number of 50 ms feature frames.
            start_s: Where in the take the first frame begins.

        Returns:
            Float32 array, shape `(frame_count, 21, 3)`, metres.
        """
        low, high, weight = self._neighbours(frame_count, start_s)
        weight = weight[:, None, None]
        blend = (1 - weight) * self.joints[low] + weight * self.joints[high]
        return np.asarray(blend, dtype=np.float32)

    def activity_at_feature_frames(self, frame_count: int) -> np.ndarray:
        """Return the activity name nearest each feature frame's centre, `""` where unlabelled."""
        if self.activity is None:
            return np.full(frame_count, "", dtype="U1")
        low, high, weight = self._neighbours(frame_count)
        nearest: np.ndarray = self.activity[np.where(weight < 0.5, low, high)]
        return nearest

    def _neighbours(
        self, frame_count: int, start_s: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the two pose indices around each feature frame's centre, and the weight."""
        position = ((np.arange(frame_count) + 0.5) / FRAME_RATE_HZ + start_s) * self.rate_hz
        position = np.clip(position, 0, len(self.joints) - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, len(self.joints) - 1)
        return low, high, position - low
