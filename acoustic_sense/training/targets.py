"""A task's targets, over whole takes and on average."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.contracts import ClipBatch
from acoustic_sense.inference.model import Pipeline
from acoustic_sense.training.clip_set import ClipIndex, ClipSet

_ROWS = 256


def mean_target(
    pipeline: Pipeline, clips: ClipSet, index: ClipIndex
) -> Float[Tensor, "frame target"]:
    """Return the task's mean target over all frames of all clips, the same at each frame."""
    total = torch.zeros(pipeline.model.task.target_dim, dtype=torch.float64)
    count = 0
    for first in range(0, len(index), _ROWS):
        rows = np.arange(first, min(first + _ROWS, len(index)))
        target = pipeline.model.task.target(clips.gather(index, rows)).double()
        total += target.sum(dim=(0, 1))
        count += target.shape[0] * target.shape[1]
    return (total / count).float().repeat(clips.clip_frames, 1)


def frame_targets(pipeline: Pipeline, joints: np.ndarray) -> np.ndarray:
    """Return the task's target at each frame of a take.

    Args:
        pipeline: Whose task is asked.
        joints: Shape `(frame, 21, 3)`.

    Returns:
        Float32 array, shape `(frame, target)`.
    """
    frame_count = len(joints)
    unknown = torch.zeros(1, dtype=torch.int64)
    shape = (1, len(pipeline.description.channel_names), 0, pipeline.description.bin_count)
    batch = ClipBatch(
        features=torch.zeros(shape),
        joints=torch.from_numpy(np.ascontiguousarray(joints, dtype=np.float32))[None],
        subject=unknown,
        track=unknown,
        segment=unknown,
        take=unknown,
        activity=unknown - 1,
    )
    target: np.ndarray = pipeline.model.task.target(batch)[0].numpy()
    return target.reshape(frame_count, -1)
