"""The body of a scene at one of its poses."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Scene
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.motion import make_motion

Facets = Literal["coarse", "medium", "fine"]


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A person who holds still.

    Attributes:
        vertices: World coordinates in metres, shape `(vertex, 3)`.
        faces: Vertex indices, shape `(facet, 3)`.
        joints: World coordinates of the joints in metres, shape `(21, 3)`.
        time_s: When in the take.
    """

    vertices: Float64[np.ndarray, "vertex 3"]
    faces: Int[np.ndarray, "facet 3"]
    joints: Float64[np.ndarray, "21 3"]
    time_s: float


def posed_body(scene: Scene, pose: int, facets: Facets | None = None) -> PosedBody:
    """Return the person as in pose number `pose` of the take that `simulate` makes of the scene.

    Args:
        scene: A scene with a subject.
        pose: Index of the pose; the first is 0.
        facets: Which mesh; None for the scene's own.

    Raises:
        SimulationError: The scene has no subject, or not that many poses.
    """
    if scene.subject is None:
        raise SimulationError("the scene has no subject, so there is no body to draw; give it one")
    body = load_body(scene.subject, scene.facets)
    # the first of the generators that `simulation.simulate` spawns is that of the motion
    track = make_motion(scene, body, np.random.default_rng(scene.seed).spawn(3)[0])
    last = len(track.smpl_pose) - 1
    if not 0 <= pose <= last:
        raise SimulationError(
            f"there is no pose {pose}; {scene.seconds:g} s at {scene.motion.rate_hz:g} poses a "
            f"second have poses 0 to {last}"
        )
    turns, place = track.smpl_pose[pose : pose + 1], track.smpl_trans[pose : pose + 1]
    drawn = body if facets is None else load_body(scene.subject, facets)
    return PosedBody(
        drawn.pose_vertices(turns, place)[0].astype(np.float64),
        drawn.faces,
        body.joints(turns, place)[0].astype(np.float64),
        pose / track.rate_hz,
    )
