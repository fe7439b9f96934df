"""Clip batch: what training hands to encoder, objectives and task."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class ClipBatch:
    """A batch of clips.

    Attributes:
        features: Shape `(batch, channel, context + frame, bin)`, normalised.
        joints: Shape `(batch, frame, 21, 3)`, metres, world frame, Y up.
        subject: Index of each clip's subject among the training subjects, shape `(batch,)`.
        track: Index of each clip's track, shape `(batch,)`.
        segment: Index of each clip's stretch within its track, shape `(batch,)`.
        take: Index of each clip's take, shape `(batch,)`.
        activity: Index of each clip's activity, shape `(batch,)`; -1 where unlabelled.
    """

    features: Float[Tensor, "batch channel frames bin"]
    joints: Float[Tensor, "batch frame 21 3"]
    subject: Int[Tensor, " batch"]
    track: Int[Tensor, " batch"]
    segment: Int[Tensor, " batch"]
    take: Int[Tensor, " batch"]
    activity: Int[Tensor, " batch"]

    def to(self, device: torch.device | str) -> "ClipBatch":
        """Return the batch on another device."""
        return ClipBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})
