"""Small components that keep their contract; the wrong ones of the tests break a single promise."""

import numpy as np
import torch
from pydantic import Field
from torch import nn

from acoustic_sense.config import Config
from acoustic_sense.contracts import (
    Encoder,
    EncoderOutput,
    Feature,
    FeatureShape,
    Objective,
    SignalSource,
    Task,
)
from acoustic_sense.testing import (
    check_encoder,
    check_feature,
    check_objective,
    check_signal_source,
    check_task,
)


class GainConfig(Config):
    gain: float = Field(0.5, description="Factor on everything.")


class Noise(SignalSource):
    Config = GainConfig
    genre = "noise"

    def generate(self, duration_s, sample_rate_hz, speaker_count, generator):
        samples = generator.uniform(-1, 1, size=(round(duration_s * sample_rate_hz), speaker_count))
        return np.float32(self.config.gain * samples.T)


class Loudness(Feature):
    Config = GainConfig
    channel_names = ("recording", "playback")
    bin_count = 1

    def frames(self, signal):
        count = signal.shape[-1] // self.frame_samples
        cut = signal[..., : count * self.frame_samples]
        return cut.unflatten(-1, (count, self.frame_samples))

    def forward(self, recording, playback):
        levels = [self.frames(s).square().mean(dim=(1, 3)) for s in (recording, playback)]
        return self.config.gain * torch.stack(levels, dim=1)[..., None]


class Linear(Encoder):
    Config = GainConfig

    def __init__(self, config, feature_shape):
        super().__init__(config, feature_shape)
        self.latent_dim = self.local_dim = self.summary_dim = 5
        self.layer = nn.Linear(len(feature_shape.channel_names) * feature_shape.bin_count, 5)

    def forward(self, features):
        latents = self.layer(features.transpose(1, 2).flatten(2))
        return EncoderOutput(latents, latents, latents.mean(dim=1))


class SmallLatents(Objective):
    Config = GainConfig

    def __init__(self, config, encoder, subject_count):
        super().__init__(config, encoder, subject_count)
        self.layer = nn.Linear(encoder.latent_dim, subject_count)

    def forward(self, output, batch, target):
        return self.config.gain * self.layer(output.latents).square().mean()


class Hips(Task):
    Config = GainConfig
    target_dim = 3

    def __init__(self, config, latent_dim):
        super().__init__(config, latent_dim)
        self.head = nn.Linear(latent_dim, 3)

    def target(self, batch):
        return batch.joints[:, :, 0]

    def initialise(self, mean_target):
        with torch.no_grad():
            self.head.bias.copy_(mean_target.mean(dim=0))

    def forward(self, latents):
        return self.head(latents)

    def loss(self, prediction, target):
        return {"position": (prediction - target).square().mean()}

    def metrics(self, prediction, target):
        return {"rmse": float((prediction - target).square().mean().sqrt())}


SHAPE = FeatureShape(("a", "b"), 4)
RIGHT = {
    Noise: check_signal_source,
    Loudness: check_feature,
    Linear: lambda encoder: check_encoder(encoder, feature_shape=SHAPE),
    SmallLatents: check_objective,
    Hips: check_task,
}
