"""The mel-stack features against librosa, one call per channel."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack

from acoustic_sense import features
from acoustic_sense.errors import AudioError
from acoustic_sense.plugin_loading import load_plugins

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))

from librosa_stack import literal_stack

NAMES = ["mel-stack", "log-mel", "intensity", "playback-residual"]


def music_like(channels: int, samples: int, seed: int, rate: int = 48_000) -> np.ndarray:
    """Return a 24-bit signal with loud bass and a treble 80 dB below it."""
    generator = np.random.default_rng(seed)
    tone = np.sin(2 * np.pi * 110 * np.arange(samples) / rate)
    quiet = 1e-4 * generator.standard_normal((channels, samples))
    signal = 0.5 * generator.uniform(0.5, 1, (channels, 1)) * tone + quiet
    return (np.round(signal * 2**23) / 2**23).astype(np.float32)


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_equals_librosa_within_a_thousandth_of_a_decibel(rate):
    recording, playback = (music_like(n, int(0.6 * rate), n, rate) for n in (4, 2))
    stack = features.compute("mel-stack", recording, playback, rate)
    expected = literal_stack(recording, playback, rate)
    assert stack.dtype == torch.float32
    assert stack.shape == (15, 12, 128)
    np.testing.assert_allclose(stack[:6].numpy(), expected[:6], atol=1e-3, rtol=0)
    np.testing.assert_allclose(stack[6:9].numpy(), expected[6:9], atol=1e-6, rtol=0)
    np.testing.assert_allclose(stack[9:].numpy(), expected[9:], atol=1e-5, rtol=0)


def test_channel_names_say_what_is_where():
    assert MelStack.channel_names[:9] == (
        "recording/W", "recording/X", "recording/Y", "recording/Z", "playback/1", "playback/2",
        "intensity/X", "intensity/Y", "intensity/Z",
    )  # fmt: skip
    assert MelStack.channel_names[9] == "phase/recording/W"
    assert MelStack.channel_names[14] == "phase/playback/2"


@pytest.mark.parametrize("name", NAMES)
def test_batch_equals_loop(name):
    feature = features.create(name)
    recording = torch.tensor(music_like(12, 9600, 0)).reshape(3, 4, 9600)
    playback = torch.tensor(music_like(6, 9600, 1)).reshape(3, 2, 9600)
    together = feature(recording, playback)
    alone = [feature(r[None], p[None])[0] for r, p in zip(recording, playback, strict=True)]
    assert together.shape == (3, len(feature.channel_names), 4, feature.bin_count)
    torch.testing.assert_close(together, torch.stack(alone), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_a_take_equal_the_clips_own(name):
    feature = features.create(name)
    recording = torch.tensor(music_like(4, 24_000, 2))[None]
    playback = torch.tensor(music_like(2, 24_000, 3))[None]
    clip = slice(3 * 2400, 7 * 2400)
    own = feature(recording[..., clip], playback[..., clip])
    torch.testing.assert_close(own, feature(recording, playback)[:, :, 3:7], atol=1e-4, rtol=0)


def test_parts_are_channels_of_the_stack():
    recording, playback = music_like(4, 4800, 4), music_like(2, 4800, 5)
    stack = features.compute("mel-stack", recording, playback)
    log_mel = features.compute("log-mel", recording, playback)
    intensity = features.compute("intensity", recording, playback)
    residual = features.compute("playback-residual", recording, playback)
    torch.testing.assert_close(log_mel, stack[:4])
    torch.testing.assert_close(intensity, stack[6:9])
    torch.testing.assert_close(residual[:4], stack[:4] - stack[4], atol=1e-4, rtol=0)
    torch.testing.assert_close(residual[4:8], stack[:4] - stack[5], atol=1e-4, rtol=0)
    torch.testing.assert_close(residual[8:], intensity)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_equals_finite_differences(name):
    feature = features.create(name, sample_rate_hz=16_000)
    recording = torch.tensor(music_like(4, 800, 6, 16_000), dtype=torch.float64)[None]
    playback = torch.tensor(music_like(2, 800, 7, 16_000), dtype=torch.float64)[None]
    weights = torch.linspace(-1, 1, 128, dtype=torch.float64)

    def total(heard: torch.Tensor) -> torch.Tensor:
        return (feature(heard, playback)[:, :9] * weights).sum()  # angles may jump by 2 pi

    recording.requires_grad_()
    (gradient,) = torch.autograd.grad(total(recording), recording)
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(recording.shape, generator=generator, dtype=torch.float64)
    step = 1e-8 * direction
    with torch.no_grad():
        slope = (total(recording + step) - total(recording - step)) / 2e-8
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_silence_gives_finite_values_and_gradients(name):
    recording = torch.zeros(1, 4, 4800, requires_grad=True)
    values = features.create(name)(recording, torch.zeros(1, 2, 4800))
    values.sum().backward()
    assert torch.isfinite(values).all()
    assert recording.grad is not None
    assert torch.isfinite(recording.grad).all()


def test_silence_is_100_db_below_full_scale_power():
    stack = features.compute("mel-stack", np.zeros((4, 2400), "f4"), np.zeros((2, 2400), "f4"))
    assert (stack[:6] == -100).all()


def test_mono_playback_feeds_both_loudspeakers():
    recording, playback = music_like(4, 4800, 8), music_like(1, 4800, 9)
    mono = features.compute("mel-stack", recording, playback)
    doubled = features.compute("mel-stack", recording, np.repeat(playback, 2, axis=0))
    torch.testing.assert_close(mono, doubled)


def test_more_than_two_loudspeakers_are_refused_with_the_mend():
    with pytest.raises(AudioError, match="mix them down to two"):
        features.compute("mel-stack", music_like(4, 4800, 0), music_like(3, 4800, 1))


@pytest.mark.parametrize("rate", [48_010, 0, 2_000])
def test_unusable_sample_rates_are_refused_with_the_mend(rate):
    with pytest.raises(AudioError, match="resample"):
        features.create("mel-stack", sample_rate_hz=rate)


def test_mixed_precision_does_not_touch_the_feature():
    recording, playback = music_like(4, 4800, 10), music_like(2, 4800, 11)
    exact = features.compute("mel-stack", recording, playback)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(features.compute("mel-stack", recording, playback), exact)


def test_all_are_registered_and_add_nothing_to_a_checkpoint():
    registry = load_plugins().features
    assert set(NAMES) <= set(registry)
    assert all(not features.create(name).state_dict() for name in NAMES)


def both_ways(recording: np.ndarray, playback: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the stack by the compiled loops, and by the operations that carry gradients."""
    feature = features.create("mel-stack")
    heard, sent = torch.tensor(recording), torch.tensor(playback)
    compiled = feature(heard, sent)
    differentiable = feature(heard.clone().requires_grad_(), sent)
    assert differentiable.requires_grad
    assert not compiled.requires_grad
    return compiled, differentiable.detach()


