"""Position adversary: latents that do not tell where in the room somebody stands."""

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from acoustic_sense.contracts import ClipBatch, Encoder, EncoderOutput, Objective
from acoustic_sense.networks import AdversaryConfig, GrowingReversal, discriminator
from acoustic_sense_plugins.oumi2024.floor_cells import FloorCells


class PositionAdversaryConfig(AdversaryConfig):
    """Settings of the position adversary."""

    strips: int = Field(
        default=3,
        ge=2,
        le=16,
        description="Strips that the floor is cut into along each axis, equally full if places "
        "were normally distributed; the discriminator tells their square of cells apart.",
    )


class PositionAdversary(Objective):
    """A discriminator says where the subject stands; the encoder learns to prevent it.

    Places are the hips' on the floor, averaged over the clip, in the frame of the poses, sorted
    into the cells of a grid that fits the training clips. The loss is the discriminator's
    cross-entropy over the cells; between the clip's summary and the discriminator the gradient is
    reversed, see the objective `subject-adversary`. A loss near the logarithm of the number of
    cells says that the discriminator guesses.

    The frame of the poses is the room's: a place means the same in all takes where they share room,
    loudspeakers and microphone.

    References:
        Oumi et al., "Acoustic-based 3D human pose estimation robust to human position", BMVC
        2024, arXiv 2411.07165 (position discriminator); Ganin and Lempitsky, "Unsupervised domain
        adaptation by backpropagation", ICML 2015 (gradient reversal and its growth).
    """

    Config = PositionAdversaryConfig
    config: PositionAdversaryConfig

    def __init__(
        self, config: PositionAdversaryConfig | None, encoder: Encoder, subject_count: int
    ) -> None:
        super().__init__(config, encoder, subject_count)
        self.cells = FloorCells(self.config.strips)
        self.reversal = GrowingReversal(self.config.ramp_steps)
        self.discriminator = discriminator(
            encoder.summary_dim, self.config.hidden, self.cells.count
        )

    def forward(
        self, output: EncoderOutput, batch: ClipBatch, target: Float[Tensor, "batch frame target"]
    ) -> Float[Tensor, ""]:
        """Return the weighted loss; see `Objective.forward`. Counts the steps in training.

        Raises:
            DatasetError: The poses have no places: all hips are at one point.
        """
        logits = self.discriminator(self.reversal(output.summary))
        return self.config.weight * cross_entropy(logits.float(), self.cells(batch.joints))
