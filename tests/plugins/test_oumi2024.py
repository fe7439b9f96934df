"""The baseline of Oumi 2024: frames before the clip, and an adversary that asks for the place."""

import copy
import math
from statistics import NormalDist

import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.oumi2024.adversary import PositionAdversary, PositionAdversaryConfig
from acoustic_sense_plugins.oumi2024.encoder import ReferenceConfig, ReferenceEncoder
from acoustic_sense_plugins.oumi2024.floor_cells import FloorCells
from acoustic_sense_plugins.shibata2023.encoder import ConvolutionalEncoder
from torch import Tensor, nn

from acoustic_sense.contracts import ClipBatch, EncoderOutput, FeatureShape
from acoustic_sense.errors import ConfigError, DatasetError, ModelError
from acoustic_sense.metrics import normalise_pose
from acoustic_sense.networks import ScaledConfig
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing import check_encoder
from acoustic_sense.testing.batches import LinearEncoder, clip_batch

SHAPE = FeatureShape(MelStack.channel_names, 128)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def encoder(reference_frames: int) -> ReferenceEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = ReferenceConfig(width=0.125, reference_frames=reference_frames)
        return ReferenceEncoder(config, SHAPE).eval()


# The encoder.


def test_latents_are_those_of_the_last_frames_of_one_network_over_all():
    made, features = encoder(8), drawn(2, 15, 20, 128)
    whole = ConvolutionalEncoder(ScaledConfig(width=0.125), SHAPE).eval()
    whole.load_state_dict(made.state_dict())
    with torch.no_grad():
        found, expected = made(features), whole(features)
    assert torch.equal(found.latents, expected.latents[:, 8:])
    assert torch.equal(found.local_latents, expected.local_latents[:, 8:])
    assert torch.equal(found.summary, expected.summary)


def test_the_reference_is_heard():
    made, features = encoder(12), drawn(1, 15, 24, 128)
    changed = features.clone()
    changed[:, :, 11] += 1.0
    with torch.no_grad():
        before, after = made(features), made(changed)
    assert (before.latents - after.latents).abs().amax(dim=(0, 2))[0] > 1e-6
    assert (before.summary - after.summary).abs().max() > 1e-6


def test_contract_is_kept_with_and_without_reference():
    for count in (0, 4, 20):
        check_encoder(ReferenceEncoder, {"width": 0.1, "reference_frames": count})
    assert encoder(20).context_frames == 20
    assert ReferenceEncoder(None, SHAPE).context_frames == 12


def test_unfit_frames_are_refused_with_the_mend():
    with pytest.raises(ModelError, match=r"oumi2024 takes 12 frames and a clip after them, not 12"):
        encoder(12)(drawn(1, 15, 12, 128))
    with pytest.raises(ModelError, match="multiple of 4 frames, not 22"):
        encoder(12)(drawn(1, 15, 22, 128))
    with pytest.raises(ConfigError, match=r"'reference_frames': .*multiple of 4"):
        ReferenceEncoder.parse({"reference_frames": 5})


# Cells of the floor.


def joints_at(places: Tensor) -> Tensor:
    """Return clips whose hips stand at places `(clip, 2)` on the floor and sway about them."""
    joints = drawn(len(places), 12, 21, 3, seed=9)
    sway = drawn(len(places), 12, 2, seed=8)
    sway = 0.1 * (sway - sway.mean(dim=1, keepdim=True))
    joints[:, :, 0, [0, 2]] = places[:, None] + sway
    return joints


def test_running_averages_are_the_mean_and_variance_of_all_batches():
    cells = FloorCells(3)
    places = 2 + drawn(40, 2) @ torch.tensor([[1.0, 0.3], [0.0, 0.2]])
    for batch in places.split(8):
        cells(joints_at(batch))
    torch.testing.assert_close(cells.mean, places.mean(dim=0))
    torch.testing.assert_close(cells.variance, places.var(dim=0, unbiased=False))


def test_cells_are_strips_of_a_normal_distribution_along_both_axes():
    cells = FloorCells(4).eval()
    cells.mean.copy_(torch.tensor([1.0, -2.0]))
    cells.variance.copy_(torch.tensor([0.25, 4.0]))
    places = 3 * drawn(200, 2)
    found = cells(joints_at(places))
    for place, cell in zip(places.tolist(), found.tolist(), strict=True):
        shares = (
            NormalDist(1.0, 0.5).cdf(place[0]),
            NormalDist(-2.0, 2.0).cdf(place[1]),
        )
        assert cell == 4 * min(3, int(4 * shares[0])) + min(3, int(4 * shares[1]))
    assert cells.count == 16


