"""People by height and mass: met exactly, and refused with the range outside the population."""

import numpy as np
import pytest
import trimesh
from acoustic_sense_simulator.body import load_body, subject_betas, subject_measures
from acoustic_sense_simulator.body.embedded import embedded_arrays, embedded_model
from acoustic_sense_simulator.body.metric_shape import (
    DENSITY_KG_M3,
    FARTHEST,
    betas_of_measures,
    is_in_population,
    measures,
)
from acoustic_sense_simulator.sampling.subjects import SubjectsConfig, draw_subjects
from acoustic_sense_simulator.simulation import simulate

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Scene, Subject

FINE = embedded_model("fine")


def population(count=25):
    """Heights and masses over what the body's people can have, with random other shapes."""
    rng = np.random.default_rng(0)
    found = []
    while len(found) < count:
        height_m, mass_kg = rng.uniform(1.45, 2.0), rng.uniform(40, 120)
        if is_in_population(FINE, height_m, mass_kg):
            betas = tuple(np.clip(rng.standard_normal(10), -2, 2))
            found.append((height_m, mass_kg, betas))
    return found


def test_height_is_met_to_2_mm_and_mass_to_1_kg_over_the_population():
    for height_m, mass_kg, betas in population():
        subject = Subject(height_m=height_m, mass_kg=mass_kg, betas=betas)
        body = load_body(subject, "fine")
        mesh = trimesh.Trimesh(body.rest_vertices, body.faces, process=False)  # measured apart
        assert mesh.extents[1] == pytest.approx(height_m, abs=0.002)
        assert mesh.volume * DENSITY_KG_M3 == pytest.approx(mass_kg, abs=1.0)


@pytest.mark.parametrize("facets", ["coarse", "medium"])
def test_other_meshes_are_the_same_person_within_their_coarseness(facets):
    for height_m, mass_kg, betas in population(8):
        subject = Subject(height_m=height_m, mass_kg=mass_kg, betas=betas)
        body = load_body(subject, facets)
        assert body.height_m == pytest.approx(height_m, abs=0.006)
        assert body.volume_m3 * DENSITY_KG_M3 == pytest.approx(mass_kg, rel=0.05)
        assert body.betas == load_body(subject, "fine").betas


def test_only_one_measure_leaves_the_other_to_the_betas():
    betas = (0.5, -1.0, 0.3)
    before = subject_measures(Subject(betas=betas))
    tall = subject_measures(Subject(betas=betas, height_m=1.85))
    heavy = subject_measures(Subject(betas=betas, mass_kg=85.0))
    assert tall.height_m == pytest.approx(1.85, abs=1e-4)
    assert tall.mass_kg > before.mass_kg
    assert heavy.mass_kg == pytest.approx(85, abs=0.01)
    assert subject_betas(Subject(betas=betas)) == betas


def test_other_shape_coefficients_are_kept():
    """What is changed is the least: at right angles to it the betas stay as they were."""
    rng = np.random.default_rng(2)
    start = rng.standard_normal(10)
    found = np.array(betas_of_measures(FINE, 1.75, 72.0, tuple(start)))
    assert np.linalg.norm(found - start) < FARTHEST
    again = np.array(betas_of_measures(FINE, 1.75, 72.0, tuple(-start)))
    assert np.linalg.norm(found - again) > 2  # two people of one height and mass
    # nothing nearer to the start has both measures
    for _ in range(50):
        other = betas_of_measures(FINE, 1.75, 72.0, tuple(found + 0.3 * rng.standard_normal(10)))
        assert np.linalg.norm(np.array(other) - start) > np.linalg.norm(found - start) - 0.02


def test_the_population_itself_is_inside():
    for betas in embedded_arrays("coarse")["check_betas"]:
        of_them = measures(FINE, tuple(float(b) for b in betas))
        assert is_in_population(FINE, of_them.height_m, of_them.mass_kg)


def test_bodies_at_the_edge_of_the_population_still_have_the_shape_of_people():
    mean = load_body(Subject(), "fine")
    shape = trimesh.Trimesh(mean.rest_vertices, mean.faces, process=False)
    for height_m, mass_kg in ((1.5, 33.0), (1.75, 50.0), (1.75, 110.0), (2.0, 98.0), (1.9, 72.0)):
        body = load_body(Subject(height_m=height_m, mass_kg=mass_kg), "fine")
        mesh = trimesh.Trimesh(body.rest_vertices, body.faces, process=False)
        alike = np.sum(mesh.face_normals * shape.face_normals, axis=1) > 0
        assert mesh.area_faces[alike].sum() > 0.99 * mesh.area  # next to no skin is inside out
        depth = np.ptp(body.rest_vertices[np.abs(body.rest_vertices[:, 0]) < 0.1], axis=0)[2]
        assert 0.15 < depth < 0.55


