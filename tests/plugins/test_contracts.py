"""The executable contracts: kept by everything registered, and able to fail on each promise."""

import itertools

import numpy as np
import pytest
import torch
from pydantic import ConfigDict, Field
from torch import nn

from acoustic_sense import load_plugins
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
    ContractError,
    check_encoder,
    check_feature,
    check_objective,
    check_registered,
    check_signal_source,
    check_task,
    required_settings,
)

REGISTERED = [r for r in load_plugins().registrations if not required_settings(r)]


@pytest.mark.parametrize("registration", REGISTERED, ids=lambda r: f"{r.kind}-{r.name}")
def test_everything_registered_keeps_its_contract(registration):
    check_registered(registration)


# Small components that keep their contract; each wrong one below breaks a single promise.


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


@pytest.mark.parametrize("component", RIGHT, ids=lambda c: c.__name__)
def test_accepts_a_component_that_keeps_its_contract(component):
    RIGHT[component](component)


def test_accepts_an_instance_with_its_own_configuration():
    check_signal_source(Noise(GainConfig(gain=0.1)))
    check_feature(Loudness(GainConfig(gain=2.0)))
    check_encoder(Linear(GainConfig(), SHAPE))
    check_task(Hips(GainConfig(), 4))


COUNTER = itertools.count(1)


class ScaledByState(Noise):
    def generate(self, *arguments):
        return super().generate(*arguments) / np.float32(next(COUNTER))


class GlobalRandom(Noise):
    def generate(self, duration_s, sample_rate_hz, speaker_count, generator):
        shape = (speaker_count, round(duration_s * sample_rate_hz))
        return np.random.uniform(-1, 1, shape).astype(np.float32)  # noqa: NPY002


class Normalised(Noise):
    def generate(self, *arguments):
        samples = super().generate(*arguments)
        return samples / samples.std() * np.float32(0.3)


class OneSpeaker(Noise):
    def generate(self, *arguments):
        return super().generate(*arguments)[:1]


class DoublePrecision(Noise):
    def generate(self, *arguments):
        return super().generate(*arguments).astype(np.float64)


class Clipping(Noise):
    def generate(self, *arguments):
        return super().generate(*arguments) * np.float32(3)


class Silent(Noise):
    def generate(self, *arguments):
        return np.zeros_like(super().generate(*arguments))


class NotANumber(Noise):
    def generate(self, *arguments):
        return super().generate(*arguments) * np.float32(np.nan)


class Raising(Noise):
    def generate(self, *arguments):
        raise ZeroDivisionError("no signal today")


class ForgetfulConfig(Config):
    gain: float = Field(0.5, description="Not written down.", exclude=True)
    seed: int = Field(0, description="Required in truth.")


class Forgetful(Noise):
    Config = ForgetfulConfig

    @classmethod
    def parse(cls, data, where=""):
        return super().parse(data or {"gain": 0.25}, where)


class LaxConfig(GainConfig):
    model_config = ConfigDict(extra="ignore")


class LaxSettings(Noise):
    Config = LaxConfig


class BareConfig(Config):
    gain: float = 0.5


class Undescribed(Noise):
    Config = BareConfig


class Unfinished(SignalSource):
    Config = GainConfig


WRONG_SOURCES = {
    ScaledByState: "the same generator state gave different samples",
    GlobalRandom: "the same generator state gave different samples",
    Normalised: "a longer signal does not begin with the shorter one",
    OneSpeaker: r"shape \(1, 33600\), not \(2, 33600\)",
    DoublePrecision: "float64, not float32",
    Clipping: "full scale is 1",
    Silent: "silent",
    NotANumber: "not all finite",
    Raising: "raised ZeroDivisionError: no signal today",
    Forgetful: "its config changes when it is written down and read back",
    LaxSettings: "accepts unknown keys",
    Undescribed: "without a description: gain",
    Unfinished: "does not implement generate",
    Loudness: "is not a subclass of SignalSource",
}


class BatchNormalised(Loudness):
    def forward(self, recording, playback):
        feature = super().forward(recording, playback)
        return feature - feature.mean(dim=0, keepdim=True)


