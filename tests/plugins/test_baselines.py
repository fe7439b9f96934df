"""What all baselines share: they are registered, learn, scale, and the page counts them rightly."""

import itertools
import re
import time
from pathlib import Path

import pytest
import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.pose.task import Pose
from torch import Tensor

from acoustic_sense.contracts import Encoder, FeatureShape
from acoustic_sense.errors import ModelError
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing import check_encoder
from acoustic_sense.training.fine_tuning import depths

BASELINES = ("shibata2023", "oumi2024", "wipose", "speech2gesture")
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "baselines.md"
SHAPE = FeatureShape(MelStack.channel_names, 128)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def built(name: str, **settings) -> Encoder:
    made = load_plugins().encoders[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return made(made.parse(settings), SHAPE)


def parameter_count(encoder: Encoder) -> int:
    return sum(p.numel() for p in encoder.parameters())


@pytest.mark.parametrize("name", BASELINES)
def test_contract_is_kept_at_another_width_and_with_half_the_bins(name):
    encoder = load_plugins().encoders[name]
    check_encoder(encoder, {"width": 0.1}, FeatureShape(MelStack.channel_names, 64))


@pytest.mark.parametrize("name", BASELINES)
def test_parameter_counts_of_the_page_are_those_of_the_code(name):
    rows = re.findall(rf"^\| `{name}` \| ([\d.]+) \| ([\d,]+) \|$", PAGE.read_text(), re.M)
    assert {width for width, _ in rows} == {"1.0", "0.25"}
    for width, count in rows:
        assert parameter_count(built(name, width=float(width))) == int(count.replace(",", ""))


@pytest.mark.parametrize("name", BASELINES)
def test_width_scales_every_channel_count(name):
    counts = [parameter_count(built(name, width=width)) for width in (0.25, 0.5, 1.0)]
    for narrow, wide in itertools.pairwise(counts):
        assert 3.8 < wide / narrow < 4.05  # weights by the square, but for the first layer
    assert built(name, width=0.25).latent_dim == 64


@pytest.mark.parametrize("name", BASELINES)
def test_stages_hold_every_part_in_the_order_of_the_data(name):
    encoder = built(name, width=0.1)
    order = sorted(depths(encoder).items(), key=lambda item: -item[1])
    parts = list(dict.fromkeys(key.split(".")[0] for key, _ in encoder.named_parameters()))
    assert [part for part, _ in order] == parts
    assert sorted(depths(encoder).values()) == list(range(1, len(parts) + 1))


def batch_of_poses() -> tuple[Tensor, Tensor]:
    """Return 6 clips of noise, 24 frames each, and poses of 8 dimensions to be learnt by heart."""
    return drawn(6, 15, 24, 128), drawn(6, 12, 8, seed=1) @ drawn(8, 63, seed=2) / 8**0.5


@pytest.mark.parametrize("name", BASELINES)
def test_a_tiny_batch_is_learnt_by_heart(name):
    encoder = built(name, width=0.125)
    features, poses = batch_of_poses()
    features = features[:, :, 12 - encoder.context_frames :]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        task = Pose(Pose.Config(smoothness_weight=0.0), encoder.latent_dim)
    optimiser = torch.optim.Adam([*encoder.parameters(), *task.parameters()], lr=0.01)
    losses, started = [], time.perf_counter()
    for _ in range(120):
        loss = task.loss(task(encoder(features).latents), poses)["pose"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(f"{name}: {losses[0]:.3f} to {losses[-1]:.4f}, {time.perf_counter() - started:.1f} s")
    assert losses[-1] < losses[0] / 10


@pytest.mark.parametrize("name", BASELINES)
def test_mixed_precision_stays_close(name):
    encoder = built(name, width=0.125).eval()
    features = drawn(4, 15, 12 + encoder.context_frames, 128)
    with torch.no_grad():
        exact = encoder(features).latents
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = encoder(features).latents.float()
    assert (rough - exact).square().mean() < 0.02 * exact.square().mean()


@pytest.mark.parametrize("name", BASELINES)
def test_missing_channels_and_odd_bins_are_refused_with_the_mend(name):
    encoder = load_plugins().encoders[name]
    with pytest.raises(ModelError, match=rf"encoder {name} needs the channels recording/X, .*mel-"):
        encoder(None, FeatureShape(("recording/W",), 128))
    with pytest.raises(ModelError, match=rf"encoder {name} takes a multiple of \d+ bins, not 100"):
        encoder(None, FeatureShape(MelStack.channel_names, 100))