@pytest.mark.parametrize(
    ("height_m", "mass_kg", "message"),
    [
        (2.3, None, r"'ann'.* 2\.3 m .*height_m goes from 1\.\d\d to 2\.\d\d$"),
        (1.75, 150.0, r"1\.75 m and 150 kg .*mass_kg at 1\.75 m goes from \d\d to \d+$"),
        (1.75, 20.0, r"mass_kg at 1\.75 m goes from"),
        (None, 200.0, r"'embedded': mass_kg goes from \d\d to \d+$"),
    ],
)
def test_who_is_outside_the_population_is_refused_with_the_range(height_m, mass_kg, message):
    subject = Subject(name="ann", height_m=height_m, mass_kg=mass_kg)
    with pytest.raises(SimulationError, match=message) as caught:
        load_body(subject)
    assert "\n" not in str(caught.value)


def test_bounds_of_the_message_are_possible():
    with pytest.raises(SimulationError) as caught:
        load_body(Subject(height_m=1.75, mass_kg=200.0))
    words = str(caught.value).split()
    low, high = float(words[-3]), float(words[-1])
    for mass_kg in (low, high):
        assert subject_measures(Subject(height_m=1.75, mass_kg=mass_kg)).mass_kg == pytest.approx(
            mass_kg, abs=0.1
        )


def test_drawn_subjects_have_heights_and_masses_of_the_ranges():
    config = SubjectsConfig(count=12, height_m=(1.6, 1.9), mass_kg=(55, 95))
    drawn = [subject for subject, _ in draw_subjects(config, seed=3)]
    for subject in drawn:
        found = subject_measures(subject)
        assert found.height_m == pytest.approx(subject.height_m, abs=0.002)
        assert found.mass_kg == pytest.approx(subject.mass_kg, abs=1.0)
        assert 1.6 <= found.height_m <= 1.9005
        assert 54.9 <= found.mass_kg <= 95.1
        assert np.linalg.norm(subject.betas) > 0.5
    assert np.ptp([subject.height_m for subject in drawn]) > 0.1
    assert drawn == [subject for subject, _ in draw_subjects(config, seed=3)]


def test_ranges_leave_the_other_draws_as_they_were():
    plain = draw_subjects(SubjectsConfig(count=3), seed=1)
    ranged = draw_subjects(SubjectsConfig(count=3, height_m=(1.6, 1.9)), seed=1)
    for (a, clothes_a), (b, clothes_b) in zip(plain, ranged, strict=True):
        assert (a.name, a.style_seed, clothes_a) == (b.name, b.style_seed, clothes_b)
        assert a.betas != b.betas


def test_people_given_by_height_and_mass_are_those_people():
    people = [{"name": "ann", "height_m": 1.62, "mass_kg": 58}, {"name": "bob", "height_m": 1.9}]
    config = SubjectsConfig.model_validate({"people": people})
    (ann, _), (bob, _) = draw_subjects(config, seed=0)
    assert subject_measures(ann).mass_kg == pytest.approx(58, abs=0.1)
    assert subject_measures(bob).height_m == pytest.approx(1.9, abs=0.001)


def test_impossible_ranges_are_refused_before_anything_is_rendered():
    with pytest.raises(SimulationError, match="'s01': no person of"):
        draw_subjects(SubjectsConfig(height_m=(1.9, 1.9), mass_kg=(40, 45)), seed=0)


def test_take_records_height_and_mass():
    scene = Scene(seconds=0.3, subject=Subject(height_m=1.8, mass_kg=80.0))
    take = simulate(scene)
    assert take.extra["height_m"] == pytest.approx(1.8, abs=0.002)
    assert take.extra["mass_kg"] == pytest.approx(80, abs=1)
    assert take.pose.smpl_betas is not None
    found = measures(FINE, tuple(float(b) for b in take.pose.smpl_betas))
    assert found.height_m == pytest.approx(1.8, abs=0.002)  # the betas beside the poses as well
    assert simulate(Scene(seconds=0.3)).extra["height_m"] == pytest.approx(1.70, abs=0.01)
