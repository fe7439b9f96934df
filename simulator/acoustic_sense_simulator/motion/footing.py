"""Footing: move the root so that the feet stand on the floor and do not slide."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from acoustic_sense_simulator.body import Body
from acoustic_sense_simulator.body.skeleton import smpl_joint

_SOLE_HEIGHT_M = 0.045  # vertices of the feet this far above the lowest one belong to the sole
_CONTACT_M = 0.008  # how sharply the lowest part of a sole decides what of it stands still
_STANCE_S, _STANCE_M = (
    0.15,
    0.004,
)  # how long, and how sharply, the lower foot is the one that stands
_HEIGHT_SMOOTHING_S = 0.02
_CHUNK = 4096


def sole_vertices(body: Body) -> np.ndarray:
    """Return the indices of the vertices under both feet."""
    feet = [
        smpl_joint(f"{side}_{name}") for side in ("left", "right") for name in ("ankle", "foot")
    ]
    height = body.rest_vertices[:, 1]
    on_foot = body.model.weights[:, feet].sum(axis=1) > 0.5
    return np.flatnonzero(on_foot & (height < height[on_foot].min() + _SOLE_HEIGHT_M))


def grounded_root(body: Body, smpl_pose: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the translation that keeps the lowest foot on the floor where it stands.

    The height is that of the lowest point of the soles. Sideways, the root moves against the
    movement of the foot that stands: the one that stays lower for a while, so that a foot about to
    leave the floor or just landing does not carry the body along.

    Args:
        body: Whose feet.
        smpl_pose: Movement, shape `(frame, 72)`.
        rate_hz: Frames per second.

    Returns:
        Translation in metres, shape `(frame, 3)`; horizontally zero at the first frame.
    """
    soles = sole_vertices(body)
    feet = [body.rest_vertices[soles, 0] > 0, body.rest_vertices[soles, 0] <= 0]
    frames = len(smpl_pose)
    lowest, steps = np.empty((frames, 2)), np.zeros((frames, 2, 2))
    for start in range(0, frames, _CHUNK):
        first = max(start - 1, 0)  # one frame again, for the step into this chunk
        part = smpl_pose[first : start + _CHUNK]
        points = body.pose_vertices(part, np.zeros((len(part), 3)), soles).astype(np.float64)
        here = slice(first, first + len(part))
        for foot, mine in enumerate(feet):
            lowest[here, foot] = points[:, mine, 1].min(axis=1)
            steps[first + 1 : here.stop, foot] = _sole_steps(points[:, mine])
    height = lowest.min(axis=1)
    above = gaussian_filter1d(lowest - height[:, None], _STANCE_S * rate_hz, axis=0, mode="nearest")
    carries = np.exp((above.min(axis=1, keepdims=True) - above) / _STANCE_M)
    carries /= carries.sum(axis=1, keepdims=True)
    path = np.cumsum(-np.einsum("tf,tfa->ta", carries, steps), axis=0)
    height = -gaussian_filter1d(height, _HEIGHT_SMOOTHING_S * rate_hz, mode="nearest")
    return np.stack([path[:, 0], height, path[:, 1]], axis=1)


def _sole_steps(points: np.ndarray) -> np.ndarray:
    """Return the horizontal step of a sole's lowest part between frames, `(frame - 1, 2)`."""
    height = (points[1:, :, 1] + points[:-1, :, 1]) / 2
    weight = np.exp((height.min(axis=1, keepdims=True) - height) / _CONTACT_M)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("fv,fva->fa", weight, np.diff(points[..., [0, 2]], axis=0)))


def returned_home(root: np.ndarray, spans: list[tuple[int, int]], reach_m: float) -> np.ndarray:
    """Return the root's path with every span ending where it began, and none straying far.

    Steps there and back never cancel exactly. What is left over is taken back along the span, so
    slowly that it does not show, and a span that reaches further than `reach_m` is scaled.

    Args:
        root: Translation, shape `(frame, 3)`, metres.
        spans: First frame and frame after the last of each activity, without gaps.
        reach_m: Greatest horizontal distance from home.
    """
    result = root.copy()
    for start, end in spans:
        last = min(end, len(root) - 1)
        path = root[start : last + 1, [0, 2]] - root[start, [0, 2]]
        ramp = np.linspace(0, 1, len(path))[:, None]
        path = path - ramp * path[-1]
        farthest = np.linalg.norm(path, axis=1).max()
        result[start : last + 1, [0, 2]] = path * min(1.0, reach_m / max(farthest, 1e-9))
    return result
