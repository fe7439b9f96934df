"""The executable contracts of encoders, objectives and tasks can fail on each promise."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from acoustic_sense.contracts import EncoderOutput
from acoustic_sense.testing import ContractError, check_objective, check_task

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))
from right_components import RIGHT, Hips, Linear, SmallLatents


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


class ReadsPrediction(SmallLatents):
    reads_prediction = True

    def forward(self, output, batch, target, prediction=None):
        return self.layer(output.latents.detach()).mean() + (prediction - target).square().mean()


def test_accepts_an_objective_whose_gradient_goes_to_the_prediction_alone():
    check_objective(ReadsPrediction)


class PredictionCutOff(ReadsPrediction):
    def forward(self, output, batch, target, prediction=None):
        return super().forward(output, batch, target, prediction.detach())


class PredictionNotAskedFor(ReadsPrediction):
    reads_prediction = False


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
    PredictionCutOff: "reaches the encoder's output or the prediction",
    PredictionNotAskedFor: "forward raised TypeError",
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
