"""Diffuse late tail: ray-traced energy carried by decorrelated noise.

Ray tracing gives the energy over time and frequency, pyroomacoustics' own where the walls mirror,
`rays` where they scatter; four independent random sequences carry it. In an isotropic diffuse field
W, X, Y and Z (SN3D) are uncorrelated and X, Y, Z each have a third of W's energy. The rays leave
out what the images already hold: pyroomacoustics' hybrid room of order N counts order N twice, so
its rays come from a room of order N + 1. A directive loudspeaker weights each ray of `rays`, and
scales pyroomacoustics' by what it radiates in all directions together, octave by octave.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from acoustic_sense.types import Loudspeaker, Room
from acoustic_sense.types.scene import Vector
from acoustic_sense_simulator.room.diffuse_field import diffuse_field
from acoustic_sense_simulator.room.radiation import diffuse_energy
from acoustic_sense_simulator.room.rays import ray_energy
from acoustic_sense_simulator.room.response import LEAD_SAMPLES, place, shoebox

_BIN_S = 0.004
_RAYS = 10_000


def diffuse_tail(
    room: Room,
    source_m: Vector,
    microphone_m: Vector,
    sample_rate_hz: int,
    seed: int,
    loudspeaker: Loudspeaker | None = None,
) -> Float64[np.ndarray, "4 tap"]:
    """Return the tail after the image sources, shape `(4, tap)`, W, X, Y, Z.

    Args:
        room: The room; its `image_order` says where the tail begins.
        source_m: World position of the source, metres.
        microphone_m: World position of the microphone, metres.
        sample_rate_hz: Samples per second.
        seed: Seed of rays and noise.
        loudspeaker: Whose directivity the source has, or None.

    References:
        Schroeder: Physically based real-time auralization of interactive virtual environments,
        2011, section 5.3.4. Jacobsen, Roisin: The coherence of reverberant sound fields, 2000.
    """
    if room.scattering:
        return _scattered_tail(room, source_m, microphone_m, sample_rate_hz, seed, loudspeaker)
    return _mirrored_tail(room, source_m, microphone_m, sample_rate_hz, seed, loudspeaker)


def _scattered_tail(
    room: Room,
    source_m: Vector,
    microphone_m: Vector,
    sample_rate_hz: int,
    seed: int,
    loudspeaker: Loudspeaker | None,
) -> Float64[np.ndarray, "4 tap"]:
    """Return the tail of a room whose walls scatter."""
    generator = np.random.default_rng(seed)
    box = shoebox(room, sample_rate_hz, 0)
    bands_hz = np.asarray(box.octave_bands.centers)
    energy = ray_energy(
        room, source_m, microphone_m, bands_hz, _BIN_S, _RAYS, generator, loudspeaker
    )
    if box.air_absorption is not None:
        metres = (np.arange(energy.shape[1]) + 0.5) * _BIN_S * box.c
        energy = energy * np.exp(-np.asarray(box.air_absorption)[:, None] * metres)
    field = diffuse_field(energy, bands_hz, _BIN_S, sample_rate_hz, generator)
    direct_s = float(np.linalg.norm(np.subtract(source_m, microphone_m))) / box.c
    field[:, : int(direct_s * sample_rate_hz)] = 0.0  # the sphere hears it before its middle does
    return np.pad(field, ((0, 0), (LEAD_SAMPLES, 0)))


def _mirrored_tail(
    room: Room,
    source_m: Vector,
    microphone_m: Vector,
    sample_rate_hz: int,
    seed: int,
    loudspeaker: Loudspeaker | None,
) -> Float64[np.ndarray, "4 tap"]:
    """Return the tail of a room whose walls mirror, all pyroomacoustics' but for the channels."""
    import pyroomacoustics as pra
    from pyroomacoustics.simulation.rt import compute_rt_rir

    pra.random.seed(seed)
    box = shoebox(room, sample_rate_hz, room.image_order + 1, ray_tracing=True)
    box.set_ray_tracing(n_rays=_RAYS, receiver_radius=0.5, hist_bin_size=_BIN_S)
    place(box, room, source_m, microphone_m)
    histograms = _mirrored_energy(box, np.asarray(box.octave_bands.centers), loudspeaker)
    start_s = float(np.linalg.norm(box.sources[0].position - box.mic_array.R[:, 0])) / box.c
    channels = [
        compute_rt_rir(
            start_s,
            histograms,
            {"response": np.ones(1), "is_impulse_response": False},
            box.rt_args["hist_bin_size"],
            box.rt_args["hist_bin_size_samples"],
            box.get_volume(),
            2 * LEAD_SAMPLES + 1,
            box.c,
            box.fs,
            box.octave_bands,
            air_abs_coeffs=box.air_absorption,
        )
        for _ in range(4)
    ]
    count = max(len(channel) for channel in channels)
    tail = np.zeros((4, count))
    for row, channel in enumerate(channels):
        tail[row, : len(channel)] = channel
    tail[1:] *= np.sqrt(1 / 3)
    return tail


def _mirrored_energy(
    box: Any, bands_hz: Float64[np.ndarray, " band"], loudspeaker: Loudspeaker | None
) -> list[np.ndarray]:
    """Return pyroomacoustics' histograms of its rays, shape `(band, bin)`, walls mirroring."""
    box.ray_tracing()
    histograms: list[np.ndarray] = box.rt_histograms[0][0]
    if loudspeaker is None:
        return histograms
    energy = diffuse_energy(loudspeaker, bands_hz)
    return [np.asarray(histogram) * energy[:, None] for histogram in histograms]
