"""The pose task: 21 joints relative to the body, at each frame."""

from typing import Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from acoustic_sense.config import Config
from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.contracts import ClipBatch, Task
from acoustic_sense.metrics import joint_rmse, normalise_pose, pose_metrics

_JOINT_SHAPE = (len(JOINT_NAMES), 3)
_FIRST_WEIGHT_RMS = 1e-3  # small enough to start at the mean pose, not zero: gradients must pass


class PoseConfig(Config):
    """Settings of the pose task."""

    smoothness_weight: float = Field(
        default=100.0, ge=0, description="Weight of the error of frame-to-frame differences."
    )


class Pose(Task):
    """Estimate the pose at each frame, relative to the body.

    The target is `acoustic_sense.metrics.normalise_pose` of the joints: hips at the origin,
    hip-spine length 1, lowest joint at height 0. The head is BGM2Pose's last 1x1 convolution.

    References:
        Shibata et al., "BGM2Pose", IEEE OJSP 7, 2026, section III.
    """

    Config = PoseConfig
    config: PoseConfig
    target_dim = _JOINT_SHAPE[0] * _JOINT_SHAPE[1]

    def __init__(self, config: PoseConfig | None, latent_dim: int) -> None:
        super().__init__(config, latent_dim)
        self.head = nn.Linear(latent_dim, self.target_dim)

    def target(self, batch: ClipBatch) -> Float[Tensor, "batch frame 63"]:
        """Return the normalised poses, joints and coordinates flattened.

        Raises:
            DatasetError: A pose has Hips and Spine at the same point.
        """
        return normalise_pose(batch.joints).flatten(2)

    def initialise(self, mean_target: Float[Tensor, "frame 63"]) -> None:
        """Set the bias to the mean pose over all frames, and the weights near zero."""
        with torch.no_grad():
            self.head.bias.copy_(mean_target.mean(dim=0))
            self.head.weight.mul_(_FIRST_WEIGHT_RMS / self.head.weight.square().mean().sqrt())

    def forward(
        self, latents: Float[Tensor, "batch frame latent"]
    ) -> Float[Tensor, "batch frame 63"]:
        """Return the estimated normalised poses, flattened."""
        prediction: Tensor = self.head(latents)
        return prediction

    def loss(
        self,
        prediction: Float[Tensor, "batch frame 63"],
        target: Float[Tensor, "batch frame 63"],
    ) -> dict[str, Float[Tensor, ""]]:
        """Return `pose`, the mean square error, and `smooth`, that of differences over time.

        `smooth` is weighted by `smoothness_weight`, and zero for clips of a single frame.
        """
        prediction = prediction.to(target.dtype)
        error = prediction - target
        step = error.diff(dim=1)
        smooth = step.square().mean() if step.numel() else error.sum() * 0
        return {
            "pose": error.square().mean(),
            "smooth": self.config.smoothness_weight * smooth,
        }

    def metrics(
        self,
        prediction: Float[Tensor, "clip frame 63"],
        target: Float[Tensor, "clip frame 63"],
    ) -> dict[str, Any]:
        """Return `acoustic_sense.metrics.pose_metrics` of all frames of all clips."""
        shape = (*target.shape[:-1], *_JOINT_SHAPE)
        return dict(pose_metrics(prediction.reshape(shape), target.reshape(shape)))

    def detailed_metrics(
        self,
        prediction: Float[Tensor, "clip frame 63"],
        target: Float[Tensor, "clip frame 63"],
    ) -> dict[str, Any]:
        """Return the RMSE of each joint as `rmse/LeftHand` and so on."""
        shape = (*target.shape[:-1], *_JOINT_SHAPE)
        errors = joint_rmse(prediction.reshape(shape), target.reshape(shape))
        return {f"rmse/{name}": value for name, value in errors.items()}
