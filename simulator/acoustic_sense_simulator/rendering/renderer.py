"""Sound at the microphone: the empty room plus what the moving body scatters.

Both parts are in the same physical units, the direct sound of a full-scale playback at 1 m being
1, and arrive after `distance / c`; the body's shadow is the negative of the direct sound in the
scattered part.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int
from scipy.signal import oaconvolve

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Loudspeaker, Room, Scene
from acoustic_sense.types.scene import Vector
from acoustic_sense_simulator.rendering.moving import convolved
from acoustic_sense_simulator.room.response import physical_response
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
        vertices: World coordinates in metres, shape `(pose, vertex, 3)`.
        faces: Vertex indices, shape `(facet, 3)`.
        rest_vertices: The body standing, for its curvature, shape `(vertex, 3)`.
        rate_hz: Poses per second; pose i is that of time `i / rate_hz`.
        absorption: Energy absorption of the surface, one number or one for each octave band.
    """

    vertices: Float32[np.ndarray, "pose vertex 3"]
    faces: Int[np.ndarray, "facet 3"]
    rest_vertices: Float32[np.ndarray, "vertex 3"]
    rate_hz: float
    absorption: Absorption = 0.0


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
    sound = np.zeros((4, playback.shape[1]), dtype=np.float32)
    for loudspeaker, samples in zip(scene.loudspeakers, playback, strict=True):
        response = _static_response(
            scene.room,
            replace(loudspeaker, response_db=()),
            scene.microphone.position_m,
            scene.microphone.yaw_deg,
            scene.sample_rate_hz,
        )
        sound += oaconvolve(samples[None], response, axes=1)[:, : playback.shape[1]]
    return sound


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
) -> Float32[np.ndarray, "4 sample"]:
    """Return what the moving body adds to the sound of the empty room.

    Args:
        scene: Room, loudspeakers, microphone, orders of reflection.
        playback: What the loudspeakers radiate, as long as the result.
        mesh: The body over time; before its first and after its last pose it stands still.
        pre_roll: Sample of the playback at which pose 0 is taken.

    Returns:
        Float32 array, shape `(4, sample)`, in the units of `static_sound`.
    """
    rate = scene.sample_rate_hz
    scatterer = _scatterer(scene, mesh)
    middle = mesh.vertices.mean(axis=(0, 1))
    travel = [
        float(np.linalg.norm(np.asarray(speaker.position_m) - middle)) / SPEED_OF_SOUND_M_S * rate
        for speaker in scene.loudspeakers
    ]
    taps = sharing_compensation(rate)
    compensated = oaconvolve(playback, taps[None], mode="same", axes=1).astype(np.float32)
    return convolved(
        compensated,
        responses=lambda pose: scatterer.responses(mesh.vertices[pose]),
        pose_count=len(mesh.vertices),
        hop=rate / mesh.rate_hz,
        first_centres=[pre_roll - delay for delay in travel],
        first_samples=scatterer.first_sample,
        length=scatterer.length,
    )


def _scatterer(scene: Scene, mesh: MovingMesh) -> BodyScatterer:
    """Return the responses' maker for a scene."""
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
    bounds = np.stack([mesh.vertices.min(axis=(0, 1)), mesh.vertices.max(axis=(0, 1))])
    return BodyScatterer(settings, vertices, faces, local_radius(vertices, faces), bounds)
