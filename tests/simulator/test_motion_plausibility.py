"""Movements keep to what bodies can do, and the measures of that find what they are meant to."""

import numpy as np
import pytest
import trimesh
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.body.skeleton import smpl_joint
from acoustic_sense_simulator.motion import ACTIVITY_NAMES, MotionTrack, make_motion
from acoustic_sense_simulator.motion.arm_clearance import DEEPEST_M as DEEPEST_ARM_M
from acoustic_sense_simulator.motion.arm_clearance import arms_out, held_out_deg
from acoustic_sense_simulator.motion.embedded_captures import embedded_captures
from acoustic_sense_simulator.motion.plausibility import (
    distances,
    footing,
    penetration,
    speeds,
    winding_numbers,
)
from scipy.spatial.transform import Rotation

from acoustic_sense.types import Motion, Scene, Subject

TRAVELLING = {"walk": 0.12, "side-step": 0.06}  # both feet bear the body for a moment
DEEPEST_M = 0.025
BROAD = Subject(position_m=(0.0, 0.0, 0.0), height_m=1.7, mass_kg=95.0)


def subjects(count=3):
    rng = np.random.default_rng(5)
    return [
        Subject(
            position_m=(0.0, 0.0, 0.0),
            style_seed=number,
            betas=tuple(np.clip(rng.standard_normal(10), -2, 2)),
        )
        for number in range(count)
    ]


def moving(motion, seconds, people):
    for seed, subject in enumerate(people):
        body = load_body(subject)
        scene = Scene(seconds=seconds, subject=subject, motion=motion)
        yield body, make_motion(scene, body, np.random.default_rng(seed))


@pytest.mark.parametrize("name", ACTIVITY_NAMES)
def test_activities_keep_limbs_apart_feet_planted_and_human_speeds(name):
    for body, track in moving(Motion(activities=(name,)), 8.0, subjects()):
        inside = penetration(body, track, every=6)
        assert inside.worst_m < DEEPEST_M, inside.where
        feet = footing(body, track)
        assert -0.01 < feet.lowest_m <= feet.highest_m < 0.02
        assert feet.slide_m_s < TRAVELLING.get(name, 0.04)
        top = speeds(body, track)
        assert top.hand_m_s < 6
        assert top.foot_m_s < (8 if name == "kick" else 5)
        assert top.turn_rad_s < 12  # people bend elbows at up to 20
        assert top.turn_rad_s2 < 300
        assert top.joint_m_s2 < 90


def test_captures_keep_limbs_apart_and_human_speeds():
    for body, track in moving(Motion(source="cmu"), 40.0, [*subjects(6), BROAD]):
        inside = penetration(body, track, every=4)
        assert inside.worst_m < DEEPEST_M, inside.where
        assert inside.deep_share < 0.02
        feet = footing(body, track)
        assert feet.lowest_m > -0.01
        assert feet.highest_m < 0.4  # jumps
        top = speeds(body, track)
        assert top.hand_m_s < 6
        assert top.foot_m_s < 6
        assert top.turn_rad_s < 25
        assert top.joint_m_s2 < 120  # no jumps, not where captures are joined either


def test_broad_people_hold_their_arms_further_out_in_captures():
    slim = Subject(height_m=1.7, mass_kg=55.0)
    angles = [held_out_deg(load_body(subject)) for subject in (slim, Subject(), BROAD)]
    assert 0 < angles[0] < 5 < angles[1] + 4 < angles[2] < 20
    assert held_out_deg(load_body(BROAD, "medium")) == angles[2]  # one movement for every mesh


def test_the_angle_is_the_smallest_that_keeps_the_arms_off():
    body = load_body(BROAD)
    found_deg = held_out_deg(body)

    def deepest_m(angle_deg):
        poses = [arms_out(c.resampled(5.0).pose, angle_deg) for c in embedded_captures()]
        pose = np.concatenate(poses).reshape(-1, 72).astype(np.float32)
        still_m = np.zeros((len(pose), 3), dtype=np.float32)
        track = MotionTrack(pose, still_m, np.full(len(pose), "x"), 5.0)
        return penetration(body, track).worst_m

    assert deepest_m(0.0) > 0.05
    assert deepest_m(found_deg - 1) > DEEPEST_ARM_M - 0.001
    assert deepest_m(found_deg) < DEEPEST_ARM_M + 0.003  # of all points, not only those asked


