"""The encoder `listen`: against a literal version, and what it reads."""

import functools

import pytest
import torch
from acoustic_sense_plugins.listen.encoder import ListenConfig, ListenEncoder
from acoustic_sense_plugins.listen.inputs import BodyInputs
from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledStack
from literal_frames import doubled, halved, literal_frames
from torch import Tensor, nn

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.errors import ModelError
from acoustic_sense.networks.channels import CROSS_SPECTRUM
from acoustic_sense.plugin_loading import load_plugins
from acoustic_sense.testing import check_encoder

NINE = RoomCancelledStack.channel_names
ALL = (*NINE, *CROSS_SPECTRUM)
SHAPE = FeatureShape(ALL, 128)
CONTEXT = 8


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def clips(count: int = 2, frames: int = 12 + CONTEXT, seed: int = 0) -> Tensor:
    return drawn(count, len(ALL), frames, 128, seed=seed)


def encoder(shape: FeatureShape = SHAPE) -> ListenEncoder:
    """Return an encoder with weights and batch statistics as after some training."""
    made = ListenEncoder(ListenConfig(width=0.0625, context_frames=CONTEXT), shape)
    made.load_state_dict(prepared().state_dict())
    return made.eval()


@functools.cache
def prepared() -> ListenEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = ListenEncoder(ListenConfig(width=0.0625, context_frames=CONTEXT), SHAPE)
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


def literal_encoder(made: ListenEncoder, features: Tensor) -> tuple[Tensor, ...]:
    values = features[:, 9:]
    columns = [values[:, :, frame].transpose(1, 2).flatten(1) for frame in range(values.shape[2])]
    local = literal_frames(made.projection, torch.stack(columns, dim=2), padding=0)
    near = literal_frames(made.neighbours, local)
    unet = made.unet
    fine = literal_frames(unet.down[0], near)
    middle = literal_frames(unet.down[1], halved(fine))
    coarse = literal_frames(unet.down[2], halved(middle))
    back = literal_frames(unet.join[0], torch.cat([middle, doubled(unet.up[0], coarse)], 1))
    latents = literal_frames(unet.join[1], torch.cat([fine, doubled(unet.up[1], back)], 1))
    clip = (values.transpose(1, 2)[:, CONTEXT:] for values in (latents, local))
    return (*clip, coarse.mean(2))


def test_encoder_equals_a_literal_slow_version():
    made, features = encoder(), clips()
    with torch.no_grad():
        found = made(features)
        latents, local, summary = literal_encoder(made, features)
    assert latents.shape == (2, 12, 24)
    assert latents.std() > 0.1
    torch.testing.assert_close(found.latents, latents, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.local_latents, local, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.summary, summary, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("names", "context"), [(NINE, 0), (ALL, 4)])
def test_contracts_are_kept_with_and_without_cross_spectrum_and_context(names, context):
    settings = {"width": 0.05, "context_frames": context}
    check_encoder(ListenEncoder, settings, FeatureShape(names, 64))
    check_encoder(ListenEncoder, {**settings, "levels": True}, FeatureShape(names, 64))


@pytest.mark.parametrize(
    ("names", "levels", "read"),
    [(ALL, False, range(9, 20)), (ALL, True, range(20)), (NINE, False, range(9))],
)
def test_levels_are_read_if_asked_for_or_if_there_is_nothing_else(names, levels, read):
    inputs = BodyInputs(FeatureShape(names, 128), levels, "listen")
    before = drawn(1, len(names), 12, 128)
    assert inputs(before).shape[1] == inputs.count
    for channel in range(len(names)):
        after = before.clone()
        after[:, channel] += 1.0
        assert bool((inputs(after) != inputs(before)).any()) == (channel in read)


def test_a_louder_playback_and_recording_change_the_playback_level_alone():
    inputs, before = BodyInputs(FeatureShape(NINE, 128), False, "listen"), clips(1)[:, :9]
    after = before.clone()
    after[:, :6] += 3.0
    change = (inputs(after) - inputs(before)).abs().amax(dim=(0, 2, 3))
    assert change[4] == pytest.approx(3.0, abs=1e-5)
    assert change[[0, 1, 2, 3, 5, 6, 7]].max() < 1e-5


def test_channels_are_found_by_name_in_any_order_and_among_others():
    features = clips(1)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(2)).tolist()
    names = (*(ALL[i] for i in order), "humidity")
    shuffled = torch.cat([features[:, order], drawn(1, 1, 20, 128)], dim=1)
    found = BodyInputs(FeatureShape(names, 128), True, "listen")(shuffled)
    torch.testing.assert_close(found, BodyInputs(SHAPE, True, "listen")(features))


def test_frames_before_the_clip_are_heard_and_get_no_latents():
    made, before = encoder(), clips(1)
    after = before.clone()
    after[:, :, : CONTEXT - 1] += drawn(1, 20, CONTEXT - 1, 128, seed=3)
    with torch.no_grad():
        first, second = made(before), made(after)
    assert first.latents.shape[1] == first.local_latents.shape[1] == 12
    assert (first.latents - second.latents).abs().max() > 1e-3


def test_the_small_preset_is_small():
    made = ListenEncoder(ListenConfig(width=0.25), SHAPE)
    assert made.context_frames == 12
    assert sum(values.numel() for values in made.parameters()) < 500_000


def test_unfit_input_is_refused_with_the_mend():
    with pytest.raises(ModelError, match="listen takes a multiple of 4 frames, not 22"):
        encoder()(clips(1, 22))
    with pytest.raises(ModelError, match="give the frames before the clip too"):
        encoder()(clips(1, CONTEXT))
    with pytest.raises(ModelError, match="listen needs the channels recording/X"):
        ListenEncoder(None, FeatureShape(("recording/W",), 128))


def test_it_is_registered():
    assert load_plugins().encoders["listen"] is ListenEncoder
