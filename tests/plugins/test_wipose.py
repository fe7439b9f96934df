"""The baseline of Jiang 2020: its encoder against a literal version, frame by frame."""

import torch
from acoustic_sense_plugins.mel_stack.stack import MelStack
from acoustic_sense_plugins.wipose.encoder import READ_CHANNELS, RecurrentConfig, RecurrentEncoder
from torch import Tensor, nn
from torch.nn.functional import conv1d

from acoustic_sense.contracts import FeatureShape

SHAPE = FeatureShape(MelStack.channel_names, 128)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def encoder(shape: FeatureShape = SHAPE) -> RecurrentEncoder:
    """Return an encoder with statistics as after some training."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = RecurrentEncoder(RecurrentConfig(width=0.125), shape)
        for layer in made.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2.0)
                layer.weight.data.uniform_(0.5, 1.5)
                layer.bias.data.normal_(std=0.3)
    return made.eval()


def literal_frame(made: RecurrentEncoder, frame: Tensor) -> Tensor:
    """Return the projection of one frame, shape `(6, bin)`, by 1-D convolutions."""
    values = frame
    for block in made.blocks:
        convolution, norm = block[0], block[1]
        values = conv1d(values[None], convolution.weight[:, :, 0], convolution.bias, padding=2)[0]
        values = (values - norm.running_mean[:, None]) / (norm.running_var + norm.eps).sqrt()[
            :, None
        ]
        values = (values * norm.weight[:, None] + norm.bias[:, None]).clamp(min=0)
        values = torch.maximum(values[:, 0::2], values[:, 1::2])
    flat = torch.cat([values[:, k] for k in range(values.shape[1])])
    return made.projection.weight @ flat + made.projection.bias


def literal_lstm(lstm: nn.LSTM, frames: list[Tensor]) -> list[Tensor]:
    """Return the output of three layers of LSTM cells, written out."""
    for layer in range(3):
        weights = [
            getattr(lstm, f"{kind}_l{layer}")
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        hidden = cell = torch.zeros(lstm.hidden_size)
        outputs = []
        for frame in frames:
            gates = weights[0] @ frame + weights[1] @ hidden + weights[2] + weights[3]
            let_in, forget, new, let_out = gates.chunk(4)
            cell = forget.sigmoid() * cell + let_in.sigmoid() * new.tanh()
            hidden = let_out.sigmoid() * cell.tanh()
            outputs.append(hidden)
        frames = outputs
    return frames


def test_encoder_equals_a_literal_slow_version():
    made, features = encoder(), drawn(2, 15, 12, 128)
    with torch.no_grad():
        found = made(features)
        for clip in range(2):
            heard = features[clip, :6]
            local = [literal_frame(made, heard[:, frame]) for frame in range(12)]
            latents = literal_lstm(made.lstm, local)
            torch.testing.assert_close(found.local_latents[clip], torch.stack(local))
            torch.testing.assert_close(found.latents[clip], torch.stack(latents))
            torch.testing.assert_close(found.summary[clip], latents[-1])
    assert found.local_latents.std() > 0.1


def test_a_frame_is_projected_alone_and_heard_by_no_frame_before_it():
    made, before = encoder(), drawn(1, 15, 20, 128)
    after = before.clone()
    after[:, :, 9] += 1.0
    with torch.no_grad():
        first, second = made(before), made(after)
    local = (first.local_latents - second.local_latents).abs().amax(dim=(0, 2))
    mixed = (first.latents - second.latents).abs().amax(dim=(0, 2))
    assert [i for i, value in enumerate(local.tolist()) if value > 1e-6] == [9]
    assert [i for i, value in enumerate(mixed.tolist()) if value > 1e-9] == list(range(9, 20))


def test_six_levels_are_read_whatever_their_order():
    features = drawn(1, 15, 12, 128)
    with torch.no_grad():
        expected = encoder()(features).latents
        for channel, name in enumerate(MelStack.channel_names):
            after = features.clone()
            after[:, channel] += drawn(12, 128, seed=1)
            change = (encoder()(after).latents - expected).abs().max()
            assert (change > 1e-4) == name.startswith(("recording/", "playback/")), name
        order = [5, 3, 1, 0, 2, 4]
        shape = FeatureShape(tuple(READ_CHANNELS[i] for i in order), 128)
        torch.testing.assert_close(encoder(shape)(features[:, order]).latents, expected)


def test_any_number_of_frames_is_taken():
    for frames in (1, 7, 13):
        with torch.no_grad():
            assert encoder()(drawn(2, 15, frames, 128)).latents.shape == (2, frames, 32)
