"""Settings that encoders of any width share."""

from pydantic import Field

from acoustic_sense.config import Config


class ScaledConfig(Config):
    """Width and dropout of an encoder."""

    width: float = Field(
        default=1.0, gt=0, le=4, description="Scales every channel count; 0.25 trains on a CPU."
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Dropout after each layer over frames."
    )

    def channels(self, full: int) -> int:
        """Return the channel count that stands for `full` channels at this width."""
        return max(1, round(full * self.width))
