"""Captures and motion files: read right, fitted to body and floor, without jumps."""

from pathlib import Path

import numpy as np
import pytest
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.motion import make_motion
from acoustic_sense_simulator.motion.activities import ACTIVITY_NAMES
from acoustic_sense_simulator.motion.bvh import read_bvh
from acoustic_sense_simulator.motion.capture import Capture
from acoustic_sense_simulator.motion.embedded_captures import (
    ANGLE_STEP,
    decoded,
    embedded_captures,
    encoded,
)
from acoustic_sense_simulator.motion.motion_file import read_motion_file
from acoustic_sense_simulator.motion.replay import confined
from acoustic_sense_simulator.motion.retargeting import retargeted
from scipy.spatial.transform import Rotation

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Motion, Scene, Subject

PERSON = Subject(position_m=(0.0, 0.0, 0.0))
Z_UP = Rotation.from_euler("x", 90, degrees=True)


def played(source, path="", seconds=10.0, seed=0, subject=PERSON):
    scene = Scene(seconds=seconds, subject=subject, motion=Motion(source=source, path=str(path)))
    body = load_body(subject)
    return body, make_motion(scene, body, np.random.default_rng(seed))


def procedural(seconds=4.0, activities=("raise-left", "bow")):
    """A movement to write to files, and its joints."""
    scene = Scene(seconds=seconds, subject=PERSON, motion=Motion(activities=activities))
    body = load_body(PERSON)
    return body, make_motion(scene, body, np.random.default_rng(1))


def difference_deg(a, b, every=1):
    """Greatest angle between the joints of every n-th pose of `a` and the poses of `b`.

    Hands are left out, and of the pelvis the heading of the first frame, which replay sets.
    """
    count = len(b.smpl_pose)
    first, second = a.smpl_pose[::every][:count].copy(), b.smpl_pose.copy()
    for pose in (first, second):
        facing = Rotation.from_rotvec(pose[0, :3]).apply([0, 0, 1])
        turn = Rotation.from_euler("y", -np.arctan2(facing[0], facing[2]))
        pose[:, :3] = (turn * Rotation.from_rotvec(pose[:, :3])).as_rotvec()
    first, second = (Rotation.from_rotvec(p[:, :66].reshape(-1, 3)) for p in (first, second))
    return np.rad2deg((first.inv() * second).magnitude().max())


@pytest.mark.parametrize("seed", [0, 1])
def test_embedded_captures_move_like_people_on_the_floor(seed):
    betas = tuple(np.random.default_rng(seed).standard_normal(10))
    subject = Subject(position_m=(1.0, 0.0, 2.0), heading_deg=40.0, betas=betas)
    body, motion = played("cmu", seconds=40.0, seed=seed, subject=subject)
    assert len(motion.smpl_pose) == 2401
    assert set(motion.activity) == {"cmu-01_01", "cmu-01_03"}
    joints = body.joints24(motion.smpl_pose, motion.smpl_trans)
    assert (np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 60).max() < 8
    lowest = body.pose_vertices(motion.smpl_pose, motion.smpl_trans)[..., 1].min(axis=1)
    assert lowest.min() > -0.02
    assert np.quantile(np.abs(lowest), 0.7) < 0.02
    assert lowest.max() < 0.4  # jumps
    away = motion.smpl_trans[:, [0, 2]] - [1, 2]
    assert np.linalg.norm(away, axis=1).max() <= 0.6 + 1e-5


def test_embedded_captures_keep_off_the_absent_bar():
    body = load_body(PERSON)
    total = 0.0
    for capture in embedded_captures():
        joints = body.joints24(capture.pose.reshape(-1, 72), capture.pelvis)
        assert np.ptp(joints[:, 0, 1]) < 0.6
        total += len(capture.pose) / capture.rate_hz
    assert 30 < total < 45


def test_captures_repeat_by_seed():
    (_, a), (_, b), (_, c) = (played("cmu", seed=s) for s in (3, 3, 4))
    assert a.smpl_pose.tobytes() == b.smpl_pose.tobytes()
    assert a.smpl_trans.tobytes() == b.smpl_trans.tobytes()
    assert a.smpl_pose.tobytes() != c.smpl_pose.tobytes()


def test_stored_captures_survive_coding():
    values = np.cumsum(np.random.default_rng(0).normal(0, 0.5, (500, 3)), axis=0)
    values = np.pi * np.sin(values)  # the whole range, jumps included
    np.testing.assert_allclose(decoded(encoded(values, ANGLE_STEP)) * ANGLE_STEP, values, atol=1e-4)


