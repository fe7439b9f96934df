"""Responses from the boundary equation: against the equation itself and a sphere's exact series."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from acoustic_sense_simulator import scattered_pressure, simulate
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.room.images import images_of
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from acoustic_sense_simulator.scattering import boundary_in_time
from acoustic_sense_simulator.scattering.boundary_in_time import (
    REFINEMENTS,
    RefinedScatterer,
    crossing,
)
from acoustic_sense_simulator.scattering.curvature import local_radius
from acoustic_sense_simulator.scattering.reduced_mesh import reduced_mesh
from acoustic_sense_simulator.scattering.sphere import admittance
from acoustic_sense_simulator.scattering.time_domain import (
    BodyScatterer,
    ScattererSettings,
    sharing_compensation,
)
from sphere_series import scattered_by_sphere

from acoustic_sense.types import Loudspeaker, Microphone, Motion, PlaybackSource, Room, Scene
from acoustic_sense.types import Subject as Person

RATE = 48_000
LOUDSPEAKER = Loudspeaker((2.3, 1.2, 0.8))
MICROPHONE = Microphone((3.2, 1.3, 4.3), 30.0)


class Solid:
    """A body in some poses, and its scatterers."""

    def __init__(self, poses, rest, faces, absorption=0.0, room=None, order=0):
        self.poses, self.faces = np.asarray(poses, np.float32), np.asarray(faces)
        self.rest = np.asarray(rest, float)
        settings = ScattererSettings(
            room or Room(), (LOUDSPEAKER,), MICROPHONE, order, order, RATE, absorption
        )
        bounds = np.stack([self.poses.min((0, 1)), self.poses.max((0, 1))])
        radii = local_radius(self.rest, self.faces)
        self.fast = BodyScatterer(settings, self.rest, self.faces, radii, bounds)

    def refined(self, fidelity="bem", **changes):
        refinement = replace(REFINEMENTS[fidelity], **changes)
        return RefinedScatterer(
            self.fast,
            refinement,
            lambda pose: self.poses[pose],
            len(self.poses),
            60.0,
            self.rest,
            self.faces,
        )


def ball(radius_m=0.2, centre=(3.0, 1.2, 2.5), **options):
    mesh = trimesh.creation.icosphere(3, radius=radius_m)
    vertices = mesh.vertices + np.array(centre)
    return Solid(vertices[None], vertices, mesh.faces, **options)


@pytest.fixture(scope="module")
def person():
    """Somebody who swings an arm at 3 m/s, for a tenth of a second."""
    body = load_body(Person(betas=(0.5, -1.0)), "coarse")
    pose = np.zeros((7, 72), np.float32)
    pose[:, [3, 6, 50, 53]] = (-0.5, 0.3, -1.2, 0.9)
    pose[:, [48, 50]] += np.linspace(0.0, 0.5, 7)[:, None]
    places = np.tile(np.array([[3.0, 1.0, 2.4]], np.float32), (7, 1))
    rest = body.pose_vertices(np.zeros((1, 72)), np.zeros((1, 3)))[0]
    return Solid(body.pose_vertices(pose, places), rest, body.faces)


def transfer(response, first_sample, frequencies):
    """Spectra of responses with the playback's compensation, convention exp(-i omega t)."""
    taps = sharing_compensation(RATE)
    times = np.arange(response.shape[-1]) + first_sample
    turns = np.exp(2j * np.pi * np.outer(times, frequencies) / RATE)
    shares = np.exp(
        2j * np.pi * np.outer(np.arange(len(taps)) - len(taps) // 2, frequencies) / RATE
    )
    return (response.astype(float) @ turns) * (taps.astype(float) @ shares)


def relative(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(truth)


def test_person_is_that_of_the_boundary_equation_on_the_whole_mesh(person):
    frequencies = np.array([100.0, 160.0, 250.0, 400.0, 550.0, 700.0])
    truth = scattered_pressure(
        person.poses[0],
        person.faces,
        np.array(LOUDSPEAKER.position_m),
        np.array([MICROPHONE.position_m]),
        frequencies,
        fidelity="bem",
    )
    for fidelity in ("bem", "high"):
        made = person.refined(fidelity)
        got = transfer(made.responses(0)[0, 0], made.first_sample[0], frequencies)
        assert relative(got, 4 * np.pi * truth[0]) < 0.05, fidelity
    fast = person.fast.responses(person.poses[0])[0, 0]
    fast = transfer(fast, person.fast.first_sample[0], frequencies)
    assert relative(fast, 4 * np.pi * truth[0]) > 0.1, "nothing was gained"


@pytest.mark.parametrize("absorption", [0.0, 0.4])
def test_all_paths_of_a_ball_are_those_of_the_exact_series(absorption):
    room, centre = Room(absorption=0.4), np.array([3.0, 1.2, 2.5])
    made = ball(absorption=absorption, room=room, order=1).refined()
    frequencies = np.array([120.0, 300.0, 520.0, 690.0])
    sources = images_of(LOUDSPEAKER.position_m, room.size_m, 1)
    microphones = images_of(MICROPHONE.position_m, room.size_m, 1)
    exact = np.zeros(len(frequencies), complex)
    for source, order in zip(sources.positions, sources.orders, strict=True):
        heard = microphones.orders + order <= 1
        factor = np.sqrt(1 - room.absorption) ** (microphones.orders[heard] + order)
        for column, frequency in enumerate(frequencies):
            places = microphones.positions[heard] - centre
            part = scattered_by_sphere(
                0.2, source - centre, places, frequency, admittance(absorption)
            )
            exact[column] += 4 * np.pi * factor @ part
    got = transfer(made.responses(0)[0, 0], made.first_sample[0], frequencies)
    assert relative(got, exact) < 0.03


def test_small_ball_is_heard_from_where_it_is():
    centre = np.array([3.5, 1.7, 2.5])
    made = ball(0.05, centre).refined()
    got = transfer(made.responses(0)[0], made.first_sample[0], np.array([500.0]))[:, 0]
    towards = centre - np.array(MICROPHONE.position_m)
    wanted = made._paths[0].axes[0] @ (towards / np.linalg.norm(towards))
    assert np.allclose((got[1:] / got[0]).real, wanted, atol=0.03)


@pytest.mark.parametrize(("fidelity", "first_hz"), [("bem", 950.0), ("high", 1450.0)])
def test_nothing_changes_above_the_cross_over(person, fidelity, first_hz):
    made = person.refined(fidelity)
    frequencies = np.linspace(first_hz, 8000.0, 60)
    got = transfer(made.responses(0)[0], made.first_sample[0], frequencies)
    fast = person.fast.responses(person.poses[0])[0]
    assert relative(got, transfer(fast, person.fast.first_sample[0], frequencies)) < 2e-3


def test_response_stays_silent_before_the_first_sound(person):
    made = person.refined()
    response = made.responses(0)[0]
    begin = int(np.argmax(np.abs(response[0]) > 0.05 * np.abs(response[0]).max()))
    early = begin - round(0.006 * RATE)
    assert early > 100
    assert np.square(response[:, :early]).sum() < 1e-5 * np.square(response).sum()


def test_few_frequencies_are_enough(person):
    many = person.refined(solutions=40).spectra(0)
    assert relative(person.refined().spectra(0), many) < 0.015


def test_poses_between_the_solved_ones_are_interpolated(person, monkeypatch):
    between = person.refined()
    seldom = [between.spectra(pose) for pose in range(7)]
    monkeypatch.setattr(boundary_in_time, "SOLUTIONS_HZ", 60.0)
    each = person.refined()
    always = [each.spectra(pose) for pose in range(7)]
    assert relative(always[6], always[0]) > 0.02, "the body hardly moved"
    for pose in range(7):
        assert relative(seldom[pose], always[pose]) < 0.015, pose
    assert relative(seldom[3], always[3]) < 0.6 * relative(always[3], always[0])
    assert np.array_equal(seldom[0], always[0])


def test_crossing_falls_from_one_to_nothing():
    share = crossing(np.array([100.0, 700.0, 800.0, 900.0]), (700.0, 900.0))
    assert share[0] == share[1] == 1.0
    assert share[2] == pytest.approx(0.5, abs=0.05)
    assert share[3] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("facets", "volume"), [(600, 0.03), (1200, 0.015)])
def test_reduced_mesh_is_closed_and_keeps_the_volume(person, facets, volume):
    made = reduced_mesh(person.rest, person.faces, facets)
    assert len(made.faces) == facets
    for pose in (person.rest, person.poses[0]):
        mesh = trimesh.Trimesh(made.posed(pose), made.faces, process=False)
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.euler_number == 2
        whole = trimesh.Trimesh(pose, person.faces, process=False)
        assert mesh.volume == pytest.approx(whole.volume, rel=volume)


def test_reduced_mesh_is_the_same_every_time_and_follows_the_body(person):
    one, two = (reduced_mesh(person.rest, person.faces, 400) for _ in range(2))
    assert np.array_equal(one.faces, two.faces)
    assert np.array_equal(one.offsets_m, two.offsets_m)
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    moved = one.posed(person.rest @ turn.T + [1.0, 2.0, 3.0])
    assert np.allclose(moved, one.posed(person.rest) @ turn.T + [1.0, 2.0, 3.0])


def test_mesh_that_is_small_enough_stays_as_it_is():
    mesh = trimesh.creation.icosphere(2)
    made = reduced_mesh(mesh.vertices, mesh.faces, 600)
    assert np.array_equal(made.faces, mesh.faces)
    assert np.allclose(made.posed(mesh.vertices), mesh.vertices)


def test_take_of_a_second_renders_with_the_same_bytes():
    scene = Scene(
        seconds=1.0,
        room=Room(image_order=1),
        loudspeakers=(LOUDSPEAKER,),
        motion=Motion(activities=("wave",)),
        playback=PlaybackSource(source="white-noise"),
        source_order=0,
        microphone_order=0,
        fidelity="bem",
    )
    one, two = simulate(scene).recording.samples, simulate(scene).recording.samples
    assert one.tobytes() == two.tobytes()
    fast = simulate(replace(scene, fidelity="fast")).recording.samples
    spectra = np.fft.rfft(np.stack([one[0], fast[0]]))
    frequency = np.fft.rfftfreq(one.shape[1], 1 / RATE)
    below, above = (frequency > 100) & (frequency < 700), frequency > 1100
    assert relative(spectra[0, below], spectra[1, below]) > 5e-3
    assert relative(spectra[0, above], spectra[1, above]) < 1e-3


def test_fidelity_is_part_of_scenes_and_of_datasets():
    scene = Scene(fidelity="high")
    assert Scene.from_json(scene.to_json()) == scene
    assert Scene().fidelity == "fast"
    with pytest.raises(ValidationError, match="fidelity"):
        Scene(fidelity="exact")
    config = GenerationConfig(fidelity="bem")
    assert GenerationConfig.model_validate(config.model_dump()) == config
    assert {drawn.fidelity for drawn in scenes(config)} == {"bem"}
