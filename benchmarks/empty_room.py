"""The empty room: against pyroomacoustics, and its decay against statistics.

Run `python benchmarks/empty_room.py`; it writes `benchmarks/results/empty_room.json`:

- `responses`: the largest difference of W, X, Y, Z from pyroomacoustics' own responses of an omni
  and three figure-of-eight microphones, over the peak of its omni's response;
- `decay`: T30 (ISO 3382: backward integration, -5 to -35 dB) of the rendered W, octave by octave
  and broadband, the mean over two loudspeakers and three places of the microphone, over the room's
  statistical reverberation time (unequal paths, absorption of the air); beside it that of the rays
  alone, before any rendering;
- `mirroring`: the same without scattering, over the T30 of pyroomacoustics' own rays, with what
  statistics would say;
- `tail`: largest correlation between channels, and energies over that of W;
- `pyroomacoustics_scattering`: total energy of pyroomacoustics' hybrid rooms over that of its
  mirroring room, by scattering and order of images, and ours.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyroomacoustics as pra
from acoustic_sense_simulator import empty_room_response
from acoustic_sense_simulator.room.decay import reverberation_time
from acoustic_sense_simulator.room.images import images_of
from acoustic_sense_simulator.room.rays import ray_energy
from acoustic_sense_simulator.room.response import physical_response
from acoustic_sense_simulator.room.tail import diffuse_tail
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from scipy.signal import butter, sosfilt

from acoustic_sense.types import Room
from acoustic_sense.types.scene import ABSORPTION_BANDS_HZ, Vector

RESULT = Path(__file__).parent / "results" / "empty_room.json"
RATE_HZ = 48_000
BIN_S = 0.004
RAYS = 10_000
OCTAVES = ABSORPTION_BANDS_HZ[:6]

BANDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
ROOMS: dict[str, tuple[Room, Vector, Vector]] = {
    "default": (Room(), (2.3, 1.2, 0.8), (3.1, 1.4, 3.2)),
    "direct sound alone": (Room(image_order=0), (1.0, 0.7, 4.1), (5.2, 2.3, 0.6)),
    "first reflections": (Room(absorption=0.05, image_order=1), (0.3, 0.3, 0.3), (3.0, 1.5, 2.5)),
    "absorbing, flat": (
        Room(size_m=(8.0, 2.6, 4.0), absorption=0.6, image_order=3),
        (2.3, 1.2, 0.8),
        (3.1, 1.4, 3.2),
    ),
    "octaves": (Room(absorption=BANDS, image_order=6), (2.3, 1.2, 0.8), (3.1, 1.4, 3.2)),
    "air": (
        Room(absorption=0.2, air_absorption=True, image_order=8),
        (5.1, 2.2, 4.4),
        (1.2, 1.1, 0.9),
    ),
    "octaves and air, order 12": (
        Room(size_m=(9.0, 3.4, 7.5), absorption=BANDS, air_absorption=True, image_order=12),
        (3.6, 1.2, 2.0),
        (4.5, 1.3, 5.4),
    ),
    "order 12": (
        Room(size_m=(4.5, 2.5, 5.0), absorption=0.15, image_order=12),
        (1.4, 1.2, 1.1),
        (2.2, 1.2, 3.9),
    ),
}

DECAYS: dict[str, dict[str, Any]] = {
    "classroom, seed 0": {"seed": 0},
    "classroom, seed 1": {"seed": 1},
    "classroom, 0.3 s": {"seed": 2, "rooms": [{"rt60_s": 0.3, "rt60_spread": 0}]},
    "classroom, 0.7 s": {"seed": 3, "rooms": [{"rt60_s": 0.7, "rt60_spread": 0}]},
    "office": {
        "seed": 4,
        "rooms": [{"width_m": [4.5, 6], "height_m": 2.6, "depth_m": [5, 6.5], "rt60_s": 0.4}],
    },
    "hall": {
        "seed": 5,
        "rooms": [{"width_m": [9, 14], "height_m": [3, 5], "depth_m": [9, 16], "rt60_s": 0.9}],
    },
    "no air, one absorption": {
        "seed": 6,
        "rooms": [{"absorption": [0.25], "air_absorption": False}],
    },
}
"""Datasets whose first scene's room is measured."""


