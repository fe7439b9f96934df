"""The empty room against pyroomacoustics itself, and against what a room must do."""

from dataclasses import replace

import numpy as np
import pytest
from acoustic_sense_simulator import Room, empty_room_response
from acoustic_sense_simulator.loudspeaker import diffuse_gain, directivity_gain
from acoustic_sense_simulator.room.response import LEAD_SAMPLES, physical_response

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker

pra = pytest.importorskip("pyroomacoustics")

RATE = 48_000
SOURCE = (2.3, 1.2, 0.8)
MICROPHONE = (3.1, 1.4, 4.2)
BANDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)


@pytest.fixture
def without_high_pass():
    before = pra.constants.get("rir_hpf_enable")
    pra.constants.set("rir_hpf_enable", False)
    yield
    pra.constants.set("rir_hpf_enable", before)


def own_responses(room, source, microphone):
    """pyroomacoustics' own responses of an omni and three figure-of-eight microphones."""
    octaves = [125.0 * 2**i for i in range(8)]
    material = (
        pra.Material({"coeffs": list(room.absorption), "center_freqs": octaves})
        if isinstance(room.absorption, tuple)
        else pra.Material(room.absorption)
    )
    x, y, z = room.size_m
    box = pra.ShoeBox(
        [x, z, y],
        fs=RATE,
        materials=material,
        max_order=room.image_order,
        air_absorption=room.air_absorption,
    )
    box.add_source([source[0], z - source[2], source[1]])
    place = [microphone[0], z - microphone[2], microphone[1]]
    eight = pra.directivities.FigureEight
    turn = pra.directivities.DirectionVector
    directivities = [
        None,
        eight(turn(azimuth=0, colatitude=90)),
        eight(turn(azimuth=90, colatitude=90)),
        eight(turn(azimuth=0, colatitude=0)),
    ]
    array = pra.MicrophoneArray(np.tile(np.array(place)[:, None], 4), RATE, directivities)
    box.add_microphone_array(array)
    box.compute_rir()
    return [row[0] for row in box.rir]


@pytest.mark.parametrize(
    "room",
    [
        Room(),
        Room(size_m=(8.0, 2.6, 4.0), absorption=0.6, image_order=3),
        Room(absorption=BANDS, image_order=4),
        Room(absorption=0.2, air_absorption=True, image_order=4),
    ],
)
def test_equals_pyroomacoustics(room, without_high_pass):
    source, microphone = (2.3, 1.2, 0.8), (3.1, 1.4, 3.2)
    ours = empty_room_response(room, source, microphone, RATE)
    theirs = own_responses(room, source, microphone)
    peak = np.abs(theirs[0]).max()
    for channel in range(4):
        length = min(len(theirs[channel]), ours.shape[1])
        difference = ours[channel, :length] - theirs[channel][:length]
        assert np.abs(difference).max() < 1e-4 * peak


def test_direct_sound_arrives_after_distance_over_c():
    room = Room(absorption=0.99, image_order=0)
    distance = np.linalg.norm(np.subtract(SOURCE, MICROPHONE))
    spectrum = np.fft.rfft(physical_response(room, SOURCE, MICROPHONE, RATE)[0], n=4096)
    frequency = np.fft.rfftfreq(4096)[10:1000]
    phase = np.unwrap(np.angle(spectrum[10:1000]))
    delay = -np.polyfit(2 * np.pi * frequency, phase, 1)[0]
    assert delay == pytest.approx(distance / 343 * RATE, abs=0.02)
    assert abs(spectrum[20]) == pytest.approx(1 / distance, rel=1e-2)
    lead = empty_room_response(room, SOURCE, MICROPHONE, RATE)
    assert np.argmax(lead[0]) == pytest.approx(LEAD_SAMPLES + delay, abs=1)


def test_direction_of_the_direct_sound_follows_the_yaw():
    room = Room(absorption=0.99, image_order=0)
    ahead = physical_response(room, (3.0, 1.5, 1.0), (3.0, 1.5, 4.0), RATE, yaw_deg=90.0)
    at = np.argmax(np.abs(ahead[0]))
    assert np.allclose(ahead[:, at] / ahead[0, at], [1, 1, 0, 0], atol=1e-3)
    left = physical_response(room, (3.0, 1.5, 1.0), (3.0, 1.5, 4.0), RATE)
    assert np.allclose(left[:, at] / left[0, at], [1, 0, 1, 0], atol=1e-3)


