"""BVH files from joint positions.

BVH holds a skeleton (an offset from parent to child) and, a frame, the root's position and a
rotation a joint; bones keep their length. From positions alone this is found as follows.

- A bone's length is its mean over the frames; its rest direction is that of the first frame.
- Joints are visited from the root down. A joint with several children (hips, chest) turns by the
  rotation that brings the rest directions of its children nearest to their present directions in
  the least-squares sense (Kabsch, Acta Crystallographica A32, 1976). A joint with one child turns
  by the smallest rotation, seen from its parent, that points its bone the right way: positions do
  not tell a limb's twist. A joint without children keeps its parent's rotation.

Offsets and positions are in centimetres, as most tools expect; Y is up.
"""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from acoustic_sense.constants import JOINT_NAMES, JOINT_PARENTS

CENTIMETRES = 100.0
ROTATION_CHANNELS = "Zrotation Xrotation Yrotation"
MINIMUM_LENGTH_M = 1e-9
CHILDREN = tuple(
    tuple(child for child, parent in enumerate(JOINT_PARENTS) if parent == joint)
    for joint in range(len(JOINT_NAMES))
)


def write_bvh(path: Path, joints: Float[np.ndarray, "frame 21 3"], rate_hz: float) -> float:
    """Write joint positions as a BVH file.

    Args:
        path: File to write.
        joints: Metres, world frame, Y up, shape `(frame, 21, 3)`.
        rate_hz: Frames per second.

    Returns:
        Root-mean-square distance in metres between `joints` and the joints of the file: what
        fixed bone lengths cannot follow.
    """
    joints = np.asarray(joints, dtype=np.float64)
    offsets = _rest_offsets(joints)
    rotations, positions = _rotations(joints, offsets)
    lines = ["HIERARCHY", *_hierarchy(0, offsets, depth=0), "MOTION", f"Frames: {len(joints)}"]
    lines.append(f"Frame Time: {1 / rate_hz:.8f}")
    values = [CENTIMETRES * joints[:, 0], *(_euler_deg(rotations, j) for j in _file_order(0))]
    lines += [" ".join(f"{v:.6f}" for v in row) for row in np.concatenate(values, axis=1)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return float(np.sqrt(np.mean(np.sum((positions - joints) ** 2, axis=-1))))


def _file_order(joint: int) -> list[int]:
    """Return `joint` and its descendants in the order in which the file names them."""
    return [joint, *(j for child in CHILDREN[joint] for j in _file_order(child))]


def _rest_offsets(joints: np.ndarray) -> np.ndarray:
    """Return each joint's offset from its parent at rest, shape `(21, 3)`, metres."""
    offsets = np.zeros((len(JOINT_NAMES), 3))
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent < 0:
            continue
        bones = joints[:, joint] - joints[:, parent]
        lengths = np.linalg.norm(bones, axis=-1)
        first = np.flatnonzero(lengths > MINIMUM_LENGTH_M)[:1]
        if len(first):
            offsets[joint] = bones[first[0]] / lengths[first[0]] * lengths.mean()
    return offsets


def _rotations(joints: np.ndarray, offsets: np.ndarray) -> tuple[list[Rotation], np.ndarray]:
    """Return every joint's rotation in the world, and the joints that they lead to."""
    rotations: list[Rotation] = []
    positions = np.zeros_like(joints)
    for joint, parent in enumerate(JOINT_PARENTS):
        if parent < 0:
            inherited = Rotation.identity(len(joints))
            positions[:, joint] = joints[:, joint]
        else:
            inherited = rotations[parent]
            positions[:, joint] = positions[:, parent] + inherited.apply(offsets[joint])
        children = [c for c in CHILDREN[joint] if np.any(offsets[c])]
        bones = [joints[:, child] - joints[:, joint] for child in children]
        if len(children) == 1:
            turn = _smallest_turn(inherited.apply(offsets[children[0]]), bones[0])
            rotations.append(turn * inherited)
        elif children:
            rotations.append(_best_turn(offsets[children], np.stack(bones, axis=1)))
        else:
            rotations.append(inherited)
    return rotations, positions


def _smallest_turn(start: np.ndarray, end: np.ndarray) -> Rotation:
    """Return the smallest rotations from directions `start` to `end`, shapes `(frame, 3)`."""
    start, end = (
        v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12) for v in (start, end)
    )
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, np.sum(start * end, axis=1, keepdims=True))
    # Opposite directions leave the axis open: take any that is perpendicular.
    least = np.eye(3)[np.argmin(np.abs(start), axis=1)]
    perpendicular = np.cross(start, least)
    axis = np.where(sine > 1e-9, axis, perpendicular)
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-12)
    return Rotation.from_rotvec(angle * axis)


def _best_turn(rest: np.ndarray, present: np.ndarray) -> Rotation:
    """Return the least-squares rotations from `rest` (child, 3) to `present` (frame, child, 3)."""
    rest = rest / np.linalg.norm(rest, axis=-1, keepdims=True)
    lengths = np.linalg.norm(present, axis=-1, keepdims=True)
    present = present / np.maximum(lengths, 1e-12)
    left, _, right = np.linalg.svd(np.einsum("fci,cj->fij", present, rest))
    left[:, :, -1] *= np.sign(np.linalg.det(left @ right))[:, None]
    return Rotation.from_matrix(left @ right)


def _euler_deg(rotations: list[Rotation], joint: int) -> np.ndarray:
    """Return a joint's rotation relative to its parent, degrees, shape `(frame, 3)`."""
    parent = JOINT_PARENTS[joint]
    local = rotations[joint] if parent < 0 else rotations[parent].inv() * rotations[joint]
    with warnings.catch_warnings():  # in gimbal lock scipy warns and returns one of the solutions
        warnings.simplefilter("ignore", UserWarning)
        angles: np.ndarray = local.as_euler("ZXY", degrees=True)
    return angles


def _hierarchy(joint: int, offsets: np.ndarray, depth: int) -> list[str]:
    """Return the lines that describe a joint and what hangs on it."""
    indent = "  " * depth
    root = JOINT_PARENTS[joint] < 0
    channels = "6 Xposition Yposition Zposition" if root else "3"
    lines = [
        f"{indent}{'ROOT' if root else 'JOINT'} {JOINT_NAMES[joint]}",
        f"{indent}{{",
        f"{indent}  OFFSET {_vector(offsets[joint])}",
        f"{indent}  CHANNELS {channels} {ROTATION_CHANNELS}",
    ]
    for child in CHILDREN[joint]:
        lines += _hierarchy(child, offsets, depth + 1)
    if not CHILDREN[joint]:
        end = f"{indent}    OFFSET {_vector(0.5 * offsets[joint])}"
        lines += [f"{indent}  End Site", f"{indent}  {{", end, f"{indent}  }}"]
    return [*lines, f"{indent}}}"]


def _vector(offset_m: np.ndarray) -> str:
    return " ".join(f"{CENTIMETRES * value:.6f}" for value in offset_m)
