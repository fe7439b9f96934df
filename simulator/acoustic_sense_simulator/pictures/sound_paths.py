"""The ways that sound takes to the microphone: direct, over the walls, over the body.

A way over a wall is that of the mirror image; a way over the body is the shortest one over any of
its facets, the one by which its sound arrives first.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from acoustic_sense.types import Scene
from acoustic_sense_simulator.pictures.posed_body import PosedBody
from acoustic_sense_simulator.room.images import images_of

DIRECT, WALL, BODY, WALL_AND_BODY = "direct", "wall", "body", "wall and body"
KINDS = (DIRECT, WALL, BODY, WALL_AND_BODY)


@dataclass(frozen=True, eq=False)
class SoundPath:
    """A broken line from a loudspeaker to the microphone.

    Attributes:
        kind: One of `KINDS`.
        points: Its corners in metres, world coordinates, shape `(corner, 3)`.
    """

    kind: str
    points: Float64[np.ndarray, "corner 3"]

    @property
    def length_m(self) -> float:
        """Length in metres."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())


def first_images(
    position_m: tuple[float, float, float], size_m: tuple[float, float, float]
) -> Float64[np.ndarray, "6 3"]:
    """Return the mirror images of a point in the six walls, metres."""
    return images_of(position_m, size_m, 1).positions[1:]


def paths_of(scene: Scene, body: PosedBody | None) -> list[SoundPath]:
    """Return the paths of a scene up to one reflection in a wall, of those that it renders.

    Args:
        scene: Room, loudspeakers, microphone, orders.
        body: The person, or None for an empty room.
    """
    paths = []
    for loudspeaker in scene.loudspeakers:
        paths += _paths_from(scene, loudspeaker.position_m, body)
    return paths


def over_wall(
    start: Float[np.ndarray, " 3"], image: Float[np.ndarray, " 3"], end: Float[np.ndarray, " 3"]
) -> Float64[np.ndarray, " 3"]:
    """Return where the line from a first-order image of `start` to `end` meets its wall."""
    axis = int(np.abs(image - start).argmax())
    wall = (start[axis] + image[axis]) / 2
    share = (wall - end[axis]) / (image[axis] - end[axis])
    return np.asarray(end + share * (image - end))


def over_body(
    start: Float[np.ndarray, " 3"], end: Float[np.ndarray, " 3"], body: PosedBody
) -> Float64[np.ndarray, " 3"]:
    """Return the facet centre over which the way from `start` to `end` is shortest."""
    centres = body.vertices[body.faces].mean(axis=1)
    way = np.linalg.norm(centres - start, axis=1) + np.linalg.norm(centres - end, axis=1)
    return np.asarray(centres[way.argmin()])


def _paths_from(
    scene: Scene, position_m: tuple[float, float, float], body: PosedBody | None
) -> list[SoundPath]:
    start, end = np.asarray(position_m, float), np.asarray(scene.microphone.position_m, float)
    size = scene.room.size_m
    found = [SoundPath(DIRECT, np.stack([start, end]))]
    start_images = first_images(position_m, size)
    if scene.room.image_order:
        found += [
            SoundPath(WALL, np.stack([start, over_wall(start, image, end), end]))
            for image in start_images
        ]
    if body is None:
        return found
    found.append(SoundPath(BODY, np.stack([start, over_body(start, end, body), end])))
    if scene.source_order:
        for image in start_images:
            touched = over_body(image, end, body)
            corners = [start, over_wall(start, image, touched), touched, end]
            found.append(SoundPath(WALL_AND_BODY, np.stack(corners)))
    if scene.microphone_order:
        for image in first_images(scene.microphone.position_m, size):
            touched = over_body(start, image, body)
            corners = [start, touched, over_wall(end, image, touched), end]
            found.append(SoundPath(WALL_AND_BODY, np.stack(corners)))
    return found
