"""Directivity of a loudspeaker against its series written literally, its limits and its energy."""

import math
from cmath import exp

import numpy as np
import pytest
from acoustic_sense_simulator.loudspeaker import diffuse_gain, directivity_gain

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker

BOX = Loudspeaker((1.0, 1.2, 1.0), cabinet_radius_m=0.1, cone_radius_m=0.065)
FREQUENCIES = np.array([63.0, 250.0, 1000.0, 4000.0, 12_000.0])


def hankel(n, x):
    """Spherical Hankel function of the first kind as its finite sum (A&S 10.1.16)."""
    terms = (
        math.factorial(n + m) / (math.factorial(m) * math.factorial(n - m)) * (-2j * x) ** -m
        for m in range(n + 1)
    )
    return (-1j) ** (n + 1) * exp(1j * x) / x * sum(terms)


def legendre(n, x):
    """Legendre polynomial as its finite sum (A&S 22.3.8)."""
    return sum(
        (-1) ** m * math.comb(n, m) * math.comb(2 * n - 2 * m, n) * x ** (n - 2 * m) / 2**n
        for m in range(n // 2 + 1)
    )


def literal_far_field(ka, half_angle, theta, degrees):
    """Far field of a cap: velocity expanded by quadrature, boundary condition degree by degree."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    low = math.cos(half_angle)
    cosines = (1 - low) / 2 * nodes + (1 + low) / 2
    total = 0.0
    for n in range(degrees):
        overlap = (
            (1 - low) / 2 * sum(w * legendre(n, c) for w, c in zip(weights, cosines, strict=True))
        )
        velocity = (2 * n + 1) / 2 * overlap
        below = hankel(n - 1, ka) if n else 1j * hankel(0, ka) - hankel(0, ka) / ka
        slope = below - (n + 1) / ka * hankel(n, ka) if n else below
        total += velocity * (-1j) ** (n + 1) / slope * legendre(n, math.cos(theta))
    return abs(total)


@pytest.mark.parametrize("ka", [0.05, 0.7, 2.5, 6.0])
def test_matches_the_series_written_literally(ka):
    half_angle = math.asin(0.65)
    angles = np.linspace(0, np.pi, 13)
    expected = np.array([literal_far_field(ka, half_angle, angle, 22) for angle in angles])
    directions = np.stack([np.cos(angles), np.zeros(13), np.sin(angles)], axis=1)
    frequency = np.array([ka * SPEED_OF_SOUND_M_S / (2 * np.pi * 0.1)])
    gain = directivity_gain(BOX, directions, frequency)[:, 0]
    np.testing.assert_allclose(gain, expected / expected[0], rtol=1e-7)


@pytest.mark.parametrize("cone_m", [0.02, 0.065, 0.1])
def test_no_direction_is_louder_than_the_axis(cone_m):
    box = Loudspeaker((1, 1, 1), cabinet_radius_m=0.1, cone_radius_m=cone_m)
    angles = np.linspace(0.02, np.pi, 90)
    directions = np.stack([np.cos(angles), np.zeros(90), np.sin(angles)], axis=1)
    gains = directivity_gain(box, directions, np.arange(100.0, 24_001.0, 100.0))
    assert gains.max() <= 1.0 + 1e-9, "the dip of a deep cap's axis has to stay out"


def test_radiates_alike_at_low_frequencies_and_narrows_upwards():
    angles = np.radians([0, 30, 60, 90])
    directions = np.stack([np.cos(angles), np.sin(angles), np.zeros(4)], axis=1)
    gains = directivity_gain(BOX, directions, np.array([0.0, 40.0, 500.0, 2000.0, 8000.0]))
    np.testing.assert_allclose(gains[:, 0], 1.0, atol=1e-5)
    np.testing.assert_allclose(gains[:, 1], 1.0, atol=0.01)
    assert (np.diff(gains[:, 2:], axis=0) < 0).all(), "less off the axis"
    assert (np.diff(diffuse_gain(BOX, FREQUENCIES)) < 0).all(), "narrower at higher frequencies"


def test_point_source_radiates_alike_everywhere():
    directions = np.random.default_rng(1).standard_normal((7, 3))
    point = Loudspeaker((1.0, 1.0, 1.0), yaw_deg=40.0)
    assert (directivity_gain(point, directions, FREQUENCIES) == 1.0).all()
    assert (diffuse_gain(point, FREQUENCIES) == 1.0).all()


def test_diffuse_gain_is_the_energy_integral_over_the_sphere():
    cosines, weights = np.polynomial.legendre.leggauss(200)
    directions = np.stack([cosines, np.sqrt(1 - cosines**2), np.zeros(200)], axis=1)
    energy = weights / 2 @ directivity_gain(BOX, directions, FREQUENCIES) ** 2
    np.testing.assert_allclose(diffuse_gain(BOX, FREQUENCIES) ** 2, energy, rtol=1e-9)


@pytest.mark.parametrize(
    ("yaw_deg", "elevation_deg", "axis"),
    [
        (0.0, 0.0, (1.0, 0.0, 0.0)),
        (90.0, 0.0, (0.0, 0.0, -1.0)),
        (-90.0, 0.0, (0.0, 0.0, 1.0)),
        (37.0, 90.0, (0.0, 1.0, 0.0)),
        (90.0, 30.0, (0.0, 0.5, -math.sqrt(0.75))),
    ],
)
def test_axis_is_where_it_is_loudest_and_one(yaw_deg, elevation_deg, axis):
    box = Loudspeaker((1, 1, 1), (), yaw_deg, elevation_deg, 0.1, 0.065)
    random = np.random.default_rng(2).standard_normal((200, 3))
    random /= np.linalg.norm(random, axis=1)[:, None]
    on_axis = directivity_gain(box, np.array([axis]), FREQUENCIES)
    np.testing.assert_allclose(on_axis, 1.0, rtol=1e-9)
    assert (directivity_gain(box, random, FREQUENCIES[2:4]) < 1.0).all()


def test_rejects_a_cone_wider_than_its_cabinet():
    wide = Loudspeaker((1, 1, 1), cabinet_radius_m=0.05, cone_radius_m=0.065)
    with pytest.raises(SimulationError, match=r"cabinet_radius_m of 0\.05 m, not at 0\.065 m"):
        directivity_gain(wide, np.array([[1.0, 0.0, 0.0]]), FREQUENCIES)
