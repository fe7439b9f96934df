"""Pose metrics against slow, literal definitions."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import acoustic_sense
from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.errors import DatasetError
from acoustic_sense.metrics import joint_errors, joint_rmse, normalise_pose, pose_metrics

ARM = [name for name in JOINT_NAMES if any(part in name for part in ("Shoulder", "Arm", "Hand"))]
LEG = [
    name for name in JOINT_NAMES if any(part in name for part in ("UpLeg", "Leg", "Foot", "Toe"))
]
BODY = ["Hips", "Spine", "Spine1", "Neck", "Head"]


def poses(seed: int = 0, count: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 21, 3))


def literal_metrics(prediction, target, names) -> dict[str, float]:
    squares, absolutes = [], []
    right = {k: [] for k in (0.5, 1, 2, 3, 4)}
    neck, head = JOINT_NAMES.index("Neck"), JOINT_NAMES.index("Head")
    for estimated, true in zip(prediction, target, strict=True):
        head_length = math.dist(true[neck], true[head])
        for name in names:
            j = JOINT_NAMES.index(name)
            for axis in range(3):
                squares.append((estimated[j][axis] - true[j][axis]) ** 2)
                absolutes.append(abs(estimated[j][axis] - true[j][axis]))
            for k, hits in right.items():
                hits.append(math.dist(estimated[j], true[j]) < k * head_length)
    metrics = {"rmse": math.sqrt(sum(squares) / len(squares))}
    metrics["mae"] = sum(absolutes) / len(absolutes)
    return metrics | {f"pckh@{k}": sum(hits) / len(hits) for k, hits in right.items()}


@pytest.mark.parametrize(
    ("suffix", "names"), [("", JOINT_NAMES), ("/arm", ARM), ("/leg", LEG), ("/body", BODY)]
)
def test_metrics_equal_their_literal_definition(suffix, names):
    prediction, target = poses(0), poses(1)
    found = pose_metrics(prediction, target)
    for name, value in literal_metrics(prediction, target, names).items():
        assert found[name + suffix] == pytest.approx(value, abs=1e-12)


def test_parts_cover_every_joint_once():
    assert sorted(ARM + LEG + BODY) == sorted(JOINT_NAMES)


def test_metrics_are_plain_floats_under_the_stable_name():
    metrics = acoustic_sense.metrics.pose_metrics(poses(0), poses(1))
    assert all(type(value) is float for value in metrics.values())
    assert {"rmse", "mae", "pckh@0.5", "pckh@4", "rmse/arm", "pckh@0.5/leg"} <= set(metrics)


def test_tensors_and_any_leading_axes_give_the_same():
    prediction, target = poses(0, 6), poses(1, 6)
    folded = [torch.tensor(x).reshape(2, 3, 21, 3) for x in (prediction, target)]
    assert pose_metrics(*folded) == pose_metrics(prediction, target)


def test_a_joint_exactly_at_the_threshold_is_wrong():
    target = np.zeros((1, 21, 3))
    target[0, JOINT_NAMES.index("Head"), 1] = 1.0
    prediction = target.copy()
    prediction[0, 0, 0] = 0.5
    assert pose_metrics(prediction, target)["pckh@0.5"] == pytest.approx(20 / 21)


def test_joint_errors_are_mean_distances():
    prediction, target = poses(0), poses(1)
    errors = joint_errors(prediction, target)
    expected = np.mean([math.dist(p[8], t[8]) for p, t in zip(prediction, target, strict=True)])
    assert list(errors) == list(JOINT_NAMES)
    assert errors["LeftHand"] == pytest.approx(expected)


def test_joint_rmse_is_that_of_each_joint_alone_and_sums_up_to_the_whole():
    prediction, target = poses(0), poses(1)
    errors = joint_rmse(prediction, target)
    assert list(errors) == list(JOINT_NAMES)
    for name, value in errors.items():
        assert value == pytest.approx(literal_metrics(prediction, target, [name])["rmse"])
    whole = pose_metrics(prediction, target)["rmse"]
    assert np.mean(np.square(list(errors.values()))) == pytest.approx(whole**2)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 999),
    scale=st.floats(0.01, 50),
    shift=st.tuples(*[st.floats(-9, 9)] * 3),
)
def test_normalisation_forgets_place_and_size_and_repeats(seed, scale, shift):
    joints = poses(seed, 2)
    normalised = normalise_pose(joints)
    np.testing.assert_allclose(normalise_pose(joints * scale + shift), normalised, atol=1e-6)
    np.testing.assert_allclose(normalise_pose(normalised), normalised, atol=1e-12)


def test_normalisation_equals_its_literal_definition():
    for joints in poses(3):
        length = math.dist(joints[0], joints[1])
        expected = [[(a - b) / length for a, b in zip(p, joints[0], strict=True)] for p in joints]
        lowest = min(point[1] for point in expected)
        expected = [[x, y - lowest, z] for x, y, z in expected]
        np.testing.assert_allclose(normalise_pose(joints), expected, atol=1e-12)


def test_normalisation_of_tensors_equals_that_of_arrays_and_is_differentiable():
    joints = poses(4)
    tensor = torch.tensor(joints, requires_grad=True)
    normalised = normalise_pose(tensor)
    normalised.square().sum().backward()
    np.testing.assert_allclose(normalised.detach().numpy(), normalise_pose(joints), atol=1e-12)
    assert tensor.grad is not None
    assert torch.isfinite(tensor.grad).all()


def test_normalisation_leaves_its_input_alone_and_keeps_the_dtype():
    joints = poses(5).astype(np.float32)
    before = joints.copy()
    assert normalise_pose(joints).dtype == np.float32
    np.testing.assert_array_equal(joints, before)


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (np.zeros((2, 21, 3)), np.zeros((3, 21, 3)), "same shape"),
        (np.zeros((2, 20, 3)), np.zeros((2, 20, 3)), "same shape"),
        (np.zeros((0, 21, 3)), np.zeros((0, 21, 3)), "no pose"),
        (np.full((1, 21, 3), np.nan), np.zeros((1, 21, 3)), "not finite"),
    ],
)
def test_unusable_poses_are_refused(prediction, target, message):
    with pytest.raises(DatasetError, match=message):
        pose_metrics(prediction, target)


def test_a_pose_without_scale_is_refused():
    with pytest.raises(DatasetError, match="same point"):
        normalise_pose(np.zeros((2, 21, 3)))
    with pytest.raises(DatasetError, match="shape"):
        normalise_pose(torch.zeros(21))
