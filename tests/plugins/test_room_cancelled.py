"""room-cancelled-stack: a static room goes, what changes stays, and nothing blows up."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledConfig, RoomCancelledStack
from cancelled_room import cancelled, heard_through, level_db, static_room

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError
from acoustic_sense.testing.features import check_feature

SECONDS = 12
SAMPLES = SECONDS * SAMPLE_RATE_HZ


def noise(rng, channels, samples=SAMPLES):
    return 0.1 * rng.standard_normal((channels, samples))


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
    assert level_db(cancelled(recording, late, align=False, before_ms=12.0), recording) < -29
    assert level_db(cancelled(recording, late, align=False, before_ms=0.0), recording) > -10


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
    fixed = {"regularisation": 1e-4}
    difference = cancelled(first, playback, **fixed) - cancelled(second, playback, **fixed)
    np.testing.assert_allclose(difference, cancelled(first - second, playback, **fixed), atol=1e-9)


@pytest.mark.parametrize("what", ["silence", "tone", "same-twice", "mono", "clipped", "short"])
def test_bounded(what):
    rng = np.random.default_rng(7)
    samples = SAMPLES if what != "short" else 2400
    playback = noise(rng, 1 if what == "mono" else 2, samples)
    if what == "silence":
        playback[:] = 0
    elif what == "tone":
        playback[:] = 0.1 * np.sin(2 * np.pi * 440 * np.arange(SAMPLES) / SAMPLE_RATE_HZ)
    elif what == "same-twice":
        playback[1] = playback[0]
    recording = heard_through(static_room(rng, len(playback)), playback)
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


def test_running_comes_within_three_decibels_of_the_whole_take_in_twenty_seconds():
    rng = np.random.default_rng(10)
    playback = noise(rng, 2, 22 * SAMPLE_RATE_HZ)
    recording = heard_through(static_room(rng, 2), playback)
    recording += 0.01 * rng.standard_normal(recording.shape)
    late = slice(20 * SAMPLE_RATE_HZ, None)
    whole = level_db(cancelled(recording, playback)[:, late], recording[:, late])
    running = cancelled(recording, playback, mode="running")
    assert whole < -20
    assert level_db(running[:, late], recording[:, late]) < whole + 3
    early = slice(0, 3 * SAMPLE_RATE_HZ)
    assert level_db(running[:, early], recording[:, early]) < 0


def test_running_hardly_trusts_its_first_estimate():
    """Of a few notes nothing follows for the next ones: half a second later others are played."""
    rng = np.random.default_rng(1)
    half = SAMPLE_RATE_HZ // 2
    time = np.arange(2 * half) / SAMPLE_RATE_HZ
    chords = [sum(np.sin(2 * np.pi * f * time) for f in rng.uniform(100, 1500, 4)) for _ in "abcd"]
    swell = np.hanning(half)
    playback = 0.02 * np.stack(
        [np.concatenate([a[:half] * swell, b[half:] * swell]) for a, b in (chords[:2], chords[2:])]
    )
    recording = heard_through(static_room(rng, 2), playback)
    recording += 0.003 * rng.standard_normal(recording.shape)
    left = cancelled(recording, playback, mode="running")
    assert level_db(left[:, half:], recording[:, half:]) < 2.5


def test_running_depends_on_nothing_later():
    rng = np.random.default_rng(11)
    samples = 4 * SAMPLE_RATE_HZ
    playback = noise(rng, 2, samples)
    recording = heard_through(static_room(rng, 2), playback)
    changed = recording.copy()
    cut = 3 * SAMPLE_RATE_HZ
    changed[:, cut:] = noise(rng, 4, samples - cut)
    first, second = (cancelled(r, playback, mode="running") for r in (recording, changed))
    assert np.array_equal(first[:, :cut], second[:, :cut])
    assert not np.array_equal(first[:, cut:], second[:, cut:])


def test_running_follows_a_room_that_changes():
    rng = np.random.default_rng(12)
    playback = noise(rng, 1, 24 * SAMPLE_RATE_HZ)
    half = playback.shape[1] // 2
    before, after = (heard_through(static_room(rng, 1), playback) for _ in range(2))
    recording = np.concatenate([before[:, :half], after[:, half:]], axis=1)
    left = cancelled(recording, playback, mode="running", memory_s=4.0)
    last = slice(-2 * SAMPLE_RATE_HZ, None)
    just_after = slice(half, half + SAMPLE_RATE_HZ)
    assert level_db(left[:, just_after], recording[:, just_after]) > 0
    assert level_db(left[:, last], recording[:, last]) < -12


def test_a_loud_voice_is_hardly_learnt_into_the_room():
    """Beside the music somebody shouts for a second: the estimate afterwards is nearly as good."""
    rng = np.random.default_rng(13)
    playback = noise(rng, 2, 18 * SAMPLE_RATE_HZ)
    recording = heard_through(static_room(rng, 2), playback)
    recording += 0.01 * rng.standard_normal(recording.shape)
    shouted = recording.copy()
    voice = slice(14 * SAMPLE_RATE_HZ, 15 * SAMPLE_RATE_HZ)
    shouted[:, voice] += 3 * rng.standard_normal((4, SAMPLE_RATE_HZ))
    last = slice(-SAMPLE_RATE_HZ, None)
    quiet, loud = (
        level_db(cancelled(r, playback, mode="running")[:, last], recording[:, last])
        for r in (recording, shouted)
    )
    assert loud < quiet + 3


def test_frames_of_a_stream_are_those_of_the_take():
    rng = np.random.default_rng(14)
    feature = RoomCancelledStack(RoomCancelledConfig(mode="running"))
    playback = torch.tensor(noise(rng, 2, 40 * 2400), dtype=torch.float32)
    recording = torch.tensor(noise(rng, 4, 40 * 2400), dtype=torch.float32)
    stream = feature.stream()
    assert stream.look_ahead_frames == 0
    cuts = [0, 1, 20, 40]
    parts = [
        stream.push(recording[:, 2400 * a : 2400 * b], playback[:, 2400 * a : 2400 * b])
        for a, b in pairwise(cuts)
    ]
    assert torch.equal(torch.cat(parts, dim=1), feature(recording[None], playback[None])[0])


def test_the_running_mode_keeps_the_contract():
    check_feature(RoomCancelledStack(RoomCancelledConfig(mode="running")))
