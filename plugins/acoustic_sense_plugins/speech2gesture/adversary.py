"""Motion adversary: predictions that move as people do."""

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.contracts import ClipBatch, Encoder, EncoderOutput, Objective
from acoustic_sense.errors import ConfigError, ModelError
from acoustic_sense.networks import AdversaryConfig, GrowingReversal

_KERNEL = 3
_LEAK = 0.2


class MotionAdversaryConfig(AdversaryConfig):
    """Settings of the motion adversary."""

    hidden: int = Field(
        default=64, ge=1, description="Channels of the discriminator's two hidden layers."
    )
    target_dim: int = Field(
        default=3 * len(JOINT_NAMES),
        ge=1,
        description="Width of the task's target; 63 is that of the task `pose`.",
    )


class MotionAdversary(Objective):
    """A discriminator tells true from predicted motion; the prediction learns to fool it.

    Motion is the difference from frame to frame. The discriminator, three convolutions over time,
    judges each stretch of 7 differences by itself; its loss is the mean of the binary
    cross-entropies of true and predicted motion. Between prediction and discriminator the gradient
    is reversed, see the objective `subject-adversary`. A loss near log 2 says that the
    discriminator guesses.

    References:
        Ginosar et al., "Learning individual styles of conversational gesture", CVPR 2019 (motion
        discriminator); Ganin and Lempitsky, "Unsupervised domain adaptation by backpropagation",
        ICML 2015 (gradient reversal and its growth).
    """

    Config = MotionAdversaryConfig
    config: MotionAdversaryConfig
    reads_prediction = True

    def __init__(
        self, config: MotionAdversaryConfig | None, encoder: Encoder, subject_count: int
    ) -> None:
        super().__init__(config, encoder, subject_count)
        hidden = self.config.hidden
        self.reversal = GrowingReversal(self.config.ramp_steps)
        self.discriminator = nn.Sequential(
            nn.Conv1d(self.config.target_dim, hidden, _KERNEL, padding=1),
            nn.LeakyReLU(_LEAK),
            nn.Conv1d(hidden, hidden, _KERNEL, padding=1),
            nn.LeakyReLU(_LEAK),
            nn.Conv1d(hidden, 1, _KERNEL, padding=1),
        )

    def forward(
        self,
        output: EncoderOutput,
        batch: ClipBatch,
        target: Float[Tensor, "batch frame target"],
        prediction: Float[Tensor, "batch frame target"] | None = None,
    ) -> Float[Tensor, ""]:
        """Return the weighted loss; see `Objective.forward`. Counts the steps in training.

        Args:
            output: Not read.
            batch: Not read.
            target: True motion comes from it.
            prediction: Predicted motion comes from it; its gradient is reversed.

        Raises:
            ConfigError: The task's target has another width than `target_dim`.
            ModelError: There is no prediction.
        """
        if prediction is None:
            raise ModelError(
                "objective motion-adversary was called without the task's prediction; training "
                "gives it to objectives with reads_prediction = True"
            )
        if target.shape[2] != self.config.target_dim:
            raise ConfigError(
                f"objective motion-adversary judges targets of {self.config.target_dim} numbers, "
                f"not {target.shape[2]}; set its target_dim to that of the task"
            )
        true = self._judged(target)
        predicted = self._judged(self.reversal(prediction))
        right = binary_cross_entropy_with_logits(true, torch.ones_like(true))
        wrong = binary_cross_entropy_with_logits(predicted, torch.zeros_like(predicted))
        return self.config.weight * (right + wrong) / 2

    def _judged(self, poses: Float[Tensor, "batch frame target"]) -> Float[Tensor, "batch 1 step"]:
        """Return how true the motion seems around each step from frame to frame, as logits."""
        judged: Tensor = self.discriminator(poses.diff(dim=1).transpose(1, 2))
        return judged.float()
