"""Cross-spectrum of residual and direct sound: a literal version, and what it does not hear."""

import itertools

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.room_cancelled.cross_spectrum import CrossSpectrum, direct_response
from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledConfig, RoomCancelledStack
from scipy.signal import lfilter

from acoustic_sense.config import config_hash
from acoustic_sense.dsp.mel import mel_filters
from acoustic_sense.dsp.stft import stft
from acoustic_sense.networks.channels import CROSS_SPECTRUM
from acoustic_sense.testing.features import check_feature

FRAME = 2400
RATE = 48_000
FILTERS = torch.tensor(mel_filters(RATE, FRAME).T.copy())
CROSS = {"cross_spectrum": True}


def white(rng, channels, frames):
    return rng.standard_normal((channels, frames * FRAME))


def coloured(rng, channels, frames):
    """Return noise that falls by 6 dB an octave, in notes of half a second."""
    swell = 0.2 + np.abs(np.sin(np.arange(frames * FRAME) * np.pi / 24_000))
    return swell * lfilter([1.0], [1.0, -0.97], white(rng, channels, frames))


def spectra(signal):
    return stft(torch.tensor(signal), FRAME)


def ratios(residual, direct, frames=1):
    """Return ratios as complex numbers, shape (4, frame, bin), and flow, shape (3, frame, bin)."""
    found = CrossSpectrum(FILTERS, frames).push(spectra(residual), spectra(direct)).numpy()
    return found[:4] + 1j * found[4:8], found[8:]


