"""People in poses that no figure was tuned on, for benchmarks that need them in a room."""

import numpy as np
from acoustic_sense_simulator.body import load_body
from person_truth import case

from acoustic_sense.types import Subject


def person_in_room(pose: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a posed person of the medium mesh, standing in the room."""
    posed = case("held-out", pose, 1)
    body = load_body(Subject(betas=tuple(map(float, posed["betas"]))), "medium")
    turns = posed["pose"].reshape(1, 72).astype(np.float32)
    vertices = body.pose_vertices(turns, np.zeros((1, 3), np.float32))[0].astype(float)
    vertices += np.array([3.0, 0.0, 2.5]) - [*vertices.mean(axis=0) * [1, 0, 1]]
    vertices[:, 1] -= vertices[:, 1].min()
    return vertices, body.faces
