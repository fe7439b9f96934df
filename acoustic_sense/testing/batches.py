"""Clip batches for the checks of objectives and tasks: smooth made-up poses with every label."""

import torch
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.constants import CLIP_FRAMES, JOINT_NAMES
from acoustic_sense.contracts.batch import ClipBatch
from acoustic_sense.contracts.encoder import Encoder, EncoderOutput, FeatureShape

CLIPS = 8
FEATURE_SHAPE = FeatureShape(("W", "playback"), 8)


class LinearEncoder(Encoder):
    """The smallest encoder: one linear layer a frame; what objectives are checked with."""

    def __init__(self, latent_dim: int = 16, local_dim: int = 12, summary_dim: int = 10) -> None:
        super().__init__(Config(), FEATURE_SHAPE)
        self.latent_dim, self.local_dim, self.summary_dim = latent_dim, local_dim, summary_dim
        width = len(FEATURE_SHAPE.channel_names) * FEATURE_SHAPE.bin_count
        self.local = nn.Linear(width, local_dim)
        self.mixed = nn.Linear(local_dim, latent_dim)
        self.whole = nn.Linear(latent_dim, summary_dim)

    def forward(self, features: Tensor) -> EncoderOutput:
        """Return latents of shape `(batch, frame, width)`; see `Encoder.forward`."""
        local = self.local(features.transpose(1, 2).flatten(2))
        latents = self.mixed(local)
        return EncoderOutput(latents, local, self.whole(latents.mean(dim=1)))


def clip_batch(seed: int = 0) -> ClipBatch:
    """Return eight clips: two of each of four segments, each pair from different takes.

    The poses are a fixed body plus slow movement, in metres; subjects, takes, segments and
    activities are all present, so that any batch sampling is served.
    """
    generator = torch.Generator().manual_seed(seed)
    body = torch.randn(1, 1, len(JOINT_NAMES), 3, generator=generator) * 0.3
    place = torch.randn(CLIPS, 1, 1, 3, generator=generator) * 0.5
    steps = torch.randn(CLIPS, CLIP_FRAMES, len(JOINT_NAMES), 3, generator=generator) * 0.02
    size = (CLIPS, len(FEATURE_SHAPE.channel_names), CLIP_FRAMES, FEATURE_SHAPE.bin_count)
    return ClipBatch(
        features=torch.randn(size, generator=generator),
        joints=body + place + steps.cumsum(dim=1),
        subject=torch.tensor([0, 1, 2, 0, 1, 2, 0, 1]),
        track=torch.zeros(CLIPS, dtype=torch.long),
        segment=torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]),
        take=torch.arange(CLIPS),
        activity=torch.tensor([0, 1, 2, 3, 0, 1, 2, 3]),
    )
