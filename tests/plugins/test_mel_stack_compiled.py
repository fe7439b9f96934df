"""The compiled loops of the mel stack, each against an independent computation."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.mel_stack import transform, values
from acoustic_sense_plugins.mel_stack.compiled import _band_weights
from acoustic_sense_plugins.mel_stack.compiling import LANES

from acoustic_sense import features
from acoustic_sense.dsp.mel import mel_filters

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))

from librosa_stack import literal_stack

RATE, FRAME = 48_000, 2400


def spectra_of(frames: np.ndarray) -> np.ndarray:
    """Return the transform of eight frames, `lane sample`, as `lane frequency`."""
    real = np.zeros((FRAME // 2 + 1, 24), np.float32)
    imag = np.zeros_like(real)
    half = LANES // 2
    transform.transform_frames(
        frames[:half], frames[half:], transform.tables(), np.empty(FRAME * LANES),
        np.empty(150 * LANES), real, imag, 8, LANES,
    )  # fmt: skip
    assert not real[:, :8].any()
    assert not real[:, 16:].any()
    return (real + 1j * imag)[:, 8:16].T


def test_transform_equals_that_of_numpy():
    frames = np.random.default_rng(0).standard_normal((LANES, FRAME)).astype(np.float32)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    expected = np.fft.rfft(frames.astype(np.float64) * window)
    np.testing.assert_allclose(spectra_of(frames), expected.astype(np.complex64), rtol=2e-7)


def test_transform_of_an_impulse_has_the_same_power_everywhere():
    frames = np.zeros((LANES, FRAME), np.float32)
    frames[np.arange(LANES), 1200] = 1  # where the window is 1
    signs = np.where(np.arange(FRAME // 2 + 1) % 2, -1, 1)
    np.testing.assert_allclose(spectra_of(frames), np.tile(signs, (LANES, 1)), atol=1e-7)


def test_transform_of_a_loud_tone_leaves_other_frequencies_exact():
    tone = np.cos(2 * np.pi * 100 * np.arange(FRAME) / FRAME).astype(np.float32)
    frames = np.tile(tone, (LANES, 1))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    expected = np.fft.rfft(frames.astype(np.float64) * window)
    np.testing.assert_allclose(spectra_of(frames), expected, rtol=1e-6, atol=1e-11)


def quiet_bands_beside(loud_hz: float, quiet_db: float, channels: int, seed: int) -> np.ndarray:
    """Return a full-scale tone, white noise below it, and a second of two that is silent."""
    generator = np.random.default_rng(seed)
    tone = 0.9 * np.sin(2 * np.pi * loud_hz * np.arange(4 * FRAME) / RATE)
    noise = 10 ** (quiet_db / 20) * generator.standard_normal((channels, len(tone)))
    signal = (tone + noise).astype(np.float32)
    signal[:, FRAME : 2 * FRAME] = 0
    return signal


@pytest.mark.parametrize("loud_hz", [60.0, 1000.0, 1013.7, 23_000.0])
@pytest.mark.parametrize("quiet_db", [-80, -120, -150])
def test_quiet_bands_beside_a_loud_tone_equal_librosa(loud_hz, quiet_db):
    recording = quiet_bands_beside(loud_hz, quiet_db, 4, 0)
    playback = quiet_bands_beside(loud_hz, quiet_db, 2, 1)
    stack = features.compute("mel-stack", recording, playback, RATE).numpy()
    with np.errstate(invalid="ignore"):  # silence has no direction in the literal version
        expected = literal_stack(recording, playback, RATE)
    spread = expected[0, 0].max() - expected[0, 0].min()
    assert spread > (70 if quiet_db == -80 else 85)
    np.testing.assert_allclose(stack[:6], expected[:6], atol=1e-4, rtol=0)


@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_a_frame_is_the_same_to_the_bit_wherever_it_lies(rate):
    samples = rate // 20
    signals = np.random.default_rng(2).standard_normal((6, 14 * samples)).astype(np.float32)
    whole = features.compute("mel-stack", signals[:4], signals[4:], rate)
    for first, last in [(0, 1), (1, 4), (3, 8), (5, 14), (13, 14)]:
        part = signals[:, first * samples : last * samples]
        own = features.compute("mel-stack", part[:4], part[4:], rate)
        torch.testing.assert_close(own, whole[:, first:last], atol=0, rtol=0)


def test_angles_are_principal_in_every_quadrant():
    circle = np.exp(1j * np.linspace(-np.pi, np.pi, 4001))[1:] * np.logspace(-30, 3, 4000)
    powers, angles = np.empty(4000, np.float32), np.empty(4000, np.float32)
    real, imag = circle.real.astype(np.float32), circle.imag.astype(np.float32)
    values.powers_and_angles(real, imag, powers, angles)
    np.testing.assert_allclose(angles, np.angle(circle), atol=1e-6, rtol=0)
    np.testing.assert_allclose(powers[2000:], np.abs(circle[2000:]) ** 2, rtol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_two_bands_of_each_frequency_are_the_whole_filterbank(rate):
    filters = mel_filters(rate, rate // 20).T.astype(np.float32)
    band, weight = _band_weights(filters)
    rows = np.arange(len(filters))
    rebuilt = np.zeros((len(filters), 129), np.float32)
    rebuilt[rows, band] = weight[:, 0]
    rebuilt[rows, band + 1] += weight[:, 1]
    np.testing.assert_array_equal(rebuilt[:, :128], filters)
    assert not rebuilt[:, 128].any()


def test_filters_that_overlap_by_more_than_two_are_refused():
    with pytest.raises(ValueError, match="more than two"):
        _band_weights(np.ones((5, 3), np.float32))