def own_responses(room: Room, source_m: Vector, microphone_m: Vector) -> list[np.ndarray]:
    """Return pyroomacoustics' own W, X, Y, Z (Z up, microphone's front along x)."""
    x, y, z = room.size_m
    absorption: Any = room.absorption
    if isinstance(absorption, tuple):
        absorption = {"coeffs": list(absorption), "center_freqs": list(ABSORPTION_BANDS_HZ)}
    box = pra.ShoeBox(
        [x, z, y],
        fs=RATE_HZ,
        materials=pra.Material(absorption),
        max_order=room.image_order,
        air_absorption=room.air_absorption,
    )
    box.add_source([source_m[0], z - source_m[2], source_m[1]])
    place = np.array([microphone_m[0], z - microphone_m[2], microphone_m[1]])
    turns = [(0, 90), (90, 90), (0, 0)]
    eights = [
        pra.directivities.FigureEight(
            pra.directivities.DirectionVector(azimuth=azimuth, colatitude=colatitude)
        )
        for azimuth, colatitude in turns
    ]
    array = pra.MicrophoneArray(np.tile(place[:, None], 4), RATE_HZ, [None, *eights])
    box.add_microphone_array(array)
    box.compute_rir()
    return [row[0] for row in box.rir]


def differences(room: Room, source_m: Vector, microphone_m: Vector) -> dict[str, float]:
    """Return the largest difference in each channel over the peak of W."""
    ours = empty_room_response(room, source_m, microphone_m, RATE_HZ)
    theirs = own_responses(room, source_m, microphone_m)
    peak = np.abs(theirs[0]).max()
    return {
        name: float(f"{np.abs(row[:length] - other[:length]).max() / peak:.2g}")
        for name, row, other in zip("WXYZ", ours, theirs, strict=True)
        for length in [min(len(row), len(other))]
    }


def decay_time(energy: np.ndarray, step_s: float) -> float:
    """Return T30 of energies over time."""
    left = np.cumsum(energy[::-1])[::-1]
    level = 10 * np.log10(left / left[0] + 1e-30)
    start, stop = np.argmax(level < -5), np.argmax(level < -35)
    slope = np.polyfit(np.arange(start, stop) * step_s, level[start:stop], 1)[0]
    return float(-60 / slope)


def octave(response: np.ndarray, centre_hz: float) -> np.ndarray:
    """Return a response through one octave filter (Butterworth, order 4)."""
    edges = [centre_hz / 2**0.5, centre_hz * 2**0.5]
    passed: np.ndarray = sosfilt(butter(4, edges, "bandpass", fs=RATE_HZ, output="sos"), response)
    return passed


def statistical_broadband(times_s: np.ndarray) -> float:
    """Return T30 of the octaves' exponential decays together, each with its bandwidth's energy."""
    time = np.arange(0, 3 * times_s.max(), BIN_S)
    widths = np.array(ABSORPTION_BANDS_HZ)
    decays = widths[:, None] * 10 ** (-6 * time / times_s[:, None])
    return decay_time(decays.sum(axis=0), BIN_S)


def places(config: dict[str, Any]) -> tuple[Room, list[tuple[Vector, Vector]]]:
    """Return a dataset's first room, and six pairs of loudspeaker and microphone in it."""
    scene = scenes(GenerationConfig.model_validate(config))[0]
    x, y, z = scene.microphone.position_m
    microphones = [(x, y, z), (x - 0.8, y + 0.2, z - 0.5), (x + 0.7, y - 0.1, z - 0.9)]
    pairs = [(s.position_m, m) for s in scene.loudspeakers for m in microphones]
    return scene.room, pairs


def mean_decays(room: Room, pairs: list[tuple[Vector, Vector]]) -> tuple[list[float], float]:
    """Return T30 by octave and broadband, the mean over all pairs of places."""
    by_octave, broadband = [], []
    for seed, (source_m, microphone_m) in enumerate(pairs):
        response = physical_response(room, source_m, microphone_m, RATE_HZ, seed=seed)[0]
        by_octave.append([decay_time(octave(response, f) ** 2, 1 / RATE_HZ) for f in OCTAVES])
        broadband.append(decay_time(response**2, 1 / RATE_HZ))
    return np.mean(by_octave, axis=0).tolist(), float(np.mean(broadband))


def decay(config: dict[str, Any]) -> dict[str, Any]:
    """Return the decay of a dataset's room over what statistics say."""
    room, pairs = places(config)
    expected = reverberation_time(room)
    by_octave, broadband = mean_decays(room, pairs)
    bare = replace(room, image_order=0, air_absorption=False)
    rays = ray_energy(bare, *pairs[0], np.array(OCTAVES), BIN_S, RAYS, np.random.default_rng(1))
    ray_ratio = [
        decay_time(row, BIN_S) / statistical
        for row, statistical in zip(rays, reverberation_time(bare), strict=False)
    ]
    ratios = np.array(by_octave) / expected[: len(OCTAVES)]
    return {
        "size_m": room.size_m,
        "scattering": room.scattering,
        "statistical_s": rounded(expected[: len(OCTAVES)]),
        "t30_s": rounded(by_octave),
        "ratio_by_octave": rounded(ratios),
        "ratio_mean": round(float(ratios.mean()), 3),
        "broadband_s": round(broadband, 3),
        "ratio_broadband": round(broadband / statistical_broadband(expected), 3),
        "rays_alone_ratio": rounded(ray_ratio),
    }


