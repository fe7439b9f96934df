"""Levels, clocks and conventions of a recording, through whole simulated takes."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from acoustic_sense_simulator import simulate
from acoustic_sense_simulator.noise import NC_BANDS_HZ, NC_CURVES_DB
from acoustic_sense_simulator.recorder import clocked
from scipy.signal import resample

from acoustic_sense.dsp.ambisonics import CONVENTIONS, convert, to_ambix
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Loudspeaker, Microphone, Noise, PlaybackSource, Room, Scene

QUIET = Noise(noise_criterion=None, self_noise_db_spl=None)
UNHEARD = replace(QUIET, playback_level_db_spl=-80.0)
EMPTY = Scene(
    seconds=0.6,
    room=Room(image_order=1),
    playback=PlaybackSource(source="white-noise"),
    subject=None,
    noise=QUIET,
)
A_WEIGHTS_DB = (-26.2, -16.1, -8.6, -3.2, 0.0, 1.2, 1.0, -1.1, -6.6)
"""A-weighting at 63 Hz to 16 kHz, as IEC 61672-1 tabulates it."""


def pascals(take):
    """The recording in pascals, from its full scale alone."""
    full_scale_db_spl = take.scene.noise.full_scale_db_spl
    return take.recording.samples.astype(float) * 20e-6 * 10 ** (full_scale_db_spl / 20) * 2**0.5


def octave_levels(pressure, rate, bands):
    """dB SPL in each octave band, by Parseval."""
    power = 2 * np.abs(np.fft.rfft(pressure)) ** 2 / len(pressure) ** 2
    frequency = np.fft.rfftfreq(len(pressure), 1 / rate)
    inside = [(frequency >= f / 2**0.5) & (frequency < f * 2**0.5) for f in bands]
    return np.array([10 * np.log10(power[band].sum() / 20e-6**2) for band in inside])


def test_room_noise_follows_its_curve():
    noise = replace(UNHEARD, noise_criterion=35.0)
    sound = pascals(simulate(replace(EMPTY, seconds=6.0, noise=noise)))
    levels = octave_levels(sound[0], 48_000, NC_BANDS_HZ)
    np.testing.assert_allclose(levels, NC_CURVES_DB[35], atol=1.5)
    for channel in sound[1:]:  # a third of W's energy
        below = octave_levels(channel, 48_000, NC_BANDS_HZ[2:]) - levels[2:]
        np.testing.assert_allclose(below, 10 * np.log10(1 / 3), atol=0.7)


def test_self_noise_has_its_a_weighted_level_in_every_channel():
    noise = replace(UNHEARD, self_noise_db_spl=24.0)
    bands = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
    for channel in pascals(simulate(replace(EMPTY, seconds=2.0, noise=noise))):
        levels = octave_levels(channel, 48_000, bands) + A_WEIGHTS_DB
        total = 10 * np.log10(np.sum(10 ** (levels / 10)))
        assert total == pytest.approx(24.0, abs=0.7)


@pytest.mark.parametrize("cabinet_m", [0.0, 0.1])
def test_playback_has_its_level_whatever_the_loudspeakers(cabinet_m):
    response = (-6.0, 3.0, 0.0, 0.0, 2.0, -4.0, 0.0, 0.0, -9.0)
    loudspeakers = (
        Loudspeaker((2.3, 1.2, 0.8), response, 90.0, cabinet_radius_m=cabinet_m),
        Loudspeaker((3.7, 1.2, 0.8), (), -70.0, cabinet_radius_m=cabinet_m),
    )
    noise = replace(QUIET, playback_level_db_spl=71.5)
    sound = pascals(simulate(replace(EMPTY, loudspeakers=loudspeakers, noise=noise)))
    level = 10 * np.log10(np.mean(sound[0] ** 2) / 20e-6**2)
    assert level == pytest.approx(71.5, abs=0.02)


def test_parts_of_the_noise_do_not_depend_on_each_other():
    def recording(**noise):
        return simulate(replace(EMPTY, seed=4, noise=replace(QUIET, **noise))).recording.samples

    own = recording(self_noise_db_spl=40.0) - recording()
    both = recording(self_noise_db_spl=40.0, noise_criterion=30.0)
    np.testing.assert_allclose(both - recording(noise_criterion=30.0), own, atol=2e-6)
    assert np.std(own) > 1e-5


def test_one_seed_decides_all_and_another_changes_it():
    noise = replace(Noise(), clock_drift_ppm=80.0, latency_s=-0.004)
    scene = replace(EMPTY, noise=noise, seed=9)
    one, two = simulate(scene), simulate(scene)
    assert one.recording.samples.tobytes() == two.recording.samples.tobytes()
    other = simulate(replace(scene, seed=10))
    assert not np.array_equal(one.recording.samples, other.recording.samples)
    assert np.array_equal(one.playback.samples, other.playback.samples)


def test_negative_latency_is_a_recording_that_is_early():
    early = simulate(replace(EMPTY, noise=replace(QUIET, latency_s=-0.01)))
    now = simulate(EMPTY)
    assert np.array_equal(early.playback.samples, now.playback.samples)
    early, now = early.recording.samples, now.recording.samples
    np.testing.assert_allclose(early[:, :-480], now[:, 480:], atol=1e-6)
    assert np.std(early[0, -480:]) > 0.5 * np.std(now[0]), "the end is sound, not silence"


@pytest.mark.parametrize("latency_s", [-0.4, -0.01, 0.0, 0.02, 0.5])
@pytest.mark.parametrize("zero", [0, 960, 48_000])
def test_latency_moves_the_sound_and_leaves_silence(latency_s, zero):
    count, delay = 40_000, round(latency_s * 48_000)
    scene = replace(EMPTY, seconds=count / 48_000, noise=replace(QUIET, latency_s=latency_s))
    sound = np.random.default_rng(0).standard_normal((4, zero + count)).astype(np.float32)
    padded = np.pad(sound, ((0, 0), (24_000, 24_000)))
    got = clocked(sound.copy(), zero, count, scene)
    assert got.flags.c_contiguous
    assert np.array_equal(got, padded[:, 24_000 + zero - delay :][:, :count])


@pytest.fixture
def clicks(tmp_path):
    """A track of clicks 100 ms apart, and where they are."""
    samples = np.zeros(10 * 48_000, dtype=np.float32)
    at = np.arange(4800, len(samples), 4800)
    samples[at] = 0.9
    soundfile.write(tmp_path / "clicks.wav", samples, 48_000, subtype="FLOAT")
    config = {"path": str(tmp_path / "clicks.wav")}
    return PlaybackSource(source="music-file", config=config), at


@pytest.mark.parametrize("drift_ppm", [-1000.0, 0.0, 200.0, 1000.0])
def test_click_lies_where_the_recorders_clock_says(clicks, drift_ppm):
    playback, at = clicks
    room = Room(absorption=0.9, image_order=0)
    loudspeaker, microphone = Loudspeaker((3.0, 1.2, 1.0)), Microphone((3.0, 1.2, 4.43))
    noise = replace(QUIET, clock_drift_ppm=drift_ppm, latency_s=0.02)
    scene = replace(EMPTY, seconds=9.0, room=room, loudspeakers=(loudspeaker,))
    take = simulate(replace(scene, microphone=microphone, playback=playback, noise=noise))
    heard = resample(take.recording.samples[0].astype(float), 4 * 9 * 48_000)
    for click in at[[0, 40, 85]]:
        expected = 960 + (click + 480) * (1 + drift_ppm * 1e-6)  # 3.43 m of air: 480 samples
        around = round(4 * expected) + np.arange(-40, 41)
        found = around[np.argmax(np.abs(heard[around]))] / 4
        assert found == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_wrong_convention_is_undone_by_naming_it(convention):
    scene = replace(EMPTY, seconds=1.5)
    microphone = replace(scene.microphone, convention=convention)
    wrong = simulate(replace(scene, microphone=microphone)).recording.samples
    right = simulate(scene).recording.samples
    np.testing.assert_allclose(convert(to_ambix(wrong), convention, "sn3d"), right, atol=1e-6)
    assert np.array_equal(wrong, right) == (convention == "ambix")


def test_fuma_read_as_ambix_exchanges_channels():
    microphone = replace(EMPTY.microphone, convention="fuma")
    wrong = simulate(replace(EMPTY, microphone=microphone)).recording.samples
    w, x, y, z = simulate(EMPTY).recording.samples
    np.testing.assert_allclose(wrong, [w / 2**0.5, z, x, y], atol=1e-6)


def test_axes_are_those_of_a_turned_microphone():
    turned = replace(EMPTY.microphone, yaw_deg=EMPTY.microphone.yaw_deg + 90.0)
    mounted = replace(EMPTY.microphone, axes="+y-x+z")
    one = simulate(replace(EMPTY, microphone=turned)).recording.samples
    two = simulate(replace(EMPTY, microphone=mounted)).recording.samples
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_channels_have_their_errors_of_gain():
    gains = (0.0, 1.5, -2.0, 0.5)
    wrong = simulate(replace(EMPTY, microphone=replace(EMPTY.microphone, channel_gain_db=gains)))
    right = simulate(EMPTY).recording.samples
    factors = 10 ** (np.array(gains) / 20)
    np.testing.assert_allclose(wrong.recording.samples, right * factors[:, None], atol=1e-6)


@pytest.mark.parametrize("axes", ["+x+y", "+x+x+z", "xyz"])
def test_rejects_axes_that_are_none(axes):
    with pytest.raises(ValueError, match="axes"):
        replace(EMPTY.microphone, axes=axes)


@pytest.mark.parametrize(
    ("loudspeaker", "message"),
    [
        (Loudspeaker((3.0, 1.2, 0.05), cabinet_radius_m=0.1), "reaches through a wall 0.05 m"),
        (Loudspeaker((3.0, 1.2, 4.15), cabinet_radius_m=0.1), "closer than 20 cm"),
        (Loudspeaker((3.0, 1.2, 1.0), cabinet_radius_m=0.05), "cone_radius_m"),
    ],
)
def test_rejects_loudspeakers_that_do_not_fit(loudspeaker, message):
    with pytest.raises(SimulationError, match=message):
        simulate(replace(EMPTY, loudspeakers=(loudspeaker,)))
