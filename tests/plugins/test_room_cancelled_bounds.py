"""Both modes on music and on what is no music: close to each other, and never louder than heard."""

import numpy as np
import pytest
from cancelled_room import cancelled, generated_music, heard_through, level_db

from acoustic_sense.constants import SAMPLE_RATE_HZ


def heard_through_a_room(rng, playback, rt60_s=0.4):
    taps = round(0.4 * SAMPLE_RATE_HZ)
    decay = 10 ** (-3 * np.arange(taps) / (rt60_s * SAMPLE_RATE_HZ))
    response = rng.standard_normal((4, len(playback), taps)) * decay
    response[..., :150] = 0
    return heard_through(response, playback)


def loudest_five_seconds_db(left, recording):
    """Return how loud the residual is beside the recording at worst, after the first 5 s."""
    span = 5 * SAMPLE_RATE_HZ
    starts = range(span, left.shape[1] - span + 1, SAMPLE_RATE_HZ)
    return max(level_db(left[:, s : s + span], recording[:, s : s + span]) for s in starts)


@pytest.mark.parametrize("style", ["jazz", "ambient"])
def test_running_comes_within_three_decibels_of_the_take_in_twenty_seconds_of_music(style):
    rng = np.random.default_rng(0)
    playback = generated_music(style, 24.0).astype(np.float64)
    sound = heard_through_a_room(rng, playback)
    recording = sound + 0.1 * sound.std() * rng.standard_normal(sound.shape)
    late = slice(20 * SAMPLE_RATE_HZ, None)
    whole, running = (
        level_db(cancelled(recording, playback, mode=mode)[:, late], recording[:, late])
        for mode in ("take", "running")
    )
    assert whole < -15
    assert running < whole + 3


@pytest.mark.parametrize("noise_db", [-20.0, 0.0, 20.0])
def test_the_running_mode_is_never_louder_than_ambient_music_in_noise(noise_db):
    rng = np.random.default_rng(1)
    playback = generated_music("ambient", 15.0).astype(np.float64)
    sound = heard_through_a_room(rng, playback)
    gain = 10 ** (noise_db / 20) * sound.std()
    recording = sound + gain * rng.standard_normal(sound.shape)
    left = cancelled(recording, playback, mode="running")
    assert loudest_five_seconds_db(left, recording) < 1


@pytest.mark.parametrize("what", ["silence", "tone", "mono", "clipped", "unrelated"])
def test_the_running_mode_is_bounded(what):
    rng = np.random.default_rng(2)
    samples = 11 * SAMPLE_RATE_HZ
    playback = 0.1 * rng.standard_normal((1 if what == "mono" else 2, samples))
    if what == "silence":
        playback[:] = 0
    elif what == "tone":
        playback[:] = 0.1 * np.sin(2 * np.pi * 440 * np.arange(samples) / SAMPLE_RATE_HZ)
    recording = heard_through_a_room(rng, playback) + 1e-4 * rng.standard_normal((4, samples))
    if what == "clipped":
        limit = recording.std()
        recording = np.clip(recording, -limit, limit)
    elif what == "unrelated":
        recording = rng.standard_normal((4, samples))
    left = cancelled(recording, playback, mode="running")
    assert np.isfinite(left).all()
    assert loudest_five_seconds_db(left, recording) < 1
