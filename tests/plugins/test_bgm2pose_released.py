"""What the publication's released code does otherwise, as settings, and ablations by settings."""

import math

import pytest
import torch
from acoustic_sense_plugins.bgm2pose.config import FrequencyAttentionConfig
from acoustic_sense_plugins.bgm2pose.contrastive import (
    ContrastivePoseConfig,
    ContrastivePoseExtraction,
)
from acoustic_sense_plugins.bgm2pose.encoder import FrequencyAttentionEncoder
from acoustic_sense_plugins.mel_stack.stack import MelStack
from torch import Tensor, nn

from acoustic_sense.contracts import ClipBatch, EncoderOutput, FeatureShape

SHAPE = FeatureShape(MelStack.channel_names, 128)


def encoder(**settings) -> FrequencyAttentionEncoder:
    torch.manual_seed(0)
    config = FrequencyAttentionConfig(**{"width": 0.125, **settings})
    return FrequencyAttentionEncoder(config, SHAPE).eval()


def clips(count: int = 2, frames: int = 12) -> Tensor:
    return torch.randn(count, 15, frames, 128, generator=torch.Generator().manual_seed(1))


def around_the_flattening(made: FrequencyAttentionEncoder, features: Tensor) -> list[Tensor]:
    """Return what leaves the reduction and what enters the projection."""
    seen: list[Tensor] = []
    hooks = [
        made.reduction.register_forward_hook(lambda _, inputs, output: seen.append(output)),
        made.projection.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])),
    ]
    with torch.no_grad():
        made(features)
    for hook in hooks:
        hook.remove()
    return seen


@pytest.mark.parametrize("frames", [4, 12])
def test_released_flattening_reads_the_memory_of_channel_frame_bin_as_rows_of_frames(frames):
    reduced, flat = around_the_flattening(encoder(compat="released"), clips(2, frames))
    _, channels, _, bins = reduced.shape
    assert flat.shape == (2, channels * bins, frames)
    for item in range(2):
        memory = [
            float(reduced[item, channel, frame, bin_])
            for channel in range(channels)
            for frame in range(frames)
            for bin_ in range(bins)
        ]
        rows = [memory[first : first + frames] for first in range(0, len(memory), frames)]
        assert rows == flat[item].tolist()


def test_released_flattening_mixes_time_and_frequency_and_the_publications_does_not():
    before = clips(1)
    after = before.clone()
    after[:, :, 5] += 1.0
    touched = {}
    for flatten in ("frames", "reshape"):
        made = encoder(time_kernel=1, flatten=flatten)
        with torch.no_grad():
            change = made(after).local_latents - made(before).local_latents
        touched[flatten] = (change.abs().amax(dim=(0, 2)) > 1e-6).nonzero().flatten().tolist()
    assert touched == {"frames": [5], "reshape": list(range(12))}


def test_released_encoder_asks_with_the_playback_unless_told_otherwise():
    released = FrequencyAttentionConfig(compat="released")
    assert (released.query, released.flatten) == ("playback", "reshape")
    mixed = FrequencyAttentionConfig(compat="released", query="recording")
    assert (mixed.query, mixed.flatten) == ("recording", "reshape")
    published = FrequencyAttentionConfig()
    assert (published.query, published.flatten) == ("recording", "frames")
    for config in (released, mixed, published):
        assert FrequencyAttentionConfig.model_validate(config.model_dump(mode="json")) == config
    assert not encoder(compat="released").fusion.query_recording


def test_released_temperature_multiplies_similarities_by_the_logarithm():
    made = ContrastivePoseExtraction(
        ContrastivePoseConfig(compat="released"), encoder(), subject_count=2
    )
    local, target = clips(4)[:, 0, :, :32], clips(4)[:, 1, :, :63]
    index = torch.zeros(4, dtype=torch.long)
    batch = ClipBatch(clips(4), torch.zeros(4, 12, 21, 3), *[index] * 5)
    sound, pose = made.sound_embedding(local), made.pose_embedding(target)
    logits = (sound @ pose.T) * math.log(1 / 0.07)
    pairs = [logits.log_softmax(dim).diagonal().mean() for dim in (0, 1)]
    found = made(EncoderOutput(local, local, local.mean(dim=1)), batch, target)
    torch.testing.assert_close(found, -(pairs[0] + pairs[1]) / 2)
    assert ContrastivePoseConfig().temperature == 0.07
    assert ContrastivePoseConfig(compat="released").temperature == pytest.approx(0.376, abs=1e-3)
    assert ContrastivePoseConfig(compat="released", temperature=0.1).temperature == 0.1


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("width", [0.25, 1.0])
def test_convolutions_in_the_attentions_place_are_of_like_size(width):
    full, plain = encoder(width=width), encoder(width=width, attention=False)
    assert size(plain.fusion) == size(full.fusion) - full.fusion.embedding.numel()
    assert 0.98 * size(full) < size(plain) < size(full)


def test_parameter_counts_of_the_ablations_differ_by_what_was_taken_away():
    full = encoder()
    without_playback = encoder(playback_conditioning=False)
    narrow = 8  # 64 channels at this width
    shallow = 3 * 3 * (2 * 4 + 3 - 7) * narrow  # first convolution: 11 channels, or 7
    assert size(without_playback) == size(full) - size(full.playback_branch) - shallow
    assert size(encoder(compat="released")) == size(full)


@pytest.mark.parametrize("attention", [True, False])
def test_bins_are_fused_with_each_other_by_attention_only(attention):
    made = encoder(attention=attention)
    recording, playback = torch.randn(2, 1, 4, 128, 16, generator=torch.Generator().manual_seed(2))
    changed = playback.clone()
    changed[:, :, 40] += 1.0
    with torch.no_grad():
        change = (made.fusion(recording, changed) - made.fusion(recording, playback)).abs()
    touched = (change.amax(dim=(0, 1, 3)) > 0).nonzero().flatten().tolist()
    assert touched == (list(range(128)) if attention else [40])
