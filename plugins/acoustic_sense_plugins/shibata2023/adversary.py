"""Subject adversary: latents that do not tell whose they are."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from acoustic_sense.contracts import ClipBatch, Encoder, EncoderOutput, Objective
from acoustic_sense.errors import ConfigError
from acoustic_sense.networks import AdversaryConfig, GrowingReversal, discriminator


class SubjectAdversaryConfig(AdversaryConfig):
    """Settings of the subject adversary."""


class SubjectAdversary(Objective):
    """A discriminator names the subject from the clip's summary; the encoder learns to fool it.

    The loss is the discriminator's cross-entropy over the training subjects. Between summary and
    discriminator the gradient is reversed and multiplied by 2 / (1 + exp(-10 p)) - 1, p being the
    share of `ramp_steps` that is done. A loss near the logarithm of the number of subjects says
    that the discriminator guesses.

    References:
        Shibata et al., "Listening Human Behavior", CVPR 2023 (subject discriminator); Ganin and
        Lempitsky, "Unsupervised domain adaptation by backpropagation", ICML 2015 (gradient
        reversal and its growth).

    Raises:
        ConfigError: The training takes have a single subject.
    """

    Config = SubjectAdversaryConfig
    config: SubjectAdversaryConfig

    def __init__(
        self, config: SubjectAdversaryConfig | None, encoder: Encoder, subject_count: int
    ) -> None:
        super().__init__(config, encoder, subject_count)
        if subject_count < 2:
            raise ConfigError(
                f"objective subject-adversary needs at least 2 training subjects, not "
                f"{subject_count}; leave it out of 'objectives' or train on more people"
            )
        self.reversal = GrowingReversal(self.config.ramp_steps)
        self.discriminator = discriminator(encoder.summary_dim, self.config.hidden, subject_count)

    def forward(
        self, output: EncoderOutput, batch: ClipBatch, target: Float[Tensor, "batch frame target"]
    ) -> Float[Tensor, ""]:
        """Return the weighted loss; see `Objective.forward`. Counts the steps in training."""
        logits = self.discriminator(self.reversal(output.summary))
        return self.config.weight * cross_entropy(logits.float(), batch.subject)
