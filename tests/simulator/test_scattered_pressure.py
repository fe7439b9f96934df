"""The frequency-domain sum against exact series, and its laws."""

import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from acoustic_sense_simulator import scattered_pressure
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.sphere import admittance, surface_pressure_ratio
from sphere_series import scattered_by_sphere

from acoustic_sense.errors import SimulationError

SOURCE = np.array([1.7, 0.3, 0.9])


def relative_error(value, truth):
    return float(np.linalg.norm(value - truth) / np.linalg.norm(truth))


def around(count, distance_m, seed=0):
    directions = np.random.default_rng(seed).normal(size=(count, 3))
    return distance_m * directions / np.linalg.norm(directions, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def sphere():
    return trimesh.creation.icosphere(4, radius=0.25)


@pytest.mark.parametrize("absorption", [0.0, 0.5])
@pytest.mark.parametrize("frequency_hz", [125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0])
def test_matches_sphere_series(sphere, frequency_hz, absorption):
    receivers = around(120, 1.5)
    exact = scattered_by_sphere(0.25, SOURCE, receivers, frequency_hz, admittance(absorption))
    got = scattered_pressure(
        sphere.vertices,
        sphere.faces,
        SOURCE,
        receivers,
        np.array([frequency_hz]),
        absorption=absorption,
    )
    assert relative_error(got[:, 0], exact) < 0.02


def test_shadow_cancels_the_direct_sound(sphere):
    behind = -1.0 * SOURCE / np.linalg.norm(SOURCE)
    beside = behind + 0.12 * np.cross(behind, [0.0, 1.0, 0.0])
    k = 2 * np.pi * 4000 / 343
    r = np.linalg.norm(beside - SOURCE)
    incident = np.exp(1j * k * r) / (4 * np.pi * r)
    got = scattered_pressure(
        sphere.vertices, sphere.faces, SOURCE, beside[None], np.array([4000.0])
    )
    assert abs(incident + got[0, 0]) < 0.5 * abs(incident)


def test_source_and_receiver_may_be_swapped(sphere):
    frequencies = np.array([200.0, 800.0, 3000.0])
    other = np.array([-1.1, 0.8, 0.5])
    there = scattered_pressure(sphere.vertices, sphere.faces, SOURCE, other[None], frequencies)
    back = scattered_pressure(sphere.vertices, sphere.faces, other, SOURCE[None], frequencies)
    assert relative_error(there, back) < 0.03


def test_split_vertices_give_the_same(sphere):
    frequency = np.array([700.0])
    corners = sphere.triangles.reshape(-1, 3)
    faces = np.arange(len(corners)).reshape(-1, 3)
    one = scattered_pressure(sphere.vertices, sphere.faces, SOURCE, around(5, 2.0), frequency)
    two = scattered_pressure(corners, faces, SOURCE, around(5, 2.0), frequency)
    assert relative_error(one, two) < 1e-6


def test_inside_out_mesh_gives_the_same(sphere):
    frequency = np.array([700.0])
    one = scattered_pressure(sphere.vertices, sphere.faces, SOURCE, around(5, 2.0), frequency)
    two = scattered_pressure(
        sphere.vertices, sphere.faces[:, ::-1], SOURCE, around(5, 2.0), frequency
    )
    assert relative_error(one, two) < 1e-9


def test_radius_of_a_sphere_is_its_own(sphere):
    assert np.allclose(local_radius(sphere.vertices, sphere.faces), 0.25, rtol=1e-3)


@pytest.mark.parametrize(("share", "expected_m"), [(0.0, 0.16), (1.0, 0.08)])
def test_radius_on_a_capsule(share, expected_m):
    angle = np.linspace(0, np.pi / 2, 10)
    cap = 0.08 * np.stack([np.sin(angle), 0.5 / 0.08 + np.cos(angle)], axis=1)
    shaft_line = np.stack([np.full(39, 0.08), np.linspace(0.5, -0.5, 41)[1:-1]], axis=1)
    line = np.concatenate([cap, shaft_line, cap[::-1] * [1, -1]])
    capsule = trimesh.creation.revolve(line[::-1], sections=32)
    radii = local_radius(capsule.vertices, capsule.faces, share=share)
    height = np.abs(capsule.triangles_center[:, 2])
    shaft = height < 0.35
    assert np.allclose(radii[shaft], expected_m, rtol=0.03)
    ends = height > 0.57
    assert np.allclose(radii[ends], 0.08, rtol=0.05)


def test_small_sphere_leaves_the_pressure_and_large_lit_one_doubles_it():
    cosines = np.array([-1.0, 0.0, 1.0])
    small = surface_pressure_ratio(cosines, np.array([0.01]), 0.1, 0.001)
    large = surface_pressure_ratio(np.array([1.0]), np.array([600.0]), 0.3, 0.05)
    assert np.allclose(small, 1.0, atol=2e-3)
    assert abs(abs(large[0, 0]) - 2.0) < 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"faces": np.array([[0, 1, 99]])}, "outside"),
        ({"frequencies_hz": np.array([0.0])}, "above 0 Hz"),
        ({"absorption": 1.0}, "absorption"),
        ({"vertices_m": np.zeros((8, 3))}, "no volume"),
    ],
)
def test_rejects_what_cannot_be_a_body(change, message):
    box = trimesh.creation.box()
    arguments = {
        "vertices_m": box.vertices,
        "faces": np.asarray(box.faces),
        "source_m": SOURCE,
        "receivers_m": around(2, 2.0),
        "frequencies_hz": np.array([500.0]),
    }
    with pytest.raises(SimulationError, match=message):
        scattered_pressure(**(arguments | change))
