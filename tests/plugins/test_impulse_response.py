"""The impulse response as a feature: against known responses, and while it arrives."""

import math

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.impulse_response.colour import played_share
from acoustic_sense_plugins.impulse_response.feature import ImpulseResponse, ImpulseResponseConfig
from acoustic_sense_plugins.shibata2023.encoder import ConvolutionalEncoder
from acoustic_sense_plugins.test_signals.tsp import deconvolved, linear_pulse, pink_pulse
from torch import Tensor

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import AudioError, ConfigError
from acoustic_sense.features import compute
from acoustic_sense.inference.clips import compute_frames
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing import check_feature

PERIOD = 4096
FRAME = 2400


def room(seed: int = 0, taps: int = 1500) -> np.ndarray:
    """Return responses of W, X, Y, Z: noise that decays, and a first sound at tap 200."""
    generator = np.random.default_rng(seed)
    response = generator.standard_normal((4, taps)) * np.exp(-np.arange(taps) / 300)
    response[:, :200] = 0
    response[:, 200] = (5.0, 3.0, 0.0, -4.0)
    return response


def played(source: str, seconds: float = 1.0, speakers: int = 2, **settings) -> np.ndarray:
    made = load_plugins().signal_sources[source]
    generator = np.random.default_rng(1)
    return made(made.parse(settings)).generate(seconds, 48_000, speakers, generator)


def recorded(response: np.ndarray, playback: np.ndarray) -> np.ndarray:
    """Return what is heard of all loudspeakers' mean through one response, from the beginning."""
    sent = playback.mean(axis=0)
    heard = [np.convolve(sent, taps)[: len(sent)] for taps in response]
    return np.stack(heard).astype(np.float32)


def feature_of(recording: np.ndarray, playback: np.ndarray, **settings) -> Tensor:
    feature = ImpulseResponse(ImpulseResponseConfig(**settings))
    return feature(torch.from_numpy(recording)[None], torch.from_numpy(playback)[None])[0]


def literal_bins(response: np.ndarray, bins: int = 128, width: int = 16) -> np.ndarray:
    """Return level and direction of each bin of delay by loops, shape `(7, bin)`."""
    padded = np.zeros((4, bins * width))
    padded[:, : response.shape[1]] = response[:, : bins * width]
    result = np.zeros((7, bins))
    for number in range(bins):
        taps = padded[:, number * width : (number + 1) * width]
        for channel in range(4):
            result[channel, number] = 10 * math.log10(max(1e-10, float(np.sum(taps[channel] ** 2))))
        flow = [float(np.sum(taps[0] * taps[axis])) for axis in (1, 2, 3)]
        norm = math.sqrt(sum(part**2 for part in flow))
        result[4:, number] = [part / norm if norm else 0.0 for part in flow]
    return result


@pytest.mark.parametrize("kind", ["linear", "pink"])
def test_settled_frames_hold_the_response_of_the_room(kind):
    playback, response = played("tsp", kind=kind), room()
    found = feature_of(recorded(response, playback), playback, regularisation=1e-6)
    expected = literal_bins(response)
    assert found.shape == (7, 20, 128)
    sounding = expected[0] > -40
    assert sounding.sum() > 60
    for frame in range(4, 20):  # 200 ms: the first period and the room are over
        values = found[:, frame].numpy()
        np.testing.assert_allclose(values[:4, sounding], expected[:4, sounding], atol=0.1)
        np.testing.assert_allclose(values[4:, sounding], expected[4:, sounding], atol=0.03)


def test_one_period_equals_the_deconvolution_by_the_inverse_filter():
    pulse, response = linear_pulse(PERIOD), room(seed=3, taps=PERIOD)
    period = np.fft.irfft(np.fft.rfft(response) * np.fft.rfft(pulse), PERIOD)
    heard, sent = (np.tile(x, 3).astype(np.float32) for x in (period, pulse))
    found = feature_of(heard, sent[None], regularisation=1e-9)
    for frame in (1, 2, 4):
        end = (frame + 1) * FRAME
        turned = deconvolved(heard[:, end - PERIOD : end].astype(float), sent[end - PERIOD : end])
        expected = literal_bins(turned)
        np.testing.assert_allclose(found[:4, frame], expected[:4], atol=1e-3)
        np.testing.assert_allclose(found[4:, frame, 13:], expected[4:, 13:], atol=1e-3)


def test_a_later_echo_lies_in_a_later_bin_and_says_where_it_comes_from():
    playback = played("tsp")
    response = np.zeros((4, 1600))
    response[:, 240] = (1.0, 1.0, 0.0, 0.0)  # from the front
    response[:, 1000] = (0.1, 0.0, -0.1, 0.0)  # from the right, 20 dB below
    found = feature_of(recorded(response, playback), playback)[:, -1]
    assert found[0].topk(2).indices.tolist() == [240 // 16, 1000 // 16]
    assert found[0, 15] - found[0, 62] == pytest.approx(20.0, abs=0.1)
    assert found[4:, 15].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=0.01)
    assert found[4:, 62].tolist() == pytest.approx([0.0, -1.0, 0.0], abs=0.05)


def test_loudspeakers_that_differ_in_level_count_by_their_mean():
    playback, response = played("tsp"), room()
    playback[1] *= np.float32(0.2)
    found = feature_of(recorded(response, playback), playback, regularisation=1e-6)[0, -1]
    expected = literal_bins(response)[0]
    np.testing.assert_allclose(found[13:80], expected[13:80], atol=0.1)


