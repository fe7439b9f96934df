"""Body: one person's mesh and skeleton, ready to be posed by linear blend skinning."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Int, Int32

from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.rotation import joint_transforms, rotation_matrices
from acoustic_sense_simulator.body.skeleton import spine_share, target_joint_indices

_CHUNK_FLOATS = 4_000_000  # of working memory, 16 MB


class Body:
    """A person: a body model with its shape applied.

    All positions are metres, Y up. With zero rotations and zero translation the body stands in
    T-pose facing +Z with its left arm along +X. The translation is SMPL's: what is added to every
    vertex after posing.

    Attributes:
        model: The model that the person is an instance of.
        betas: Shape coefficients.
        rest_vertices: Vertices of the T-pose.
        rest_joints: The 24 SMPL joints of the T-pose.
    """

    def __init__(self, model: BodyModel, betas: tuple[float, ...] = ()) -> None:
        """Shape the body.

        Args:
            model: The body model.
            betas: Shape coefficients; those left out are zero.

        Raises:
            SimulationError: More coefficients than the model has.
        """
        self.model = model
        self.betas = betas
        self.rest_vertices, self.rest_joints = model.shaped(betas)

    @property
    def faces(self) -> Int32[np.ndarray, "face 3"]:
        """Vertex indices of each triangle, counter-clockwise seen from outside."""
        return self.model.faces.astype(np.int32, copy=False)

    @property
    def vertex_count(self) -> int:
        """Number of vertices."""
        return len(self.rest_vertices)

    @property
    def height_m(self) -> float:
        """Height of the T-pose in metres."""
        return float(np.ptp(self.rest_vertices[:, 1]))

    @property
    def volume_m3(self) -> float:
        """Volume that the mesh encloses at rest, in cubic metres."""
        a, b, c = (self.rest_vertices[self.faces[:, corner]] for corner in range(3))
        return float(np.sum(a * np.cross(b, c)) / 6)

    def joints24(
        self, smpl_pose: Float[np.ndarray, "frame 72"], smpl_trans: Float[np.ndarray, "frame 3"]
    ) -> Float32[np.ndarray, "frame 24 3"]:
        """Return the 24 SMPL joints of each frame, in metres.

        Args:
            smpl_pose: Axis-angle rotations of the 24 joints, radians.
            smpl_trans: Translation of the body, metres.

        Returns:
            Positions in the order of `SMPL_JOINT_NAMES`.
        """
        _, positions = joint_transforms(_local_rotations(smpl_pose), self.rest_joints)
        return np.asarray(positions + smpl_trans[:, None], dtype=np.float32)

    def joints(
        self, smpl_pose: Float[np.ndarray, "frame 72"], smpl_trans: Float[np.ndarray, "frame 3"]
    ) -> Float32[np.ndarray, "frame 21 3"]:
        """Return the framework's 21 joints of each frame, in metres.

        Args:
            smpl_pose: Axis-angle rotations of the 24 joints, radians.
            smpl_trans: Translation of the body, metres.

        Returns:
            Positions in the order of `acoustic_sense.constants.JOINT_NAMES`.
        """
        joints = np.ascontiguousarray(
            self.joints24(smpl_pose, smpl_trans)[:, target_joint_indices()]
        )
        hips, spine = JOINT_NAMES.index("Hips"), JOINT_NAMES.index("Spine")
        share = np.float32(spine_share(self.rest_joints))
        joints[:, spine] = joints[:, hips] + share * (joints[:, spine] - joints[:, hips])
        return joints

    def pose_vertices(
        self,
        smpl_pose: Float[np.ndarray, "frame 72"],
        smpl_trans: Float[np.ndarray, "frame 3"],
        vertex_ids: Int[np.ndarray, " chosen"] | None = None,
    ) -> Float32[np.ndarray, "frame vertex 3"]:
        """Return the vertices of each frame by linear blend skinning, in metres.

        Args:
            smpl_pose: Axis-angle rotations of the 24 joints, radians.
            smpl_trans: Translation of the body, metres.
            vertex_ids: Which vertices; None for all.

        Returns:
            Positions; the result is the only large array that is allocated, so callers that
            cannot hold it whole pass fewer frames at a time.

        References:
            Loper et al., "SMPL: a skinned multi-person linear model", 2015, equations 2 to 9.
        """
        chosen = np.arange(self.vertex_count) if vertex_ids is None else vertex_ids
        blend = self._rigid_basis if vertex_ids is None else self._rigid_basis[:, vertex_ids]
        result = np.empty((len(smpl_pose), len(chosen), 3), dtype=np.float32)
        per_frame = 3 * len(chosen) * (1 if self.model.pose_directions is None else 8)
        step = max(1, _CHUNK_FLOATS // max(1, per_frame))
        for start in range(0, len(smpl_pose), step):
            part = slice(start, start + step)
            local = _local_rotations(smpl_pose[part])
            transforms = self._transforms(local, smpl_trans[part])
            posed = transforms.reshape(-1, blend.shape[0]) @ blend
            result[part] = posed.reshape(len(local), 3, -1).transpose(0, 2, 1)
            if self.model.pose_directions is not None:
                result[part] += self._pose_corrections(local, transforms, chosen)
        return result

    def _transforms(
        self, local: Float[np.ndarray, "frame 24 3 3"], smpl_trans: Float[np.ndarray, "frame 3"]
    ) -> Float32[np.ndarray, "frame 3 24 4"]:
        """Return each joint's rotation and offset: rest point x goes to `R x + t`."""
        rotations, positions = joint_transforms(local, self.rest_joints)
        offsets = positions - (rotations @ self.rest_joints[..., None])[..., 0]
        offsets = offsets + smpl_trans[:, None]
        stacked = np.concatenate([rotations, offsets[..., None]], axis=-1)
        return np.ascontiguousarray(stacked.transpose(0, 2, 1, 3), dtype=np.float32)

    @cached_property
    def _rigid_basis(self) -> Float32[np.ndarray, "96 vertex"]:
        """Weights times homogeneous rest vertices, so that skinning is one matrix product.

        `v = sum_j w_j (R_j x + t_j)` is linear in the entries of all `[R_j, t_j]`, and without
        pose blend shapes its coefficients `w_j [x, 1]` are the same in every frame.
        """
        homogeneous = np.concatenate([self.rest_vertices, np.ones((self.vertex_count, 1))], axis=1)
        basis = np.einsum("vj,vk->jkv", self.model.weights, homogeneous)
        return np.ascontiguousarray(basis.reshape(-1, self.vertex_count), dtype=np.float32)

    def _pose_corrections(
        self,
        local: Float[np.ndarray, "frame 24 3 3"],
        transforms: Float32[np.ndarray, "frame 3 24 4"],
        chosen: Int[np.ndarray, " chosen"],
    ) -> Float32[np.ndarray, "frame chosen 3"]:
        """Return SMPL's pose blend shapes, turned with the bones."""
        assert self.model.pose_directions is not None
        directions = self.model.pose_directions[chosen].astype(np.float32).reshape(-1, 207)
        features = (local[:, 1:] - np.eye(3)).reshape(len(local), 207).astype(np.float32)
        offsets = (features @ directions.T).reshape(len(local), len(chosen), 3)
        weights = self.model.weights[chosen].astype(np.float32)
        rotations = np.einsum("vj,fajb->fvab", weights, transforms[..., :3], optimize=True)
        return np.asarray((rotations @ offsets[..., None])[..., 0], dtype=np.float32)


def _local_rotations(smpl_pose: Float[np.ndarray, "frame 72"]) -> Float[np.ndarray, "frame 24 3 3"]:
    return rotation_matrices(smpl_pose.reshape(-1, 24, 3))
