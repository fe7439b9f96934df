"""Contrastive pose extraction (CPE): sound and pose of one clip should know each other."""

import math
from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, scaled_dot_product_attention

from acoustic_sense.config import Config
from acoustic_sense.constants import CLIP_FRAMES
from acoustic_sense.contracts import ClipBatch, Encoder, EncoderOutput, Objective
from acoustic_sense.errors import ModelError
from acoustic_sense_plugins.bgm2pose.config import Compat, fill_in

RELEASED_TEMPERATURE = 1 / math.log(1 / 0.07)
"""About 0.376: the released code multiplies similarities by ln(1/0.07) instead of 1/0.07."""

_TARGET_DIM = 63
_POSE_KERNEL = 3
_TOKEN_DEVIATION = 0.02


class ContrastivePoseConfig(Config):
    """Settings of contrastive pose extraction; the defaults are the publication."""

    compat: Compat = Field(
        default="publication",
        description="released sets what is not set here to what the publication's released code "
        "does: a temperature of 1 / ln(1 / 0.07), about 0.376.",
    )
    weight: float = Field(default=1.0, ge=0, description="Weight of the loss.")
    temperature: float = Field(
        default=0.07,
        gt=0,
        description="Temperature of InfoNCE: similarities are divided by it.",
    )
    negatives: Literal["segment", "track", "random"] = Field(
        default="segment",
        description="What the clips of a batch share, so that music alone cannot tell them apart: "
        "the same stretch of a track (hardest), a track, or nothing.",
    )
    heads: int = Field(default=8, ge=1, description="Heads of both self-attentions.")
    max_frames: int = Field(
        default=CLIP_FRAMES, ge=1, description="Longest clip that the time embedding covers."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_compat(cls, data: Any) -> Any:
        return fill_in(data, {"temperature": RELEASED_TEMPERATURE})


class TokenAttention(nn.Module):
    """Sum up a clip: a learned token attends to itself and to the frames."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.token = nn.Parameter(torch.empty(width))
        nn.init.normal_(self.token, std=_TOKEN_DEVIATION)
        inner = heads * max(1, width // heads)  # the width itself where the heads divide it
        self.to_query = nn.Linear(width, inner)
        self.to_key = nn.Linear(width, inner, bias=False)  # softmax ignores a key's bias
        self.to_value = nn.Linear(width, inner)
        self.to_output = nn.Linear(inner, width)

    def forward(self, frames: Float[Tensor, "batch frame width"]) -> Float[Tensor, "batch width"]:
        """Return the token's output of one multi-head self-attention, scaled to unit length."""
        token = self.token.to(frames.dtype).expand(len(frames), 1, -1)
        sequence = torch.cat([token, frames], dim=1)
        attended = scaled_dot_product_attention(
            self._split(self.to_query(sequence[:, :1])),  # no other output is read
            self._split(self.to_key(sequence)),
            self._split(self.to_value(sequence)),
        )
        return normalize(self.to_output(attended.transpose(1, 2).flatten(1)).float(), dim=-1)

    def _split(
        self, values: Float[Tensor, "batch position width"]
    ) -> Float[Tensor, "batch head position part"]:
        return values.reshape(*values.shape[:2], self.heads, -1).transpose(1, 2)


class ContrastivePoseExtraction(Objective):
    """Symmetric InfoNCE between embeddings of each clip's sound and of its true poses.

    Sound: a [CLS] token and the encoder's local latents; pose: a [POSE] token and the poses after
    a 1-D convolution; both with one learned time embedding and one self-attention, L2-normalised.
    Needs poses, so it is for training only.

    References:
        Shibata et al., "BGM2Pose", IEEE OJSP 7, 2026, section III-C; van den Oord et al.,
        "Representation learning with contrastive predictive coding", 2018 (InfoNCE).
    """

    Config = ContrastivePoseConfig
    config: ContrastivePoseConfig

    def __init__(
        self, config: ContrastivePoseConfig | None, encoder: Encoder, subject_count: int
    ) -> None:
        super().__init__(config, encoder, subject_count)
        width = encoder.local_dim
        self.batch_sampling = self.config.negatives
        self.time_embedding = nn.Parameter(torch.empty(self.config.max_frames, width))
        nn.init.normal_(self.time_embedding, std=_TOKEN_DEVIATION)
        self.pose_convolution = nn.Conv1d(
            _TARGET_DIM, width, _POSE_KERNEL, padding=_POSE_KERNEL // 2
        )
        self.sound_attention = TokenAttention(width, self.config.heads)
        self.pose_attention = TokenAttention(width, self.config.heads)

    def forward(
        self, output: EncoderOutput, batch: ClipBatch, target: Float[Tensor, "batch frame 63"]
    ) -> Float[Tensor, ""]:
        """Return the weighted loss; see `Objective.forward`.

        Raises:
            ModelError: Clips are longer than `max_frames`.
        """
        sound = self.sound_embedding(output.local_latents)
        return self.config.weight * info_nce(
            sound, self.pose_embedding(target), self.config.temperature
        )

    def sound_embedding(
        self, local_latents: Float[Tensor, "batch frame width"]
    ) -> Float[Tensor, "batch width"]:
        """Return one unit vector a clip from the encoder's local latents."""
        embedded: Tensor = self.sound_attention(local_latents + self._time(local_latents))
        return embedded

    def pose_embedding(
        self, target: Float[Tensor, "batch frame 63"]
    ) -> Float[Tensor, "batch width"]:
        """Return one unit vector a clip from normalised poses."""
        frames = self.pose_convolution(target.transpose(1, 2)).transpose(1, 2)
        embedded: Tensor = self.pose_attention(frames + self._time(frames))
        return embedded

    def _time(self, frames: Float[Tensor, "batch frame width"]) -> Float[Tensor, "frame width"]:
        frame_count = frames.shape[1]
        if frame_count > len(self.time_embedding):
            raise ModelError(
                f"objective bgm2pose-cpe: a clip has {frame_count} frames; set 'max_frames' to it"
            )
        return self.time_embedding[:frame_count]


def info_nce(
    first: Float[Tensor, "item width"], second: Float[Tensor, "item width"], temperature: float
) -> Float[Tensor, ""]:
    """Return the symmetric InfoNCE loss of unit vectors; item i of both belongs together."""
    with torch.autocast(first.device.type, enabled=False):
        logits = first @ second.T / temperature
    pair = torch.arange(len(logits), device=logits.device)
    return (cross_entropy(logits, pair) + cross_entropy(logits.T, pair)) / 2
