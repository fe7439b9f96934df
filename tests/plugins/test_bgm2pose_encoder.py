"""The frequency-wise attention encoder against a literal, slow version of it."""

import copy
import functools
import sys
from pathlib import Path

import pytest
import torch
from acoustic_sense_plugins.bgm2pose.config import FrequencyAttentionConfig
from acoustic_sense_plugins.bgm2pose.encoder import FrequencyAttentionEncoder
from acoustic_sense_plugins.mel_stack.stack import MelStack
from torch import Tensor, nn

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import ConfigError, ModelError
from acoustic_sense.plugin_loading import load_plugins

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))

from plain_bgm2pose import PlainEncoder

SHAPE = FeatureShape(MelStack.channel_names, 128)
SMALL = {"width": 0.125, "attention_dropout": 0.0}
ABLATIONS = [
    {},
    {"query": "playback"},
    {"playback_conditioning": False},
    {"attention": False},
    {"time_kernel": 1},
    {"heads": 2, "width": 0.25},
]


def encoder(shape: FeatureShape = SHAPE, **settings) -> FrequencyAttentionEncoder:
    """Return an encoder with weights and batch statistics as after some training."""
    return copy.deepcopy(_prepared(FrequencyAttentionConfig(**SMALL | settings), shape))


@functools.lru_cache
def _prepared(config: FrequencyAttentionConfig, shape: FeatureShape) -> FrequencyAttentionEncoder:
    torch.manual_seed(0)
    made = FrequencyAttentionEncoder(config, shape)
    for name, values in made.named_parameters():
        if values.ndim == 1 or "embedding" in name:
            values.data.add_(0.3 * torch.randn(values.shape))
    for layer in made.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.data.mul_(2)  # attention far from uniform
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = 0.5
    with torch.no_grad():
        for seed in range(4):
            made(clips(4, seed=100 + seed))
    return made.eval()


def clips(count: int = 2, frames: int = 12, bins: int = 128, seed: int = 0) -> Tensor:
    return torch.randn(count, 15, frames, bins, generator=torch.Generator().manual_seed(seed))


def literal_batch_norm(norm: nn.Module, values: Tensor) -> Tensor:
    shape = (1, -1, *[1] * (values.ndim - 2))
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (values - norm.running_mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)


def literal_block(block: nn.Sequential, values: Tensor) -> Tensor:
    for layer in block:
        if isinstance(layer, nn.Conv2d | nn.Conv1d):
            values = layer(values.contiguous())
        elif isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            values = literal_batch_norm(layer, values)
        elif isinstance(layer, nn.LeakyReLU):
            values = torch.where(values > 0, values, 0.01 * values)
    return values


def literal_attention(fusion: nn.Module, recording: Tensor, playback: Tensor) -> Tensor:
    """Return one clip's fusion; both branches have shape (channel, frame, bin)."""
    result = recording.clone()
    for frame in range(recording.shape[1]):
        heard = recording[:, frame].T + fusion.embedding
        sent = playback[:, frame].T + fusion.embedding
        asking, answering = (heard, sent) if fusion.query_recording else (sent, heard)
        q, k, v = fusion.to_query(asking), fusion.to_key(answering), fusion.to_value(answering)
        width = q.shape[1] // fusion.heads
        heads = []
        for head in range(fusion.heads):
            part = slice(head * width, (head + 1) * width)
            scores = torch.exp(q[:, part] @ k[:, part].T / width**0.5)
            heads.append(scores / scores.sum(dim=1, keepdim=True) @ v[:, part])
        result[:, frame] += fusion.to_output(torch.cat(heads, dim=1)).T
    return result


def literal_encoder(made: FrequencyAttentionEncoder, features: Tensor) -> tuple[Tensor, ...]:
    """Return latents, local latents and summary, in plain layout, clip by clip at the fusion."""
    config = made.config
    recording, playback, intensity = features[:, :4], features[:, 4:6], features[:, 6:9]
    if config.playback_conditioning:
        heard = [recording[:, i] - playback[:, j] for j in range(2) for i in range(4)]
        heard = torch.cat([torch.stack(heard, 1), intensity], 1)
    else:
        heard = torch.cat([recording, intensity], 1)
    for block in made.recording_branch:
        heard = literal_block(block, heard)
    sent = heard
    if config.playback_conditioning:
        sent = playback
        for block in made.playback_branch:
            sent = literal_block(block, sent)
    if config.attention:
        pairs = zip(heard, sent, strict=True)
        values = torch.stack([literal_attention(made.fusion, h, s) for h, s in pairs])
    else:
        both = torch.cat([heard, sent], 1).movedim(1, -1)
        values = heard + made.fusion.fuse(both).movedim(-1, 1)
    for layer in made.reduction:
        if isinstance(layer, nn.Sequential):
            values = literal_block(layer, values)
        else:
            values = torch.maximum(values[..., 0::2], values[..., 1::2])
    flat = torch.stack([values[:, :, t].transpose(1, 2).flatten(1) for t in range(12)], dim=2)
    local = literal_block(made.projection, flat)
    decoder = made.decoder
    fine = literal_block(decoder.entry, local)
    middle = literal_block(decoder.down[0], torch.maximum(fine[..., 0::2], fine[..., 1::2]))
    coarse = literal_block(decoder.down[1], torch.maximum(middle[..., 0::2], middle[..., 1::2]))
    middle = literal_block(decoder.join[0], torch.cat([middle, decoder.up[0](coarse)], 1))
    latents = literal_block(decoder.join[1], torch.cat([fine, decoder.up[1](middle)], 1))
    for block in decoder.tail:
        latents = literal_block(block, latents)
    return latents.transpose(1, 2), local.transpose(1, 2), coarse.mean(2)


