"""Replay: fit captures to a body, a length and a place, one after another without jumps."""

import numpy as np
from scipy.interpolate import BPoly
from scipy.ndimage import gaussian_filter1d, minimum_filter1d
from scipy.spatial.transform import Rotation

from acoustic_sense_simulator.body import Body
from acoustic_sense_simulator.motion.arm_clearance import arms_out
from acoustic_sense_simulator.motion.capture import Capture, leg_length
from acoustic_sense_simulator.motion.footing import sole_vertices
from acoustic_sense_simulator.motion.track import MotionTrack

REACH_M = 0.6
"""Greatest horizontal distance of the pelvis from the subject's place."""

_BRIDGE_S = 0.7
_BRIDGE_OUT_DEG = 10.0
_CALM_S = 0.8  # how far from a drawn time the calmest moment is sought
_AIRBORNE_S = 1.2  # a jump is shorter; within so long a foot has touched the floor
_STANDING_M, _AIRBORNE_M = 0.04, 0.10  # heights below which one stands, above which one flies
_SMOOTHING_S = 0.02
_DRIFT_S = 2.0  # time scale at which a path that leads away is first taken for drift
_CHECKED_VERTICES = 1500
_CHUNK = 2048


def replayed(
    captures: list[Capture],
    body: Body,
    frames: int,
    rate_hz: float,
    generator: np.random.Generator,
    random_start: bool,
) -> MotionTrack:
    """Play captures in random order until the take is filled, about the origin, facing +Z first.

    Between two captures the body moves from the last pose to the next. A path that leads further
    than `REACH_M` from its middle is held in place as on a treadmill: its slow part is taken away.
    The lowest part of the body touches the floor, jumps excepted.

    Args:
        captures: What to play.
        body: Who moves.
        frames: Number of frames.
        rate_hz: Frames per second.
        generator: Source of chance.
        random_start: Whether each capture may begin somewhere in its first half.
    """
    pieces: list[Capture] = []
    total = 0
    while total < frames:
        for index in generator.permutation(len(captures)):
            piece = captures[int(index)].resampled(rate_hz)
            if random_start:
                start = generator.uniform(0, len(piece.pose) / rate_hz / 2)
                piece = _calm_part(piece, start)
            pieces.append(_scaled(piece, body))
            total += len(piece.pose)
    pose, pelvis, names = _joined(pieces, rate_hz)
    pose, pelvis, names = pose[:frames], pelvis[:frames], names[:frames]
    pelvis[:, [0, 2]] = confined(pelvis[:, [0, 2]], rate_hz, REACH_M)
    smpl_pose = pose.reshape(frames, 72).astype(np.float32)
    trans = pelvis - body.rest_joints[0]
    trans[:, 1] += floor_lift(body, smpl_pose, trans, rate_hz)
    return MotionTrack(smpl_pose, trans.astype(np.float32), names, rate_hz)


def _calm_part(piece: Capture, start_s: float) -> Capture:
    """Return the movement from about a time on, cut where the body is calm for a moment."""
    turns = (
        Rotation.from_rotvec(piece.pose.reshape(-1, 3)).as_quat().reshape(len(piece.pose), -1, 4)
    )
    cosine = np.abs(np.sum(turns[1:] * turns[:-1], axis=-1))
    unrest = np.sum(1 - np.minimum(cosine, 1), axis=1)
    within = round(_CALM_S * piece.rate_hz)
    first = round(start_s * piece.rate_hz)
    first += int(np.argmin(unrest[first : first + within]))
    last = max(len(unrest) - within, first + 1)
    last += int(np.argmin(unrest[last:]))
    return piece.part(first / piece.rate_hz, (last + 1) / piece.rate_hz)


def _scaled(capture: Capture, body: Body) -> Capture:
    """Scale the pelvis path to the length of the body's legs, where the capture's are known."""
    scale = 1.0 if capture.leg_m is None else leg_length(body.rest_joints) / capture.leg_m
    return Capture(capture.name, capture.pose, capture.pelvis * scale, capture.rate_hz)


