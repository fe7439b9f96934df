"""Nearest neighbour in feature space: the pose of the training clip that sounds most alike."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float32

from acoustic_sense.inference.clips import (
    Frames,
    Statistics,
    clip_starts,
    cut_clip,
)
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.training.clip_set import ClipSet
from acoustic_sense.training.targets import frame_targets

MAX_CLIPS: Final = 4000
"""Training clips to compare with; of more, every so-manieth is taken."""
BIN_GROUP: Final = 4
"""Neighbouring bins that are averaged before clips are compared."""


class NearestNeighbour:
    """A baseline without a network: the targets of the nearest training clip.

    Clips are compared by the Euclidean distance of their normalised features, averaged over groups
    of `BIN_GROUP` bins.
    """

    def __init__(
        self, pipeline: Pipeline, clips: ClipSet, statistics: Sequence[Statistics]
    ) -> None:
        """Remember training clips.

        Args:
            pipeline: Whose feature and target are used.
            clips: The training takes.
            statistics: Mean and deviation for each of them.
        """
        self._clip_frames = clips.clip_frames
        index = clips.grid(clips.clip_frames)
        rows = np.arange(0, len(index), max(1, -(-len(index) // MAX_CLIPS)))
        targets = [frame_targets(pipeline, joints) for joints in clips.joints]
        described, answers = [], []
        for take, start in zip(index.take[rows], index.start[rows], strict=True):
            described.append(self._describe(clips.frames[take], int(start), statistics[take]))
            answers.append(targets[take][start : start + self._clip_frames])
        self._described = np.stack(described)
        self._answers = np.stack(answers)
        self._norms = np.square(self._described).sum(axis=1)

    def predict(
        self, frames: Frames, statistics: Statistics
    ) -> Float32[np.ndarray, "frame target"]:
        """Return the target of the nearest training clip for each clip of a take."""
        result = np.empty((frames.shape[1], self._answers.shape[2]), dtype=np.float32)
        done = 0
        for start in clip_starts(frames.shape[1], self._clip_frames):
            described = self._describe(frames, start, statistics)
            nearest = int(np.argmin(self._norms - 2 * self._described @ described))
            end = start + self._clip_frames
            result[done:end] = self._answers[nearest][done - start :]
            done = end
        return result

    def _describe(self, frames: Frames, start: int, statistics: Statistics) -> np.ndarray:
        clip = cut_clip(frames, start, self._clip_frames, 0)
        mean, deviation = statistics
        normalised = (clip - mean[:, None]) / deviation[:, None]
        groups = max(1, normalised.shape[2] // BIN_GROUP)
        parts = np.array_split(normalised, groups, axis=2)
        pooled = np.stack([part.mean(axis=2) for part in parts], axis=-1)
        return pooled.astype(np.float32).ravel()
