"""The time-domain sum against the frequency-domain one, path by path."""

import numpy as np
import pytest
import trimesh
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.kernels.facets import join, measure
from acoustic_sense_simulator.loudspeaker import directivity_gain
from acoustic_sense_simulator.room.axes import microphone_axes
from acoustic_sense_simulator.room.images import images_of
from acoustic_sense_simulator.scattering.cells import joined_facets
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.impedance import admittances
from acoustic_sense_simulator.scattering.patches import patch_order
from acoustic_sense_simulator.scattering.pressure import surface_sum
from acoustic_sense_simulator.scattering.sphere import admittance
from acoustic_sense_simulator.scattering.surface import surface_of
from acoustic_sense_simulator.scattering.time_domain import (
    BodyScatterer,
    ScattererSettings,
    sharing_compensation,
)

from acoustic_sense.types import Loudspeaker, Microphone, Room, Subject

RATE = 48_000
LOUDSPEAKER = Loudspeaker((2.3, 1.2, 0.8))
MICROPHONE = Microphone((3.2, 1.3, 4.3), 30.0)
BANDS = [(100, 300), (300, 1000), (1000, 3000), (3000, 6000)]


class Solid:
    """A mesh in the room with its local radii."""

    def __init__(self, vertices, faces):
        self.vertices, self.faces = np.asarray(vertices, float), np.asarray(faces)
        self.radii = local_radius(self.vertices, self.faces)
        self.surface = surface_of(self.vertices, self.faces)
        self.bounds = np.stack([self.vertices.min(0), self.vertices.max(0)])


@pytest.fixture(scope="module")
def egg():
    mesh = trimesh.creation.icosphere(4, radius=0.2)
    return Solid(mesh.vertices * [1.0, 1.6, 0.8] + [3.0, 1.2, 2.5], mesh.faces)


@pytest.fixture(scope="module")
def person():
    body = load_body(Subject(betas=(0.5, -1.0)), "medium")
    pose = np.zeros((1, 72), np.float32)
    pose[0, [3, 6, 48 + 2, 51 + 2]] = (-0.5, 0.3, -1.2, 0.9)
    vertices = body.pose_vertices(pose, np.array([[3.0, 1.0, 2.4]], np.float32))[0]
    return Solid(vertices, body.faces)


def scatterer(solid, room=None, orders=(0, 0), absorption=0.0, loudspeaker=LOUDSPEAKER):
    settings = ScattererSettings(
        room or Room(), (loudspeaker,), MICROPHONE, *orders, RATE, absorption
    )
    return BodyScatterer(settings, solid.vertices, solid.faces, solid.radii, solid.bounds)


def transfer(solid, made, frequencies):
    """Spectra at the bins nearest some frequencies, in the convention exp(-i omega t)."""
    size = 8192
    bins = np.round(frequencies / RATE * size).astype(int)
    frequencies = bins * RATE / size
    response = made.responses(solid.vertices.astype(np.float32))[0]
    taps = sharing_compensation(RATE)
    spectra = np.fft.rfft(response, n=size) * np.fft.rfft(taps, n=size)
    lag = made.first_sample[0] - len(taps) // 2
    shift = np.exp(-2j * np.pi * frequencies * lag / RATE)
    return frequencies, np.conj(spectra[:, bins] * shift)


def direct_sum(solid, room, frequencies, orders=(0, 0), beta=0.0):
    """The four channels from the frequency-domain sum, facet by facet and path by path."""
    sources = images_of(LOUDSPEAKER.position_m, room.size_m, orders[0])
    microphones = images_of(MICROPHONE.position_m, room.size_m, orders[1])
    axes = microphone_axes(MICROPHONE.yaw_deg)
    reflection = np.sqrt(1 - room.absorption)
    total = np.zeros((4, len(frequencies)), dtype=complex)
    for source, source_order in zip(sources.positions, sources.orders, strict=True):
        for place, flip, order in zip(
            microphones.positions, microphones.flips, microphones.orders, strict=True
        ):
            if source_order + order > max(orders):
                continue
            away = solid.surface.points - place
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            gains = np.concatenate([np.ones((1, len(away))), (axes * flip) @ away.T])
            for channel, gain in enumerate(gains):
                weighted = type(solid.surface)(
                    solid.surface.points,
                    solid.surface.normals,
                    solid.surface.areas * gain,
                    solid.surface.spreads,
                )
                part = surface_sum(weighted, solid.radii, source, place[None], frequencies, beta)
                total[channel] += reflection ** (source_order + order) * part[0]
    return 4 * np.pi * total


