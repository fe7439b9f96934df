"""The encoder keeps its contract, and sees as far as its layers reach."""

import torch
from acoustic_sense_example.dilated_frames import DilatedFrames, DilatedFramesConfig

from acoustic_sense.contracts import FeatureShape
from acoustic_sense.testing import check_encoder

SHAPE = FeatureShape(("recording", "playback"), 4)


def test_keeps_its_contract():
    check_encoder(DilatedFrames)
    check_encoder(DilatedFrames(DilatedFramesConfig(width=8, layer_count=1), SHAPE))


def test_sees_seven_frames_to_each_side_with_three_layers():
    encoder = DilatedFrames(None, SHAPE)
    features = torch.randn(1, 2, 31, 4, requires_grad=True)
    encoder(features).latents[0, 15].sum().backward()
    seen = features.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert seen.tolist() == list(range(15 - 1 - 2 - 4, 15 + 1 + 2 + 4 + 1))
