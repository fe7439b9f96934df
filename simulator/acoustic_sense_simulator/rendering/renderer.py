"""Sound at the microphone: the empty room plus what the moving body scatters.

Both parts are in the same physical units, the direct sound of a full-scale playback at 1 m being
1, and arrive after `distance / c`; the body's shadow is the negative of the direct sound in the
scattered part.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64, Int
from scipy.signal import oaconvolve

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Room, Scene
from acoustic_sense.types.scene import Vector
from acoustic_sense_simulator.rendering.moving import add_block, block_length, windows
from acoustic_sense_simulator.room.response import physical_response
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.sphere import admittance
from acoustic_sense_simulator.scattering.surface import Surface, checked_mesh
from acoustic_sense_simulator.scattering.time_domain import BodyScatterer, ScattererSettings
from acoustic_sense_simulator.scattering_kernel import measure


@dataclass(frozen=True, eq=False)
class MovingMesh:
    """A body over time.

    Attributes:
        vertices: World coordinates in metres, shape `(pose, vertex, 3)`.
        faces: Vertex indices, shape `(facet, 3)`.
        rest_vertices: The body standing, for its curvature, shape `(vertex, 3)`.
        rate_hz: Poses per second; pose i is that of time `i / rate_hz`.
        absorption: Energy absorption of the surface.
    """

    vertices: Float32[np.ndarray, "pose vertex 3"]
    faces: Int[np.ndarray, "facet 3"]
    rest_vertices: Float32[np.ndarray, "vertex 3"]
    rate_hz: float
    absorption: float = 0.0


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
            loudspeaker.position_m,
            scene.microphone.position_m,
            scene.microphone.yaw_deg,
            scene.sample_rate_hz,
        )
        sound += oaconvolve(samples[None], response, axes=1)[:, : playback.shape[1]]
    return sound


@lru_cache(maxsize=16)
def _static_response(
    room: Room, source_m: Vector, microphone_m: Vector, yaw_deg: float, sample_rate_hz: int
) -> Float32[np.ndarray, "4 tap"]:
    """Return the empty room's response from one place to another.

    The random part of its diffuse tail belongs to the room and the two places, not to the take: a
    room that nobody changes answers the same way every time.
    """
    described = repr((room, source_m, microphone_m, sample_rate_hz)).encode()
    seed = int.from_bytes(hashlib.sha256(described).digest()[:4], "big") >> 1
    return physical_response(
        room, source_m, microphone_m, sample_rate_hz, yaw_deg=yaw_deg, seed=seed
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
    hop = rate / mesh.rate_hz
    scatterer = _scatterer(scene, mesh, block_length(hop))
    faces = np.ascontiguousarray(checked_mesh(mesh.rest_vertices, mesh.faces)[1])
    sound = np.zeros((4, playback.shape[1]), dtype=np.float32)
    middle = mesh.vertices.mean(axis=(0, 1))
    travel = [
        float(np.linalg.norm(np.asarray(speaker.position_m) - middle)) / SPEED_OF_SOUND_M_S * rate
        for speaker in scene.loudspeakers
    ]
    for speaker, samples in enumerate(playback):
        spectra, shown = None, -1
        for pose, start, block in windows(samples, pre_roll - travel[speaker], hop):
            if not block.any():
                continue
            pose = int(np.clip(pose, 0, len(mesh.vertices) - 1))
            if spectra is None or pose != shown:
                spectra, shown = scatterer.spectra(_surface(mesh, faces, pose), speaker), pose
            first = start + scatterer.first_sample[speaker]
            add_block(sound, block, spectra, scatterer.fft_size, first, scatterer.length)
    return sound


def _surface(mesh: MovingMesh, faces: np.ndarray, pose: int) -> Surface:
    """Return the facets of one pose, single precision."""
    vertices = np.ascontiguousarray(mesh.vertices[pose], dtype=np.float32)
    surface = Surface(
        *(np.empty((len(faces), *tail), dtype=np.float32) for tail in ((3,), (3,), (), (6,)))
    )
    measure(vertices, faces, surface.points, surface.normals, surface.areas, surface.spreads)
    return surface


def _scatterer(scene: Scene, mesh: MovingMesh, block: int) -> BodyScatterer:
    """Return the responses' maker for a scene."""
    vertices, faces = checked_mesh(mesh.rest_vertices, mesh.faces)
    radii: Float64[np.ndarray, " facet"] = local_radius(vertices, faces)
    settings = ScattererSettings(
        room=scene.room,
        loudspeakers_m=tuple(speaker.position_m for speaker in scene.loudspeakers),
        microphone=scene.microphone,
        source_order=scene.source_order,
        microphone_order=scene.microphone_order,
        sample_rate_hz=scene.sample_rate_hz,
        beta=admittance(mesh.absorption),
    )
    bounds = np.stack([mesh.vertices.min(axis=(0, 1)), mesh.vertices.max(axis=(0, 1))])
    return BodyScatterer(settings, radii, bounds, block)
