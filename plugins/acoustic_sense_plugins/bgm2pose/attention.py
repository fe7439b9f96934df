"""Fusion of recording and playback at each frame on its own: frequency-wise attention.

All modules here take and return `batch frame bin channel`, the memory layout of channels-last
convolutions, so that no value is moved between them and the convolutions.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense_plugins.bgm2pose.convolution import LEAK
from acoustic_sense_plugins.bgm2pose.kernel import attend

_EMBEDDING_DEVIATION = 0.02


class FrequencyAttention(nn.Module):
    """Attention over bins within each frame; frames never see each other.

    One learned embedding of the bin index is added to both branches, since attention itself does
    not know one bin from another. The recording is added to the result.

    References:
        Shibata et al., "BGM2Pose", IEEE OJSP 7, 2026, section III-B.
    """

    def __init__(
        self, channel_count: int, bin_count: int, heads: int, dropout: float, query: str
    ) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query_recording = query == "recording"
        self.embedding = nn.Parameter(torch.empty(bin_count, channel_count))
        nn.init.normal_(self.embedding, std=_EMBEDDING_DEVIATION)
        self.to_query = nn.Linear(channel_count, channel_count)
        self.to_key = nn.Linear(channel_count, channel_count, bias=False)  # softmax ignores a bias
        self.to_value = nn.Linear(channel_count, channel_count)
        self.to_output = nn.Linear(channel_count, channel_count)

    def forward(
        self,
        recording: Float[Tensor, "batch frame bin channel"],
        playback: Float[Tensor, "batch frame bin channel"],
    ) -> Float[Tensor, "batch frame bin channel"]:
        """Return the recording plus what attention adds to it."""
        heard, sent = recording + self.embedding, playback + self.embedding
        asking, answering = (heard, sent) if self.query_recording else (sent, heard)
        attended = attend(
            self._split(self.to_query(asking)),
            self._split(self.to_key(answering)),
            self._split(self.to_value(answering)),
            self.dropout if self.training else 0.0,
        )
        result: Tensor = recording + self.to_output(attended.flatten(3))
        return result

    def _split(
        self, values: Float[Tensor, "batch frame bin channel"]
    ) -> Float[Tensor, "batch frame bin head width"]:
        return values.reshape(*values.shape[:3], self.heads, -1)


class PlainFusion(nn.Module):
    """What stands in for attention when it is ablated: each bin is fused with itself only.

    Three 1x1 convolutions, which have as many parameters as the attention's four linear maps.
    """

    def __init__(self, channel_count: int) -> None:
        super().__init__()
        self.fuse = nn.Sequential(
            nn.Linear(2 * channel_count, channel_count),
            nn.LeakyReLU(LEAK),
            nn.Linear(channel_count, channel_count),
            nn.LeakyReLU(LEAK),
            nn.Linear(channel_count, channel_count),
        )

    def forward(
        self,
        recording: Float[Tensor, "batch frame bin channel"],
        playback: Float[Tensor, "batch frame bin channel"],
    ) -> Float[Tensor, "batch frame bin channel"]:
        """Return the recording plus a function of both branches at the same bin."""
        result: Tensor = recording + self.fuse(torch.cat([recording, playback], dim=-1))
        return result
