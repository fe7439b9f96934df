"""The baseline of Ginosar 2019: its encoder against a literal version."""

import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.speech2gesture.encoder import TranslationConfig, TranslationEncoder
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.testing import check_encoder

SHAPE = FeatureShape(MelStack.channel_names, 128)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def encoder(**settings) -> TranslationEncoder:
    """Return an encoder with statistics as after some training."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = TranslationEncoder(TranslationConfig(width=0.125, **settings), SHAPE)
        for layer in made.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                layer.running_mean.normal_(std=0.3)
                layer.running_var.uniform_(0.5, 2.0)
                layer.weight.data.uniform_(0.5, 1.5)
                layer.bias.data.normal_(std=0.3)
    return made.eval()


def normed(values: Tensor, norm: nn.Module) -> Tensor:
    shape = (1, -1, *[1] * (values.ndim - 2))
    scaled = (values - norm.running_mean.view(shape)) / (norm.running_var + norm.eps).sqrt().view(
        shape
    )
    return scaled * norm.weight.view(shape) + norm.bias.view(shape)


def leaky(values: Tensor, slope: float) -> Tensor:
    return torch.where(values > 0, values, slope * values)


def literal_convolution(layer: nn.Conv2d, values: Tensor, bin_step: int) -> Tensor:
    """Return a convolution as a sum over taps of shifted copies."""
    padded = pad(values, (1, 1, 1, 1))
    frames, taps = values.shape[2], layer.weight.shape[3]
    bins = (padded.shape[3] - taps) // bin_step + 1
    total = layer.bias.view(1, -1, 1, 1).expand(len(values), -1, frames, bins).clone()
    for i in range(3):
        for j in range(taps):
            shifted = padded[:, :, i : i + frames, j : j + (bins - 1) * bin_step + 1 : bin_step]
            total += torch.einsum("bcft,dc->bdft", shifted, layer.weight[:, :, i, j])
    return total


def literal_block(block: nn.Sequential, values: Tensor, padding: int = 1) -> Tensor:
    convolved = conv1d(values, block[0].weight, block[0].bias, padding=padding)
    return normed(leaky(convolved, 0.01), block[2])


def test_encoder_equals_a_literal_slow_version():
    made, features = encoder(), drawn(2, 15, 12, 128)
    with torch.no_grad():
        found = made(features)
        values = features[:, :6]
        for stage in made.audio:
            for first, step in ((0, 1), (3, 2)):
                convolved = literal_convolution(stage[first], values, step)
                values = leaky(normed(convolved, stage[first + 1]), 0.2)
        assert values.shape == (2, 32, 12, 16)
        columns = [values[:, :, i].transpose(1, 2).flatten(1) for i in range(12)]
        local = literal_block(made.projection, torch.stack(columns, dim=2), padding=0)
        joined, coarse = made.unet(local)
        latents = joined
        for block in made.decoder:
            latents = literal_block(block, latents)
    assert found.latents.std() > 0.1
    torch.testing.assert_close(found.local_latents, local.transpose(1, 2), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.latents, latents.transpose(1, 2), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.summary, coarse.mean(2), atol=1e-4, rtol=1e-4)


def test_levels_are_read_and_those_of_the_playback_only_if_asked_for():
    features = drawn(1, 15, 12, 128)
    for playback, read in ((True, ("recording/", "playback/")), (False, ("recording/",))):
        made = encoder(playback=playback)
        with torch.no_grad():
            expected = made(features).latents
            for channel, name in enumerate(MelStack.channel_names):
                after = features.clone()
                after[:, channel] += drawn(12, 128, seed=1)
                change = (made(after).latents - expected).abs().max()
                assert (change > 0) == name.startswith(read), name


def test_contract_is_kept_without_playback_channels():
    alone = FeatureShape(MelStack.channel_names[:4], 128)
    check_encoder(TranslationEncoder, {"width": 0.1, "playback": False}, alone)