@pytest.mark.parametrize("twist", [0.0, 0.7])
def test_arms_turn_towards_their_side_by_the_angle(twist):
    pose = np.zeros((3, 24, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        down = Rotation.from_rotvec([0, 0, -sign * np.pi / 2])
        front = Rotation.from_rotvec([0, -sign * np.pi / 2, 0])
        own = Rotation.from_rotvec([twist, 0, 0])
        turns = [(way * own).as_rotvec() for way in (down, front, Rotation.identity())]
        pose[:, smpl_joint(f"{side}_shoulder")] = turns
    pose[:, smpl_joint("left_elbow")] = [0, -0.5, 0]
    turned = arms_out(pose, 10.0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder = smpl_joint(f"{side}_shoulder")
        before, after = (Rotation.from_rotvec(p[:, shoulder]) for p in (pose, turned))
        np.testing.assert_allclose(
            np.rad2deg((after * before.inv()).magnitude()), [10, 10, 0], atol=1e-9
        )
        outwards = after.apply([sign, 0, 0])[:, 0] * sign
        np.testing.assert_allclose(outwards, [np.sin(np.deg2rad(10))] * 2 + [1], atol=1e-9)
    others = [j for j in range(24) if j not in (smpl_joint("left_shoulder"), shoulder)]
    np.testing.assert_array_equal(turned[:, others], pose[:, others])


def still(frames=60, pose=None):
    smpl_pose = np.zeros((frames, 72), dtype=np.float32)
    if pose:
        for joint, vector in pose.items():
            smpl_pose[:, 3 * smpl_joint(joint) : 3 * smpl_joint(joint) + 3] = vector
    body = load_body(Subject())
    trans = np.zeros((frames, 3), dtype=np.float32)
    trans[:, 1] = -body.rest_vertices[:, 1].min()
    return body, MotionTrack(smpl_pose, trans, np.full(frames, "x"), 60.0)


def test_an_arm_through_the_chest_is_found():
    apart = penetration(*still(1))
    assert apart.worst_m == 0
    turned = {"left_shoulder": [0.0, -2.8, -0.5]}
    found = penetration(*still(1, turned))
    assert found.where.startswith("left arm in")
    assert found.worst_m > 0.02
    assert found.deep_share == 1


def test_legs_that_cross_are_found():
    found = penetration(*still(1, {"left_hip": [0, 0, -0.3], "right_hip": [0, 0, 0.3]}))
    assert "leg in" in found.where
    assert found.worst_m > 0.03


def test_depth_is_the_distance_to_the_surface():
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.2)
    points = np.array([[0.0, 0, 0], [0.1, 0, 0], [0, -0.19, 0], [0, 0.21, 0], [0.3, 0.3, 0.3]])
    winds = winding_numbers(points, ball.triangles)
    np.testing.assert_allclose(winds, [1, 1, 1, 0, 0], atol=1e-9)
    expected = np.abs(0.2 - np.linalg.norm(points, axis=1))
    np.testing.assert_allclose(distances(points, ball.triangles), expected, atol=6e-4)


@pytest.mark.parametrize(
    ("point", "distance"),
    [((0.2, 0.2, 0.5), 0.5), ((-1.0, 0.5, 0.0), 1.0), ((2.0, 0, 0), 1.0), ((1, 1, 0), 0.5**0.5)],
)
def test_distance_to_a_triangle_is_that_to_its_face_edge_or_corner(point, distance):
    triangle = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])
    assert distances(np.array([point], dtype=float), triangle)[0] == pytest.approx(distance)


def test_a_body_pushed_along_the_floor_slides():
    body, track = still(60)
    assert footing(body, track).top_slide_m_s == 0
    pushed = track.smpl_trans + np.linspace(0, 0.3, 60, dtype=np.float32)[:, None] * [1, 0, 0]
    track = MotionTrack(track.smpl_pose, pushed.astype(np.float32), track.activity, 60.0)
    assert footing(body, track).slide_m_s == pytest.approx(0.3 * 60 / 59, rel=0.01)
    assert speeds(body, track).joint_m_s == pytest.approx(0.3 * 60 / 59, rel=0.01)


def test_a_jump_between_frames_shows_as_acceleration():
    body, track = still(60)
    track.smpl_pose[30:, 3 * smpl_joint("left_elbow") + 1] = -0.5
    found = speeds(body, track)
    assert found.turn_rad_s == pytest.approx(0.5 * 60, rel=1e-4)
    assert found.turn_rad_s2 == pytest.approx(0.5 * 60**2, rel=1e-4)
    assert found.joint_m_s2 > 300


def test_smoothing_takes_noise_and_leaves_the_movement():
    (capture, *_) = embedded_captures()
    times = np.arange(200) / 60
    swing = np.zeros((200, 24, 3))
    swing[:, 4, 0] = 1.5 * np.sin(2 * np.pi * times) + np.pi  # passes the turn of the vector
    pelvis = np.stack([times, np.cos(4 * times), 0 * times], axis=1)
    clean = type(capture)("x", swing, pelvis, 60.0)
    noisy = type(capture)("x", swing.copy(), pelvis.copy(), 60.0)
    noisy.pose[100, 4, 0] += 0.4
    smooth, plain = noisy.smoothed(8.0), clean.smoothed(8.0)

    def turned(a, b):
        return np.abs(np.sin((a.pose[10:-10, 4, 0] - b.pose[10:-10, 4, 0]) / 2)).max()

    assert turned(plain, clean) < 0.01
    assert turned(smooth, clean) < 0.15
    np.testing.assert_allclose(plain.pelvis[10:-10], pelvis[10:-10], atol=0.005)
