"""Arm clearance: hold the arms of a capture away from a body broader than the recorded one.

Rotations of a slim person put on a broad one lead the forearms through hips and thighs. Broad
people hold their arms further out; so does the body here, by one angle for the whole of its
captures, the smallest that keeps the arms out of the rest of the body.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from acoustic_sense_simulator.body import Body
from acoustic_sense_simulator.body.embedded import embedded_model
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.skeleton import smpl_joint
from acoustic_sense_simulator.motion.capture import Capture
from acoustic_sense_simulator.motion.embedded_captures import embedded_captures
from acoustic_sense_simulator.motion.plausibility import BodyParts

DEEPEST_M = 0.018
"""Depth that is let be: the skin of an arm that lies on a thigh gives way as much."""

MOST_DEG = 20.0
"""Greatest angle by which arms are held out."""

_ARMS = ("left arm", "right arm")
_RATE_HZ = 10.0  # at which poses are looked at
_POINTS = 100  # of an arm that are looked at
_STEP_DEG = 0.25
_CHUNK = 32  # poses at a time, which of a user's body of 10,000 vertices are 4 MB


def kept_off(captures: list[Capture], body: Body) -> list[Capture]:
    """Return the embedded captures with the arms held out as far as this body needs.

    Args:
        captures: What `embedded_captures` returns.
        body: Who is to play them.
    """
    angle_deg = held_out_deg(body)
    return [replace(capture, pose=arms_out(capture.pose, angle_deg)) for capture in captures]


def held_out_deg(body: Body) -> float:
    """Return the angle by which a body has to hold its arms out in the embedded captures.

    The smallest, in steps of a quarter of a degree, with which no point of an arm is deeper than
    `DEEPEST_M` in the rest of the body in any pose looked at, at most `MOST_DEG`. It is found once
    for each person and the same for all meshes of the embedded body.

    Args:
        body: Whose arms.
    """
    is_embedded = body.model.name == "embedded"
    return _held_out_deg(embedded_model("coarse") if is_embedded else body.model, body.betas)


@lru_cache(maxsize=64)
def _held_out_deg(model: BodyModel, betas: tuple[float, ...]) -> float:
    body = Body(model, betas)
    parts = BodyParts(body, _ARMS, _POINTS)
    captures = [capture.resampled(_RATE_HZ) for capture in embedded_captures()]
    poses = np.concatenate([capture.pose for capture in captures])
    depths = np.array(list(_depths(body, parts, poses, 0.0)))
    # depths fall with the angle: poses that are well stay so; the worst is asked first
    poses = poses[np.argsort(-depths, kind="stable")[: np.count_nonzero(depths > DEEPEST_M)]]
    if len(poses) == 0:
        return 0.0
    low, high = 0, round(MOST_DEG / _STEP_DEG)
    while high - low > 1:
        middle = (low + high) // 2
        keeps_off = all(d <= DEEPEST_M for d in _depths(body, parts, poses, middle * _STEP_DEG))
        low, high = (low, middle) if keeps_off else (middle, high)
    return high * _STEP_DEG


def _depths(body: Body, parts: BodyParts, poses: np.ndarray, angle_deg: float) -> Iterator[float]:
    """Give how deep the arms are in the rest of the body in one pose after another, metres."""
    rotations = arms_out(poses, angle_deg).reshape(-1, 72)
    for start in range(0, len(poses), _CHUNK):
        some = rotations[start : start + _CHUNK]
        for vertices in body.pose_vertices(some, np.zeros((len(some), 3))):
            yield parts.deepest(vertices.astype(np.float64))[0]


def arms_out(pose: np.ndarray, angle_deg: float | np.ndarray) -> np.ndarray:
    """Return poses with both arms held further out.

    Each arm turns as a whole about its shoulder, straight towards the side of the body, wherever
    it points: by the whole angle where it is at right angles to the side, by less the nearer it
    is.

    Args:
        pose: Axis-angle rotations, shape `(frame, 24, 3)`, radians.
        angle_deg: By how much; one angle, or one for each frame.
    """
    changed = pose.astype(np.float64)
    angles = np.broadcast_to(np.deg2rad(angle_deg), len(pose))[:, None]
    for side, aside in (("left", [1.0, 0.0, 0.0]), ("right", [-1.0, 0.0, 0.0])):
        shoulder = smpl_joint(f"{side}_shoulder")
        arm = Rotation.from_rotvec(changed[:, shoulder])
        axis = np.cross(arm.apply(aside), aside)
        changed[:, shoulder] = (Rotation.from_rotvec(angles * axis) * arm).as_rotvec()
    return changed
