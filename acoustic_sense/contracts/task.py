"""Task: targets, head, loss and metrics for one question."""

from abc import abstractmethod
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.contracts.batch import ClipBatch
from acoustic_sense.contracts.component import Component


class Task(Component, nn.Module):
    """One question asked of the latents.

    A subclass sets `Config` and `target_dim`, builds its head from the encoder's latent width, and
    implements the five methods.

    Attributes:
        target_dim: Width of the target and of the prediction.
    """

    target_dim: int

    def __init__(self, config: Config | None, latent_dim: int) -> None:
        nn.Module.__init__(self)
        self.config = config if config is not None else self.Config()
        self.latent_dim = latent_dim

    @abstractmethod
    def target(self, batch: ClipBatch) -> Float[Tensor, "batch frame target"]:
        """Return what should be predicted for the batch."""

    @abstractmethod
    def initialise(self, mean_target: Float[Tensor, "frame target"]) -> None:
        """Set the head so that its first prediction is the mean target of the training set."""

    @abstractmethod
    def forward(
        self, latents: Float[Tensor, "batch frame latent"]
    ) -> Float[Tensor, "batch frame target"]:
        """Return the prediction."""

    @abstractmethod
    def loss(
        self,
        prediction: Float[Tensor, "batch frame target"],
        target: Float[Tensor, "batch frame target"],
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the named, weighted terms of the loss; training minimises their sum."""

    @abstractmethod
    def metrics(
        self,
        prediction: Float[Tensor, "clip frame target"],
        target: Float[Tensor, "clip frame target"],
    ) -> dict[str, Any]:
        """Return the task's metrics by name."""

    def detailed_metrics(
        self,
        prediction: Float[Tensor, "clip frame target"],
        target: Float[Tensor, "clip frame target"],
    ) -> dict[str, Any]:
        """Return further metrics by name, for an evaluation over all its frames alone.

        None by default. Training does not write them each epoch, nor are there any for single
        activities and takes.
        """
        return {}
