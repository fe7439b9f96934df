"""room-cancelled-stack: a static room goes, what changes stays, and nothing blows up."""

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledConfig, RoomCancelledStack
from scipy.signal import oaconvolve

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError

SECONDS = 12
SAMPLES = SECONDS * SAMPLE_RATE_HZ


def noise(rng, channels, samples=SAMPLES):
    return 0.1 * rng.standard_normal((channels, samples))


def static_room(rng, speakers, rt60_s=0.3):
    """Return responses that fall by 60 dB in `rt60_s`, shape (4, speaker, tap), the sound late."""
    taps = round(0.5 * SAMPLE_RATE_HZ)
    decay = 10 ** (-3 * np.arange(taps) / (rt60_s * SAMPLE_RATE_HZ))
    response = rng.standard_normal((4, speakers, taps)) * decay
    response[..., :150] = 0
    return response / np.sqrt((response**2).sum(axis=-1, keepdims=True))


def heard_through(response, playback):
    samples = playback.shape[1]
    return sum(
        oaconvolve(playback[None, s], response[:, s], axes=1)[:, :samples]
        for s in range(len(playback))
    )


def cancelled(recording, playback, **settings):
    feature = RoomCancelledStack(RoomCancelledConfig(**settings))
    return feature.cancel(torch.tensor(recording), torch.tensor(playback)).numpy()


def level_db(values, reference):
    return 10 * np.log10(np.square(values).sum() / np.square(reference).sum())


@pytest.mark.parametrize("speakers", [1, 2])
def test_a_static_room_falls_by_forty_decibels(speakers):
    rng = np.random.default_rng(speakers)
    playback = noise(rng, speakers)
    recording = heard_through(static_room(rng, speakers), playback)
    assert level_db(cancelled(recording, playback), recording) < -40


def test_nearly_mono_playback_cancels_too():
    rng = np.random.default_rng(3)
    common = noise(rng, 1)
    playback = common + 1e-4 * noise(rng, 2)
    recording = heard_through(static_room(rng, 2), playback)
    assert level_db(cancelled(recording, playback), recording) < -35


def test_playback_that_is_late_in_the_file_is_found_before_its_moment():
    rng = np.random.default_rng(4)
    early = noise(rng, 2)
    recording = heard_through(static_room(rng, 2), early)
    late = np.roll(early, 480, axis=1)
    assert level_db(cancelled(recording, late, before_ms=12.0), recording) < -29
    assert level_db(cancelled(recording, late, before_ms=0.0), recording) > -10


def test_what_is_not_played_stays():
    rng = np.random.default_rng(5)
    playback, other = noise(rng, 2), noise(rng, 4)
    recording = heard_through(static_room(rng, 2), playback) + other
    left = cancelled(recording, playback)
    # the estimate has far fewer unknowns than there are samples: it takes a share of the rest away
    assert level_db(left - other, other) < -7


def test_residuals_subtract_as_recordings_do():
    rng = np.random.default_rng(6)
    playback = noise(rng, 2)
    first, second = (heard_through(static_room(rng, 2), playback) + noise(rng, 4) for _ in range(2))
    difference = cancelled(first, playback) - cancelled(second, playback)
    np.testing.assert_allclose(difference, cancelled(first - second, playback), atol=1e-9)


@pytest.mark.parametrize("what", ["silence", "tone", "same-twice", "clipped", "short"])
def test_bounded(what):
    rng = np.random.default_rng(7)
    playback = noise(rng, 2, SAMPLES if what != "short" else 2400)
    if what == "silence":
        playback[:] = 0
    elif what == "tone":
        playback[:] = 0.1 * np.sin(2 * np.pi * 440 * np.arange(SAMPLES) / SAMPLE_RATE_HZ)
    elif what == "same-twice":
        playback[1] = playback[0]
    recording = heard_through(static_room(rng, 2), playback)
    recording += 1e-4 * rng.standard_normal(recording.shape)
    if what == "clipped":
        recording = np.clip(recording, -0.05, 0.05)
    left = cancelled(recording, playback)
    assert np.isfinite(left).all()
    assert level_db(left, recording) < 0.1


def test_playback_and_frames_are_those_of_the_mel_stack():
    rng = np.random.default_rng(8)
    playback = torch.tensor(noise(rng, 2, 4 * 2400), dtype=torch.float32)[None]
    recording = torch.zeros(1, 4, 4 * 2400)
    ours, stack = RoomCancelledStack(), MelStack()
    names = ours.channel_names
    assert names == stack.channel_names[: len(names)]
    with torch.inference_mode():
        mine, theirs = ours(recording, playback), stack(recording, playback)
    torch.testing.assert_close(mine[:, 4:6], theirs[:, 4:6], atol=1e-3, rtol=0)
    assert (mine[:, :4] == -100).all()


def test_without_a_room_it_is_the_mel_stack():
    """A playback that has nothing to do with the recording takes nothing that matters away."""
    rng = np.random.default_rng(9)
    recording = torch.tensor(noise(rng, 4), dtype=torch.float32)[None]
    silent = torch.zeros(1, 2, SAMPLES)
    with torch.inference_mode():
        mine, theirs = RoomCancelledStack()(recording, silent), MelStack()(recording, silent)
    torch.testing.assert_close(mine, theirs[:, :9], atol=1e-3, rtol=1e-4)


def test_more_than_two_loudspeakers():
    with pytest.raises(AudioError, match="mix them down to two"):
        RoomCancelledStack()(torch.zeros(1, 4, 4800), torch.zeros(1, 3, 4800))


def test_sample_rate_without_whole_frames():
    with pytest.raises(AudioError, match="resample"):
        RoomCancelledStack(sample_rate_hz=44_110)
