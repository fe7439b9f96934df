"""Methods that need no training: the mean pose and the nearest neighbour."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.benchmarking.config import NEAREST_NEIGHBOUR
from acoustic_sense.contracts import Encoder, EncoderOutput, FeatureShape
from acoustic_sense.datasets import Dataset
from acoustic_sense.inference.model import Pipeline, SensingModel
from acoustic_sense.training.config import TrainConfig
from acoustic_sense.training.evaluation import Evaluation, evaluate
from acoustic_sense.training.preparation import prepare


class DeafEncoder(Encoder):
    """Latents that are zero whatever is heard, so that a head at the mean target stays there."""

    def __init__(self, feature_shape: FeatureShape, latent_dim: int) -> None:
        super().__init__(None, feature_shape)
        self.latent_dim = self.local_dim = self.summary_dim = latent_dim

    def forward(self, features: Float[Tensor, "batch channel frame bin"]) -> EncoderOutput:
        """Return zeros."""
        latents = features.new_zeros(features.shape[0], features.shape[2], self.latent_dim)
        return EncoderOutput(latents, latents, latents[:, 0])


def evaluate_reference(
    name: str, config: TrainConfig, dataset: Dataset, test_dataset: Dataset | None = None
) -> Evaluation:
    """Measure a reference method on the test takes of a training's protocol.

    Args:
        name: `mean-pose` or `nearest-neighbour`.
        config: Data, protocol, feature, task and normalisation; its encoder plays no part.
        dataset: The dataset of the configuration, open.
        test_dataset: The dataset that holds the test takes; `dataset` if None.

    Returns:
        The errors; `mean_pose` or `nearest_neighbour` among their scores are the method's.

    Raises:
        DatasetError: The data are not sound or the protocol selects nothing.
    """
    pipeline = _without_network(prepare(config).pipeline)
    return evaluate(
        pipeline,
        test_dataset or dataset,
        nearest_neighbour=name == NEAREST_NEIGHBOUR,
        training_data=dataset,
    )


def _without_network(pipeline: Pipeline) -> Pipeline:
    old = pipeline.model
    encoder = DeafEncoder(old.encoder.feature_shape, old.encoder.latent_dim)
    model = SensingModel(encoder, old.task, *old.feature_mean.shape)
    with torch.no_grad():
        for name, values in old.named_buffers(recurse=False):
            getattr(model, name).copy_(values)
    return replace(pipeline, model=model.eval())
