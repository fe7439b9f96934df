"""Convolution of long signals, block by block, against scipy's of the whole."""

import numpy as np
import pytest
from acoustic_sense_simulator.rendering import convolution
from acoustic_sense_simulator.rendering.convolution import filtered
from scipy.signal import convolve, oaconvolve


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def close(got, wanted):
    return np.abs(got - wanted).max() < 2e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("samples", [1, 700, 5000, 60_001])
@pytest.mark.parametrize("lengths", [(1, 1), (129, 900), (2000, 1500)])
def test_equals_the_sum_of_whole_convolutions(samples, lengths):
    signals = random(2, samples)
    responses = [random(4, taps, seed=taps) for taps in lengths]
    wanted = sum(
        oaconvolve(signal[None].astype(float), response, axes=1)[:, :samples]
        for signal, response in zip(signals, responses, strict=True)
    )
    got = filtered(signals, responses)
    assert got.dtype == np.float32
    assert close(got, wanted)


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
def test_skip_and_count_choose_the_part(mode):
    signal, response = random(1, 20_000), random(1, 301)
    wanted = convolve(signal[0].astype(float), response[0], mode=mode)
    skip = {"same": 150, "valid": 300, "full": 0}[mode]
    got = filtered(signal, [response], skip=skip, count=len(wanted))[0]
    assert close(got, wanted)


def test_nothing_is_heard_long_after_the_end():
    signal, response = random(1, 300), random(1, 40)
    assert not filtered(signal, [response], skip=10_000, count=50).any()


def test_adds_onto_what_is_there():
    signals, responses, there = random(2, 40_000), [random(4, 900)] * 2, random(4, 30_000, seed=7)
    wanted = there + filtered(signals, responses, skip=20, count=30_000)
    got = filtered(signals, responses, skip=20, onto=there)
    assert got is there
    assert np.array_equal(got, wanted)


def test_blocks_leave_no_seams(monkeypatch):
    """However long the blocks, the result is the same to rounding."""
    signals, responses = random(1, 30_000), [random(2, 333)]
    one = filtered(signals, responses)
    monkeypatch.setattr(convolution, "_SHORTEST_BLOCK", 1400)
    many = filtered(signals, responses)
    assert np.abs(one - many).max() < 2e-6 * np.abs(one).max()
    assert not np.array_equal(one, many), "the blocks were not shorter"


def test_holds_little_more_than_its_result():
    import tracemalloc

    signals, responses = np.zeros((2, 2_000_000), np.float32), [random(4, 4000)] * 2
    tracemalloc.start()
    result = filtered(signals, responses)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < result.nbytes + 8e6
