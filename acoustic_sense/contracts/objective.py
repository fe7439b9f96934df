"""Objective: an auxiliary loss on latents, used in training only."""

from abc import abstractmethod
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.contracts.batch import ClipBatch
from acoustic_sense.contracts.component import Component
from acoustic_sense.contracts.encoder import Encoder, EncoderOutput

BatchSampling = Literal["random", "track", "segment"]


class Objective(Component, nn.Module):
    """An auxiliary loss.

    A subclass sets `Config`, takes the encoder whose widths it fits, and implements `forward`. It
    may ask for batches of clips that share a track or a segment of it, and for the task's
    prediction: with `reads_prediction = True` its `forward` takes `prediction` as a fourth argument
    by name, None by default.

    Attributes:
        batch_sampling: `random`, `track` (a batch shares one track) or `segment` (a batch is
            filled with clips of the same stretches of the same track).
        reads_prediction: Whether `forward` is also given the task's prediction, with its gradient,
            shape `(batch, frame, target)`.
    """

    batch_sampling: BatchSampling = "random"
    reads_prediction: bool = False

    def __init__(self, config: Config | None, encoder: Encoder, subject_count: int) -> None:
        nn.Module.__init__(self)
        self.config = config if config is not None else self.Config()

    @abstractmethod
    def forward(
        self, output: EncoderOutput, batch: ClipBatch, target: Float[Tensor, "batch frame target"]
    ) -> Float[Tensor, ""]:
        """Return the loss, already multiplied by the objective's own weight.

        Args:
            output: What the encoder returned for the batch.
            batch: The batch.
            target: The task's target for the batch, shape `(batch, frame, target)`.
        """