def test_decay_follows_the_rooms_reverberation_time():
    room = Room(absorption=0.3, image_order=30)
    response = physical_response(room, SOURCE, MICROPHONE, RATE)[0]
    energy = np.cumsum(response[::-1] ** 2)[::-1]
    level = 10 * np.log10(energy[: len(energy) // 2] / energy[0])
    start, stop = np.argmax(level < -5), np.argmax(level < -25)
    x, y, z = room.size_m
    area = 2 * (x * y + y * z + x * z)
    eyring = 0.161 * x * y * z / (-area * np.log(1 - room.absorption))
    assert 0.7 * eyring < 3 * (stop - start) / RATE < 1.8 * eyring


def test_late_tail_is_diffuse_and_repeats_with_its_seed():
    room = Room(image_order=2, late_tail=True, absorption=0.4)
    response = empty_room_response(room, SOURCE, MICROPHONE, RATE, seed=3)
    assert np.array_equal(response, empty_room_response(room, SOURCE, MICROPHONE, RATE, seed=3))
    late = response[:, 3000:12000]
    energy = (late**2).sum(axis=1)
    assert np.allclose(energy[1:] / energy[0], 1 / 3, atol=0.06)
    correlation = np.corrcoef(late) - np.eye(4)
    assert np.abs(correlation).max() < 0.12


def test_rejects_a_source_outside_the_room():
    with pytest.raises(SimulationError, match="outside the room"):
        empty_room_response(Room(), (7.0, 1.0, 1.0), MICROPHONE, RATE)


BOX = Loudspeaker(SOURCE, (), yaw_deg=-70.0, elevation_deg=8.0, cabinet_radius_m=0.1)


def test_loudspeaker_without_a_cabinet_changes_nothing():
    room = Room(absorption=BANDS, image_order=3, late_tail=True)
    point = Loudspeaker(SOURCE, yaw_deg=33.0)
    expected = empty_room_response(room, SOURCE, MICROPHONE, RATE)
    got = empty_room_response(room, SOURCE, MICROPHONE, RATE, loudspeaker=point)
    assert np.array_equal(expected, got)


def test_direct_sound_has_the_gain_towards_the_microphone():
    room = Room(absorption=0.5, image_order=0)
    omni = physical_response(room, SOURCE, MICROPHONE, RATE)
    directive = physical_response(
        room, SOURCE, MICROPHONE, RATE, loudspeaker=replace(BOX, yaw_deg=0)
    )
    towards = np.subtract(MICROPHONE, SOURCE) / np.linalg.norm(np.subtract(MICROPHONE, SOURCE))
    frequencies = np.array([1000.0, 2000.0, 4000.0])
    expected = directivity_gain(replace(BOX, yaw_deg=0), towards[None], frequencies)[0]
    bins = (frequencies / RATE * 4800).astype(int)
    ratio = np.fft.rfft(directive, 4800)[:, bins] / np.fft.rfft(omni, 4800)[:, bins]
    assert expected[2] < 0.3 < 0.6 < expected[0]
    np.testing.assert_allclose(np.abs(ratio), np.tile(expected, (4, 1)), atol=0.06)


def paths(source, microphone, size=(6.0, 3.0, 5.0)):
    """Vectors along which the direct sound and the six first reflections leave the source."""
    images = [np.array(microphone)]
    for axis in range(3):
        for wall in (0.0, size[axis]):
            image = np.array(microphone)
            image[axis] = 2 * wall - image[axis]
            images.append(image)
    return np.array(images) - np.array(source)


def test_reflections_have_the_gain_towards_their_own_wall():
    """Those of the first order that no other arrival covers, at 2 kHz, from four angles."""
    room = Room(absorption=0.2, image_order=1)
    source, microphone = (4.8, 0.9, 3.5), (4.6, 0.6, 2.8)
    leaving = paths(source, microphone)
    distance = np.linalg.norm(leaving, axis=1)
    at = np.round(distance / 343 * RATE).astype(int)
    alone = [i for i in range(1, 7) if np.sort(np.abs(at - at[i]))[1] > 100]
    assert len(alone) == 6
    time = np.arange(-50, 51)
    probe = np.exp(-0.5 * (time / 16) ** 2) * np.cos(2 * np.pi * 2000 / RATE * time)

    def heard(**how):
        response = physical_response(room, source, microphone, RATE, **how)[0]
        padded = np.pad(response, (0, 200))
        return np.array([padded[at[i] - 50 : at[i] + 51] @ probe for i in alone])

    omni = heard()
    for yaw_deg in (-70.0, 20.0, 110.0, 200.0):
        box = replace(BOX, yaw_deg=yaw_deg)
        directions = leaving[alone] / distance[alone, None]
        expected = directivity_gain(box, directions, np.array([2000.0]))[:, 0]
        np.testing.assert_allclose(heard(loudspeaker=box) / omni, expected, atol=0.08)


def test_tail_has_the_energy_that_the_loudspeaker_radiates_in_all():
    room = Room(absorption=0.4, image_order=1, late_tail=True)
    omni = physical_response(room, SOURCE, MICROPHONE, RATE)[0]
    box = physical_response(room, SOURCE, MICROPHONE, RATE, loudspeaker=BOX)[0]
    late = slice(2000, 12_000)
    frequency = np.fft.rfftfreq(10_000, 1 / RATE)
    for centre in (500.0, 2000.0, 8000.0):
        band = (frequency > centre / 2**0.5) & (frequency < centre * 2**0.5)
        energy = [np.sum(np.abs(np.fft.rfft(h[late])[band]) ** 2) for h in (box, omni)]
        across = np.geomspace(centre / 2**0.5, centre * 2**0.5, 20)
        expected = np.sqrt(np.mean(diffuse_gain(BOX, across) ** 2))
        assert np.sqrt(energy[0] / energy[1]) == pytest.approx(expected, rel=0.15)
