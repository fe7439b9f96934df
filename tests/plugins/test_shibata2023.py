"""The baseline of Shibata 2023: its encoder against a literal version, its adversary at work."""

import copy
import functools
import math

import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.shibata2023.adversary import SubjectAdversary, SubjectAdversaryConfig
from acoustic_sense_plugins.shibata2023.encoder import ConvolutionalEncoder
from literal_frames import doubled, halved, literal_frames, literal_layer
from torch import Tensor, nn
from torch.nn.functional import conv2d

from acoustic_sense.contracts import ClipBatch, EncoderOutput, FeatureShape
from acoustic_sense.errors import ConfigError, ModelError
from acoustic_sense.networks import ScaledConfig, reverse_gradient
from acoustic_sense.networks.pooled_encoder import READ_CHANNELS
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing import check_encoder, check_objective
from acoustic_sense.testing.batches import LinearEncoder

SHAPE = FeatureShape(MelStack.channel_names, 128)
SUBJECTS = 3


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def clips(count: int = 2, frames: int = 12, seed: int = 0) -> Tensor:
    return drawn(count, 15, frames, 128, seed=seed)


def encoder(shape: FeatureShape = SHAPE) -> ConvolutionalEncoder:
    """Return an encoder with weights and batch statistics as after some training."""
    made = ConvolutionalEncoder(ScaledConfig(width=0.125), shape)
    made.load_state_dict(prepared().state_dict())
    return made.eval()


@functools.cache
def prepared() -> ConvolutionalEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = ConvolutionalEncoder(ScaledConfig(width=0.125), SHAPE)
        for values in made.parameters():
            if values.ndim == 1:
                values.data.add_(0.3 * torch.randn(values.shape))
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = 0.5
    with torch.no_grad():
        for seed in range(4):
            made(clips(4, seed=100 + seed))
    return made


# The encoder, written out in plain layout.


def literal_encoder(made: ConvolutionalEncoder, features: Tensor) -> tuple[Tensor, ...]:
    values = torch.cat([features[:, 0:4], features[:, 6:9]], dim=1)
    for block in made.blocks:
        for first in (0, 3):
            convolution, norm = block[first], block[first + 2]
            values = conv2d(values.contiguous(), convolution.weight, convolution.bias, padding=1)
            values = literal_layer(values, norm)
        values = halved(values)
    columns = [values[:, :, frame].transpose(1, 2).flatten(1) for frame in range(values.shape[2])]
    local = literal_frames(made.projection, torch.stack(columns, dim=2), padding=0)
    unet = made.unet
    fine = literal_frames(unet.down[0], local)
    middle = literal_frames(unet.down[1], halved(fine))
    coarse = literal_frames(unet.down[2], halved(middle))
    back = literal_frames(unet.join[0], torch.cat([middle, doubled(unet.up[0], coarse)], 1))
    latents = literal_frames(unet.join[1], torch.cat([fine, doubled(unet.up[1], back)], 1))
    return latents.transpose(1, 2), local.transpose(1, 2), coarse.mean(2)


def test_encoder_equals_a_literal_slow_version():
    made, features = encoder(), clips()
    with torch.no_grad():
        found = made(features)
        latents, local, summary = literal_encoder(made, features)
    assert latents.std() > 0.1
    assert summary.std() > 0.1
    torch.testing.assert_close(found.latents, latents, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.local_latents, local, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.summary, summary, atol=1e-4, rtol=1e-4)


def test_contracts_are_kept_at_another_width_and_with_seven_channels():
    check_encoder(ConvolutionalEncoder, {"width": 0.1}, FeatureShape(READ_CHANNELS, 64))
    check_objective(SubjectAdversary, {"ramp_steps": 0, "hidden": 5})


