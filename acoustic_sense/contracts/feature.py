"""Feature: what the network sees of recording and playback."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.constants import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from acoustic_sense.contracts.component import Component
from acoustic_sense.contracts.feature_stream import FeatureStream, LocalStream, TakeStream


class Feature(Component, nn.Module):
    """A batched, differentiable map from recording and playback to frames.

    A subclass sets `Config`, `channel_names` and `bin_count` and implements `forward`. A batch
    gives the same values as a loop over its items. A local feature (`local = True`) depends, at
    each frame, on that frame's samples only, so that clips cut from a take's frames equal the
    clip's own feature. A feature with memory (`local = False`) sees the take so far, or all of it;
    it overrides `stream` so that it can be used while the take still arrives.

    Attributes:
        local: Whether each frame depends on that frame's samples only.
        channel_names: One name per feature channel.
        bin_count: Number of frequency bins.
    """

    local: bool = True
    channel_names: tuple[str, ...] = ()
    bin_count: int = 0

    def __init__(self, config: Config | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        nn.Module.__init__(self)
        self.config = config if config is not None else self.Config()
        self.sample_rate_hz = sample_rate_hz

    @property
    def frame_samples(self) -> int:
        """Samples in one 50 ms frame at this feature's sample rate."""
        return self.sample_rate_hz // FRAME_RATE_HZ

    @abstractmethod
    def forward(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch channel frame bin"]:
        """Return the feature.

        Args:
            recording: Shape `(batch, 4, sample)`, W, X, Y, Z, SN3D.
            playback: Shape `(batch, speaker, sample)`.

        Returns:
            Shape `(batch, channel, frame, bin)` with `sample // frame_samples` frames.
        """

    def stream(self) -> FeatureStream:
        """Return the feature over one take that arrives piece by piece.

        Returns:
            A stream with the same result as `forward` on the whole take. That of a local feature
            gives each frame at once; that of any other one all frames at the end of the take,
            unless the feature overrides this.
        """
        return LocalStream(self) if self.local else TakeStream(self)
