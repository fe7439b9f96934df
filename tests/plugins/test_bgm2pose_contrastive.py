"""Contrastive pose extraction."""

import math

import pytest
import torch
from acoustic_sense_plugins.bgm2pose.config import FrequencyAttentionConfig
from acoustic_sense_plugins.bgm2pose.contrastive import (
    ContrastivePoseConfig,
    ContrastivePoseExtraction,
    TokenAttention,
    info_nce,
)
from acoustic_sense_plugins.bgm2pose.encoder import FrequencyAttentionEncoder
from acoustic_sense_plugins.mel_stack.stack import MelStack
from torch import Tensor

from acoustic_sense.contracts import ClipBatch, EncoderOutput, FeatureShape
from acoustic_sense.errors import ConfigError, ModelError
from acoustic_sense.plugin_loading import load_plugins

ENCODER = FrequencyAttentionEncoder(
    FrequencyAttentionConfig(width=0.125), FeatureShape(MelStack.channel_names, 128)
)


def objective(**settings) -> ContrastivePoseExtraction:
    return ContrastivePoseExtraction(ContrastivePoseConfig(**settings), ENCODER, 3)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def loss_of(made: ContrastivePoseExtraction, local: Tensor, target: Tensor) -> Tensor:
    index = torch.zeros(len(local), dtype=torch.long)
    batch = ClipBatch(drawn(len(local), 1, 12, 8), drawn(len(local), 12, 21, 3), *[index] * 5)
    return made(EncoderOutput(local, local, local.mean(dim=1)), batch, target)


@pytest.mark.parametrize("temperature", [0.07, 0.376])
def test_info_nce_equals_a_literal_loop(temperature):
    first, second = (torch.nn.functional.normalize(drawn(5, 8, seed=i), dim=1) for i in (0, 1))
    total = 0.0
    for anchors, others in ((first, second), (second, first)):
        for i, anchor in enumerate(anchors.tolist()):
            similarities = [
                math.exp(sum(a * b for a, b in zip(anchor, other, strict=True)) / temperature)
                for other in others.tolist()
            ]
            total -= math.log(similarities[i] / sum(similarities)) / 5
    assert info_nce(first, second, temperature).item() == pytest.approx(total / 2, rel=1e-5)


def test_token_attention_equals_full_multi_head_self_attention():
    made = TokenAttention(16, 4)
    frames = drawn(3, 12, 16)
    whole = torch.nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        made.token.copy_(drawn(16, seed=1))
        parts = [made.to_query, made.to_key, made.to_value]
        whole.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        biases = [made.to_query.bias, torch.zeros(16), made.to_value.bias]
        whole.in_proj_bias.copy_(torch.cat(biases))
        whole.out_proj.load_state_dict(made.to_output.state_dict())
        sequence = torch.cat([made.token.expand(3, 1, 16), frames], dim=1)
        expected = whole(sequence, sequence, sequence)[0][:, 0]
        expected = expected / expected.norm(dim=1, keepdim=True)
        torch.testing.assert_close(made(frames), expected, atol=1e-6, rtol=1e-5)


def test_loss_is_info_nce_of_unit_embeddings_times_its_weight():
    made = objective(weight=0.5, temperature=0.2)
    local, target = drawn(4, 12, 32), drawn(4, 12, 63)
    sound, pose = made.sound_embedding(local), made.pose_embedding(target)
    torch.testing.assert_close(sound.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(pose.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(loss_of(made, local, target), 0.5 * info_nce(sound, pose, 0.2))


def test_gradients_reach_every_parameter_and_the_encoder():
    made = objective()
    local = drawn(4, 12, 32).requires_grad_()
    loss_of(made, local, drawn(4, 12, 63)).backward()
    unreached = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.any()]
    assert unreached == []
    assert local.grad is not None
    assert local.grad.abs().amax(dim=(0, 2)).min() > 0


def test_the_order_of_frames_matters_because_of_the_time_embedding():
    made = objective()
    local = drawn(1, 12, 32)
    with torch.no_grad():
        made.time_embedding.copy_(drawn(12, 32, seed=2))
        forwards, backwards = made.sound_embedding(local), made.sound_embedding(local.flip(1))
        assert (forwards - backwards).abs().max() > 1e-4
        made.time_embedding.zero_()
        forwards, backwards = made.sound_embedding(local), made.sound_embedding(local.flip(1))
    torch.testing.assert_close(forwards, backwards, atol=1e-6, rtol=1e-5)


def test_pairs_that_belong_together_can_be_learned():
    torch.manual_seed(0)
    made = objective()
    target = drawn(8, 12, 63)
    local = target @ drawn(63, 32, seed=3) / 63**0.5
    optimiser = torch.optim.Adam(made.parameters(), lr=3e-3)
    first = loss_of(made, local, target).item()
    for _ in range(60):
        optimiser.zero_grad()
        loss_of(made, local, target).backward()
        optimiser.step()
    assert loss_of(made, local, target).item() < 0.1 * first


@pytest.mark.parametrize("negatives", ["segment", "track", "random"])
def test_negatives_decide_how_batches_are_filled(negatives):
    assert objective(negatives=negatives).batch_sampling == negatives


def test_any_number_of_heads_fits_any_encoder():
    made = objective(heads=7)
    assert made.sound_embedding(drawn(2, 12, 32)).shape == (2, 32)


def test_a_batch_of_one_has_nothing_to_tell_apart():
    assert loss_of(objective(), drawn(1, 12, 32), drawn(1, 12, 63)).item() == 0.0


def test_mixed_precision_stays_close():
    made = objective()
    local, target = drawn(4, 12, 32), drawn(4, 12, 63)
    exact = loss_of(made, local, target)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = loss_of(made, local, target)
    assert rough.item() == pytest.approx(exact.item(), rel=0.1)


def test_unfit_settings_and_clips_are_refused_with_the_mend():
    with pytest.raises(ConfigError, match="temperature"):
        ContrastivePoseExtraction.parse({"temperature": 0.0})
    with pytest.raises(ModelError, match="set 'max_frames'"):
        objective().sound_embedding(drawn(1, 16, 32))
    assert objective(max_frames=16).sound_embedding(drawn(1, 16, 32)).shape == (1, 32)


def test_is_registered_and_its_settings_survive_a_round_trip():
    assert load_plugins().objectives["bgm2pose-cpe"] is ContrastivePoseExtraction
    config = ContrastivePoseConfig(temperature=0.376, negatives="track")
    assert ContrastivePoseConfig.model_validate(config.model_dump(mode="json")) == config
