"""Settings that adversaries share."""

from pydantic import Field

from acoustic_sense.config import Config


class AdversaryConfig(Config):
    """Weight and growth of an adversary, and the width of its discriminator."""

    weight: float = Field(
        default=0.1,
        ge=0,
        description="Weight of the loss, for the discriminator and, reversed, for what it judges.",
    )
    ramp_steps: int = Field(
        default=1000,
        ge=0,
        description="Training steps in which the reversal grows from 0 to its full strength, by "
        "Ganin and Lempitsky's curve; 0 reverses fully from the first step.",
    )
    hidden: int = Field(
        default=128, ge=1, description="Width of the discriminator's two hidden layers."
    )