class Smoothed(Loudness):
    def forward(self, recording, playback):
        feature = super().forward(recording, playback)
        return feature + feature.mean(dim=2, keepdim=True)


class Detached(Loudness):
    def forward(self, recording, playback):
        return super().forward(recording, playback).detach()


class Noisy(Loudness):
    def forward(self, recording, playback):
        feature = super().forward(recording, playback)
        return feature + torch.rand_like(feature)


class TooManyFrames(Loudness):
    def forward(self, recording, playback):
        feature = super().forward(recording, playback)
        return torch.cat([feature, feature[:, :, :1]], dim=2)


class UnboundedLog(Loudness):
    def forward(self, recording, playback):
        return super().forward(recording, playback).log10()


class InPlace(Loudness):
    def forward(self, recording, playback):
        feature = super().forward(recording, playback)
        with torch.no_grad():
            recording.mul_(1.0001)
        return feature


class Constant(Loudness):
    def forward(self, recording, playback):
        return 0 * super().forward(recording, playback)


class MonoOnly(Loudness):
    def forward(self, recording, playback):
        return super().forward(recording, playback.reshape(len(recording), 1, -1).squeeze(1)[:, :])


class RepeatedName(Loudness):
    channel_names = ("level", "level")


class NoNames(Loudness):
    channel_names = ()


class NoBins(Loudness):
    bin_count = 0


WRONG_FEATURES = {
    BatchNormalised: "a batch does not equal a loop",
    Smoothed: "says it is local",
    Detached: "no gradient flows",
    Noisy: "different outputs the second time",
    TooManyFrames: r"shape \(2, 2, 7, 1\), not \(2, 2, 6, 1\)",
    UnboundedLog: "feature of silence holds values that are not finite",
    InPlace: "changes its input in place",
    Constant: "does not depend on the samples of a frame",
    MonoOnly: "forward raised",
    RepeatedName: "repeats a name",
    NoNames: "not a tuple of names",
    NoBins: "bin_count is 0",
}


class BatchStatistics(Linear):
    def forward(self, features):
        return super().forward(features - features.mean(dim=0, keepdim=True))


class UnusedLayer(Linear):
    def __init__(self, config, feature_shape):
        super().__init__(config, feature_shape)
        self.unused = nn.Linear(2, 2)


class CutOff(Linear):
    def forward(self, features):
        return super().forward(features.detach())


class WrongWidth(Linear):
    def __init__(self, config, feature_shape):
        super().__init__(config, feature_shape)
        self.summary_dim = 6


class NoWidth(Linear):
    def __init__(self, config, feature_shape):
        super().__init__(config, feature_shape)
        self.latent_dim = None


class TupleOutput(Linear):
    def forward(self, features):
        output = super().forward(features)
        return output.latents, output.local_latents, output.summary


class HiddenState(Linear):
    def __init__(self, config, feature_shape):
        super().__init__(config, feature_shape)
        self.offset = torch.randn(5)  # neither parameter nor buffer

    def forward(self, features):
        output = super().forward(features)
        return EncoderOutput(output.latents + self.offset, output.local_latents, output.summary)


class AlwaysDropping(Linear):
    def forward(self, features):
        return super().forward(nn.functional.dropout(features, training=True))


class NumpyRandom(Linear):
    def forward(self, features):
        shift = float(np.random.default_rng().uniform()) if self.training else 0.0
        return super().forward(features + shift)


class IgnoresContext(Linear):
    context_frames = 2


WRONG_ENCODERS = {
    BatchStatistics: "a batch does not equal a loop",
    UnusedLayer: "no gradient reaches unused.weight, unused.bias",
    CutOff: "gradient reaches the features",
    WrongWidth: r"summary has shape \(3, 5\), not \(3, 6\)",
    NoWidth: "latent_dim is None",
    TupleOutput: "returned tuple, not EncoderOutput",
    HiddenState: "state_dict does not carry everything",
    AlwaysDropping: "different latents the second time",
    NumpyRandom: "the same torch seed gave different latents",
    IgnoresContext: r"latents has shape \(3, 14, 5\), not \(3, 12, 5\)",
}