def relative(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize(("low_hz", "high_hz"), BANDS)
@pytest.mark.parametrize("absorption", [0.0, 0.45])
@pytest.mark.parametrize("which", ["egg", "person"])
def test_time_domain_equals_frequency_domain(which, low_hz, high_hz, absorption, request):
    solid = request.getfixturevalue(which)
    made = scatterer(solid, absorption=absorption)
    frequencies, got = transfer(solid, made, np.linspace(low_hz, high_hz, 12))
    exact = direct_sum(solid, Room(), frequencies, beta=admittance(absorption))
    assert relative(got, exact) < 0.025


def test_time_domain_equals_frequency_domain_from_100_hz_to_6_khz(person):
    frequencies, got = transfer(person, scatterer(person), np.geomspace(100, 6000, 20))
    assert relative(got, direct_sum(person, Room(), frequencies)) < 0.02


def test_paths_over_the_walls_are_those_of_the_images(egg):
    room = Room(absorption=0.4)
    made = scatterer(egg, room, (1, 1))
    frequencies, got = transfer(egg, made, np.array([150.0, 500.0, 1200.0, 2500.0, 5000.0]))
    exact = direct_sum(egg, room, frequencies, (1, 1))
    assert relative(got, exact) < 0.03  # the walls' paths are summed over cells of four facets


def test_same_absorption_in_bands_is_the_same_wall(egg):
    frequencies = np.linspace(200, 3000, 10)
    single = transfer(egg, scatterer(egg, Room(absorption=0.3), (1, 1)), frequencies)[1]
    bands = transfer(egg, scatterer(egg, Room(absorption=(0.3,) * 8), (1, 1)), frequencies)[1]
    assert relative(bands, single) < 1e-3


def test_a_wall_that_takes_high_frequencies_away_reflects_the_low_ones(egg):
    soft = Room(absorption=(0.05, 0.05, 0.1, 0.2, 0.5, 0.8, 0.8, 0.8))
    frequencies = np.array([150.0, 4000.0])
    direct = transfer(egg, scatterer(egg, soft), frequencies)[1][0]
    for absorption, column in ((0.06, 0), (0.8, 1)):
        hard = Room(absorption=absorption)
        with_soft = transfer(egg, scatterer(egg, soft, (1, 1)), frequencies)[1][0] - direct
        with_hard = transfer(egg, scatterer(egg, hard, (1, 1)), frequencies)[1][0] - direct
        ratio = abs(with_soft[column]) / abs(with_hard[column])
        assert ratio == pytest.approx(1.0, abs=0.08)


def test_loudspeaker_turned_away_sends_less_to_the_body(egg):
    turned = Loudspeaker(LOUDSPEAKER.position_m, (), 90.0, 0.0, 0.1, 0.065)
    frequencies = np.linspace(300, 6000, 12)
    frequencies, plain = transfer(egg, scatterer(egg), frequencies)
    _, got = transfer(egg, scatterer(egg, loudspeaker=turned), frequencies)
    middle = egg.vertices.mean(axis=0) - LOUDSPEAKER.position_m
    middle /= np.linalg.norm(middle)
    wanted = directivity_gain(turned, middle[None], frequencies)[0]
    assert wanted.min() < 0.1
    assert np.linalg.norm(np.abs(got[0] / plain[0]) - wanted) < 0.03 * np.linalg.norm(wanted)


def test_clothes_in_bands_absorb_in_their_bands(person):
    bands = (0.02, 0.02, 0.02, 0.05, 0.3, 0.6, 0.6, 0.6)
    made = scatterer(person, absorption=bands)
    for frequency, absorption in ((180.0, 0.02), (4000.0, 0.6)):
        frequencies, got = transfer(person, made, np.array([frequency]))
        beta = admittances(bands, frequencies)[0]
        assert beta.real == pytest.approx(admittance(absorption), rel=0.1, abs=0.01)
        assert relative(got, direct_sum(person, Room(), frequencies, beta=beta)) < 0.03


def test_small_body_is_heard_from_where_it_is():
    mesh = trimesh.creation.icosphere(3, radius=0.04)
    centre = np.array([3.5, 1.7, 2.5])
    ball = Solid(mesh.vertices + centre, mesh.faces)
    _, got = transfer(ball, scatterer(ball), np.array([1500.0]))
    direction = centre - np.array(MICROPHONE.position_m)
    direction /= np.linalg.norm(direction)
    expected = microphone_axes(MICROPHONE.yaw_deg) @ direction
    assert np.allclose((got[1:, 0] / got[0, 0]).real, expected, atol=0.03)


def test_response_begins_with_the_sound_over_the_nearest_point(egg):
    made = scatterer(egg)
    response = made.responses(egg.vertices.astype(np.float32))[0, 0]
    paths = np.linalg.norm(egg.surface.points - LOUDSPEAKER.position_m, axis=1)
    paths += np.linalg.norm(egg.surface.points - MICROPHONE.position_m, axis=1)
    first = paths.min() / 343 * RATE - made.first_sample[0]
    before = np.sum(response[: int(first) - 2] ** 2)
    assert before < 1e-4 * np.sum(response**2)


def test_patches_hold_every_facet_once_and_lie_together(person):
    order = patch_order(person.surface.points, 32)
    assert sorted(order) == list(range(len(person.faces)))
    patches = person.surface.points[order][: len(order) // 32 * 32].reshape(-1, 32, 3)
    spread = np.linalg.norm(patches - patches.mean(axis=1, keepdims=True), axis=2).max(axis=1)
    assert np.median(spread) < 0.2


def packed(solid):
    made = np.empty((13, len(solid.faces)), np.float32)
    measure(solid.vertices.astype(np.float32), solid.faces.astype(np.int64), made)
    return made


def test_compiled_facets_equal_the_plain_ones(egg):
    plain = egg.surface
    wanted = np.concatenate([plain.points.T, plain.normals.T, plain.areas[None], plain.spreads.T])
    assert np.allclose(packed(egg), wanted, rtol=1e-3, atol=1e-5)


def test_cells_keep_area_vector_centre_and_moments_of_their_facets(person):
    cells = joined_facets(person.vertices, person.faces, 2)
    members = np.sort(cells[cells >= 0])
    assert members.tolist() == list(range(len(person.faces)))  # every facet once
    assert (cells >= 0).sum(axis=1).mean() > 2.8
    made = np.empty((13, len(cells)), np.float32)
    join(packed(person), cells, made)
    corners = person.vertices[person.faces]
    for cell in (0, 7, len(cells) // 2):
        chosen = cells[cell][cells[cell] >= 0]
        surface = person.surface
        area = surface.areas[chosen]
        vector = (area[:, None] * surface.normals[chosen]).sum(axis=0)
        centre = (area[:, None] * surface.points[chosen]).sum(axis=0) / area.sum()
        assert np.allclose(made[6, cell] * made[3:6, cell], vector, atol=1e-7)
        assert np.allclose(made[:3, cell], centre, atol=1e-5)
        # second moment of a flat triangle about any point: (sum_i e_i e_i + (sum_i e_i)^2) / 12
        e = corners[chosen] - centre
        exact = np.einsum("fij,fik->fjk", e, e)
        exact += np.einsum("fj,fk->fjk", e.sum(axis=1), e.sum(axis=1))
        exact = np.einsum("f,fjk->jk", area / area.sum(), exact)
        got = made[7:, cell]
        assert np.allclose(np.diag(exact), got[:3], atol=1e-6)
        assert np.allclose([exact[0, 1], exact[0, 2], exact[1, 2]], got[3:] / 2, atol=1e-6)


def test_images_mirror_the_point_in_every_wall():
    images = images_of((1.0, 1.0, 1.0), (6.0, 3.0, 5.0), 1)
    assert images.orders.tolist() == [0] + [1] * 6
    assert {tuple(p) for p in images.positions[1:]} == {
        (-1.0, 1.0, 1.0), (11.0, 1.0, 1.0), (1.0, -1.0, 1.0),
        (1.0, 5.0, 1.0), (1.0, 1.0, -1.0), (1.0, 1.0, 9.0),
    }  # fmt: skip
