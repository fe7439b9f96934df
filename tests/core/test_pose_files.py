"""Pose files: what is read back by independent readers is what was predicted."""

import csv

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from acoustic_sense.constants import JOINT_NAMES, JOINT_PARENTS
from acoustic_sense.errors import AcousticSenseError
from acoustic_sense.inference.pose_files import HIP_SPINE_M, check_pose_path, write_pose_file


def read_bvh(path):
    """Parse a BVH file literally: joint names, parents, offsets, channels, frame time, motion."""
    tokens = iter(path.read_text().split())
    names, parents, offsets, channels, stack = [], [], [], [], []
    assert next(tokens) == "HIERARCHY"
    end_site = False
    for token in tokens:
        if token in ("ROOT", "JOINT"):
            names.append(next(tokens))
            parents.append(stack[-1] if stack else -1)
            offsets.append(None)
            channels.append([])
        elif token == "End":
            assert next(tokens) == "Site"
            end_site = True
        elif token == "{":
            stack.append(stack[-1] if end_site else len(names) - 1)
        elif token == "}":
            stack.pop()
            end_site = False
        elif token == "OFFSET":
            values = [float(next(tokens)) for _ in range(3)]
            if not end_site:
                offsets[-1] = values
        elif token == "CHANNELS":
            channels[-1] = [next(tokens) for _ in range(int(next(tokens)))]
        elif token == "MOTION":
            break
    assert not stack
    assert next(tokens) == "Frames:"
    frames = int(next(tokens))
    assert (next(tokens), next(tokens)) == ("Frame", "Time:")
    frame_time = float(next(tokens))
    motion = np.array([float(token) for token in tokens]).reshape(frames, -1)
    return names, parents, np.array(offsets), channels, frame_time, motion


def pose_by_forward_kinematics(names, parents, offsets, channels, motion):
    """Return joint positions, shape (frame, joint, 3), one frame and one joint at a time."""
    positions = np.zeros((len(motion), len(names), 3))
    for frame, row in enumerate(motion):
        values = iter(row)
        worlds = []
        for joint in range(len(names)):
            place = np.array(offsets[joint])
            rotation = Rotation.identity()
            for channel in channels[joint]:
                value = next(values)
                if channel.endswith("position"):
                    place["XYZ".index(channel[0])] = value
                else:
                    rotation = rotation * Rotation.from_euler(channel[0], value, degrees=True)
            parent = parents[joint]
            if parent >= 0:
                place = positions[frame, parent] + worlds[parent].apply(place)
                rotation = worlds[parent] * rotation
            positions[frame, joint] = place
            worlds.append(rotation)
    return positions


def rigid_motion(frames, seed=0, spread=0.6):
    """Return joints of a body with fixed bones that moves by random joint rotations."""
    rng = np.random.default_rng(seed)
    offsets = rng.normal(size=(len(JOINT_NAMES), 3)) * 0.2
    joints = np.zeros((frames, len(JOINT_NAMES), 3), dtype=np.float32)
    for frame in range(frames):
        worlds = []
        for joint, parent in enumerate(JOINT_PARENTS):
            local = Rotation.from_rotvec(rng.normal(size=3) * spread)
            worlds.append(local if parent < 0 else worlds[parent] * local)
            joints[frame, joint] = (
                [frame * 0.01, 1.0, 2.0]
                if parent < 0
                else joints[frame, parent] + worlds[parent].apply(offsets[joint])
            )
    return joints


@pytest.mark.parametrize("spread", [0.1, 0.6, 3.0])
def test_bvh_of_a_body_with_fixed_bones_leads_back_to_its_joints(tmp_path, spread):
    joints = rigid_motion(15, spread=spread)
    notes = write_pose_file(tmp_path / "pose.bvh", joints, unit_m=1.0)
    names, parents, offsets, channels, frame_time, motion = read_bvh(tmp_path / "pose.bvh")
    positions = pose_by_forward_kinematics(names, parents, offsets, channels, motion) / 100
    order = [names.index(name) for name in JOINT_NAMES]
    assert frame_time == pytest.approx(0.05)
    np.testing.assert_allclose(positions[:, order], joints, atol=2e-5)
    assert "0.0 mm rms" in notes[0]


