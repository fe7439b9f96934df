"""The rendering of moving bodies against theory: parts of `physics.py`, which writes them."""

from typing import Any

import numpy as np
import trimesh
from acoustic_sense_simulator.rendering.renderer import MovingMesh, scattered_sound
from acoustic_sense_simulator.room.axes import microphone_axes
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.pressure import surface_sum
from acoustic_sense_simulator.scattering.sphere import admittance
from acoustic_sense_simulator.scattering.surface import Surface, surface_of
from acoustic_sense_simulator.scattering.time_domain import (
    BodyScatterer,
    ScattererSettings,
    sharing_compensation,
)
from posed_people import person_in_room

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Loudspeaker, Microphone, Room, Scene

RATE_HZ = 48_000
SEED = 2611

SPEEDS_M_S = (-2.0, -0.8, 0.0, 0.8, 2.0)
TONE_HZ = 2000.0

POSES = ("walk", "t-pose")
BANDS_HZ = ((100, 300), (300, 1000), (1000, 3000), (3000, 6000))
OVERALL_HZ = (100, 6000)
CLOTHED = 0.45
LOUDSPEAKER, MICROPHONE = Loudspeaker((2.3, 1.2, 0.8)), Microphone((3.2, 1.3, 4.3), 30.0)


def relative(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the norm of the difference over the norm of the truth."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def moving_ball(path_m: np.ndarray, radius_m: float = 0.2) -> MovingMesh:
    """Return a sphere whose centre follows a path at 60 poses a second."""
    mesh = trimesh.creation.icosphere(3, radius=radius_m)
    vertices = mesh.vertices[None] + path_m[:, None]
    still = np.asarray(mesh.vertices + path_m[0], np.float32)
    return MovingMesh(vertices.astype(np.float32), np.asarray(mesh.faces), still, 60.0)


def linearity() -> dict[str, float]:
    """Return the departures from a sum and from a factor, over the peak."""
    scene = Scene(loudspeakers=(LOUDSPEAKER,), microphone=MICROPHONE)
    steps = np.linspace(0, 0.5, 31)[:, None]
    mesh = moving_ball(np.array([3.0, 1.2, 2.3]) + steps * [1.0, 0.0, 0.5])
    generator = np.random.default_rng(SEED)
    one, two = generator.standard_normal((2, 1, RATE_HZ // 2)).astype(np.float32)
    heard_one, heard_two = scattered_sound(scene, one, mesh), scattered_sound(scene, two, mesh)
    both = scattered_sound(scene, one + np.float32(0.3) * two, mesh)
    louder = scattered_sound(scene, np.float32(1000.0) * one, mesh)
    peak = np.abs(both).max()
    mixed = heard_one + np.float32(0.3) * heard_two
    return {
        "sum_over_peak": float(f"{np.abs(both - mixed).max() / peak:.2g}"),
        "factor_over_peak": float(
            f"{np.abs(louder / 1000 - heard_one).max() / np.abs(heard_one).max():.2g}"
        ),
        "float32_epsilon": float(f"{np.finfo(np.float32).eps:.2g}"),
    }


def doppler() -> list[dict[str, float]]:
    """Return measured and predicted pitch for several speeds towards source and microphone.

    All three lie on a line, so that the way over the sphere shortens by twice its speed. The pitch
    is the slope of the phase at the tone's frequency over the middle of the sound.
    """
    scene = Scene(
        loudspeakers=(Loudspeaker((0.3, 1.2, 2.5)),),
        microphone=Microphone((0.5, 1.2, 2.5), 0.0),
        room=Room(size_m=(9.0, 3.0, 5.0)),
        source_order=0,
        microphone_order=0,
    )
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    tone = np.sin(2 * np.pi * TONE_HZ * time_s).astype(np.float32)[None]
    rows = []
    for speed in SPEEDS_M_S:
        path = np.tile([5.0, 1.2, 2.5], (121, 1))
        path[:, 0] -= speed * (np.arange(121) / 60 - 1.0)
        heard = scattered_sound(scene, tone, moving_ball(path))[0]
        expected = TONE_HZ * (SPEED_OF_SOUND_M_S + speed) / (SPEED_OF_SOUND_M_S - speed)
        found = TONE_HZ + frequency_offset(heard, time_s)
        rows.append(
            {
                "speed_m_s": speed,
                "expected_hz": round(expected, 3),
                "heard_hz": round(found, 3),
                "error_hz": round(found - expected, 3),
            }
        )
    return rows


def frequency_offset(heard: np.ndarray, time_s: np.ndarray) -> float:
    """Return how far a sound's frequency lies above the tone's, in hertz."""
    moved = heard * np.exp(-2j * np.pi * TONE_HZ * time_s)
    width = RATE_HZ // 50
    smooth = np.convolve(moved, np.hanning(width) / width, mode="same")
    middle = slice(RATE_HZ // 2, len(heard) - RATE_HZ // 2)
    phase = np.unwrap(np.angle(smooth[middle]))
    return float(np.polyfit(time_s[middle], phase, 1)[0] / (2 * np.pi))


# -------------------------------------------------------------------------------------- time domain


def time_domain() -> list[dict[str, Any]]:
    """Return how far the rendered responses of people are from the frequency-domain sum."""
    return [in_bands(pose, absorption) for pose in POSES for absorption in (0.0, CLOTHED)]


def in_bands(pose: str, absorption: float) -> dict[str, Any]:
    """Return the relative difference in every band and overall, of one person."""
    vertices, faces = person_in_room(pose)
    radii = local_radius(vertices, faces)
    settings = ScattererSettings(Room(), (LOUDSPEAKER,), MICROPHONE, 0, 0, RATE_HZ, absorption)
    bounds = np.stack([vertices.min(axis=0), vertices.max(axis=0)])
    scatterer = BodyScatterer(settings, vertices, faces, radii, bounds)
    frequencies, found = rendered_spectra(scatterer, vertices)
    truth = direct_sum(surface_of(vertices, faces), radii, frequencies, admittance(absorption))
    chosen = {
        f"{low}-{high}": (frequencies >= low) & (frequencies <= high)
        for low, high in (*BANDS_HZ, OVERALL_HZ)
    }
    return {
        "body": pose,
        "facets": len(faces),
        "absorption": absorption,
        "frequencies": len(frequencies),
        "relative_difference_by_hz": {
            band: round(relative(found[:, inside], truth[:, inside]), 5)
            for band, inside in chosen.items()
        },
    }


def rendered_spectra(
    scatterer: BodyScatterer, vertices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bins of a response in the range asked for, in the convention exp(-i omega t)."""
    size = 8192
    low, high = np.round(np.array(OVERALL_HZ) * size / RATE_HZ).astype(int)
    bins = np.unique(np.round(np.concatenate([np.arange(low, 52, 4), np.arange(52, high + 1, 33)])))
    frequencies = bins * RATE_HZ / size
    response = scatterer.responses(vertices.astype(np.float32))[0]
    taps = sharing_compensation(RATE_HZ)
    spectra = np.fft.rfft(response, n=size) * np.fft.rfft(taps, n=size)
    lag = scatterer.first_sample[0] - len(taps) // 2
    shift = np.exp(-2j * np.pi * frequencies * lag / RATE_HZ)
    return frequencies, np.conj(spectra[:, bins] * shift)


def direct_sum(
    surface: Surface, radii: np.ndarray, frequencies: np.ndarray, beta: float
) -> np.ndarray:
    """Return W, X, Y, Z of the frequency-domain sum at the microphone, facet by facet."""
    place = np.array(MICROPHONE.position_m)
    away = surface.points - place
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    gains = [np.ones(len(away)), *(microphone_axes(MICROPHONE.yaw_deg) @ away.T)]
    source = np.array(LOUDSPEAKER.position_m)
    channels = [
        surface_sum(
            Surface(surface.points, surface.normals, surface.areas * gain, surface.spreads),
            *(radii, source, place[None], frequencies, beta),
        )[0]
        for gain in gains
    ]
    return 4 * np.pi * np.stack(channels)
