"""Cells of the floor: where a person stands, as one of a few places."""

from statistics import NormalDist

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.errors import DatasetError

_HIPS = JOINT_NAMES.index("Hips")
_FLOOR_AXES = (0, 2)  # Y is up
_LEAST_SPREAD_M = 1e-4  # poses whose hips were moved to the origin lie below


class FloorCells(nn.Module):
    """Number the places where people stand by a grid that fits the clips met so far.

    Mean and variance of the hips' place, along each axis of the floor, are running averages over
    the batches of training. Each axis is cut into strips of equal share, were places normally
    distributed; the grid has `strips` squared cells.

    Attributes:
        count: Number of cells.
        mean: Running mean of the places, metres, shape `(2,)`.
        variance: Running variance, square metres, shape `(2,)`.
        batches: Batches met in training; these three are kept in checkpoints.
    """

    mean: Tensor
    variance: Tensor
    batches: Tensor
    edges: Tensor

    def __init__(self, strips: int, momentum: float = 0.01) -> None:
        """Build the grid.

        Args:
            strips: Strips along each axis, at least 2.
            momentum: Share of a new batch in the running averages, once 1 / `momentum` batches
                were met; before, all batches count alike.
        """
        super().__init__()
        self.count = strips**2
        self._strips = strips
        self._momentum = momentum
        edges = [NormalDist().inv_cdf(i / strips) for i in range(1, strips)]
        self.register_buffer("edges", torch.tensor(edges), persistent=False)
        self.register_buffer("mean", torch.zeros(len(_FLOOR_AXES)))
        self.register_buffer("variance", torch.ones(len(_FLOOR_AXES)))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, joints: Float[Tensor, "batch frame 21 3"]) -> Int[Tensor, " batch"]:
        """Return each clip's cell, 0 to `count` - 1; in training the averages move on first.

        Args:
            joints: Metres, Y up; a clip's place is the hips' mean over its frames.

        Raises:
            DatasetError: All clips have their hips at the same point.
        """
        places = joints[:, :, _HIPS, _FLOOR_AXES].mean(dim=1).float()
        if self.training:
            self._move_on(places)
        scaled = (places - self.mean) / self.variance.sqrt()
        strip = torch.bucketize(scaled, self.edges)
        return strip[:, 0] * self._strips + strip[:, 1]

    def _move_on(self, places: Float[Tensor, "batch 2"]) -> None:
        if len(places) > 1 and bool((places.std(dim=0) < _LEAST_SPREAD_M).all()):
            raise DatasetError(
                "objective position-adversary: all clips of a batch have their hips at the same "
                "point, as in data that hold poses without places (AMPL); leave it out of "
                "'objectives'"
            )
        self.batches += 1
        share = max(1 / int(self.batches), self._momentum)
        deviation = places - places.mean(dim=0)
        between = places.mean(dim=0) - self.mean
        variance = deviation.square().mean(dim=0) + (1 - share) * between.square()
        self.mean.lerp_(places.mean(dim=0), share)
        self.variance.lerp_(variance.clamp(min=_LEAST_SPREAD_M**2), share)
