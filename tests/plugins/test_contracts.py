"""The executable contracts: kept by everything registered, and able to fail."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ConfigDict, Field

from acoustic_sense import load_plugins
from acoustic_sense.config import Config
from acoustic_sense.contracts import SignalSource
from acoustic_sense.testing import (
    ContractError,
    check_encoder,
    check_feature,
    check_registered,
    check_signal_source,
    check_task,
    required_settings,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from right_components import RIGHT, SHAPE, GainConfig, Hips, Linear, Loudness, Noise

REGISTERED = [r for r in load_plugins().registrations if not required_settings(r)]


@pytest.mark.parametrize("registration", REGISTERED, ids=lambda r: f"{r.kind}-{r.name}")
def test_everything_registered_keeps_its_contract(registration):
    check_registered(registration)


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


WRONG = [
    (check, component, message)
    for check, table in ((check_signal_source, WRONG_SOURCES), (check_feature, WRONG_FEATURES))
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
