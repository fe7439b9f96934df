"""Body model: the arrays of an SMPL-style body before it is given a shape and a pose."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.skeleton import SMPL_PARENTS


@dataclass(frozen=True, eq=False)
class BodyModel:
    """A linear body: mean shape, shape directions, skinning weights and, for SMPL, pose directions.

    The rest pose is SMPL's T-pose: Y up, facing +Z, the left arm along +X, metres.

    Attributes:
        name: What to call the model in messages.
        vertices: Vertices of the mean shape.
        faces: Vertex indices of each triangle, counter-clockwise seen from outside.
        vertex_directions: Change of the vertices for one unit of each beta.
        weights: Skinning weights; each row sums to one.
        joints: The 24 SMPL joints of the mean shape.
        joint_directions: Change of the joints for one unit of each beta.
        pose_directions: Change of the vertices for each entry of the 23 joint rotations minus
            identity (SMPL's pose blend shapes), or None.
    """

    name: str
    vertices: Float[np.ndarray, "vertex 3"]
    faces: Int[np.ndarray, "face 3"]
    vertex_directions: Float[np.ndarray, "vertex 3 beta"]
    weights: Float[np.ndarray, "vertex 24"]
    joints: Float[np.ndarray, "24 3"]
    joint_directions: Float[np.ndarray, "24 3 beta"]
    pose_directions: Float[np.ndarray, "vertex 3 207"] | None = None

    @property
    def beta_count(self) -> int:
        """Number of shape coefficients."""
        return int(self.vertex_directions.shape[2])

    def shaped(
        self, betas: tuple[float, ...]
    ) -> tuple[Float[np.ndarray, "vertex 3"], Float[np.ndarray, "24 3"]]:
        """Return vertices and joints of one person at rest, in metres.

        Args:
            betas: Shape coefficients; those left out are zero.

        Raises:
            SimulationError: More coefficients than the model has.
        """
        if len(betas) > self.beta_count:
            raise SimulationError(
                f"the subject has {len(betas)} betas but the body '{self.name}' knows "
                f"{self.beta_count}; give at most {self.beta_count}"
            )
        used = np.asarray(betas, dtype=np.float64)
        vertices = self.vertices + self.vertex_directions[..., : len(used)] @ used
        joints = self.joints + self.joint_directions[..., : len(used)] @ used
        return vertices, joints


def dense_weights(
    joints: UInt8[np.ndarray, "vertex strongest"], values: Float[np.ndarray, "vertex strongest"]
) -> Float[np.ndarray, "vertex 24"]:
    """Spread stored weights, the strongest few of each vertex, over all 24 joints.

    Args:
        joints: SMPL joint of each weight.
        values: The weights; rows are brought to a sum of one.

    Returns:
        Weights of every joint.
    """
    weights = np.zeros((len(joints), len(SMPL_PARENTS)))
    np.put_along_axis(weights, joints.astype(np.intp), values.astype(np.float64), axis=1)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
