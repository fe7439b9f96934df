"""Poses of a mesh over time, made when they are asked for: those of a long take are large."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, overload

import numpy as np
from jaxtyping import Float32

from acoustic_sense_simulator.body.body import Body

_BLOCK = 64  # poses that are made at a time; one at a time takes three times as long


class Poses(Protocol):
    """Vertices pose by pose; an array of shape `(pose, vertex, 3)` is one."""

    def __len__(self) -> int:
        """Return the number of poses."""

    @overload
    def __getitem__(self, which: int) -> Float32[np.ndarray, "vertex 3"]: ...
    @overload
    def __getitem__(self, which: slice) -> Float32[np.ndarray, "pose vertex 3"]: ...


class SkinnedPoses:
    """The poses of a body over a motion, skinned when they are asked for."""

    def __init__(
        self,
        body: Body,
        smpl_pose: Float32[np.ndarray, "pose 72"],
        smpl_trans: Float32[np.ndarray, "pose 3"],
    ) -> None:
        """Keep the motion.

        Args:
            body: Whose poses they are.
            smpl_pose: Axis-angle rotations of the joints, radians.
            smpl_trans: Translations, metres.
        """
        self._body, self._pose, self._trans = body, smpl_pose, smpl_trans
        self._first = -1
        self._block = np.zeros((0, body.vertex_count, 3), dtype=np.float32)

    def __len__(self) -> int:
        """Return the number of poses."""
        return len(self._pose)

    @overload
    def __getitem__(self, which: int) -> Float32[np.ndarray, "vertex 3"]: ...
    @overload
    def __getitem__(self, which: slice) -> Float32[np.ndarray, "pose vertex 3"]: ...

    def __getitem__(self, which: int | slice) -> np.ndarray:
        """Return one pose, or some of them."""
        if isinstance(which, slice):
            return self._body.pose_vertices(self._pose[which], self._trans[which])
        place = range(len(self))[which]
        first = place - place % _BLOCK
        if first != self._first:
            self._first, self._block = first, self[first : first + _BLOCK]
        pose: np.ndarray = self._block[place - first]
        return pose


@dataclass(frozen=True, eq=False)
class Extent:
    """Where a body is over all its poses.

    Attributes:
        bounds_m: Lowest and highest coordinates, metres.
        middle_m: Mean of all vertices of all poses, metres.
    """

    bounds_m: Float32[np.ndarray, "2 3"]
    middle_m: Float32[np.ndarray, " 3"]


def blocks_of(poses: Poses) -> Iterator[Float32[np.ndarray, "pose vertex 3"]]:
    """Yield all poses, some at a time."""
    for start in range(0, len(poses), _BLOCK):
        yield poses[start : start + _BLOCK]


def extent_of(poses: Poses) -> Extent:
    """Return where a body is over all its poses, at least one."""
    low, high = poses[0].copy(), poses[0].copy()
    total = np.zeros(low.shape)
    for block in blocks_of(poses):
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
        total += block.sum(axis=0)
    middle = (total / len(poses)).mean(axis=0).astype(np.float32)
    return Extent(np.stack([low.min(axis=0), high.max(axis=0)]), middle)