def _joined(pieces: list[Capture], rate_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn and move each piece so that it goes on where the last one ended, with a bridge."""
    poses: list[np.ndarray] = []
    paths: list[np.ndarray] = []
    names: list[np.ndarray] = []
    heading, place = 0.0, np.zeros(2)
    bridge_frames = round(_BRIDGE_S * rate_hz)
    for piece in pieces:
        turned = _turned(piece, heading - _heading(piece.pose[0, 0]))
        pelvis = turned.pelvis.copy()
        if paths:  # the bridge leads on at the mean of both velocities
            mean = (paths[-1][-1] - paths[-1][-2] + pelvis[1] - pelvis[0]) / 2
            place = place + mean[[0, 2]] * (bridge_frames + 1)
        pelvis[:, [0, 2]] += place - pelvis[0, [0, 2]]
        if poses:
            poses.append(_bridge(poses[-1], turned.pose, bridge_frames))
            paths.append(_path_bridge(paths[-1], pelvis, bridge_frames))
            names.append(np.full(bridge_frames, piece.name))
        poses.append(turned.pose)
        paths.append(pelvis)
        names.append(np.full(len(pelvis), piece.name))
        heading, place = _heading(turned.pose[-1, 0]), pelvis[-1, [0, 2]]
    return np.concatenate(poses), np.concatenate(paths), np.concatenate(names)


def _heading(pelvis_rotation: np.ndarray) -> float:
    """Return the direction in which the pelvis faces, radians from +Z towards +X."""
    forward = Rotation.from_rotvec(pelvis_rotation).apply([0.0, 0.0, 1.0])
    return float(np.arctan2(forward[0], forward[2]))


def _turned(capture: Capture, angle: float) -> Capture:
    turn = Rotation.from_rotvec([0.0, angle, 0.0])
    pose = capture.pose.copy()
    pose[:, 0] = (turn * Rotation.from_rotvec(pose[:, 0])).as_rotvec()
    return Capture(capture.name, pose, turn.apply(capture.pelvis), capture.rate_hz)


def _bridge(before: np.ndarray, after: np.ndarray, count: int) -> np.ndarray:
    """Return `count` poses from the end of one movement to the start of another, without jumps.

    On the way the arms are held out a little, so that they pass hips and thighs.

    The rotation vector from the first pose follows the quintic with the velocities of both
    movements and no acceleration at its ends.

    References:
        Sola et al., "A micro Lie theory for state estimation in robotics" (2018), equation 144,
        for the velocity of the rotation vector at the far end.
    """
    start, end = Rotation.from_rotvec(before[-1]), Rotation.from_rotvec(after[0])
    way = (start.inv() * end).as_rotvec()
    leaving = (Rotation.from_rotvec(before[-2]).inv() * start).as_rotvec()
    arriving = (end.inv() * Rotation.from_rotvec(after[1])).as_rotvec()
    angle = np.linalg.norm(way, axis=-1, keepdims=True)
    half = np.maximum(angle / 2, 1e-6)
    axis = way / np.maximum(angle, 1e-12)
    along = np.sum(axis * arriving, axis=-1, keepdims=True) * axis
    share = half / np.tan(half)  # inverse of the right Jacobian
    arriving = share * arriving + (1 - share) * along + np.cross(way, arriving) / 2
    vectors = _quintic(np.zeros_like(way), way, leaving, arriving, count)
    poses = np.stack([(start * Rotation.from_rotvec(vector)).as_rotvec() for vector in vectors])
    return arms_out(poses, _BRIDGE_OUT_DEG * np.sin(np.linspace(0, np.pi, count + 2)[1:-1]) ** 2)


def _path_bridge(before: np.ndarray, after: np.ndarray, count: int) -> np.ndarray:
    """Return `count` places between two paths, with the velocities of both."""
    return _quintic(before[-1], after[0], before[-1] - before[-2], after[1] - after[0], count)


def _quintic(
    start: np.ndarray, end: np.ndarray, leaving: np.ndarray, arriving: np.ndarray, count: int
) -> np.ndarray:
    """Return `count` values between two, given their changes a frame; no acceleration at either."""
    still = np.zeros_like(start)
    ends = np.stack([np.stack([start, leaving, still]), np.stack([end, arriving, still])])
    return np.asarray(BPoly.from_derivatives([0, count + 1], ends)(np.arange(1, count + 1)))


def confined(path: np.ndarray, rate_hz: float, reach_m: float) -> np.ndarray:
    """Return a horizontal path that stays within reach of the origin.

    Args:
        path: Shape `(frame, 2)`, metres.
        rate_hz: Frames per second.
        reach_m: Greatest distance.

    Returns:
        The path about the middle of its extent where that is within reach; else without its slow
        part, taken ever faster until the rest fits.
    """
    centred = path - (path.max(axis=0) + path.min(axis=0)) / 2
    scale_s = _DRIFT_S
    while np.linalg.norm(centred, axis=1).max() > reach_m and scale_s > 0.2:
        centred = path - gaussian_filter1d(path, scale_s * rate_hz, axis=0, mode="nearest")
        scale_s /= 1.5
    farthest = np.linalg.norm(centred, axis=1).max()
    return np.asarray(centred * min(1.0, reach_m / max(farthest, 1e-9)))


def floor_lift(body: Body, smpl_pose: np.ndarray, trans: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return how far to lift each frame so that the body stands on the floor, metres.

    The ground of a recording is the lowest that the body came within `_AIRBORNE_S`. A body a little
    above it stands (retargeting and slopes are not exact) and is put on the floor; one well above
    it jumps and stays in the air.

    Args:
        body: Who moves.
        smpl_pose: Rotations, shape `(frame, 72)`.
        trans: Translation, shape `(frame, 3)`, metres, at any height.
        rate_hz: Frames per second.
    """
    stride = max(1, body.vertex_count // _CHECKED_VERTICES)
    checked = np.union1d(sole_vertices(body), np.arange(0, body.vertex_count, stride))
    lowest = np.concatenate(
        [
            body.pose_vertices(smpl_pose[i : i + _CHUNK], trans[i : i + _CHUNK], checked)[..., 1]
            .min(axis=1)
            .astype(np.float64)
            for i in range(0, len(smpl_pose), _CHUNK)
        ]
    )
    window = max(1, round(_AIRBORNE_S * rate_hz))
    ground = minimum_filter1d(lowest, window, mode="nearest")
    ground = gaussian_filter1d(ground, window / 4, mode="nearest")
    above = np.maximum(lowest - ground, 0)
    share = np.clip((above - _STANDING_M) / (_AIRBORNE_M - _STANDING_M), 0, 1)
    height = above * share**2 * (3 - 2 * share)
    return np.asarray(gaussian_filter1d(height - lowest, _SMOOTHING_S * rate_hz, mode="nearest"))