def save_amass(path, motion, width, rate_name, rate_hz=60.0):
    pose = motion.smpl_pose.astype(np.float64)
    rng = np.random.default_rng(0)
    poses = np.concatenate([pose[:, :66], rng.normal(0, 0.3, (len(pose), width - 66))], axis=1)
    poses[:, :3] = (Z_UP * Rotation.from_rotvec(pose[:, :3])).as_rotvec()
    arrays = {"poses": poses, "trans": Z_UP.apply(motion.smpl_trans), rate_name: np.array(rate_hz)}
    np.savez(path, **arrays, gender=np.array("neutral"), betas=np.zeros(16))


@pytest.mark.parametrize(
    ("width", "rate_name"),
    [(72, "mocap_framerate"), (156, "mocap_framerate"), (165, "mocap_frame_rate")],
)
def test_amass_file_gives_its_movement_back(tmp_path, width, rate_name):
    _, motion = procedural()
    save_amass(tmp_path / "take_stageii.npz", motion, width, rate_name)
    _, again = played("file", tmp_path / "take_stageii.npz", seconds=4.0)
    assert difference_deg(motion, again) < 0.1
    np.testing.assert_allclose(again.smpl_trans[:, 1], motion.smpl_trans[:, 1], atol=0.03)
    assert set(again.activity) == {"take_stageii"}


def stageii(motion):
    """The arrays of an AMASS `*_stageii.npz` (SMPL-X), names and shapes as published."""
    count = len(motion.smpl_pose)
    rng = np.random.default_rng(0)
    poses = np.zeros((count, 165))
    poses[:, :66] = motion.smpl_pose[:, :66]
    poses[:, :3] = (Z_UP * Rotation.from_rotvec(motion.smpl_pose[:, :3])).as_rotvec()
    poses[:, 66:] = rng.normal(0, 0.2, (count, 99))
    return {
        "gender": np.array("female"),
        "surface_model_type": np.array("smplx"),
        "mocap_frame_rate": np.array(60.0),
        "mocap_time_length": np.array(count / 60),
        "markers_latent": rng.normal(size=(41, 3)),
        "latent_labels": np.array(["C7", "CLAV"], dtype=object),  # never opened
        "markers_latent_vids": np.array({"C7": 3832}, dtype=object),
        "trans": Z_UP.apply(motion.smpl_trans),
        "poses": poses,
        "betas": rng.normal(size=16),
        "num_betas": np.array(16),
        "root_orient": poses[:, :3],
        "pose_body": poses[:, 3:66],
        "pose_jaw": poses[:, 66:69],
        "pose_eye": poses[:, 69:75],
        "pose_hand": poses[:, 75:],
    }


@pytest.mark.parametrize("left_out", [(), ("poses",), ("root_orient", "pose_body")])
def test_stageii_file_gives_its_movement_back_whole_or_by_parts(tmp_path, left_out):
    _, motion = procedural()
    arrays = {name: value for name, value in stageii(motion).items() if name not in left_out}
    np.savez(tmp_path / "walk_stageii.npz", **arrays)
    _, again = played("file", tmp_path / "walk_stageii.npz", seconds=4.0)
    assert difference_deg(motion, again) < 0.1
    np.testing.assert_allclose(again.smpl_trans[:, 1], motion.smpl_trans[:, 1], atol=0.03)


def test_parts_of_a_stageii_file_that_do_not_fit_are_named(tmp_path):
    _, motion = procedural()
    arrays = stageii(motion) | {"pose_body": np.zeros((5, 63))}
    del arrays["poses"]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SimulationError, match=r"'pose_body' \(5, 63\)"):
        played("file", tmp_path / "a.npz")


def test_amass_file_is_resampled_to_the_rate(tmp_path):
    _, motion = procedural()
    save_amass(tmp_path / "fast.npz", motion, 156, "mocap_framerate", rate_hz=120.0)
    _, again = played("file", tmp_path / "fast.npz", seconds=2.0)
    assert difference_deg(motion, again, every=2) < 0.1


def test_dataset_pose_file_gives_its_movement_back(tmp_path):
    body, motion = procedural()
    np.savez(
        tmp_path / "pose.npz",
        joints=body.joints(motion.smpl_pose, motion.smpl_trans),
        smpl_pose=motion.smpl_pose,
        smpl_trans=motion.smpl_trans,
        rate_hz=60.0,
    )
    _, again = played("file", tmp_path / "pose.npz", seconds=4.0)
    assert difference_deg(motion, again) < 0.1


def test_short_file_is_repeated_without_jumps(tmp_path):
    _, motion = procedural(seconds=2.5)
    save_amass(tmp_path / "short.npz", motion, 156, "mocap_framerate")
    body, again = played("file", tmp_path / "short.npz", seconds=12.0)
    joints = body.joints24(again.smpl_pose, again.smpl_trans)
    assert len(joints) == 721
    assert (np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 60).max() < 8