class DetachedLoss(SmallLatents):
    def forward(self, output, batch, target):
        return super().forward(output, batch, target).detach()


class LatentsCutOff(SmallLatents):
    def forward(self, output, batch, target):
        cut = EncoderOutput(output.latents.detach(), output.local_latents, output.summary)
        return super().forward(cut, batch, target)


class VectorLoss(SmallLatents):
    def forward(self, output, batch, target):
        return super().forward(output, batch, target).expand(3)


class UnknownSampling(SmallLatents):
    batch_sampling = "by-genre"


class FixedWidth(SmallLatents):
    def forward(self, output, batch, target):
        return (
            super().forward(output, batch, target)
            * output.latents.new_ones(16)
            @ output.latents[0, 0]
        )


class ChangesBatch(SmallLatents):
    def forward(self, output, batch, target):
        batch.subject.zero_()
        return super().forward(output, batch, target)


class RandomLoss(SmallLatents):
    def forward(self, output, batch, target):
        return super().forward(output, batch, target) * float(np.random.default_rng().uniform())


class UnusedObjectiveLayer(SmallLatents):
    def __init__(self, config, encoder, subject_count):
        super().__init__(config, encoder, subject_count)
        self.unused = nn.Linear(2, 2)


WRONG_OBJECTIVES = {
    DetachedLoss: "no gradient flows back from the loss",
    LatentsCutOff: "gradient reaches the encoder's output",
    VectorLoss: r"the loss has shape \(3,\), not \(\)",
    UnknownSampling: "batch_sampling is 'by-genre'",
    FixedWidth: "forward raised RuntimeError",
    ChangesBatch: "changes batch.subject",
    RandomLoss: "the same torch seed gave different losses",
    UnusedObjectiveLayer: "no gradient reaches unused.weight",
}


class IgnoresMean(Hips):
    def initialise(self, mean_target):
        with torch.no_grad():
            self.head.bias.fill_(7.0)


class WrongTarget(Hips):
    def target(self, batch):
        return batch.joints[:, :, 0, :2]


class BareLoss(Hips):
    def loss(self, prediction, target):
        return (prediction - target).square().mean()


class BackwardsLoss(Hips):
    def loss(self, prediction, target):
        return {"position": -(prediction - target).square().mean()}


class TensorMetrics(Hips):
    def metrics(self, prediction, target):
        return {"rmse": (prediction - target).square().mean().sqrt()}


class NoMetrics(Hips):
    def metrics(self, prediction, target):
        return {}


class FrozenPrediction(Hips):
    def forward(self, latents):
        return self.head(latents.detach())


class BatchCentred(Hips):
    def forward(self, latents):
        return self.head(latents - latents.mean(dim=0, keepdim=True))


WRONG_TASKS = {
    IgnoresMean: "is not the mean target",
    WrongTarget: r"the target has shape \(8, 12, 2\), not \(8, 12, 3\)",
    BareLoss: "loss returned Tensor",
    BackwardsLoss: "is not below that of a wrong prediction",
    TensorMetrics: "json.dumps of its metrics raised TypeError",
    NoMetrics: "not a dictionary of named values",
    FrozenPrediction: "gradient reaches the latents",
    BatchCentred: "a batch does not equal a loop",
}

WRONG = [
    (check, component, message)
    for check, table in (
        (check_signal_source, WRONG_SOURCES),
        (check_feature, WRONG_FEATURES),
        (RIGHT[Linear], WRONG_ENCODERS),
        (check_objective, WRONG_OBJECTIVES),
        (check_task, WRONG_TASKS),
    )
    for component, message in table.items()
]


@pytest.mark.parametrize(
    ("check", "component", "message"), WRONG, ids=lambda v: getattr(v, "__name__", "")
)
def test_rejects_a_component_that_breaks_one_promise(check, component, message):
    with pytest.raises(ContractError, match=message) as caught:
        check(component)
    assert component.__name__ in str(caught.value)
    assert "\n" not in str(caught.value)


def test_feature_checked_at_another_sample_rate():
    check_feature(Loudness, sample_rate_hz=16_000)


def test_checks_leave_torch_and_numpy_random_states_alone():
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    for component, check in RIGHT.items():
        check(component)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
