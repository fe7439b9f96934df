"""Evaluation against a literal computation: whole body, by part, by activity."""

import numpy as np
import pytest

from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.datasets import open_dataset
from acoustic_sense.inference import load_model
from acoustic_sense.training import TrainConfig, evaluate, train

SIDES = ("Left", "Right")
PARTS = {
    "body": ["Hips", "Spine", "Spine1", "Neck", "Head"],
    "arm": [s + n for s in SIDES for n in ("Shoulder", "Arm", "ForeArm", "Hand")],
    "leg": [s + n for s in SIDES for n in ("UpLeg", "Leg", "Foot", "ToeBase")],
}


@pytest.fixture(scope="module")
def model(shared_dataset, tmp_path_factory):
    config = TrainConfig.model_validate(
        {
            "data": {"path": str(shared_dataset), "protocol": "leave-one-subject-out"},
            "encoder": {"name": "bgm2pose-fa", "config": {"width": 0.0625}},
            "training": {"epochs": 2, "batch_size": 4, "average_last_epochs": 1},
        }
    )
    return load_model(train(config, tmp_path_factory.mktemp("evaluation") / "run").folder)


def literal_pose(joints: np.ndarray) -> np.ndarray:
    """Return one frame's joints, hips at the origin, unit hip-spine, lowest joint at height 0."""
    hips, spine = (joints[JOINT_NAMES.index(name)] for name in ("Hips", "Spine"))
    pose = (joints - hips) / np.sqrt(((spine - hips) ** 2).sum())
    pose[:, 1] -= pose[:, 1].min()
    return pose


def literal_scores(poses: list[np.ndarray], truths: list[np.ndarray], joints: list[int]) -> dict:
    squares, sizes, hits = [], [], []
    for pose, truth in zip(poses, truths, strict=True):
        head = truth[JOINT_NAMES.index("Head")] - truth[JOINT_NAMES.index("Neck")]
        for joint in joints:
            error = pose[joint] - truth[joint]
            squares += (error**2).tolist()
            sizes += abs(error).tolist()
            hits.append(np.sqrt((error**2).sum()) < 0.5 * np.sqrt((head**2).sum()))
    return {"rmse": np.mean(squares) ** 0.5, "mae": np.mean(sizes), "pckh@0.5": np.mean(hits)}


def test_scores_by_part_and_activity_equal_a_literal_computation(model, shared_dataset):
    dataset = open_dataset(shared_dataset)
    result = evaluate(model, shared_dataset)
    assert result.takes == ("s2-a", "s2-b")
    poses, truths, labels = [], [], []
    for take_id in result.takes:
        take = dataset.read_take(take_id)
        poses += list(model.predict(take.recording, take.playback).astype(float))
        truths += [literal_pose(j) for j in dataset.pose_targets(take_id).astype(float)]
        labels += dataset.activity(take_id).tolist()
    everything = list(range(len(JOINT_NAMES)))
    groups = {"": result.scores} | {n: g.scores for n, g in result.per_activity.items()}
    assert set(groups) == {"", "raise", "lower"}
    for activity, scores in groups.items():
        chosen = [i for i, label in enumerate(labels) if activity in ("", label)]
        single = {} if activity else {name: [name] for name in JOINT_NAMES}
        assert (f"rmse/{JOINT_NAMES[8]}" in scores["model"]) == (not activity)
        for part, names in {"": [], **PARTS, **single}.items():
            joints = [JOINT_NAMES.index(name) for name in names] or everything
            for method, predictions in (
                ("model", [poses[i] for i in chosen]),
                ("mean_pose", [model.mean_pose.astype(float)] * len(chosen)),
            ):
                expected = literal_scores(predictions, [truths[i] for i in chosen], joints)
                for metric, value in expected.items():
                    if part in single and metric != "rmse":
                        continue
                    name = f"{metric}/{part}" if part else metric
                    assert scores[method][name] == pytest.approx(value, rel=1e-4), name
