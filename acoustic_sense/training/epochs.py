"""What one epoch of training reads: batches of clips, the same for the same seed and epoch."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.contracts import ClipBatch
from acoustic_sense.contracts.objective import BatchSampling
from acoustic_sense.errors import DatasetError
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.config import AugmentationConfig
from acoustic_sense.training.sampling import batches
from acoustic_sense.training.variations import ClipVariations

LEVEL_PREFIX = "recording/"
"""Channels whose names begin so hold the recording's level in dB."""


class EpochClips:
    """An iterable over the batches of one epoch.

    Every random choice comes from seed and epoch, so that a resumed run reads what an
    uninterrupted one would have read.

    Attributes:
        batches: Rows of the epoch's clip index, one array a batch.
    """

    def __init__(
        self,
        clips: ClipSet,
        channel_names: tuple[str, ...],
        *,
        epoch: int,
        seed: int,
        hop_frames: int,
        batch_size: int,
        sampling: BatchSampling,
        augmentation: AugmentationConfig,
        variations: ClipVariations | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Choose the epoch's batches.

        Raises:
            DatasetError: There are not two clips to make a batch of.
        """
        self._clips = clips
        self._augmentation = augmentation
        self._variations = variations
        self._generator = np.random.default_rng([seed, epoch, 1 + rank])
        order = np.random.default_rng([seed, epoch])
        phases = None
        if augmentation.random_start:
            phases = order.integers(0, hop_frames, size=len(clips.tracks)).tolist()
        self._index = clips.grid(hop_frames, phases)
        chosen = batches(self._index, sampling, batch_size, order)
        if not chosen and augmentation.random_start:
            self._index = clips.grid(hop_frames)  # takes of hardly more than one clip
            chosen = batches(self._index, sampling, batch_size, order)
        shared = len(chosen) // world_size * world_size
        self.batches = chosen[:shared][rank::world_size]
        if not self.batches:
            raise DatasetError(
                f"{len(self._index)} training clips do not fill a batch for each of {world_size} "
                "processes; use more takes, longer takes or a smaller clip_hop_frames"
            )
        self._level = torch.tensor([name.startswith(LEVEL_PREFIX) for name in channel_names])
        self._deviation = [
            torch.from_numpy(np.asarray(deviation, dtype=np.float32))
            for _, deviation in clips.statistics
        ]

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.batches)

    def __iter__(self) -> Iterator[ClipBatch]:
        """Yield the batches."""
        for rows in self.batches:
            cut = None
            if self._variations is not None:
                cut = self._variations.draw(len(rows), self._generator)
            batch = self._clips.gather(self._index, rows, cut)
            self._augment(batch.features, batch.take)
            yield batch

    def _augment(self, features: Float[Tensor, "batch channel frame bin"], take: Tensor) -> None:
        """Vary normalised features in place."""
        settings = self._augmentation
        if settings.level_jitter_db and self._level.any():
            gain_db = self._normal(len(features)) * settings.level_jitter_db
            deviation = torch.stack([self._deviation[int(index)] for index in take])
            shift = gain_db[:, None, None] / deviation * self._level[:, None]
            features += shift[:, :, None]
        if settings.channel_jitter:
            shift = self._normal(*features.shape[:2]) * settings.channel_jitter
            features += shift[:, :, None, None]
        if settings.noise:
            features += self._normal(*features.shape) * settings.noise

    def _normal(self, *shape: int) -> Tensor:
        return torch.from_numpy(self._generator.standard_normal(shape, dtype=np.float32))
