"""Settings of the frequency-wise attention encoder."""

from typing import Any, Literal

from pydantic import Field, model_validator

from acoustic_sense.config import Config

Compat = Literal["publication", "released"]

RELEASED: dict[str, Any] = {"query": "playback", "flatten": "reshape"}
"""Settings in which the publication's released code differs from its text."""


class FrequencyAttentionConfig(Config):
    """Settings of the frequency-wise attention encoder; the defaults are the publication."""

    compat: Compat = Field(
        default="publication",
        description="released sets what is not set here to what the publication's released code "
        'does: `query = "playback"`, `flatten = "reshape"`.',
    )

    width: float = Field(
        default=1.0, gt=0, le=4, description="Scales every channel count; 0.25 trains on a CPU."
    )
    heads: int = Field(default=8, ge=1, description="Attention heads.")
    query: Literal["recording", "playback"] = Field(
        default="recording",
        description="Branch that asks; the other gives keys and values. The publication says "
        "recording, its released code playback.",
    )
    playback_conditioning: bool = Field(
        default=True,
        description="False leaves the playback out: no differences, no playback branch, and the "
        "recording attends to itself.",
    )
    attention: bool = Field(
        default=True, description="False puts plain 1x1 convolutions in the attention's place."
    )
    attention_dropout: float = Field(
        default=0.1, ge=0, lt=1, description="Dropout of attention weights in training."
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Dropout after each layer of the temporal decoder."
    )
    time_kernel: Literal[1, 3] = Field(
        default=3,
        description="Frames that a 2-D convolution spans; 1 keeps frames apart until the decoder.",
    )

    flatten: Literal["frames", "reshape"] = Field(
        default="frames",
        description="How channels and bins are joined before the decoder. frames: at each frame "
        "on its own. reshape: the array `(channel, frame, bin)` is read as `(channel * bin, "
        "frame)` without moving a value, which mixes time and frequency, as the released code "
        "does.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_compat(cls, data: Any) -> Any:
        return fill_in(data, RELEASED)

    @model_validator(mode="after")
    def _check_heads(self) -> "FrequencyAttentionConfig":
        if self.channels(128) % self.heads:
            raise ValueError(
                f"width {self.width} gives {self.channels(128)} channels, which {self.heads} heads "
                "do not divide; choose a multiple of 1/16 or fewer heads"
            )
        return self

    def channels(self, published: int) -> int:
        """Return the channel count that stands for `published` channels at this width."""
        return max(1, round(published * self.width))


def fill_in(data: Any, released: dict[str, Any]) -> Any:
    """Return settings in which `compat = "released"` has set what is not set otherwise."""
    if isinstance(data, dict) and data.get("compat") == "released":
        return released | data
    return data