def test_bvh_keeps_the_hierarchy_of_the_joints(tmp_path):
    write_pose_file(tmp_path / "pose.bvh", rigid_motion(2))
    names, parents, _, channels, _, _ = read_bvh(tmp_path / "pose.bvh")
    found = {
        name: names[parent] if parent >= 0 else ""
        for name, parent in zip(names, parents, strict=True)
    }
    expected = {
        name: JOINT_NAMES[parent] if parent >= 0 else ""
        for name, parent in zip(JOINT_NAMES, JOINT_PARENTS, strict=True)
    }
    assert found == expected
    assert [len(c) for c in channels] == [6] + [3] * (len(JOINT_NAMES) - 1)


def test_bvh_tells_how_far_bones_of_changing_length_are_from_the_prediction(tmp_path):
    rng = np.random.default_rng(1)
    joints = rigid_motion(20) + rng.normal(size=(20, 21, 3)).astype(np.float32) * 0.02
    notes = write_pose_file(tmp_path / "pose.bvh", joints, unit_m=1.0)
    names, parents, offsets, channels, _, motion = read_bvh(tmp_path / "pose.bvh")
    positions = pose_by_forward_kinematics(names, parents, offsets, channels, motion) / 100
    order = [names.index(name) for name in JOINT_NAMES]
    error = np.sqrt(np.mean(np.sum((positions[:, order] - joints) ** 2, axis=-1)))
    assert error > 0.005
    assert f"{1000 * error:.1f} mm rms" in notes[0]


def test_bvh_bears_bones_of_no_length_and_opposite_directions(tmp_path):
    joints = rigid_motion(4, spread=0.0)
    joints[:, 4] = joints[:, 3]
    joints[2, 7] = 2 * joints[2, 6] - joints[2, 7]
    write_pose_file(tmp_path / "pose.bvh", joints, unit_m=1.0)
    names, parents, offsets, channels, _, motion = read_bvh(tmp_path / "pose.bvh")
    positions = pose_by_forward_kinematics(names, parents, offsets, channels, motion) / 100
    order = [names.index(name) for name in JOINT_NAMES]
    np.testing.assert_allclose(positions[:, order][:, :8], joints[:, :8], atol=2e-5)


def test_bvh_of_a_relative_pose_has_the_size_of_an_average_body(tmp_path):
    joints = rigid_motion(3, spread=0.0)
    write_pose_file(tmp_path / "pose.bvh", joints)
    names, _, offsets, _, _, _ = read_bvh(tmp_path / "pose.bvh")
    bone = np.linalg.norm(joints[0, 1] - joints[0, 0])
    read = np.linalg.norm(offsets[names.index("Spine")])
    assert read == pytest.approx(100 * HIP_SPINE_M * bone, abs=1e-4)


def test_npz_holds_joints_times_and_names_without_pickle(tmp_path):
    joints = rigid_motion(5)
    write_pose_file(tmp_path / "pose.npz", joints, rate_hz=20)
    with np.load(tmp_path / "pose.npz", allow_pickle=False) as data:
        np.testing.assert_array_equal(data["joints"], joints)
        assert data["joints"].dtype == np.float32
        assert data["rate_hz"] == 20
        assert data["unit_m"] == HIP_SPINE_M
        np.testing.assert_allclose(data["time_s"], [0.025, 0.075, 0.125, 0.175, 0.225])
        assert tuple(data["joint_names"]) == JOINT_NAMES


def test_csv_holds_one_row_a_frame(tmp_path):
    joints = rigid_motion(5)
    write_pose_file(tmp_path / "pose.csv", joints)
    with (tmp_path / "pose.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    assert rows[1]["time_s"] == "0.075"
    for index, row in enumerate(rows):
        for joint, name in enumerate(JOINT_NAMES):
            read = [float(row[f"{name}_{axis}"]) for axis in "xyz"]
            np.testing.assert_allclose(read, joints[index, joint], atol=1e-6)


@pytest.mark.parametrize("ending", ["npz", "csv", "bvh"])
def test_the_same_pose_gives_the_same_bytes(tmp_path, ending):
    for name in ("a", "b"):
        write_pose_file(tmp_path / f"{name}.{ending}", rigid_motion(3))
    first, second = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("a", "b"))
    assert first == second


@pytest.mark.parametrize(
    ("name", "message"),
    [("pose.txt", "unknown pose format '.txt'"), ("pose", "has no ending")],
)
def test_rejects_an_unknown_format(tmp_path, name, message):
    with pytest.raises(AcousticSenseError, match=message):
        check_pose_path(tmp_path / name)