@pytest.mark.parametrize("settings", ABLATIONS, ids=str)
def test_equals_a_literal_slow_version(settings):
    made, features = encoder(**settings), clips()
    with torch.no_grad():
        output = made(features)
        latents, local, summary = literal_encoder(made, features)
    assert latents.std() > 0.1
    torch.testing.assert_close(output.local_latents, local, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(output.latents, latents, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(output.summary, summary, atol=1e-4, rtol=1e-4)


def plain_and_ours(width: float) -> tuple[PlainEncoder, FrequencyAttentionEncoder]:
    made = encoder(width=width)
    plain = PlainEncoder(width, attention_dropout=0.0).eval()
    plain.load_state_dict(made.state_dict())
    return plain, made


@pytest.mark.parametrize("width", [0.25, 0.5])
def test_equals_the_plain_version_that_its_speed_is_measured_against(width):
    plain, made = plain_and_ours(width)
    expected = plain(clips())
    torch.testing.assert_close(made(clips()).latents, expected, atol=1e-4, rtol=1e-4)
    with torch.inference_mode():
        torch.testing.assert_close(made(clips()).latents, expected, atol=1e-4, rtol=1e-4)


def test_gradients_are_those_of_the_plain_version():
    plain, made = plain_and_ours(0.25)
    weights = torch.randn(1, 12, made.latent_dim, generator=torch.Generator().manual_seed(1))
    differences = []
    for seed in range(4):
        gradients = []
        for latents in (made(clips(1, seed=seed)).latents, plain(clips(1, seed=seed))):
            model = made if not gradients else plain
            gradients.append(torch.autograd.grad((latents * weights).sum(), model.parameters()))
        pairs = zip(*gradients, strict=True)
        differences.append([float((x - y).norm() / y.norm()) for x, y in pairs])
    # A value that rounds across a kink of LeakyReLU makes whole batches differ: take the closest.
    assert max(min(differences, key=max)) < 1e-4


@pytest.mark.parametrize("settings", ABLATIONS, ids=str)
def test_training_gives_the_gradients_of_the_literal_version(settings):
    made, features = encoder(**settings), clips()
    weights = torch.randn(2, 12, made.latent_dim, generator=torch.Generator().manual_seed(1))
    gradients = []
    for latents in (made(features).latents, literal_encoder(made, features)[0]):
        made.zero_grad()
        (latents * weights).sum().backward()
        gradients.append([p.grad.clone() for p in made.parameters()])
    for found, expected in zip(*gradients, strict=True):
        scale = float(expected.abs().max())
        torch.testing.assert_close(found, expected, atol=1e-3 * scale + 1e-5, rtol=0)


@pytest.mark.parametrize("settings", ABLATIONS, ids=str)
def test_gradients_reach_every_parameter(settings):
    made = encoder(**settings | {"attention_dropout": 0.1}).train()
    output = made(clips())
    (output.latents.square().mean() + output.summary.square().mean()).backward()
    unreached = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert unreached == []


@pytest.mark.parametrize("settings", ABLATIONS, ids=str)
def test_widths_are_as_announced_and_a_clip_does_not_see_its_batch(settings):
    made, features = encoder(**settings), clips(3)
    with torch.no_grad():
        output, alone = made(features), made(features[1:2])
    assert output.latents.shape == (3, 12, made.latent_dim)
    assert output.local_latents.shape == (3, 12, made.local_dim)
    assert output.summary.shape == (3, made.summary_dim)
    torch.testing.assert_close(output.latents[1:2], alone.latents, atol=1e-4, rtol=1e-4)


def changed_frames(before: Tensor, after: Tensor, frame_dim: int) -> list[int]:
    difference = (after - before).abs().movedim(frame_dim, 0).flatten(1).amax(dim=1)
    return [i for i, value in enumerate(difference.tolist()) if value > 1e-6]


@pytest.mark.parametrize("settings", [{}, {"query": "playback"}, {"attention": False}], ids=str)
def test_one_frame_changes_only_itself_before_the_decoder(settings):
    made, before = encoder(time_kernel=1, **settings), clips(1)
    after = before.clone()
    after[:, :, 5] += 1.0
    with torch.no_grad():
        first, second = made(before), made(after)
    assert changed_frames(first.local_latents, second.local_latents, 1) == [5]
    assert len(changed_frames(first.latents, second.latents, 1)) > 1


@pytest.mark.parametrize("query", ["recording", "playback"])
def test_attention_adds_no_frame_to_what_the_convolutions_reach(query):
    made, before = encoder(query=query), clips(1, frames=24)
    after = before.clone()
    after[:, :, 12] += 1.0
    with torch.no_grad():
        fused = changed_frames(made.fuse(before), made.fuse(after), 2)
        local = changed_frames(made(before).local_latents, made(after).local_latents, 1)
    assert fused == list(range(12 - 4, 12 + 5))  # four 3x3 convolutions before the attention
    assert local == list(range(12 - 10, 12 + 11))  # and six after it


def test_the_embedding_is_what_tells_bins_apart():
    made = encoder()
    recording, playback = torch.randn(2, 1, 4, 128, 16, generator=torch.Generator().manual_seed(3))
    order = torch.randperm(128, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        moved = made.fusion(recording[:, :, order], playback[:, :, order])
        straight = made.fusion(recording, playback)[:, :, order]
        assert (moved - straight).abs().max() > 0.1
        made.fusion.embedding.zero_()
        moved = made.fusion(recording[:, :, order], playback[:, :, order])
        straight = made.fusion(recording, playback)[:, :, order]
    torch.testing.assert_close(moved, straight, atol=1e-5, rtol=1e-5)


def test_playback_matters_only_when_conditioned_on():
    before = clips(1)
    after = before.clone()
    after[:, 4:6] += torch.randn(2, 12, 128, generator=torch.Generator().manual_seed(5))
    for conditioned in (True, False):
        made = encoder(playback_conditioning=conditioned)
        with torch.no_grad():
            change = (made(after).latents - made(before).latents).abs().max()
        assert (change > 1e-3) == conditioned


def test_phase_channels_are_not_read():
    before = clips(1)
    after = before.clone()
    after[:, 9:] = 7.0
    made = encoder()
    with torch.no_grad():
        assert torch.equal(made(after).latents, made(before).latents)


def test_channels_are_found_by_name_in_any_order():
    order = torch.randperm(15, generator=torch.Generator().manual_seed(6))
    names = tuple(MelStack.channel_names[i] for i in order)
    features, straight = clips(1), encoder()
    shuffled = FrequencyAttentionEncoder(straight.config, FeatureShape(names, 128)).eval()
    shuffled.load_state_dict(straight.state_dict())
    with torch.no_grad():
        expected = straight(features).latents
        found = shuffled(features[:, order]).latents
    torch.testing.assert_close(found, expected)


def test_dropout_of_attention_acts_in_training_only_and_keeps_the_mean():
    fusion = encoder(attention_dropout=0.3).fusion
    recording, playback = torch.randn(2, 2, 4, 128, 16, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        steady = fusion(recording, playback)
        assert torch.equal(fusion(recording, playback), steady)
        fusion.train()
        torch.manual_seed(8)
        drawn = torch.stack([fusion(recording, playback) for _ in range(60)])
        torch.manual_seed(8)
        assert torch.equal(fusion(recording, playback), drawn[0])
    assert not torch.equal(drawn[0], drawn[1])
    noise = drawn.std(dim=0) / 60**0.5
    assert ((drawn.mean(dim=0) - steady).abs() / noise).mean() < 1.0


@pytest.mark.parametrize("frames", [4, 8, 32])
def test_other_lengths_work(frames):
    with torch.no_grad():
        assert encoder()(clips(1, frames)).latents.shape == (1, frames, 32)


def test_mixed_precision_stays_close_and_finite():
    made, features = encoder(), clips(4)
    exact = made(features).latents
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = made(features).latents
    rough.float().square().mean().backward()
    assert (rough.float() - exact).square().mean() < 0.02 * exact.square().mean()
    assert all(torch.isfinite(p.grad).all() for p in made.parameters() if p.grad is not None)


def test_unfit_input_is_refused_with_the_mend():
    with pytest.raises(ModelError, match="multiple of 4"):
        encoder()(clips(1, 10))
    with pytest.raises(ModelError, match="use the feature 'mel-stack'"):
        encoder(FeatureShape(("recording/W",), 128))
    with pytest.raises(ModelError, match="multiple of 8 bins"):
        encoder(FeatureShape(MelStack.channel_names, 100))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ConfigError, match="heads do not divide"):
        FrequencyAttentionEncoder.parse({"width": 0.3})


def test_full_width_is_the_publications_size():
    made = FrequencyAttentionEncoder(None, SHAPE)
    assert 5e6 < sum(p.numel() for p in made.parameters()) < 8e6
    assert made.config.width == 1.0


def test_is_registered_and_its_settings_survive_a_round_trip():
    assert load_plugins().encoders["bgm2pose-fa"] is FrequencyAttentionEncoder
    config = FrequencyAttentionConfig(width=0.25, query="playback", attention=False)
    assert FrequencyAttentionConfig.model_validate(config.model_dump(mode="json")) == config


def test_same_seed_gives_the_same_weights():
    states = []
    for _ in range(2):
        torch.manual_seed(9)
        config = FrequencyAttentionConfig(**SMALL)
        states.append(FrequencyAttentionEncoder(config, SHAPE).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