def test_cells_are_equally_full_of_normally_distributed_places():
    cells = FloorCells(3)
    for seed in range(20):
        cells(joints_at(drawn(64, 2, seed=seed)))
    counts = torch.bincount(cells.eval()(joints_at(drawn(1800, 2, seed=99))), minlength=9)
    assert counts.min() > 140
    assert counts.max() < 260


def test_cells_stand_still_outside_of_training_and_go_on_after_a_checkpoint():
    cells = FloorCells(3)
    cells(joints_at(drawn(16, 2)))
    kept = copy.deepcopy(cells.state_dict())
    cells.eval()(joints_at(5 + drawn(16, 2)))
    for name, value in cells.state_dict().items():
        assert torch.equal(value, kept[name])
    resumed = FloorCells(3)
    resumed.load_state_dict(kept)
    assert torch.equal(resumed.eval()(joints_at(drawn(9, 2))), cells(joints_at(drawn(9, 2))))


def test_poses_without_places_are_refused_with_the_mend():
    batch = clip_batch()
    with pytest.raises(DatasetError, match=r"same point, as in data .*\(AMPL\); leave it out"):
        FloorCells(3)(normalise_pose(batch.joints))


# The adversary.


def adversary(**settings) -> PositionAdversary:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return PositionAdversary(PositionAdversaryConfig(**settings), LinearEncoder(), 3)


def loss_of(made: PositionAdversary, summary: Tensor, places: Tensor) -> Tensor:
    label = torch.zeros(len(summary), dtype=torch.int64)
    features = torch.zeros(len(summary), 1, 12, 1)
    batch = ClipBatch(features, joints_at(places), *[label] * 5)
    frames = torch.zeros(len(summary), 12, 1)
    return made(EncoderOutput(frames, frames, summary), batch, torch.zeros(len(summary), 12, 63))


def test_discriminator_gets_its_own_gradient_and_the_encoder_the_opposite():
    places = drawn(6, 2, seed=4)
    made = adversary(weight=0.7, ramp_steps=10, strips=2)
    made.reversal.step += 3  # the fourth step of ten
    strength = 2 / (1 + math.exp(-10 * 4 / 10)) - 1
    summary = drawn(6, 10).requires_grad_()
    loss = loss_of(made, summary, places)
    loss.backward()

    above = places > places.mean(dim=0)
    cell = 2 * above[:, 0].long() + above[:, 1].long()
    plain, free = copy.deepcopy(made.discriminator), drawn(6, 10).requires_grad_()
    plain.zero_grad()
    log_share = plain(free).log_softmax(dim=1)
    expected = -0.7 * sum(log_share[i, c] for i, c in enumerate(cell.tolist())) / 6
    expected.backward()
    torch.testing.assert_close(loss, expected)
    for found, wanted in zip(made.discriminator.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(found.grad, wanted.grad)
    assert free.grad.abs().max() > 0
    torch.testing.assert_close(summary.grad, -strength * free.grad)


def played(reversed_too: bool) -> tuple[float, float]:
    """Train a linear encoder on a pose with the adversary beside it, on new clips at each step.

    What is heard holds the place, blurred, and the pose in directions at right angles.

    Returns:
        The discriminator's mean cross-entropy over the last quarter of the steps, and the error of
        the pose at the end relative to its variance.
    """
    with torch.random.fork_rng():
        torch.manual_seed(3)
        body, head = nn.Linear(16, 10), nn.Linear(10, 4)
    made = adversary(weight=1.0, ramp_steps=0, hidden=16, strips=2)
    parts = [*body.parameters(), *head.parameters(), *made.parameters()]
    optimiser = torch.optim.Adam(parts, lr=0.01)
    directions = torch.linalg.qr(drawn(16, 6, seed=7))[0]
    losses = []
    for step in range(400):
        places = drawn(128, 2, seed=100 + step)
        hint = places + 0.3 * drawn(128, 2, seed=1000 + step)
        pose = drawn(128, 4, seed=2000 + step)
        seen = torch.cat([hint, pose], dim=1) @ directions.T
        summary = body(seen)
        adverse = loss_of(made, summary if reversed_too else summary.detach(), places)
        error = (head(summary) - pose).square().mean()
        optimiser.zero_grad()
        (error + adverse).backward()
        optimiser.step()
        losses.append(adverse.item())
    return sum(losses[-100:]) / 100, error.item()


def test_discriminator_learns_places_unless_the_reversal_prevents_it():
    free, _ = played(reversed_too=False)
    hindered, error = played(reversed_too=True)
    assert free < 0.5
    assert hindered > 0.75  # 1.39 is guessing
    assert error < 0.05


def test_both_are_registered():
    plugins = load_plugins()
    assert plugins.encoders["oumi2024"] is ReferenceEncoder
    assert plugins.objectives["position-adversary"] is PositionAdversary
