"""The feature keeps its contract, and a tone shows in its own octave with its own level."""

import torch
from acoustic_sense_example.octave_levels import OctaveLevels, OctaveLevelsConfig

from acoustic_sense.testing import check_feature


def tone(frequency_hz, seconds=0.5, rate_hz=48_000):
    time_s = torch.arange(round(seconds * rate_hz)) / rate_hz
    return torch.sin(2 * torch.pi * frequency_hz * time_s)


def test_keeps_its_contract():
    check_feature(OctaveLevels)
    check_feature(OctaveLevels(OctaveLevelsConfig(lowest_hz=250, band_count=3)))


def test_a_sine_has_its_mean_square_in_its_own_octave_only():
    signal = tone(1000.0)
    levels = OctaveLevels()(signal.expand(1, 4, -1), signal.expand(1, 2, -1))
    band = [125, 250, 500, 1000, 2000, 4000, 8000].index(1000)
    inside = levels[0, :, :, band]
    torch.testing.assert_close(inside, torch.full_like(inside, -3.01), atol=0.05, rtol=0)
    outside = torch.cat([levels[0, :, :, :band], levels[0, :, :, band + 1 :]], dim=-1)
    assert outside.max() < -60


def test_ten_times_the_amplitude_is_20_db_more():
    signal = tone(500.0).expand(1, 4, -1)
    playback = tone(500.0).expand(1, 1, -1)
    difference = OctaveLevels()(signal, playback) - OctaveLevels()(0.1 * signal, playback)
    torch.testing.assert_close(
        difference[0, :4, :, 2], torch.full((4, 10), 20.0), atol=0.01, rtol=0
    )
    assert torch.all(difference[0, 4] == 0)
