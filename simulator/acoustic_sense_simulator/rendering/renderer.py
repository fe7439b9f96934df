"""Sound at the microphone: the empty room plus what the moving body scatters.

Both parts are in the same physical units, the direct sound of a full-scale playback at 1 m being
1, and arrive after `distance / c`; the body's shadow is the negative of the direct sound in the
scattered part.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float32, Int

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Loudspeaker, Room, Scene
from acoustic_sense.types.scene import Vector
from acoustic_sense_simulator.rendering.convolution import filtered
from acoustic_sense_simulator.rendering.moving import Responses, convolved
from acoustic_sense_simulator.rendering.posing import Extent, Poses, extent_of
from acoustic_sense_simulator.room.response import physical_response
from acoustic_sense_simulator.scattering.boundary_in_time import REFINEMENTS, RefinedScatterer
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.impedance import Absorption
from acoustic_sense_simulator.scattering.surface import checked_mesh
from acoustic_sense_simulator.scattering.time_domain import (
    BodyScatterer,
    ScattererSettings,
    sharing_compensation,
)


@dataclass(frozen=True, eq=False)
class MovingMesh:
    """A body over time.

    Attributes:
        vertices: World coordinates in metres, an array of shape `(pose, vertex, 3)` or poses
            that are made when they are asked for.
        faces: Vertex indices, shape `(facet, 3)`.
        rest_vertices: The body standing, for its curvature, shape `(vertex, 3)`.
        rate_hz: Poses per second; pose i is that of time `i / rate_hz`.
        absorption: Energy absorption of the surface, one number or one for each octave band.
    """

    vertices: Poses
    faces: Int[np.ndarray, "facet 3"]
    rest_vertices: Float32[np.ndarray, "vertex 3"]
    rate_hz: float
    absorption: Absorption = 0.0

    @cached_property
    def extent(self) -> Extent:
        """Where the body is over all poses."""
        return extent_of(self.vertices)


def static_sound(
    scene: Scene, playback: Float32[np.ndarray, "speaker sample"]
) -> Float32[np.ndarray, "4 sample"]:
    """Return what the microphone hears in the empty room.

    Args:
        scene: Room, loudspeakers, microphone.
        playback: What the loudspeakers radiate, as long as the result.

    Returns:
        Float32 array, shape `(4, sample)`, W, X, Y, Z; level of a playback of 1 at 1 m is 1.
    """
    responses = [
        _static_response(
            scene.room,
            replace(loudspeaker, response_db=()),
            scene.microphone.position_m,
            scene.microphone.yaw_deg,
            scene.sample_rate_hz,
        )
        for loudspeaker in scene.loudspeakers
    ]
    return filtered(playback, responses)


@lru_cache(maxsize=16)
def _static_response(
    room: Room,
    loudspeaker: Loudspeaker,
    microphone_m: Vector,
    yaw_deg: float,
    sample_rate_hz: int,
) -> Float32[np.ndarray, "4 tap"]:
    """Return the empty room's response from a loudspeaker to one place.

    The random part of its diffuse tail belongs to the room and the two places, not to the take: a
    room that nobody changes answers the same way every time.
    """
    described = repr((room, loudspeaker.position_m, microphone_m, sample_rate_hz)).encode()
    seed = int.from_bytes(hashlib.sha256(described).digest()[:4], "big") >> 1
    return physical_response(
        room,
        loudspeaker.position_m,
        microphone_m,
        sample_rate_hz,
        yaw_deg=yaw_deg,
        seed=seed,
        loudspeaker=loudspeaker,
    ).astype(np.float32)


def scattered_sound(
    scene: Scene,
    playback: Float32[np.ndarray, "speaker sample"],
    mesh: MovingMesh,
    pre_roll: int = 0,
    onto: Float32[np.ndarray, "4 sample"] | None = None,
) -> Float32[np.ndarray, "4 sample"]:
    """Return what the moving body adds to the sound of the empty room.

    Args:
        scene: Room, loudspeakers, microphone, orders of reflection.
        playback: What the loudspeakers radiate, as long as the result.
        mesh: The body over time; before its first and after its last pose it stands still.
        pre_roll: Sample of the playback at which pose 0 is taken.
        onto: What to add it to, in place, such as the static sound; silence if None.

    Returns:
        Float32 array, shape `(4, sample)`, in the units of `static_sound`: `onto` if it is given.
    """
    rate = scene.sample_rate_hz
    scatterer, responses = _scatterer(scene, mesh)
    middle = mesh.extent.middle_m
    travel = [
        float(np.linalg.norm(np.asarray(speaker.position_m) - middle)) / SPEED_OF_SOUND_M_S * rate
        for speaker in scene.loudspeakers
    ]
    return convolved(
        playback,
        responses=responses,
        pose_count=len(mesh.vertices),
        hop=rate / mesh.rate_hz,
        first_centres=[pre_roll - delay for delay in travel],
        first_samples=scatterer.first_sample,
        length=scatterer.length,
        shaping=sharing_compensation(rate),
        onto=onto,
    )


def _scatterer(
    scene: Scene, mesh: MovingMesh
) -> tuple[BodyScatterer | RefinedScatterer, Responses]:
    """Return what makes the responses of a scene's fidelity, and what gives those of a pose."""
    vertices, faces = checked_mesh(mesh.rest_vertices, mesh.faces)
    settings = ScattererSettings(
        room=scene.room,
        loudspeakers=scene.loudspeakers,
        microphone=scene.microphone,
        source_order=scene.source_order,
        microphone_order=scene.microphone_order,
        sample_rate_hz=scene.sample_rate_hz,
        absorption=mesh.absorption,
    )
    radii = local_radius(vertices, faces)
    fast = BodyScatterer(settings, vertices, faces, radii, mesh.extent.bounds_m)
    if scene.fidelity == "fast":
        return fast, lambda pose: fast.responses(mesh.vertices[pose])
    refined = RefinedScatterer(
        fast,
        REFINEMENTS[scene.fidelity],
        lambda pose: mesh.vertices[pose],
        len(mesh.vertices),
        mesh.rate_hz,
        vertices,
        faces,
    )
    return refined, refined.responses
