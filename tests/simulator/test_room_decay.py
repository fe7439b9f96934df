"""Rays, tail and decay of rooms, against images, statistics and pyroomacoustics' own rays."""

from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator import Room, empty_room_response
from acoustic_sense_simulator.room.decay import absorption_for, chords, reverberation_time
from acoustic_sense_simulator.room.diffuse_field import diffuse_field
from acoustic_sense_simulator.room.images import images_of
from acoustic_sense_simulator.room.radiation import diffuse_energy
from acoustic_sense_simulator.room.rays import ray_energy
from acoustic_sense_simulator.room.response import physical_response
from acoustic_sense_simulator.sampling import GenerationConfig, scenes
from scipy.signal import butter, sosfilt

from acoustic_sense.types import Loudspeaker

RATE = 48_000
SOURCE = (2.3, 1.2, 0.9)
MICROPHONE = (3.1, 1.4, 4.1)
KILOHERTZ = np.array([1000.0])
BIN_S = 0.004


def decay_time(energy, step_s):
    """T30 of ISO 3382: backward integration, a line from -5 to -35 dB, times two."""
    left = np.cumsum(energy[::-1])[::-1]
    level = 10 * np.log10(left / left[0] + 1e-30)
    start, stop = np.argmax(level < -5), np.argmax(level < -35)
    slope = np.polyfit(np.arange(start, stop) * step_s, level[start:stop], 1)[0]
    return -60 / slope


def traced(room, seed=1, loudspeaker=None):
    generator = np.random.default_rng(seed)
    return ray_energy(room, SOURCE, MICROPHONE, KILOHERTZ, BIN_S, 10_000, generator, loudspeaker)[0]


def image_energy(room, lowest, highest):
    """Sum of squared amplitudes of the images of these orders, written literally."""
    images = images_of(SOURCE, room.size_m, highest)
    distance = np.linalg.norm(images.positions - MICROPHONE, axis=1)
    energy = (1 - room.absorption) ** images.orders / distance**2
    return energy[images.orders >= lowest].sum()


@pytest.mark.parametrize("order", [0, 2, 5])
def test_mirrored_rays_bring_the_energy_of_the_images_they_stand_for(order):
    room = Room(absorption=0.4, image_order=order)
    expected = image_energy(room, order + 1, 24)
    assert traced(room).sum() == pytest.approx(expected, rel=0.1)


def test_energy_does_not_depend_on_how_much_walls_scatter():
    """Steady sound in a room is that of its absorption, whatever direction reflections take."""
    room = Room(absorption=0.25, image_order=0)
    energies = [traced(replace(room, scattering=s)).sum() for s in (0.0, 0.3, 0.7, 1.0)]
    np.testing.assert_allclose(energies, np.mean(energies), rtol=0.08)
    x, y, z = room.size_m
    area = 2 * (x * y + y * z + z * x)
    steady = 16 * np.pi * (1 - room.absorption) / (area * room.absorption)
    np.testing.assert_allclose(energies, steady, rtol=0.2)


@pytest.mark.parametrize("scattering", [0.3, 1.0])
def test_images_and_rays_share_the_energy_whatever_the_order(scattering):
    def whole(order):
        room = Room(absorption=0.3, image_order=order, late_tail=True, scattering=scattering)
        images = images_of(SOURCE, room.size_m, order)
        distance = np.linalg.norm(images.positions - MICROPHONE, axis=1)
        kept = ((1 - room.absorption) * (1 - scattering)) ** images.orders
        return (kept / distance**2).sum() + traced(room).sum()

    energies = [whole(order) for order in (0, 1, 3, 8)]
    np.testing.assert_allclose(energies, np.mean(energies), rtol=0.04)


@pytest.mark.parametrize("size_m", [(6.0, 3.0, 5.0), (8.0, 2.9, 7.0)])
def test_scattering_rooms_decay_by_statistics(size_m):
    room = Room(size_m=size_m, absorption=0.25, image_order=0, scattering=0.8)
    assert decay_time(traced(room), BIN_S) == pytest.approx(reverberation_time(room)[3], rel=0.05)


def test_paths_from_wall_to_wall_are_as_uneven_as_kuttruff_found():
    """Relative variance of path lengths, Room Acoustics, 2009, table 5.1: 0.342 in a cube."""
    lengths = chords((2.0, 2.0, 2.0))
    assert lengths.mean() == pytest.approx(4 * 8 / 24)
    assert lengths.var() / lengths.mean() ** 2 == pytest.approx(0.342, abs=0.015)


@pytest.mark.parametrize("absorption", [0.02, 0.3, 0.9])
def test_unequal_paths_decay_slower_than_eyring_says(absorption):
    room = Room(absorption=absorption)
    eyring = 24 * np.log(10) * 90 / (343 * 126 * -np.log(1 - absorption))
    # Kuttruff's expansion to second order, exact for small absorption
    variance = chords(room.size_m).var() / chords(room.size_m).mean() ** 2
    second = eyring / (1 + variance / 2 * np.log(1 - absorption))
    found = reverberation_time(room)[0]
    assert eyring < found < second * 1.001
    assert found == pytest.approx(second, rel=0.05 if absorption < 0.5 else 0.3)


