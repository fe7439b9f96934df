"""Capture: a recorded movement before it is fitted to a body and a place."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt
from scipy.spatial.transform import Rotation, Slerp

from acoustic_sense.errors import SimulationError


@dataclass(frozen=True, eq=False)
class Capture:
    """A recorded movement of SMPL's joints.

    Attributes:
        name: What to call it; becomes the activity label.
        pose: Axis-angle rotations, shape `(frame, 24, 3)`, radians, Y up.
        pelvis: Path of the pelvis, shape `(frame, 3)`, metres, Y up.
        rate_hz: Frames per second.
        leg_m: Length of the legs (hip to knee to ankle) that the path belongs to, or None.
    """

    name: str
    pose: np.ndarray
    pelvis: np.ndarray
    rate_hz: float
    leg_m: float | None = None

    def __post_init__(self) -> None:
        """Check what a file may have got wrong."""
        if len(self.pose) < 2 or len(self.pose) != len(self.pelvis):
            raise SimulationError(
                f"motion '{self.name}' has {len(self.pose)} poses and {len(self.pelvis)} "
                "positions; it needs two or more, as many of each"
            )
        if not (np.isfinite(self.pose).all() and np.isfinite(self.pelvis).all()):
            raise SimulationError(f"motion '{self.name}' holds values that are not finite")
        if not 1 <= self.rate_hz <= 1000:
            raise SimulationError(
                f"motion '{self.name}' has {self.rate_hz:g} frames a second; expected 1 to 1000"
            )

    def part(self, start_s: float, end_s: float) -> "Capture":
        """Return the frames between two times."""
        frames = slice(round(start_s * self.rate_hz), round(end_s * self.rate_hz) + 1)
        return Capture(self.name, self.pose[frames], self.pelvis[frames], self.rate_hz, self.leg_m)

    def resampled(self, rate_hz: float) -> "Capture":
        """Return the movement at another rate: rotations by slerp, positions linearly."""
        times = np.arange(len(self.pose)) / self.rate_hz
        count = int(np.floor(times[-1] * rate_hz + 1e-6)) + 1
        new_times = np.minimum(np.arange(count) / rate_hz, times[-1])
        pose = np.stack(
            [
                Slerp(times, Rotation.from_rotvec(self.pose[:, joint]))(new_times).as_rotvec()
                for joint in range(self.pose.shape[1])
            ],
            axis=1,
        )
        pelvis = np.stack([np.interp(new_times, times, axis) for axis in self.pelvis.T], axis=1)
        return Capture(self.name, pose, pelvis, rate_hz, self.leg_m)

    def smoothed(self, cutoff_hz: float) -> "Capture":
        """Return the movement without what is faster than people move: the noise of markers.

        Rotations, as quaternions of one sign, and the path go forwards and backwards through a
        Butterworth low-pass of second order, which leaves no delay.

        Args:
            cutoff_hz: Frequency at which one pass takes 3 dB; the two together take 6.

        References:
            Winter, "Biomechanics and motor control of human movement", 4th ed. (2009), 3.4.4.
        """
        filtered = butter(2, cutoff_hz, fs=self.rate_hz, output="sos")
        frames, joints = self.pose.shape[:2]
        turns = Rotation.from_rotvec(self.pose.reshape(-1, 3)).as_quat().reshape(frames, joints, 4)
        agree = np.sum(turns[1:] * turns[:-1], axis=-1) >= 0
        signs = np.cumprod(np.concatenate([np.ones((1, joints)), np.where(agree, 1, -1)]), axis=0)
        turns = sosfiltfilt(filtered, turns * signs[..., None], axis=0)
        pose = Rotation.from_quat(turns.reshape(-1, 4)).as_rotvec().reshape(frames, joints, 3)
        pelvis = sosfiltfilt(filtered, self.pelvis, axis=0)
        return Capture(self.name, pose, np.asarray(pelvis), self.rate_hz, self.leg_m)


def leg_length(rest_joints: np.ndarray) -> float:
    """Return the length of the left leg of a skeleton in SMPL's order, hip to knee to ankle."""
    hip, knee, ankle = rest_joints[[1, 4, 7]]
    return float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle))
