"""The time-domain sum against the frequency-domain one, path by path."""

import numpy as np
import pytest
import trimesh
from acoustic_sense_simulator.room.axes import microphone_axes
from acoustic_sense_simulator.room.images import images_of
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.pressure import surface_sum
from acoustic_sense_simulator.scattering.surface import surface_of
from acoustic_sense_simulator.scattering.time_domain import BodyScatterer, ScattererSettings

from acoustic_sense.types import Microphone, Room

RATE = 48_000
LOUDSPEAKER = (2.3, 1.2, 0.8)
MICROPHONE = Microphone((3.2, 1.3, 4.3), 30.0)


@pytest.fixture(scope="module")
def body():
    mesh = trimesh.creation.icosphere(4, radius=0.2)
    mesh.vertices *= [1.0, 1.6, 0.8]
    mesh.vertices += [3.0, 1.2, 2.5]
    faces = np.asarray(mesh.faces)
    return surface_of(mesh.vertices, faces), local_radius(mesh.vertices, faces), mesh.bounds


def scatterer(body, room, source_order, microphone_order, beta=0.0):
    settings = ScattererSettings(
        room, (LOUDSPEAKER,), MICROPHONE, source_order, microphone_order, RATE, beta
    )
    return BodyScatterer(settings, body[1], body[2], 801)


def transfer(body, made, frequencies):
    """Spectra at the bins nearest some frequencies, in the convention exp(-i omega t)."""
    bins = np.round(frequencies / RATE * made.fft_size).astype(int)
    frequencies = bins * RATE / made.fft_size
    lag = np.exp(-2j * np.pi * frequencies * made.first_sample[0] / RATE)
    return frequencies, np.conj(made.spectra(body[0], 0)[:, bins] * lag)


def direct_sum(body, room, frequencies, orders, beta=0.0):
    """The four channels from the frequency-domain sum, path by path."""
    sources = images_of(LOUDSPEAKER, room.size_m, orders[0])
    microphones = images_of(MICROPHONE.position_m, room.size_m, orders[1])
    reflection = np.sqrt(1 - room.absorption)
    total = np.zeros(len(frequencies), dtype=complex)
    for source, source_order in zip(sources.positions, sources.orders, strict=True):
        for place, order in zip(microphones.positions, microphones.orders, strict=True):
            if source_order + order <= max(orders):
                part = surface_sum(body[0], body[1], source, place[None], frequencies, beta)[0]
                total += reflection ** (source_order + order) * part
    return 4 * np.pi * total


@pytest.mark.parametrize(
    ("low_hz", "high_hz"), [(100, 300), (300, 1000), (1000, 3000), (3000, 6000)]
)
@pytest.mark.parametrize("beta", [0.0, 0.15])
def test_time_domain_equals_frequency_domain(body, low_hz, high_hz, beta):
    made = scatterer(body, Room(), 0, 0, beta)
    frequencies, got = transfer(body, made, np.linspace(low_hz, high_hz, 12))
    exact = direct_sum(body, Room(), frequencies, (0, 0), beta)
    assert np.linalg.norm(got[0] - exact) < 0.06 * np.linalg.norm(exact)


def test_paths_over_the_walls_are_those_of_the_images(body):
    room = Room(absorption=0.4)
    made = scatterer(body, room, 1, 1)
    frequencies, got = transfer(body, made, np.linspace(300, 2000, 8))
    exact = direct_sum(body, room, frequencies, (1, 1))
    assert np.linalg.norm(got[0] - exact) < 0.06 * np.linalg.norm(exact)


def test_same_absorption_in_bands_is_the_same_wall(body):
    frequencies = np.linspace(200, 3000, 10)
    single = transfer(body, scatterer(body, Room(absorption=0.3), 1, 1), frequencies)
    bands = transfer(body, scatterer(body, Room(absorption=(0.3,) * 8), 1, 1), single[0])
    exact = np.interp(bands[0], single[0], np.abs(single[1][0]))
    assert np.linalg.norm(np.abs(bands[1][0]) - exact) < 0.15 * np.linalg.norm(exact)


def test_small_body_is_heard_from_where_it_is():
    mesh = trimesh.creation.icosphere(3, radius=0.04)
    centre = np.array([3.5, 1.7, 2.5])
    vertices = mesh.vertices + centre
    faces = np.asarray(mesh.faces)
    ball = (
        surface_of(vertices, faces),
        local_radius(vertices, faces),
        np.array([vertices.min(0), vertices.max(0)]),
    )
    made = scatterer(ball, Room(), 0, 0)
    _, got = transfer(ball, made, np.array([1500.0]))
    direction = centre - np.array(MICROPHONE.position_m)
    direction /= np.linalg.norm(direction)
    expected = microphone_axes(MICROPHONE.yaw_deg) @ direction
    assert np.allclose((got[1:, 0] / got[0, 0]).real, expected, atol=0.03)


def test_response_begins_with_the_sound_over_the_nearest_point(body):
    made = scatterer(body, Room(), 0, 0)
    response = np.fft.irfft(made.spectra(body[0], 0)[0], n=made.fft_size)
    paths = np.linalg.norm(body[0].points - LOUDSPEAKER, axis=1)
    paths += np.linalg.norm(body[0].points - MICROPHONE.position_m, axis=1)
    first = paths.min() / 343 * RATE - made.first_sample[0]
    before = np.sum(response[: int(first) - 24] ** 2)
    assert before < 1e-3 * np.sum(response**2)


def test_images_mirror_the_point_in_every_wall():
    images = images_of((1.0, 1.0, 1.0), (6.0, 3.0, 5.0), 1)
    assert images.orders.tolist() == [0] + [1] * 6
    assert {tuple(p) for p in images.positions[1:]} == {
        (-1.0, 1.0, 1.0), (11.0, 1.0, 1.0), (1.0, -1.0, 1.0),
        (1.0, 5.0, 1.0), (1.0, 1.0, -1.0), (1.0, 1.0, 9.0),
    }  # fmt: skip