def test_a_period_shorter_than_a_frame_is_the_frames_last():
    settings = {"period_samples": 1000, "delay_bins": 32}
    playback = played("tsp", 0.25, samples=1000)
    heard = recorded(room(taps=400), playback)
    whole = feature_of(heard, playback, **settings)
    for sample, read in ((2 * FRAME + 1399, False), (2 * FRAME + 1400, True)):
        changed = heard.copy()
        changed[:, sample] += 0.5
        difference = (feature_of(changed, playback, **settings) - whole).abs().amax(dim=(0, 2))
        assert (difference > 0).tolist() == [False, False, read, False, False]


def test_level_of_the_playback_cancels():
    playback, response = played("tsp"), room()
    quiet = np.float32(0.01) * playback
    loud = feature_of(recorded(response, playback), playback)
    soft = feature_of(recorded(response, quiet), quiet)
    torch.testing.assert_close(loud, soft, atol=1e-2, rtol=0)


def test_regularisation_takes_the_same_part_of_every_frequency_of_a_flat_pulse():
    playback, response = played("tsp"), room()
    heard = recorded(response, playback)
    exact = feature_of(heard, playback, regularisation=1e-9)[:4, 8:]
    damped = feature_of(heard, playback, regularisation=1.0)[:4, 8:]
    sounding = exact > -40
    expected = torch.full((int(sounding.sum()),), 20 * math.log10(2))
    torch.testing.assert_close((exact - damped)[sounding], expected, atol=0.05, rtol=0)


@pytest.mark.parametrize("sizes", [(1,) * 30, (7, 1, 22), (30,)])
def test_stream_gives_what_the_whole_take_gives(sizes):
    playback = played("tsp", 1.5)
    heard = torch.from_numpy(recorded(room(), playback))
    sent = torch.from_numpy(playback)
    feature = ImpulseResponse().eval()
    stream, parts, first = feature.stream(), [], 0
    for size in sizes:
        cut = slice(first * FRAME, (first + size) * FRAME)
        parts.append(stream.push(heard[:, cut], sent[:, cut]))
        assert parts[-1].shape == (7, size, 128)
        first += size
    parts.append(stream.finish())
    whole = feature(heard[None], sent[None])[0]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-3, rtol=0)


def test_contract_is_kept_with_other_settings_and_rates():
    settings = {"period_samples": 1000, "delay_bins": 32, "bin_samples": 8}
    check_feature(ImpulseResponse, settings)
    check_feature(ImpulseResponse, sample_rate_hz=16_000)
    check_feature(ImpulseResponse, {"period_samples": 16_384, "bin_samples": 32})


def test_an_encoder_that_finds_its_channels_by_name_reads_it():
    playback = played("tsp")
    found = compute("impulse-response", recorded(room(), playback), playback)
    encoder = ConvolutionalEncoder(None, FeatureShape(ImpulseResponse.channel_names, 128))
    assert encoder.eval()(found[None, :, 4:16]).latents.shape == (1, 12, 256)


def push_all(feature: ImpulseResponse, heard: np.ndarray, sent: np.ndarray) -> None:
    """Push a take frame by frame and leave the end open."""
    stream = feature.stream()
    for first in range(0, sent.shape[1], FRAME):
        cut = slice(first, first + FRAME)
        stream.push(torch.from_numpy(heard[:, cut]), torch.from_numpy(sent[:, cut]))


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("generated-music", {"style": "jazz"}),
        ("generated-music", {"style": "ambient"}),
        ("generated-music", {"style": "electronic"}),
        ("tsp", {"samples": 8192}),
    ],
)
def test_playback_that_leaves_frequencies_out_is_refused_with_the_mend(source, settings):
    playback = played(source, 3.0, **settings)
    heard = recorded(room(), playback)
    with pytest.raises(AudioError, match=r"too few to divide by, .* 'tsp' .*'mel-stack' for music"):
        compute_frames(ImpulseResponse().eval(), heard, playback)
    with pytest.raises(AudioError, match="too few to divide by"):
        push_all(ImpulseResponse().eval(), heard, playback)


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("tsp", {}),
        ("tsp", {"kind": "pink"}),
        ("tsp", {"sweep_fraction": 0.5}),
        ("mls", {}),
        ("white-noise", {}),
    ],
)
def test_white_and_pink_playback_is_taken_also_after_a_pause(source, settings):
    playback = played(source, 2.0, **settings)
    playback[:, :50_000] = 0
    assert torch.isfinite(feature_of(recorded(room(), playback), playback)).all()


def test_played_share_counts_frequencies_within_forty_decibels_of_the_mean():
    assert played_share(torch.zeros(2, PERIOD)).tolist() == [1.0, 1.0]
    tone = torch.sin(2 * math.pi * 100 * torch.arange(PERIOD) / PERIOD)
    assert played_share(tone) < 0.01
    assert played_share(torch.from_numpy(pink_pulse(PERIOD))) > 0.5


def test_unfit_settings_are_refused_with_the_mend():
    with pytest.raises(ConfigError, match="delay_bins times bin_samples is 8192, longer than"):
        ImpulseResponse.parse({"bin_samples": 64})
    with pytest.raises(AudioError, match="does not divide into 20 frames a second"):
        ImpulseResponse(None, 44_110)