@pytest.mark.parametrize(("frames", "bins"), [(12, 128), (4, 64), (32, 16)])
def test_frames_stay_and_bins_are_pooled_sixteenfold(frames, bins):
    made = ConvolutionalEncoder(ScaledConfig(width=0.125), FeatureShape(READ_CHANNELS, bins))
    with torch.no_grad():
        pooled = made.blocks(drawn(2, 7, frames, bins))
        output = made(drawn(2, 7, frames, bins))
    assert pooled.shape == (2, 32, frames, bins // 16)
    assert output.latents.shape == output.local_latents.shape == (2, frames, 32)
    assert output.summary.shape == (2, 32)


def changed_frames(before: Tensor, after: Tensor) -> list[int]:
    difference = (after - before).abs().amax(dim=(0, 2))
    return [i for i, value in enumerate(difference.tolist()) if value > 1e-6]


def test_before_the_unet_a_frame_reaches_as_far_as_eight_convolutions():
    made, before = encoder(), clips(1, frames=32)
    after = before.clone()
    after[:, :, 15] += 1.0
    with torch.no_grad():
        first, second = made(before), made(after)
    local = changed_frames(first.local_latents, second.local_latents)
    assert local == list(range(15 - 8, 15 + 9))
    assert len(changed_frames(first.latents, second.latents)) > len(local)


def test_only_recording_and_intensity_are_read():
    made, before = encoder(), clips(1)
    for channel, name in enumerate(MelStack.channel_names):
        after = before.clone()
        after[:, channel] += drawn(12, 128, seed=1)
        with torch.no_grad():
            change = (made(after).latents - made(before).latents).abs().max()
        assert (change > 1e-3) == name.startswith(("recording/", "intensity/")), name


def test_channels_are_found_by_name_in_any_order_and_among_any_others():
    features, straight = clips(1), encoder()
    with torch.no_grad():
        expected = straight(features).latents
    shuffled = torch.randperm(15, generator=torch.Generator().manual_seed(2)).tolist()
    alone = [0, 1, 2, 3, 6, 7, 8]
    for order in (shuffled, alone):
        names = tuple(MelStack.channel_names[i] for i in order)
        with torch.no_grad():
            found = encoder(FeatureShape(names, 128))(features[:, order]).latents
        torch.testing.assert_close(found, expected)


def test_unfit_input_is_refused_with_the_mend():
    with pytest.raises(ModelError, match="multiple of 4 frames, not 10"):
        encoder()(clips(1, 10))
    with pytest.raises(ModelError, match=r"channels recording/X, .*use the feature 'mel-stack'"):
        ConvolutionalEncoder(None, FeatureShape(("recording/W",), 128))
    with pytest.raises(ModelError, match="multiple of 16 bins, not 100"):
        ConvolutionalEncoder(None, FeatureShape(READ_CHANNELS, 100))


def test_both_are_registered():
    plugins = load_plugins()
    assert plugins.encoders["shibata2023"] is ConvolutionalEncoder
    assert plugins.objectives["subject-adversary"] is SubjectAdversary


# The adversary.


@pytest.mark.parametrize("factor", [1.0, 0.3, 0.0, -1.0])
def test_reversal_passes_values_on_and_flips_the_sign_of_gradients(factor):
    gradients = []
    for reversed_too in (False, True):
        values = drawn(4, 5).requires_grad_()
        passed = reverse_gradient(values, factor) if reversed_too else values
        assert torch.equal(passed, values)
        (passed.sin() * drawn(4, 5, seed=1)).sum().backward()
        gradients.append(values.grad)
    straight, turned = gradients
    assert straight.abs().min() > 0
    assert torch.equal(turned, -factor * straight)


def adversary(width: int = 10, **settings) -> SubjectAdversary:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = SubjectAdversaryConfig(**settings)
        return SubjectAdversary(config, LinearEncoder(summary_dim=width), SUBJECTS)


def batch_of(subject: Tensor) -> ClipBatch:
    rest = torch.zeros_like(subject)
    joints = torch.zeros(len(subject), 12, 21, 3)
    return ClipBatch(torch.zeros(len(subject), 1, 12, 1), joints, subject, *[rest] * 4)


def loss_of(made: SubjectAdversary, summary: Tensor, subject: Tensor) -> Tensor:
    frames = torch.zeros(len(summary), 12, 1)
    target = torch.zeros(len(summary), 12, 63)
    return made(EncoderOutput(frames, frames, summary), batch_of(subject), target)


def test_discriminator_gets_its_own_gradient_and_the_encoder_the_opposite():
    subject = torch.tensor([0, 1, 2, 1])
    made = adversary(weight=0.7, ramp_steps=10)
    made.reversal.step += 3  # the fourth step of ten
    strength = 2 / (1 + math.exp(-10 * 4 / 10)) - 1
    summary = drawn(4, 10).requires_grad_()
    loss = loss_of(made, summary, subject)
    loss.backward()

    plain, free = copy.deepcopy(made.discriminator), drawn(4, 10).requires_grad_()
    plain.zero_grad()
    log_share = plain(free).log_softmax(dim=1)
    expected = -0.7 * sum(log_share[i, s] for i, s in enumerate(subject.tolist())) / 4
    expected.backward()
    torch.testing.assert_close(loss, expected)
    for found, wanted in zip(made.discriminator.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found.grad, wanted.grad)
    assert free.grad.abs().max() > 0
    torch.testing.assert_close(summary.grad, -strength * free.grad)


def test_reversal_grows_with_training_steps_and_goes_on_after_a_checkpoint():
    made, subject = adversary(ramp_steps=8), torch.tensor([0, 1])
    assert made.reversal.strength() == 0.0
    seen = []
    for _ in range(10):
        loss_of(made, drawn(2, 10), subject)
        seen.append(made.reversal.strength())
    curve = [2 / (1 + math.exp(-10 * min(step / 8, 1))) - 1 for step in range(1, 11)]
    assert seen == pytest.approx(curve)
    made.eval()
    loss_of(made, drawn(2, 10), subject)
    assert int(made.reversal.step) == 10
    resumed = adversary(ramp_steps=20)
    resumed.load_state_dict(made.state_dict())
    assert resumed.reversal.strength() == pytest.approx(2 / (1 + math.exp(-10 * 10 / 20)) - 1)
    assert adversary(ramp_steps=0).reversal.strength() == 1.0


def people(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return observations, the subject and the pose behind each of them.

    Noisy knowledge of the subject and exact knowledge of the pose, in directions at right angles.
    """
    generator = torch.Generator().manual_seed(seed)
    subject = torch.randint(SUBJECTS, (count,), generator=generator)
    pose = torch.randn(count, 4, generator=generator)
    hint = 2 * torch.eye(SUBJECTS)[subject] + 0.5 * torch.randn(
        count, SUBJECTS, generator=generator
    )
    directions = torch.linalg.qr(drawn(16, SUBJECTS + 4, seed=7))[0]
    return torch.cat([hint, pose], dim=1) @ directions.T, subject, pose


def played(reversed_too: bool) -> tuple[float, float]:
    """Train a linear encoder on the pose with the adversary beside it, on new clips at each step.

    Returns:
        The discriminator's mean cross-entropy over the last quarter of the steps, and the error of
        the pose at the end relative to its variance.
    """
    with torch.random.fork_rng():
        torch.manual_seed(3)
        body, head = nn.Linear(16, 10), nn.Linear(10, 4)
    made = adversary(weight=1.0, ramp_steps=0, hidden=16)
    parts = [*body.parameters(), *head.parameters(), *made.parameters()]
    optimiser = torch.optim.Adam(parts, lr=0.01)
    losses = []
    for step in range(400):
        seen, subject, pose = people(128, seed=100 + step)
        summary = body(seen)
        adverse = loss_of(made, summary if reversed_too else summary.detach(), subject)
        error = (head(summary) - pose).square().mean()
        optimiser.zero_grad()
        (error + adverse).backward()
        optimiser.step()
        losses.append(adverse.item())
    return sum(losses[-100:]) / 100, error.item()


def test_discriminator_learns_subjects_unless_the_reversal_prevents_it():
    free, _ = played(reversed_too=False)
    hindered, error = played(reversed_too=True)
    assert free < 0.1
    assert hindered > 0.3
    assert error < 0.05


def test_a_single_subject_is_refused_with_the_mend():
    with pytest.raises(ConfigError, match="at least 2 training subjects, not 1; leave it out"):
        SubjectAdversary(None, LinearEncoder(), 1)