@pytest.mark.parametrize("frames", [1, 11, 12, 13, 25])
@pytest.mark.parametrize("speakers", [1, 2])
def test_compiled_loops_equal_the_differentiable_way(frames, speakers):
    samples = 2400 * frames + 7
    recording = music_like(12, samples, frames).reshape(3, 4, samples)
    playback = music_like(3 * speakers, samples, 1).reshape(3, speakers, samples)
    compiled, differentiable = both_ways(recording, playback)
    torch.testing.assert_close(compiled, differentiable, atol=1e-4, rtol=0)
    torch.testing.assert_close(compiled[:, 6:], differentiable[:, 6:], atol=1e-6, rtol=0)


def test_compiled_loops_read_strided_signals():
    wide = torch.tensor(music_like(12, 9600, 3)).reshape(2, 6, 9600)
    feature = features.create("mel-stack")
    together = feature(wide[:, :4], wide[:, 4:])
    torch.testing.assert_close(
        together, feature(wide[:, :4].contiguous(), wide[:, 4:].contiguous()), atol=0, rtol=0
    )


def test_compiled_loops_are_left_alone_where_they_do_not_fit():
    fit = features.create("mel-stack")._compiled_loops_fit
    recording, playback = torch.zeros(2, 4, 4800), torch.zeros(2, 2, 4800)
    assert fit(recording, playback)
    assert not fit(recording, playback[..., :2400])  # they would read beyond its end
    assert not fit(recording[:1], playback)
    assert not fit(recording[:, :3], playback)
    assert not fit(recording, torch.zeros(2, 3, 4800))
    assert not fit(recording.double(), playback.double())
    assert not fit(recording, playback.clone().requires_grad_())
    with torch.no_grad():
        assert fit(recording, playback.clone().requires_grad_())