CMU_TREE = {
    "Hips": [
        ("LeftUpLeg", (0.6, -0.5, 0)),
        ("RightUpLeg", (-0.6, -0.5, 0)),
        ("LowerBack", (0, 0.8, 0)),
    ],
    "LeftUpLeg": [("LeftLeg", (0.4, -3.0, 0.1))],
    "RightUpLeg": [("RightLeg", (-0.4, -3.0, 0.1))],
    "LeftLeg": [("LeftFoot", (0.2, -3.0, -0.1))],
    "RightLeg": [("RightFoot", (-0.2, -3.0, -0.1))],
    "LeftFoot": [("LeftToeBase", (0, -0.4, 1.0))],
    "RightFoot": [("RightToeBase", (0, -0.4, 1.0))],
    "LowerBack": [("Spine", (0, 0.8, 0))],
    "Spine": [("Spine1", (0, 0.8, 0))],
    "Spine1": [("Neck", (0, 1.2, 0)), ("LeftArm", (1.1, 1.0, 0)), ("RightArm", (-1.1, 1.0, 0))],
    "Neck": [("Head", (0, 0.7, 0))],
    "LeftArm": [("LeftForeArm", (1.5, -1.0, 0))],
    "RightArm": [("RightForeArm", (-1.5, -1.0, 0))],
    "LeftForeArm": [("LeftHand", (1.3, -0.9, 0))],
    "RightForeArm": [("RightHand", (-1.3, -0.9, 0))],
}


def bvh_text(frames, rename=lambda name: name):
    """A BVH with CMU's names; `frames` gives for each frame {joint: (z, y, x) degrees}."""
    order = []

    def block(name, offset, depth):
        order.append(name)
        pad = "  " * depth
        kind = "ROOT" if depth == 0 else "JOINT"
        moves = "6 Xposition Yposition Zposition" if depth == 0 else "3"
        lines = [
            f"{pad}{kind} {rename(name)}",
            f"{pad}{{",
            f"{pad}  OFFSET {offset[0]} {offset[1]} {offset[2]}",
        ]
        lines.append(f"{pad}  CHANNELS {moves} Zrotation Yrotation Xrotation")
        for child, at in CMU_TREE.get(name, []):
            lines += block(child, at, depth + 1)
        if name not in CMU_TREE:
            lines += [f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET 0 0 0.1", f"{pad}  }}"]
        return [*lines, f"{pad}}}"]

    lines = ["HIERARCHY", *block("Hips", (0, 0, 0), 0), "MOTION", f"Frames: {len(frames)}"]
    lines.append("Frame Time: 0.01666667")
    for number, frame in enumerate(frames):
        values = [0.1 * number, 9.0, 0.0]
        for name in order:
            values += frame.get(name, (0, 0, 0))
        lines.append(" ".join(f"{v:.4f}" for v in values))
    return "\n".join(lines)