def own_ray_decay(room: Room, pair: tuple[Vector, Vector]) -> float:
    """Return T30 of pyroomacoustics' own rays in a mirroring room."""
    return decay_time(own_rays(room, pair, -1), BIN_S)


def own_rays(room: Room, pair: tuple[Vector, Vector], order: int) -> np.ndarray:
    """Return pyroomacoustics' histogram of rays, one band, after images up to an order."""
    (x, y, z), (source_m, microphone_m) = room.size_m, pair
    pra.random.seed(5)
    box = pra.ShoeBox(
        [x, z, y],
        fs=16_000,
        materials=pra.Material(float(np.mean(room.absorption)), room.scattering or None),
        max_order=order,
        ray_tracing=True,
    )
    box.set_ray_tracing(n_rays=RAYS, receiver_radius=0.5, hist_bin_size=BIN_S)
    box.add_source([source_m[0], z - source_m[2], source_m[1]])
    box.add_microphone([microphone_m[0], z - microphone_m[2], microphone_m[1]])
    box.ray_tracing()
    return np.asarray(box.rt_histograms[0][0][0])[0]


def mirroring(absorption: float, size_m: Vector) -> dict[str, Any]:
    """Return the decay of a room that does not scatter over pyroomacoustics' own rays'."""
    room = Room(size_m=size_m, absorption=absorption, image_order=10, late_tail=True)
    pair = ((2.0, 1.2, 1.5), (3.0, 1.3, size_m[2] - 1.6))
    theirs, (_, ours) = own_ray_decay(room, pair), mean_decays(room, [pair])
    return {
        "size_m": size_m,
        "absorption": absorption,
        "t30_s": round(ours, 3),
        "pyroomacoustics_rays_s": round(theirs, 3),
        "ratio": round(ours / theirs, 3),
        "statistical_s": round(float(reverberation_time(room)[3]), 3),
    }


def tail(config: dict[str, Any]) -> dict[str, Any]:
    """Return how diffuse the tail of a dataset's room is."""
    room, pairs = places(config)
    found = diffuse_tail(room, *pairs[0], RATE_HZ, 3)
    energy = (found**2).sum(axis=1)
    correlation = np.corrcoef(found) - np.eye(4)
    return {
        "largest_correlation": round(float(np.abs(correlation).max()), 4),
        "energy_over_w": rounded(energy[1:] / energy[0]),
    }


def scattered_energy(scattering: float, order: int) -> dict[str, Any]:
    """Return the energy of images and rays together: pyroomacoustics' and ours."""
    pair = ((3.0, 1.2, 2.0), (4.0, 1.25, 5.2))
    room = Room(size_m=(8.0, 2.95, 7.0), absorption=0.23, image_order=order, scattering=scattering)
    images = images_of(pair[0], room.size_m, order)
    distance = np.linalg.norm(images.positions - pair[1], axis=1)
    kept = ((1 - 0.23) * (1 - scattering)) ** images.orders / distance**2
    generator = np.random.default_rng(1)
    ours = ray_energy(room, *pair, np.array([1000.0]), BIN_S, RAYS, generator)[0].sum()
    return {
        "scattering": scattering,
        "image_order": order,
        "pyroomacoustics": round(float(kept.sum() + own_rays(room, pair, order + 1).sum()), 3),
        "ours": round(float(kept.sum() + ours), 3),
    }


def rounded(values: Any) -> list[float]:
    """Return numbers with three decimals."""
    return [round(float(value), 3) for value in values]


def main() -> None:
    """Measure everything and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    before = pra.constants.get("rir_hpf_enable")
    pra.constants.set("rir_hpf_enable", False)
    responses = {name: differences(*case) for name, case in ROOMS.items()}
    pra.constants.set("rir_hpf_enable", before)
    result = {
        "responses": responses,
        "largest_difference": max(max(case.values()) for case in responses.values()),
        "decay": {name: decay(config) for name, config in DECAYS.items()},
        "mirroring": [
            mirroring(0.25, (6.0, 3.0, 5.0)),
            mirroring(0.23, (8.0, 2.95, 7.0)),
            mirroring(0.36, (8.0, 2.95, 7.0)),
        ],
        "tail": {name: tail(DECAYS[name]) for name in ("classroom, seed 0", "office")},
        "pyroomacoustics_scattering": [
            scattered_energy(scattering, order)
            for scattering in (0.0, 0.3, 0.6)
            for order in (1, 6, 10)
        ],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