def literal(residual, direct, count, frames, bands):
    """Return both for some frames and bands, sum by sum over `count` frames."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    weights = mel_filters(RATE, FRAME)
    ratio = np.zeros((4, len(frames), len(bands)), dtype=complex)
    flow = np.zeros((3, len(frames), len(bands)))
    for c, i, k in np.ndindex(ratio.shape):
        cross = power = flowing = energy = 0.0
        for frame in range(max(0, frames[i] - count + 1), frames[i] + 1):
            piece = slice(frame * FRAME, (frame + 1) * FRAME)
            left, omni = (
                np.fft.rfft(window * residual[c, piece]),
                np.fft.rfft(window * residual[0, piece]),
            )
            sent = np.fft.rfft(window * direct[piece])
            for f in np.flatnonzero(weights[bands[k]]):
                weight = weights[bands[k], f]
                cross += weight * left[f] * np.conj(sent[f])
                power += weight * (abs(left[f]) ** 2 + abs(sent[f]) ** 2)
                flowing += weight * (np.conj(omni[f]) * left[f]).real
                energy += weight * (abs(left[f]) ** 2 + abs(omni[f]) ** 2)
        ratio[c, i, k] = cross / power
        if c:
            flow[c - 1, i, k] = flowing / energy
    return ratio, flow


@pytest.mark.parametrize("count", [1, 3])
def test_equals_a_literal_version(count):
    rng = np.random.default_rng(0)
    residual, direct = coloured(rng, 4, 5), coloured(rng, 1, 5)[0]
    frames, bands = [0, 1, 4], [0, 5, 40, 127]
    expected = literal(residual, direct, count, frames, bands)
    for found, wanted in zip(ratios(residual, direct, count), expected, strict=True):
        np.testing.assert_allclose(found[:, frames][..., bands], wanted, rtol=1e-9)
        assert np.abs(wanted).max() > 0.05


def test_pieces_of_a_take_give_what_the_whole_gives():
    rng = np.random.default_rng(7)
    left, sent = spectra(white(rng, 4, 12)), spectra(white(rng, 1, 12)[0])
    whole = CrossSpectrum(FILTERS, 5).push(left, sent)
    pieces = CrossSpectrum(FILTERS, 5)
    cuts = [0, 1, 1, 3, 10, 12]
    parts = [pieces.push(left[:, a:b], sent[a:b]) for a, b in itertools.pairwise(cuts)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)


@pytest.mark.parametrize("gain", [0.1, -0.03])
def test_what_a_body_adds_does_not_depend_on_what_is_played(gain):
    rng = np.random.default_rng(1)
    for played in (white(rng, 1, 4), 1e-3 * coloured(rng, 1, 4)):
        ratio, flow = ratios(np.repeat(gain * played, 4, axis=0), played[0])
        np.testing.assert_allclose(ratio, gain / (1 + gain**2), rtol=1e-6)
        np.testing.assert_allclose(flow, 0.5, rtol=1e-6)


def test_its_phase_is_that_of_the_delay():
    """A copy that is d samples late: minus 360 degrees of phase for each wavelength of the way."""
    rng = np.random.default_rng(2)
    played, delay, bands = white(rng, 1, 40)[0], 6, np.arange(10, 60)
    late = np.repeat(0.1 * np.roll(played, delay)[None], 4, axis=0)
    found = ratios(late, played)[0][:, :, bands].mean(axis=1)
    weights = mel_filters(RATE, FRAME)[bands]
    centre_hz = weights @ np.arange(FRAME // 2 + 1) * 20 / weights.sum(axis=1)
    expected = np.exp(-2j * np.pi * centre_hz * delay / RATE)
    assert np.ptp(centre_hz) * delay / RATE > 0.2
    turned = found / np.abs(found) / expected
    assert np.abs(np.angle(turned)).max() < np.radians(5)


def test_noise_is_no_answer_and_nothing_is_above_a_half():
    rng = np.random.default_rng(3)
    played = coloured(rng, 1, 40)[0]
    for level in (1e-6, 1.0, 1e6):
        ratio, flow = ratios(level * white(rng, 4, 40), played)
        assert max(np.abs(ratio).max(), np.abs(flow).max()) <= 0.5
        assert max(np.abs(x.mean(axis=1)).mean() for x in (ratio, flow)) < 0.1
    assert np.abs(ratios(np.repeat(played[None], 4, axis=0), played)[0]).min() > 0.4999
    assert not any(x.any() for x in ratios(np.zeros((4, 2 * FRAME)), np.zeros(2 * FRAME)))


def test_direct_sound_is_what_lies_about_the_strongest_tap():
    response = torch.zeros(2, 4000)
    response[0, [300, 1000, 1100, 1300]] = torch.tensor([0.5, -2.0, 1.0, 1.0])
    response[1, 10] = 3.0
    direct = direct_response(response, RATE)
    quarter = np.pi / 2
    assert direct[0, 1000] == pytest.approx(-2.0 * np.cos(quarter * 48 / 240))
    assert direct[0, 1100] == pytest.approx(np.cos(quarter * 148 / 240))
    assert direct[1, 10] == pytest.approx(3.0 * np.cos(quarter * 48 / 240))
    assert int((direct != 0).sum()) == 3


def gain_that_moves():
    """Return playback, and a recording of it by an echo that sways about its mean."""
    rng = np.random.default_rng(4)
    playback = 0.1 * white(rng, 2, 60)
    echo = np.roll(playback.sum(axis=0), 400) * np.sin(np.arange(60 * FRAME) * 2 * np.pi / 20_000)
    heard = np.roll(playback.sum(axis=0), 390) + 0.3 * echo
    return np.stack([heard, 0.5 * heard, -heard, 0.1 * heard]), playback


@pytest.mark.parametrize("mode", ["take", "running"])
def test_the_feature_gives_that_of_its_residual_behind_the_nine_channels(mode):
    heard, sent = gain_that_moves()
    recording, playback = torch.tensor(heard), torch.tensor(sent)
    plain = RoomCancelledStack(RoomCancelledConfig(mode=mode))
    more = RoomCancelledStack(RoomCancelledConfig(mode=mode, **CROSS))
    with torch.inference_mode():
        nine = plain(recording[None], playback[None])[0]
        found = more(recording[None], playback[None])[0].numpy()
        left = more.cancel(recording, playback).numpy()
    assert more.channel_names == (*plain.channel_names, *CROSS_SPECTRUM)
    assert np.array_equal(found[:9], nine.numpy())
    # the room's W is both loudspeakers 390 samples late: one tap each, a little before its window's
    direct = np.cos(np.pi / 2 * 48 / 240) * np.roll(sent.sum(axis=0), 390)
    frames, bands = [3, 57, 59], [2, 30, 60, 120]
    ratio, flow = literal(left, direct, 5, frames[1:], bands)
    cross = (found[9:13] + 1j * found[13:17])[:, frames][..., bands]
    alike = np.vdot(ratio, cross[:, 1:]) / np.linalg.norm(ratio) / np.linalg.norm(cross[:, 1:])
    assert abs(alike - 1) < 0.05  # after three seconds the running mode hardly knows the room
    if mode == "take":
        np.testing.assert_allclose(cross[:, 1:], ratio, atol=0.03)
    np.testing.assert_allclose(found[17:][:, frames[1:]][..., bands], flow, atol=1e-4)
    assert np.abs(ratio).max() > 0.1
    if mode == "running":
        assert not cross[:, 0].any()  # no room is known yet


def test_frames_of_a_stream_are_those_of_the_take():
    heard, sent = (torch.tensor(x[:, : 30 * FRAME]) for x in gain_that_moves())
    feature = RoomCancelledStack(RoomCancelledConfig(mode="running", **CROSS))
    stream = feature.stream()
    cuts = [0, 1, 20, 30]
    parts = [
        stream.push(heard[:, FRAME * a : FRAME * b], sent[:, FRAME * a : FRAME * b])
        for a, b in itertools.pairwise(cuts)
    ]
    torch.testing.assert_close(torch.cat(parts, dim=1), feature(heard[None], sent[None])[0])


@pytest.mark.parametrize("mode", ["take", "running"])
def test_the_contract_is_kept_with_it(mode):
    check_feature(RoomCancelledStack(RoomCancelledConfig(mode=mode, **CROSS)))


def test_settings_without_it_are_written_as_before_there_was_one():
    assert "cross_spectrum" not in RoomCancelledConfig().model_dump()
    with_it = RoomCancelledConfig(**CROSS)
    assert RoomCancelledConfig(**with_it.model_dump(mode="json")) == with_it
    assert config_hash(with_it) != config_hash(RoomCancelledConfig())
