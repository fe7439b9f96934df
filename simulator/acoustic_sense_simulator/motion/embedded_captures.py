"""The embedded captures: two recordings of the CMU Graphics Lab motion capture database.

Subject 01, trials 01 (forward jumps, turning round) and 03 (walking, reaching up), in the BVH
conversion by B. Hahne (cgspeed.com), retargeted and cut by `scripts/retarget_cmu.py`. The data are
free for all uses; see NOTICE for the acknowledgement that is asked for.
"""

from importlib.resources import as_file, files

import numpy as np

from acoustic_sense_simulator.motion.capture import Capture

ANGLE_STEP = np.pi / 32767
"""Radians of one count of the stored rotations."""

LENGTH_STEP_M = 2e-4
"""Metres of one count of the stored pelvis path."""

CUTOFF_HZ = 8.0
"""What is faster in the captures is noise of markers: single frames of toes, head and wrists."""


def embedded_captures() -> list[Capture]:
    """Return the embedded captures, each one stretch of movement without cuts.

    `data/cmu.npz` holds, for each clip, `<name>_pose` and `<name>_pelvis` as int16 differences
    from frame to frame (the first frame whole), in counts of `ANGLE_STEP` and `LENGTH_STEP_M`, and
    for all of them `names`, `rate_hz` and `leg_m`.
    """
    resource = files("acoustic_sense_simulator.motion") / "data" / "cmu.npz"
    with as_file(resource) as path, np.load(path, allow_pickle=False) as data:
        return [
            Capture(
                name=f"cmu-{str(name).rsplit('_', 1)[0]}",
                pose=decoded(data[f"{name}_pose"]).reshape(-1, 24, 3) * ANGLE_STEP,
                pelvis=decoded(data[f"{name}_pelvis"]) * LENGTH_STEP_M,
                rate_hz=float(data["rate_hz"]),
                leg_m=float(data["leg_m"]),
            ).smoothed(CUTOFF_HZ)
            for name in data["names"]
        ]


def encoded(values: np.ndarray, step: float) -> np.ndarray:
    """Return values as int16 differences along the frames, in counts of `step`."""
    counts = np.round(values / step).astype(np.int16)
    return np.diff(counts, axis=0, prepend=np.zeros_like(counts[:1]))


def decoded(differences: np.ndarray) -> np.ndarray:
    """Return the counts whose int16 differences are given; overflow wraps both ways alike."""
    return np.cumsum(differences, axis=0, dtype=np.int16).astype(np.float64)
