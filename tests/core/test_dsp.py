"""Spectra, mel bands, intensity and ambisonics conventions."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acoustic_sense.dsp import ambisonics
from acoustic_sense.dsp.intensity import intensity_direction
from acoustic_sense.dsp.mel import mel_filters, power_to_db
from acoustic_sense.dsp.stft import stft
from acoustic_sense.errors import AudioError


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_stft_equals_literal_fourier_sum():
    samples = noise(2, 100)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(40) / 40)
    kernel = np.exp(-2j * np.pi * np.outer(np.arange(21), np.arange(40)) / 40)
    expected = [[kernel @ (window * x[40 * i : 40 * i + 40]) for i in range(2)] for x in samples]
    np.testing.assert_allclose(stft(torch.tensor(samples), 40).numpy(), expected, atol=1e-5)


def test_stft_equals_librosa():
    samples = noise(9600)
    expected = librosa.stft(samples.astype(np.float64), n_fft=2400, hop_length=2400, center=False)
    np.testing.assert_allclose(stft(torch.tensor(samples), 2400).numpy().T, expected, atol=1e-4)


def test_stft_leaves_out_the_last_part_of_a_frame():
    assert stft(torch.zeros(3, 4799), 2400).shape == (3, 1, 1201)


def test_quiet_treble_survives_loud_bass():
    time_s = np.arange(2400) / 48_000
    samples = np.sin(2 * np.pi * 100 * time_s) + 1e-7 * noise(2400)
    spectrum = stft(torch.tensor(samples.astype(np.float32)), 2400)[0]
    exact = librosa.stft(
        samples.astype(np.float32).astype(np.float64), n_fft=2400, hop_length=2400, center=False
    )[:, 0]
    treble = slice(800, 1200)
    error_db = 20 * np.log10(np.abs(spectrum.numpy()[treble]) / np.abs(exact[treble]))
    assert np.abs(error_db).max() < 1e-4


def test_mel_filters_are_librosas_and_cannot_be_changed_by_accident():
    filters = mel_filters(48_000, 2400)
    np.testing.assert_array_equal(filters, librosa.filters.mel(sr=48_000, n_fft=2400, n_mels=128))
    assert mel_filters(48_000, 2400) is filters
    with pytest.raises(ValueError, match="read-only"):
        filters[0, 0] = 1.0


def test_empty_mel_bands_are_refused():
    with pytest.raises(AudioError, match="resample"):
        mel_filters(2_000, 100)


def test_power_to_db_equals_librosa_down_to_the_floor():
    power = np.array([0.0, 1e-12, 1e-10, 1e-3, 1.0, 50.0])
    expected = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None)
    np.testing.assert_allclose(power_to_db(torch.tensor(power)).numpy(), expected, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(azimuth=st.floats(-3.1, 3.1), elevation=st.floats(-1.5, 1.5), level=st.floats(1e-5, 1.0))
def test_intensity_of_a_plane_wave_points_to_its_source(azimuth, elevation, level):
    direction = np.array(
        [
            np.cos(elevation) * np.cos(azimuth),
            np.cos(elevation) * np.sin(azimuth),
            np.sin(elevation),
        ]
    )
    wave = level * noise(2400)
    recording = np.concatenate([[1.0], direction])[:, None] * wave
    spectrum = stft(torch.tensor(recording), 2400)
    found = intensity_direction(spectrum)[:, 0].numpy()
    np.testing.assert_allclose(found, np.repeat(direction[:, None], 1201, axis=1), atol=1e-3)


def test_intensity_of_silence_is_zero_and_so_is_its_gradient():
    samples = torch.zeros(4, 2400, requires_grad=True)
    direction = intensity_direction(stft(samples, 2400))
    direction.sum().backward()
    assert not direction.any()
    assert samples.grad is not None
    assert not samples.grad.any()


@pytest.mark.parametrize("source", ambisonics.CONVENTIONS)
@pytest.mark.parametrize("target", ambisonics.CONVENTIONS)
def test_conversion_there_and_back_changes_nothing(source, target):
    samples = noise(2, 4, 10)
    there = ambisonics.convert(samples, source, target)
    assert there.dtype == np.float32
    np.testing.assert_allclose(ambisonics.convert(there, target, source), samples, rtol=1e-6)


@pytest.mark.parametrize(
    ("convention", "plane_wave"),
    [
        ("sn3d", [1, 0.6, 0.48, 0.64]),
        ("n3d", [1, 0.6 * 3**0.5, 0.48 * 3**0.5, 0.64 * 3**0.5]),
        ("fuma", [0.5**0.5, 0.6, 0.48, 0.64]),
        ("ambix", [1, 0.48, 0.64, 0.6]),
        ("acn-n3d", [1, 0.48 * 3**0.5, 0.64 * 3**0.5, 0.6 * 3**0.5]),
    ],
)
def test_conventions_describe_the_same_plane_wave(convention, plane_wave):
    encoded = np.array(plane_wave)[:, None]
    expected = np.array([[1], [0.6], [0.48], [0.64]])
    np.testing.assert_allclose(ambisonics.convert(encoded, convention, "sn3d"), expected)


def test_tensors_convert_as_arrays_do():
    samples = noise(4, 10)
    converted = ambisonics.from_ambix(torch.tensor(samples))
    np.testing.assert_array_equal(converted.numpy(), ambisonics.from_ambix(samples))
    np.testing.assert_array_equal(ambisonics.to_ambix(converted).numpy(), samples)


def test_unknown_convention_and_wrong_channels_are_refused():
    with pytest.raises(AudioError, match="did you mean 'fuma'"):
        ambisonics.convert(noise(4, 10), "fumma", "sn3d")
    with pytest.raises(AudioError, match="4, sample"):
        ambisonics.convert(noise(3, 10), "fuma", "sn3d")
