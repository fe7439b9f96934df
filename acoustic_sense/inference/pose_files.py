"""Pose files: what a prediction is written to, chosen by the name's ending.

| ending | holds |
|---|---|
| `.npz` | `joints` (frame, 21, 3) float32, `unit_m`, `time_s` (frame,), `rate_hz`, `joint_names` |
| `.csv` | one row a frame: `frame`, `time_s`, then x, y, z of each joint |
| `.bvh` | a skeleton with fixed bone lengths and a rotation a joint, in centimetres, see `bvh` |

Joints in `.npz` and `.csv` are in the unit of the model: poses relative to the body (see
`acoustic_sense.metrics.normalise_pose`) are in hip-spine distances, hips at the origin, lowest
joint at height 0. How large the person is cannot be heard; `unit_m` is that of an average body.
"""

import csv
from pathlib import Path

import numpy as np
from jaxtyping import Float

from acoustic_sense.constants import FRAME_RATE_HZ, JOINT_NAMES
from acoustic_sense.errors import AcousticSenseError
from acoustic_sense.inference.bvh import write_bvh

POSE_FORMATS = (".npz", ".csv", ".bvh")

HIP_SPINE_M = 0.0921
"""Hip-spine distance of an average body (the mean over AMPL's subjects), metres."""


def check_pose_path(path: Path) -> None:
    """Raise AcousticSenseError unless `path` ends in one of `POSE_FORMATS`."""
    if path.suffix.lower() not in POSE_FORMATS:
        ending = f"unknown pose format '{path.suffix}'" if path.suffix else "has no ending"
        raise AcousticSenseError(f"{path}: {ending}; name a file ending in .npz, .csv or .bvh")


def write_pose_file(
    path: Path,
    joints: Float[np.ndarray, "frame 21 3"],
    rate_hz: float = FRAME_RATE_HZ,
    unit_m: float = HIP_SPINE_M,
) -> tuple[str, ...]:
    """Write predicted joints to a file.

    Args:
        path: Ends in one of `POSE_FORMATS`.
        joints: Y up, shape `(frame, 21, 3)`. Frame i covers `[i, i + 1) / rate_hz`; its time is
            that of its centre.
        rate_hz: Frames per second.
        unit_m: Length of one unit of `joints` in metres.

    Returns:
        Notes on what the format cannot hold, one line each.

    Raises:
        AcousticSenseError: The ending is none of the formats.
    """
    check_pose_path(path)
    time_s = (np.arange(len(joints)) + 0.5) / rate_hz
    ending = path.suffix.lower()
    if ending == ".npz":
        np.savez_compressed(
            path,
            joints=joints.astype(np.float32),
            unit_m=np.float64(unit_m),
            time_s=time_s,
            rate_hz=np.float64(rate_hz),
            joint_names=np.array(JOINT_NAMES),
        )
        return ()
    if ending == ".csv":
        _write_csv(path, joints, time_s)
        return ()
    difference_m = write_bvh(path, unit_m * np.asarray(joints, dtype=np.float64), rate_hz)
    return (
        f"BVH keeps bone lengths fixed: its joints differ from the prediction by "
        f"{1000 * difference_m:.1f} mm rms",
    )


def _write_csv(path: Path, joints: np.ndarray, time_s: np.ndarray) -> None:
    axes = [f"{name}_{axis}" for name in JOINT_NAMES for axis in "xyz"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["frame", "time_s", *axes])
        for index, (frame, seconds) in enumerate(zip(joints, time_s, strict=True)):
            writer.writerow([index, f"{seconds:.3f}", *(f"{value:.6f}" for value in frame.flat)])
