"""The layouts of SMPL, SMPL-H and SMPL-X: their joints, and how each is posed by SMPL's 24.

All three begin with the same 22 joints of the body. SMPL goes on with a joint for each hand, SMPL-H
with 15 joints of the fingers of each, SMPL-X with jaw and eyes before the fingers. Faces and
fingers are kept flat here, which makes them rigid parts of head and hands:

- what follows jaw and eyes follows the head;
- what follows fingers follows SMPL's `left_hand` and `right_hand`, which lie at the knuckle of the
  middle finger; unless these are bent, that is the wrist;
- pose blend shapes of faces and fingers are those of no rotation, nothing.
"""

from typing import Final

import numpy as np
from jaxtyping import Float, Int

from acoustic_sense_simulator.body.skeleton import SMPL_PARENTS, smpl_joint

BODY_JOINTS: Final = 22
"""Joints that the three layouts share, pelvis to wrists."""

LAYOUTS: Final = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"}
"""Names of the layouts by their number of joints."""

_ALL_DIRECTIONS: Final = 400  # of SMPL-X files with 300 shapes, then 100 expressions
_SHAPES: Final = 300
_FEW_SHAPES: Final = 10  # of smaller SMPL-X files, then as many expressions
_MIDDLE_FINGER: Final = 3  # its knuckle comes fourth among the joints of a hand
_CARRIERS: Final = {"head": "head", "left_wrist": "left_hand", "right_wrist": "right_hand"}


def joints_followed(parents: Int[np.ndarray, " joint"]) -> Int[np.ndarray, " joint"]:
    """Return the SMPL joint that each joint of a layout follows.

    Args:
        parents: Each joint's parent; the first has none.

    Raises:
        ValueError: The joints do not form the tree of SMPL, SMPL-H or SMPL-X.
    """
    if len(parents) not in LAYOUTS or not np.array_equal(
        parents[1:BODY_JOINTS], SMPL_PARENTS[1:BODY_JOINTS]
    ):
        raise ValueError("its joints do not form SMPL's tree")
    if len(parents) == len(SMPL_PARENTS):
        if not np.array_equal(parents[1:], SMPL_PARENTS[1:]):
            raise ValueError("its joints do not form SMPL's tree")
        return np.arange(len(SMPL_PARENTS))
    carriers = {smpl_joint(end): smpl_joint(carrier) for end, carrier in _CARRIERS.items()}
    followed = np.arange(len(parents))
    for joint in range(BODY_JOINTS, len(parents)):
        parent = int(parents[joint])
        if parent >= joint or (parent < BODY_JOINTS and parent not in carriers):
            raise ValueError(f"its joint {joint} hangs on joint {parent}, not on a head or a hand")
        followed[joint] = carriers[parent] if parent < BODY_JOINTS else followed[parent]
    for hand in (smpl_joint("left_hand"), smpl_joint("right_hand")):
        if np.count_nonzero(followed[BODY_JOINTS:] == hand) <= _MIDDLE_FINGER:
            raise ValueError("its hands have too few joints")
    return followed


def located_joints(followed: Int[np.ndarray, " joint"]) -> Int[np.ndarray, " 24"]:
    """Return the joint of a layout at which each of SMPL's 24 lies, see `joints_followed`."""
    if len(followed) == len(SMPL_PARENTS):
        return np.arange(len(SMPL_PARENTS))
    hands = [
        np.flatnonzero(followed[BODY_JOINTS:] == smpl_joint(hand))[_MIDDLE_FINGER] + BODY_JOINTS
        for hand in ("left_hand", "right_hand")
    ]
    return np.array([*range(BODY_JOINTS), *hands])


def merged_weights(
    weights: Float[np.ndarray, "vertex joint"], followed: Int[np.ndarray, " joint"]
) -> Float[np.ndarray, "vertex 24"]:
    """Return skinning weights with those of faces and fingers given to what they follow."""
    merged = np.zeros((len(weights), len(SMPL_PARENTS)))
    np.add.at(merged.T, followed, weights.T)
    return merged


def body_pose_directions(
    directions: Float[np.ndarray, "vertex 3 entry"],
) -> Float[np.ndarray, "vertex 3 207"]:
    """Return the pose blend shapes of SMPL's 23 joints, those of flat hands being nothing."""
    entries = 9 * (len(SMPL_PARENTS) - 1)
    if directions.shape[2] == entries:
        return directions.astype(np.float64)
    kept = 9 * (BODY_JOINTS - 1)
    found = np.zeros((len(directions), 3, entries))
    found[..., :kept] = directions[..., :kept]
    return found


def shape_count(joint_count: int, directions: int) -> int:
    """Return how many of a file's shape directions are shapes; in SMPL-X, expressions follow."""
    if LAYOUTS.get(joint_count) != "SMPL-X":
        return directions
    return min(directions, _SHAPES if directions >= _ALL_DIRECTIONS else _FEW_SHAPES)
