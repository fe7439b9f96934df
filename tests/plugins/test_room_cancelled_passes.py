"""Further passes and a regularisation chosen from the residual, and the simulator's own bodies."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.room_cancelled.estimate import (
    _cut,
    _spectrum,
    residual,
    room_response,
    taps_before,
)
from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledConfig
from cancelled_room import cancelled, generated_music, heard_through, level_db, static_room
from scipy.signal import oaconvolve
from scipy.sparse.linalg import LinearOperator, lsqr

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.contracts.simulator import load_simulator

SAMPLES = 12 * SAMPLE_RATE_HZ
ROOM = {"rt60_s": 0.6, "length_s": 0.6, "late_samples": 0}
SHARE = {"regularisation": 1e-4, "passes": 1}


def test_each_pass_takes_more_of_a_static_room():
    rng = np.random.default_rng(1)
    playback = 0.1 * rng.standard_normal((2, SAMPLES))
    recording = heard_through(static_room(rng, 2, **ROOM), playback)
    falls = [
        level_db(cancelled(recording, playback, regularisation=1e-4, passes=n), recording)
        for n in (1, 2, 3)
    ]
    assert falls[1] < falls[0] - 8
    assert falls[2] < falls[1] - 5


def test_noise_between_the_partials_of_a_chord_is_not_taken_for_the_room():
    rng = np.random.default_rng(2)
    playback = generated_music("ambient", 20.0).astype(np.float64)
    sound = heard_through(static_room(rng, 2, **ROOM), playback)
    noise = 10 ** (-20 / 20) * sound.std() * rng.standard_normal(sound.shape)
    share = level_db(cancelled(sound + noise, playback, **SHARE), noise)
    chosen = level_db(cancelled(sound + noise, playback), noise)
    assert share > 1.2
    assert chosen < 0.8


def test_a_chosen_regularisation_leaves_loud_broadband_playback_alone():
    rng = np.random.default_rng(3)
    playback = 0.1 * rng.standard_normal((2, SAMPLES))
    recording = heard_through(static_room(rng, 2, **ROOM), playback)
    assert level_db(cancelled(recording, playback), recording) < -50


def test_the_running_mode_that_chooses_takes_no_noise_for_the_room():
    rng = np.random.default_rng(4)
    playback = generated_music("ambient", 20.0).astype(np.float64)
    sound = heard_through(static_room(rng, 2, **ROOM), playback)
    noise = 10 ** (-10 / 20) * sound.std() * rng.standard_normal(sound.shape)
    recording = sound + noise
    share = cancelled(recording, playback, mode="running", regularisation=1e-4)
    chosen = cancelled(recording, playback, mode="running")
    assert level_db(chosen, recording) < min(level_db(share, recording) - 3, -4)


def test_the_spectrum_of_taps_gives_them_back():
    taps = torch.randn(4, 2, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    spectrum = _spectrum(taps, 8, 200).permute(1, 2, 0)
    torch.testing.assert_close(_cut(torch.fft.irfft(spectrum, 200), 8, 42), taps)


def test_two_bodies_differ_by_the_simulators_own_scattering():
    """In one room, two people: residuals differ as the scattered sounds do, less their mean.

    The mean over the take is the best static response to the playback, found here by LSQR on the
    samples themselves, without windows, segments or regularisation.
    """
    taps, before = 1_920, 96
    simulator = load_simulator()
    scene = simulator.demo_scene(16.0, 0)
    scene = replace(
        scene,
        room=replace(scene.room, late_tail=False, image_order=3),
        playback=replace(scene.playback, source="white-noise", config={}, start_s=0.0),
        noise=replace(scene.noise, noise_criterion=None, self_noise_db_spl=None),
    )
    x, y, z = scene.subject.position_m
    moved = replace(scene.subject, position_m=(x + 0.3, y, z - 0.2))
    first, second = (
        simulator.simulate(replace(scene, seed=seed, subject=subject))
        for seed, subject in ((0, scene.subject), (5, moved))
    )
    empty = simulator.simulate(replace(scene, subject=None)).recording.samples
    scattered = [
        (take.recording.samples - empty)[:2].astype(np.float64) for take in (first, second)
    ]
    playback = first.playback.samples.astype(np.float64)
    assert np.array_equal(playback, second.playback.samples)
    played = torch.tensor(playback)

    def left(take):
        recording = torch.tensor(take.recording.samples[:2]).double()
        response = room_response(recording, played, before, taps, 1e-4, 2)
        return residual(recording, played, response, taps_before(before, played.shape[1])).numpy()

    difference = scattered[0] - scattered[1]
    expected = np.stack([less_static_part(row, playback, taps) for row in difference])
    assert level_db(left(first) - left(second) - expected, expected) < -20  # 10 % of the amplitude
    assert level_db(expected, difference) < -1  # the mean is part of what goes


def less_static_part(heard, playback, taps):
    """Return a signal less its best prediction from the playback by causal taps."""
    samples = len(heard)

    def rendered(response):
        parts = zip(playback, response.reshape(len(playback), taps), strict=True)
        return sum(oaconvolve(sent, r)[:samples] for sent, r in parts)

    def correlated(error):
        lags = [oaconvolve(error[::-1], sent)[:samples][::-1][:taps] for sent in playback]
        return np.concatenate(lags)

    shape = (samples, len(playback) * taps)
    operator = LinearOperator(shape, matvec=rendered, rmatvec=correlated, dtype=np.float64)
    return heard - rendered(lsqr(operator, heard, iter_lim=12)[0])


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0])
def test_a_share_is_above_zero_and_at_most_one(share):
    with pytest.raises(ValueError, match="at most 1"):
        RoomCancelledConfig(regularisation=share)