def test_bvh_gives_the_directions_of_its_limbs(tmp_path):
    frames = [
        {
            "LeftArm": (10 + k / 2, 5, -k),
            "RightLeg": (0, 0, k),
            "Hips": (0, k, 0),
            "LeftUpLeg": (0, 0, -k),
        }
        for k in range(40)
    ]
    path = tmp_path / "wave.bvh"
    path.write_text(bvh_text(frames))
    body = load_body(PERSON)
    motion = read_bvh(path)
    capture = retargeted(motion, "wave", body.rest_joints)
    assert capture.rate_hz == pytest.approx(60, abs=0.01)
    assert len(capture.pose) == 40
    ours = body.joints24(capture.pose.reshape(-1, 72), capture.pelvis)
    theirs = literal_positions(frames)
    for limb in (
        (16, 18, "LeftArm", "LeftForeArm"),
        (18, 20, "LeftForeArm", "LeftHand"),
        (2, 5, "RightUpLeg", "RightLeg"),
        (5, 8, "RightLeg", "RightFoot"),
        (1, 4, "LeftUpLeg", "LeftLeg"),
        (7, 10, "LeftFoot", "LeftToeBase"),
    ):
        a = ours[:, limb[1]] - ours[:, limb[0]]
        b = theirs[limb[3]] - theirs[limb[2]]
        cosine = np.sum(a * b, -1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
        assert cosine.min() > 0.9999


def literal_positions(frames):
    """Forward kinematics of `bvh_text`, one frame and joint at a time."""
    found = {}
    for number, frame in enumerate(frames):
        stack = [("Hips", np.eye(3), np.array([0.1 * number, 9.0, 0.0]))]
        while stack:
            name, world, place = stack.pop()
            found.setdefault(name, []).append(place)
            z, y, x = np.deg2rad(frame.get(name, (0, 0, 0)))
            turn = (
                np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
                @ np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
                @ np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
            )
            for child, offset in CMU_TREE.get(name, []):
                stack.append((child, world @ turn, place + world @ turn @ np.array(offset)))
    return {name: np.array(places) for name, places in found.items()}


def test_bvh_plays_on_the_floor_and_drops_a_calibration_pose(tmp_path):
    frames = [
        {"LeftArm": (-80, 0, 0), "RightArm": (80, 0, 0)},
        *[{"LeftLeg": (0, 0, k / 2)} for k in range(90)],
    ]
    path = tmp_path / "step.bvh"
    path.write_text(bvh_text(frames, rename=lambda name: f"mocap:{name}"))
    body = load_body(PERSON)
    assert len(read_motion_file(path, body.rest_joints).pose) == 90
    body, motion = played("file", path, seconds=1.4)
    lowest = body.pose_vertices(motion.smpl_pose, motion.smpl_trans)[..., 1].min(axis=1)
    assert np.abs(lowest).max() < 0.02


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bvh", "", "HIERARCHY"),
        ("a.bvh", "HIERARCHY ROOT Hips { OFFSET 0 0 0", "ends too early"),
        ("a.bvh", "HIERARCHY ROOT Hips { OFFSET 0 x 0", "float"),
        ("a.bvh", "HIERARCHY ROOT Hips { OFFSET 0 0 0 CHANNELS 1 Wspin } MOTION", "Wspin"),
        (
            "a.bvh",
            "HIERARCHY ROOT Hips { OFFSET 0 0 0 CHANNELS 1 Xrotation } "
            "MOTION Frames: 3 Frame Time: 0.1 1 2",
            "3 frames of 1 channels",
        ),
        (
            "a.bvh",
            "HIERARCHY ROOT Hips { OFFSET 0 0 0 CHANNELS 1 Xrotation } "
            "MOTION Frames: 2 Frame Time: 0.1 1 2",
            "lacks LeftUpLeg",
        ),
        ("a.npz", "not a zip", "plain arrays"),
        ("a.fbx", "x", r"\.npz or \.bvh"),
    ],
)
def test_bad_files_are_named_with_the_cause(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(SimulationError, match=message):
        played("file", path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"poses": np.zeros((5, 60))}, "shape"),
        ({"trans": np.zeros((4, 3))}, "trans"),
        ({"poses": np.full((5, 156), np.nan)}, "not finite"),
        ({"mocap_framerate": None}, "mocap_framerate"),
        ({"trans": None}, "lacks 'trans'"),
        ({"mocap_framerate": np.array(0.0)}, "frames a second"),
        ({"poses": np.zeros((1, 156)), "trans": np.zeros((1, 3))}, "two or more"),
    ],
)
def test_bad_amass_arrays_are_named(tmp_path, change, message):
    arrays = {"poses": np.zeros((5, 156)), "trans": np.zeros((5, 3)), "mocap_framerate": 60.0}
    arrays = {k: v for k, v in (arrays | change).items() if v is not None}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(SimulationError, match=message):
        played("file", tmp_path / "a.npz")


def test_missing_file_and_missing_path_are_refused():
    with pytest.raises(SimulationError, match="no such motion file"):
        played("file", Path("/nowhere/a.npz"))
    with pytest.raises(SimulationError, match="needs `path`"):
        played("file", "")


def test_resampling_keeps_the_movement():
    times = np.arange(101) / 50
    pose = np.zeros((101, 24, 3))
    pose[:, 4, 0] = np.sin(times)
    pelvis = np.stack([times, times * 0 + 1, times**2], axis=1)
    capture = Capture("x", pose, pelvis, 50.0).resampled(60.0)
    assert len(capture.pose) == 121
    new_times = np.arange(121) / 60
    np.testing.assert_allclose(capture.pose[:, 4, 0], np.sin(new_times), atol=1e-4)
    np.testing.assert_allclose(capture.pelvis[:, 2], new_times**2, atol=2e-4)


def test_path_within_reach_is_only_centred():
    path = np.random.default_rng(0).uniform(-0.2, 0.2, (100, 2)) + np.array([3, 4])
    held = confined(path, 60.0, 0.6)
    np.testing.assert_allclose(np.diff(held, axis=0), np.diff(path, axis=0))
    np.testing.assert_allclose((held.max(axis=0) + held.min(axis=0)) / 2, 0, atol=1e-12)


def test_long_walk_is_held_in_place():
    path = np.stack([np.linspace(0, 10, 600), np.zeros(600)], axis=1)
    assert np.linalg.norm(confined(path, 60.0, 0.6), axis=1).max() <= 0.6


def test_capture_labels_are_not_those_of_activities():
    assert not {capture.name for capture in embedded_captures()} & set(ACTIVITY_NAMES)
