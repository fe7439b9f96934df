"""Reading a sound on another clock, against sines of which every value is known."""

import numpy as np
import pytest
from acoustic_sense_simulator.clock import HALF_TAPS, read_at, reread

RATE = 48_000


@pytest.mark.parametrize("frequency_hz", [50.0, 997.0, 4000.0, 12_000.0, 16_000.0])
@pytest.mark.parametrize("drift_ppm", [-1000.0, -37.0, 150.0])
def test_error_is_below_minus_80_db_up_to_16_khz(frequency_hz, drift_ppm):
    step, count = 1 / (1 + drift_ppm * 1e-6), RATE
    sample = np.arange(RATE + 2000)
    sound = np.sin(2 * np.pi * frequency_hz / RATE * sample)[None].astype(np.float32)
    got = read_at(sound, 100.3, step, count)[0]
    expected = np.sin(2 * np.pi * frequency_hz / RATE * (100.3 + step * np.arange(count)))
    error = np.sqrt(np.mean((got - expected) ** 2) / np.mean(expected**2))
    assert 20 * np.log10(error) < -80
    assert 20 * np.log10(np.abs(got - expected).max()) < -80


def test_whole_places_are_the_samples_themselves():
    sound = np.random.default_rng(0).standard_normal((4, 500)).astype(np.float32)
    np.testing.assert_allclose(read_at(sound, 20.0, 1.0, 400), sound[:, 20:420], atol=1e-6)


def test_beyond_the_ends_is_silence():
    sound = np.ones((2, 300), dtype=np.float32)
    got = read_at(sound, -200.0, 1.0, 800)
    assert not got[:, : 200 - HALF_TAPS].any()
    assert not got[:, 500 + HALF_TAPS :].any()
    np.testing.assert_allclose(got[:, 260:440], 1.0, atol=1e-5)


def test_every_channel_is_read_alike():
    sound = np.random.default_rng(1).standard_normal((4, 2000)).astype(np.float32)
    whole = read_at(sound, 5.5, 1.0001, 1800)
    for channel in range(4):
        alone = read_at(sound[channel : channel + 1], 5.5, 1.0001, 1800)
        assert np.array_equal(alone[0], whole[channel])


@pytest.mark.parametrize("first", [-24_000.4, -0.3, 0.0, 700.6, 70_000.2])
@pytest.mark.parametrize("drift_ppm", [-1000.0, 3.0, 1000.0])
def test_reading_in_place_gives_the_same_bytes(first, drift_ppm):
    count, step = 200_000, 1 / (1 + drift_ppm * 1e-6)
    sound = np.random.default_rng(2).standard_normal((2, count + 1000)).astype(np.float32)
    expected = read_at(sound, first, step, count)
    got = reread(sound, first, step, count)
    assert np.shares_memory(got, sound)
    assert got.tobytes() == expected.tobytes()
