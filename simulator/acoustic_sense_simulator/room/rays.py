"""Sound rays in a shoebox room whose walls scatter: energy over time at the microphone.

Every reflection keeps the share `1 - absorption` of a ray's energy and sends it, with probability
`scattering`, anywhere by Lambert's cosine law, else on like a mirror. What a ray leaves in a sphere
round the microphone is its energy times the length of its way through it over the sphere's volume:
the mean over the sphere of what an image source of amplitude `1 / distance` would bring. Rays that
were only mirrored up to the images' order are left out; the images hold them.

pyroomacoustics' own rays are right for mirroring walls only: where walls scatter, their energy
grows with the scattering (by two thirds at 0.6) and shrinks with the order of the images
(`benchmarks/empty_room.py` measures it). So scattering rooms are traced here.

References:
    Kuttruff: Room Acoustics, 2009, section 9.8. Vorlaender: Auralization, 2008, section 11.3.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Loudspeaker, Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ
from acoustic_sense_simulator.room.decay import reverberation_time
from acoustic_sense_simulator.room.radiation import band_energies

_SPHERE_M = 0.5
_LENGTH_OF_DECAY = 1.5
"""Reverberation times of the slowest octave that the rays are followed: 90 dB."""


@dataclass(eq=False)
class _Rays:
    """Where all rays are.

    Attributes:
        positions: World positions in metres, shape `(ray, 3)`.
        directions: Unit vectors, shape `(ray, 3)`.
        travelled: Metres from the source, shape `(ray,)`.
        mirrored: Whether a ray was never scattered, shape `(ray,)`.
    """

    positions: Float64[np.ndarray, "ray 3"]
    directions: Float64[np.ndarray, "ray 3"]
    travelled: Float64[np.ndarray, " ray"]
    mirrored: Bool[np.ndarray, " ray"]


def ray_energy(
    room: Room,
    source_m: tuple[float, float, float],
    microphone_m: tuple[float, float, float],
    bands_hz: Float[np.ndarray, " band"],
    bin_s: float,
    ray_count: int,
    generator: np.random.Generator,
    loudspeaker: Loudspeaker | None = None,
) -> Float64[np.ndarray, "band bin"]:
    """Return the energy that reaches the microphone after the images, without the air's share.

    Args:
        room: The room.
        source_m: World position of the source, metres.
        microphone_m: World position of the microphone, metres.
        bands_hz: Centres of the octave bands.
        bin_s: Length of a time bin in seconds.
        ray_count: Number of rays.
        generator: Source of the directions.
        loudspeaker: Whose directivity the source has, or None.

    Returns:
        Sums of squared amplitudes, shape `(band, bin)`; time 0 is that of radiation.
    """
    absorption = np.broadcast_to(room.absorption, len(ABSORPTION_BANDS_HZ))
    reflected = 1.0 - absorption[: len(bands_hz)]
    longest_m = SPEED_OF_SOUND_M_S * _LENGTH_OF_DECAY * reverberation_time(room).max()
    directions = _all_directions(ray_count, generator)
    weights = np.full((ray_count, len(bands_hz)), 4 * np.pi / ray_count)
    if loudspeaker is not None:
        weights *= band_energies(loudspeaker, directions, bands_hz)
    rays = _Rays(
        np.tile(np.asarray(source_m, float), (ray_count, 1)),
        directions,
        np.zeros(ray_count),
        np.ones(ray_count, dtype=bool),
    )
    bin_m = bin_s * SPEED_OF_SOUND_M_S
    energy = np.zeros((len(bands_hz), int(np.ceil(longest_m / bin_m)) + 1))
    bounce = 0
    while rays.travelled.min() < longest_m:
        lengths, walls = _next_wall(rays, np.asarray(room.size_m, float))
        share, place_m = _through_sphere(rays, lengths, room, np.asarray(microphone_m, float))
        heard = np.flatnonzero((share > 0) & ((bounce > room.image_order) | ~rays.mirrored))
        bins = (place_m[heard] / bin_m).astype(np.int64)
        heard, bins = heard[bins < energy.shape[1]], bins[bins < energy.shape[1]]
        arriving = weights[heard] * reflected**bounce * share[heard, None]
        np.add.at(energy.T, bins, arriving)
        _reflect(rays, lengths, walls, room.scattering, generator)
        bounce += 1
    return energy


def _all_directions(count: int, generator: np.random.Generator) -> Float64[np.ndarray, "ray 3"]:
    """Return directions spread evenly over the sphere, turned at random (Fibonacci's spiral)."""
    index = np.arange(count) + 0.5
    height = 1.0 - 2.0 * index / count
    angle = np.pi * (1.0 + np.sqrt(5.0)) * index
    across = np.sqrt(1.0 - height**2)
    spiral = np.stack([across * np.cos(angle), height, across * np.sin(angle)], axis=1)
    turned: np.ndarray = spiral @ np.linalg.qr(generator.standard_normal((3, 3)))[0]
    return turned


def _next_wall(
    rays: _Rays, size: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, " ray"], Int64[np.ndarray, " ray"]]:
    """Return how far each ray flies to a wall, and the axis across which the wall lies."""
    gaps = np.where(rays.directions > 0, size - rays.positions, -rays.positions)
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = np.where(rays.directions == 0, np.inf, gaps / rays.directions)
    walls = lengths.argmin(axis=1)
    return np.maximum(lengths[np.arange(len(walls)), walls], 0.0), walls


def _through_sphere(
    rays: _Rays, lengths: Float64[np.ndarray, " ray"], room: Room, centre: np.ndarray
) -> tuple[Float64[np.ndarray, " ray"], Float64[np.ndarray, " ray"]]:
    """Return each flight's length in the microphone's sphere over its volume, and its middle."""
    to_walls = np.minimum(centre, np.asarray(room.size_m) - centre).min()
    radius = min(_SPHERE_M, float(to_walls))
    away = centre - rays.positions
    nearest = np.einsum("ri,ri->r", away, rays.directions)
    half = np.sqrt(np.maximum(radius**2 - (away**2).sum(axis=1) + nearest**2, 0.0))
    enter, leave = np.maximum(nearest - half, 0.0), np.minimum(nearest + half, lengths)
    chord = np.maximum(leave - enter, 0.0)
    return chord / (4 / 3 * np.pi * radius**3), rays.travelled + (enter + leave) / 2


def _reflect(
    rays: _Rays,
    lengths: Float64[np.ndarray, " ray"],
    walls: Int64[np.ndarray, " ray"],
    scattering: float,
    generator: np.random.Generator,
) -> None:
    """Move all rays to their walls and send them on."""
    every = np.arange(len(walls))
    rays.positions += lengths[:, None] * rays.directions
    rays.travelled += lengths
    rays.directions[every, walls] *= -1.0
    scattered = np.flatnonzero(generator.random(len(walls)) < scattering)
    inwards = np.sign(rays.directions[scattered, walls[scattered]])
    lambert = generator.standard_normal((len(scattered), 3))
    lambert /= np.linalg.norm(lambert, axis=1)[:, None]
    lambert[np.arange(len(scattered)), walls[scattered]] += inwards
    norms = np.maximum(np.linalg.norm(lambert, axis=1), 1e-9)
    rays.directions[scattered] = lambert / norms[:, None]
    rays.mirrored[scattered] = False
