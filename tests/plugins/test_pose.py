"""The pose task."""

import numpy as np
import pytest
import torch
from acoustic_sense_plugins.pose.task import Pose, PoseConfig

from acoustic_sense.contracts import ClipBatch
from acoustic_sense.errors import ConfigError
from acoustic_sense.metrics import normalise_pose, pose_metrics
from acoustic_sense.plugin_loading import load_plugins


def batch_of(joints: torch.Tensor) -> ClipBatch:
    index = torch.zeros(len(joints), dtype=torch.long)
    return ClipBatch(torch.zeros(len(joints), 1, joints.shape[1], 8), joints, *[index] * 5)


def random_joints(count: int = 3, frames: int = 12) -> torch.Tensor:
    return torch.randn(count, frames, 21, 3, generator=torch.Generator().manual_seed(count))


def test_is_registered():
    assert load_plugins().tasks["pose"] is Pose


def test_target_is_the_normalised_pose_joint_by_joint():
    joints = random_joints()
    target = Pose(None, 8).target(batch_of(joints))
    expected = normalise_pose(joints.numpy()).reshape(3, 12, 63)
    np.testing.assert_allclose(target.numpy(), expected, atol=1e-5)


def test_first_prediction_is_the_mean_pose_and_gradients_pass():
    task = Pose(None, 8)
    mean = task.target(batch_of(random_joints())).mean(dim=0)
    task.initialise(mean)
    latents = torch.randn(2, 12, 8, requires_grad=True)
    prediction = task(latents)
    torch.testing.assert_close(prediction, mean.mean(0).expand(2, 12, 63), atol=0.05, rtol=0)
    prediction.square().sum().backward()
    assert latents.grad is not None
    assert latents.grad.abs().min() > 0


@pytest.mark.parametrize("weight", [100.0, 0.0])
def test_loss_equals_its_literal_definition(weight):
    prediction, target = random_joints(2, 4).flatten(2), random_joints(3, 4)[:2].flatten(2)
    loss = Pose(PoseConfig(smoothness_weight=weight), 8).loss(prediction, target)
    pose, smooth = [], []
    for estimated, true in zip(prediction.tolist(), target.tolist(), strict=True):
        for frame in range(4):
            for i in range(63):
                pose.append((estimated[frame][i] - true[frame][i]) ** 2)
                if frame:
                    moved = estimated[frame][i] - estimated[frame - 1][i]
                    smooth.append((moved - true[frame][i] + true[frame - 1][i]) ** 2)
    assert loss["pose"].item() == pytest.approx(np.mean(pose), rel=1e-5)
    assert loss["smooth"].item() == pytest.approx(weight * np.mean(smooth), rel=1e-5)


def test_a_single_frame_has_no_smoothness_to_lose():
    loss = Pose(None, 8).loss(torch.ones(2, 1, 63), torch.zeros(2, 1, 63))
    assert loss["smooth"].item() == 0.0


def test_metrics_are_those_of_the_core():
    prediction, target = random_joints(2), random_joints(3)[:2]
    metrics = Pose(None, 8).metrics(prediction.flatten(2), target.flatten(2))
    assert metrics == pose_metrics(prediction, target)


def test_a_linear_map_of_the_pose_can_be_learned():
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(16, 12, 8, generator=generator)
    target = latents @ torch.randn(8, 63, generator=generator)
    task = Pose(None, 8)
    task.initialise(target.mean(dim=0))
    optimiser = torch.optim.Adam(task.parameters(), lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        loss = sum(task.loss(task(latents), target).values())
        loss.backward()
        optimiser.step()
    assert task.metrics(task(latents), target)["rmse"] < 0.05


def test_unknown_settings_are_refused_and_known_ones_survive_a_round_trip():
    with pytest.raises(ConfigError, match="smoothness_weight"):
        Pose.parse({"smoothnes_weight": 1.0})
    config = PoseConfig(smoothness_weight=3.0)
    assert PoseConfig.model_validate(config.model_dump(mode="json")) == config
