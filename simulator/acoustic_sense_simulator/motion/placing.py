"""Placing: turn and move a motion to where the subject stands in the room."""

import numpy as np
from scipy.spatial.transform import Rotation

from acoustic_sense_simulator.body import Body
from acoustic_sense_simulator.motion.track import MotionTrack


def placed(
    track: MotionTrack,
    body: Body,
    position_m: tuple[float, float, float],
    heading_deg: float,
) -> MotionTrack:
    """Return the track turned about the world's vertical and moved.

    Args:
        track: Motion about the origin, for a person who faces +Z, floor at y = 0.
        body: Whose motion.
        position_m: Where the origin goes.
        heading_deg: 0 keeps the person facing +Z, positive turns towards +X.
    """
    turn = Rotation.from_euler("y", heading_deg, degrees=True)
    pose = track.smpl_pose.astype(np.float64)
    pose[:, :3] = (turn * Rotation.from_rotvec(pose[:, :3])).as_rotvec()
    # SMPL turns the body about its pelvis, which at rest need not be at the origin
    pelvis = body.rest_joints[0]
    trans = turn.apply(track.smpl_trans + pelvis) - pelvis + np.asarray(position_m)
    return MotionTrack(
        pose.astype(np.float32), trans.astype(np.float32), track.activity, track.rate_hz
    )