def test_absorption_and_reverberation_time_are_inverse():
    size_m = (5.9, 2.6, 6.0)
    room = Room(size_m=size_m, absorption=absorption_for(size_m, 0.4))
    np.testing.assert_allclose(reverberation_time(room), 0.4, rtol=1e-6)


def test_mirroring_walls_decay_slower_as_pyroomacoustics_says():
    pra = pytest.importorskip("pyroomacoustics")
    room = Room(size_m=(8.0, 2.9, 7.0), absorption=0.25, image_order=0)
    pra.random.seed(1)
    box = pra.ShoeBox(
        [8.0, 7.0, 2.9], fs=16_000, materials=pra.Material(0.25), max_order=-1, ray_tracing=True
    )
    box.set_ray_tracing(n_rays=10_000, receiver_radius=0.5, hist_bin_size=BIN_S)
    box.add_source([2.3, 7.0 - 0.9, 1.2])
    box.add_microphone([3.1, 7.0 - 4.1, 1.4])
    box.ray_tracing()
    theirs = decay_time(np.asarray(box.rt_histograms[0][0][0])[0], BIN_S)
    ours = decay_time(traced(room), BIN_S)
    assert ours == pytest.approx(theirs, rel=0.08)
    assert ours > 1.2 * reverberation_time(room)[3]


def test_rays_of_a_loudspeaker_bring_what_it_radiates_in_all():
    """Into a room that mixes: towards the microphone or away from it."""
    room = Room(absorption=0.1, image_order=0, scattering=1.0)
    omni = traced(room).sum()
    for yaw_deg in (-70.0, 110.0):
        box = Loudspeaker(SOURCE, yaw_deg=yaw_deg, cabinet_radius_m=0.1)
        expected = diffuse_energy(box, KILOHERTZ)[0]
        assert traced(room, loudspeaker=box).sum() / omni == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("dataset", [0, 1])
def test_default_classroom_decays_in_its_reverberation_time(dataset):
    """The mean over octaves and loudspeakers; one octave at one place is uncertain by 5 %."""
    (scene,) = scenes(GenerationConfig.model_validate({"seed": dataset}))
    room, expected, ratios = scene.room, reverberation_time(scene.room), []
    for seed, loudspeaker in enumerate(scene.loudspeakers):
        places = loudspeaker.position_m, scene.microphone.position_m
        response = physical_response(room, *places, RATE, seed=seed, loudspeaker=loudspeaker)[0]
        for band, centre in ((2, 500.0), (3, 1000.0), (4, 2000.0)):
            edges = [centre / 2**0.5, centre * 2**0.5]
            passed = sosfilt(butter(4, edges, "bandpass", fs=RATE, output="sos"), response)
            ratios.append(decay_time(passed**2, 1 / RATE) / expected[band])
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.1), ratios


def test_tail_of_a_scattering_room_is_diffuse_and_repeats_with_its_seed():
    room = Room(image_order=2, late_tail=True, absorption=0.3, scattering=0.6)
    response = empty_room_response(room, SOURCE, MICROPHONE, RATE, seed=3)
    assert np.array_equal(response, empty_room_response(room, SOURCE, MICROPHONE, RATE, seed=3))
    assert not np.array_equal(response, empty_room_response(room, SOURCE, MICROPHONE, RATE, seed=4))
    late = response[:, 3000:12_000]
    energy = (late**2).sum(axis=1)
    np.testing.assert_allclose(energy[1:] / energy[0], 1 / 3, atol=0.06)
    assert np.abs(np.corrcoef(late) - np.eye(4)).max() < 0.12


def test_scattering_without_a_tail_changes_nothing():
    room = Room(image_order=4)
    one = empty_room_response(room, SOURCE, MICROPHONE, RATE)
    two = empty_room_response(replace(room, scattering=0.5), SOURCE, MICROPHONE, RATE)
    assert np.array_equal(one, two)


def test_diffuse_field_has_the_energy_asked_for_in_every_band_and_time():
    bands = np.array([125.0 * 2**i for i in range(8)])
    energy = np.outer(10 ** (-np.arange(8) / 10), 10 ** (-np.arange(250) / 125))
    generator = np.random.default_rng(2)
    field = diffuse_field(energy, bands, BIN_S, RATE, generator)
    for band in range(3, 7):
        inside = [bands[band] * 2**-0.3, bands[band] * 2**0.3]
        share = (inside[1] - inside[0]) / (RATE / 2)
        passed = sosfilt(butter(8, inside, "bandpass", fs=RATE, output="sos"), field[0]) ** 2
        for start in (0, 125):
            got = passed[start * 192 : (start + 125) * 192].sum()
            expected = energy[band, start : start + 125].sum() * share
            assert got == pytest.approx(expected, rel=0.2), (band, start)
    whole = (field**2).sum(axis=1)
    np.testing.assert_allclose(whole[1:] / whole[0], 1 / 3, rtol=0.05)
