"""Filling batches: at random, from one track, or from the same stretches of one track.

All three take every clip at most once an epoch, so that no clip is twice in a batch.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from acoustic_sense.contracts.objective import BatchSampling
from acoustic_sense.training.clip_set import ClipIndex

STRICTNESS: tuple[BatchSampling, ...] = ("random", "track", "segment")
"""Ways to fill a batch; each keeps what those before it promise."""


def strictest(wanted: Sequence[BatchSampling]) -> BatchSampling:
    """Return the one way that satisfies all objectives.

    Examples:
        >>> strictest(["random", "segment", "track"])
        'segment'
    """
    return max(wanted, key=STRICTNESS.index, default="random")


def batches(
    index: ClipIndex, sampling: BatchSampling, batch_size: int, generator: np.random.Generator
) -> list[Int[np.ndarray, " clip"]]:
    """Return the batches of one epoch, each an array of rows of `index`.

    Args:
        index: The clips.
        sampling: `random`: any clips. `track`: a batch shares one track. `segment`: besides, the
            clips of one segment follow each other, so that a batch is filled with clips of the
            same stretches by other subjects and takes.
        batch_size: Clips in a batch.
        generator: Source of the order.

    Returns:
        Batches in random order. What does not fill a batch at the end of the epoch (at the end of
        each track) is left out if it is less than half a batch and not all there is.
    """
    if sampling == "random":
        groups = [generator.permutation(len(index))]
    else:
        groups = [
            _order_track(index, np.flatnonzero(index.track == track), sampling, generator)
            for track in np.unique(index.track)
        ]
    filled = [batch for group in groups for batch in _cut(group, batch_size)]
    if not filled:
        filled = [group for group in groups if len(group) > 1]
    order = generator.permutation(len(filled))
    return [filled[position] for position in order]


def _order_track(
    index: ClipIndex, rows: np.ndarray, sampling: BatchSampling, generator: np.random.Generator
) -> np.ndarray:
    """Return the clips of one track in random order, for `segment` with segments together."""
    shuffled = generator.permutation(rows)
    if sampling == "track":
        return shuffled
    segments = index.segment[shuffled]
    rank = {segment: i for i, segment in enumerate(generator.permutation(np.unique(segments)))}
    return shuffled[np.argsort([rank[segment] for segment in segments], kind="stable")]


def _cut(rows: np.ndarray, batch_size: int) -> list[np.ndarray]:
    parts = [rows[first : first + batch_size] for first in range(0, len(rows), batch_size)]
    return [part for part in parts if len(part) >= max(2, batch_size // 2)]
