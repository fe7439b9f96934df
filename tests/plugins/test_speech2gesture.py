"""The baseline of Ginosar 2019: its encoder against a literal version, its adversary at work."""

import copy
import math

import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.speech2gesture.adversary import (
    MotionAdversary,
    MotionAdversaryConfig,
)
from acoustic_sense_plugins.speech2gesture.encoder import TranslationConfig, TranslationEncoder
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import ConfigError, ModelError
from acoustic_sense.testing import check_encoder, check_objective
from acoustic_sense.testing.batches import LinearEncoder, clip_batch

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


# The adversary.


def adversary(**settings) -> MotionAdversary:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return MotionAdversary(MotionAdversaryConfig(**settings), LinearEncoder(), 3)


def loss_of(made: MotionAdversary, prediction: Tensor, target: Tensor) -> Tensor:
    batch = clip_batch()
    return made(LinearEncoder()(batch.features), batch, target, prediction=prediction)


def test_discriminator_gets_its_own_gradient_and_the_prediction_the_opposite():
    made = adversary(weight=0.7, ramp_steps=10, hidden=6, target_dim=5)
    made.reversal.step += 3  # the fourth step of ten
    strength = 2 / (1 + math.exp(-10 * 4 / 10)) - 1
    prediction, target = drawn(3, 8, 5).requires_grad_(), drawn(3, 8, 5, seed=1)
    loss = loss_of(made, prediction, target)
    loss.backward()

    plain, free = copy.deepcopy(made.discriminator), drawn(3, 8, 5).requires_grad_()
    plain.zero_grad()
    terms = []
    for poses, is_true in ((target, True), (free, False)):
        motion = torch.stack([poses[:, i + 1] - poses[:, i] for i in range(7)], dim=2)
        share = plain(motion).sigmoid()
        terms.append(-(share if is_true else 1 - share).log().mean())
    expected = 0.7 * sum(terms) / 2
    expected.backward()
    torch.testing.assert_close(loss, expected)
    for found, wanted in zip(made.discriminator.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found.grad, wanted.grad)
    assert free.grad.abs().max() > 0
    torch.testing.assert_close(prediction.grad, -strength * free.grad)


def test_where_the_body_stands_is_not_judged():
    made = adversary(ramp_steps=0).eval()
    prediction, target = drawn(3, 12, 63), drawn(3, 12, 63, seed=1)
    moved = loss_of(made, prediction + drawn(3, 1, 63, seed=2), target)
    torch.testing.assert_close(moved, loss_of(made, prediction, target))


def test_motion_that_is_too_small_is_driven_to_its_true_size():
    """One number scales the predicted motion; true motion has twice the predicted one's size."""
    made = adversary(weight=1.0, ramp_steps=0, hidden=8, target_dim=4)
    size = torch.tensor(0.5).requires_grad_()
    optimiser = torch.optim.Adam([size, *made.parameters()], lr=0.01)
    found = []
    for step in range(600):
        guess, truth = (drawn(64, 12, 4, seed=2 * step + i).cumsum(dim=1) for i in (0, 1))
        loss = loss_of(made, size * guess, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        found.append(size.item())
    assert 0.8 < sum(found[-200:]) / 200 < 1.2


def test_contract_is_kept_with_other_settings():
    check_objective(MotionAdversary, {"ramp_steps": 0, "hidden": 5, "weight": 2.0})


def test_targets_of_another_width_are_refused_with_the_mend():
    with pytest.raises(ConfigError, match="of 63 numbers, not 5; set its target_dim"):
        loss_of(adversary(), drawn(3, 8, 5), drawn(3, 8, 5))
    with pytest.raises(ModelError, match="without the task's prediction"):
        loss_of(adversary(), None, drawn(3, 8, 63))
