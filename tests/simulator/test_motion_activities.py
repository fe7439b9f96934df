"""Procedural activities: people move as people do, in their own style, feet on the floor."""

from itertools import pairwise

import numpy as np
import pytest
from acoustic_sense_simulator.body import load_body
from acoustic_sense_simulator.body.skeleton import smpl_joint
from acoustic_sense_simulator.motion import ACTIVITY_NAMES, make_motion
from acoustic_sense_simulator.motion.activities import VARIANTS
from acoustic_sense_simulator.motion.degrees_of_freedom import LIMITS_DEG, NAMES, mirrored
from acoustic_sense_simulator.motion.skeleton_pose import smpl_pose_of
from acoustic_sense_simulator.motion.style import personal_style

from acoustic_sense.constants import JOINT_NAMES
from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Motion, Scene, Subject

PERSON = Subject(position_m=(0.0, 0.0, 0.0))
EACH = pytest.mark.parametrize("name", ACTIVITY_NAMES)
JOINT = {name: index for index, name in enumerate(JOINT_NAMES)}


def moved(seconds=12.0, activities=(), seed=0, subject=PERSON, rate_hz=60.0):
    """Return body, motion and the 21 joints of a take."""
    scene = Scene(
        seconds=seconds, subject=subject, motion=Motion(activities=activities, rate_hz=rate_hz)
    )
    body = load_body(subject)
    motion = make_motion(scene, body, np.random.default_rng(seed))
    return body, motion, body.joints(motion.smpl_pose, motion.smpl_trans)


def people(count):
    """Subjects of many shapes and styles."""
    rng = np.random.default_rng(5)
    return [
        Subject(position_m=(0.0, 0.0, 0.0), style_seed=k, betas=tuple(rng.standard_normal(10)))
        for k in range(count)
    ]


def test_has_the_documented_activities():
    assert len(ACTIVITY_NAMES) == 15
    assert {"stand", "breathe", "walk", "walk-in-place", "t-pose", "sit"} <= set(ACTIVITY_NAMES)


@pytest.mark.parametrize(("seconds", "rate_hz"), [(1.0, 60.0), (0.51, 60.0), (2.0, 33.3)])
def test_length_covers_the_take(seconds, rate_hz):
    _, motion, _ = moved(seconds, rate_hz=rate_hz)
    assert len(motion.smpl_pose) == int(np.ceil(seconds * rate_hz)) + 1
    assert motion.smpl_pose.dtype == motion.smpl_trans.dtype == np.float32
    assert motion.activity.shape == (len(motion.smpl_pose),)
    assert motion.rate_hz == rate_hz


@EACH
def test_joints_keep_to_human_speeds(name):
    for seed, subject in enumerate(people(3)):
        body, motion, _ = moved(activities=(name,), seed=seed, subject=subject)
        joints = body.joints24(motion.smpl_pose, motion.smpl_trans)
        speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * motion.rate_hz
        acceleration = np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1) * motion.rate_hz**2
        assert speed.max() < 8.0
        assert acceleration.max() < 120.0  # a frame-to-frame jump would be far above


@EACH
def test_lowest_foot_is_on_the_floor(name):
    for seed, subject in enumerate(people(3)):
        body, motion, _ = moved(activities=(name,), seed=seed, subject=subject)
        lowest = body.pose_vertices(motion.smpl_pose, motion.smpl_trans)[..., 1].min(axis=1)
        assert lowest.min() > -0.02
        assert lowest.max() < 0.02


@EACH
def test_stays_near_its_place(name):
    _, motion, _ = moved(activities=(name,), seed=1)
    assert np.linalg.norm(motion.smpl_trans[:, [0, 2]], axis=1).max() <= 0.75


@EACH
def test_lasts_between_one_and_a_half_and_five_seconds(name):
    for variant in (v for v in VARIANTS if v.name == name):
        for repeats in variant.repeats:
            keys = variant.keys(repeats, mirror=False)
            seconds = sum(key.seconds for key in keys) + variant.settle_s
            assert 1.5 <= seconds <= 5.0


@EACH
def test_key_poses_are_within_human_limits(name):
    for variant in (v for v in VARIANTS if v.name == name):
        for key in variant.keys(1, mirror=False):
            for dof, value in key.pose.items():
                low, high = LIMITS_DEG[dof]
                assert low <= value <= high


def test_all_activities_appear_in_a_few_minutes():
    seen = set()
    for seed in range(3):
        _, motion, _ = moved(60.0, seed=seed)
        assert len(set(motion.activity)) >= 12
        seen |= set(motion.activity)
    assert seen == set(ACTIVITY_NAMES)


def test_only_the_chosen_activities_appear():
    _, motion, _ = moved(activities=("bow", "kick"))
    assert set(motion.activity) == {"bow", "kick"}


def test_unknown_activity_is_suggested():
    with pytest.raises(SimulationError, match="did you mean 'squat'"):
        moved(activities=("squatt",))


def test_same_seed_gives_the_same_bytes_and_another_does_not():
    (_, a, _), (_, b, _), (_, c, _) = moved(seed=3), moved(seed=3), moved(seed=4)
    assert a.smpl_pose.tobytes() == b.smpl_pose.tobytes()
    assert a.smpl_trans.tobytes() == b.smpl_trans.tobytes()
    assert np.array_equal(a.activity, b.activity)
    assert a.smpl_pose.tobytes() != c.smpl_pose.tobytes()


def test_styles_differ_between_subjects_and_hold_for_one():
    assert np.array_equal(personal_style(1).neutral, personal_style(1).neutral)
    _, a, _ = moved(activities=("t-pose",), subject=Subject(style_seed=1))
    _, b, _ = moved(activities=("t-pose",), subject=Subject(style_seed=2))
    assert np.abs(a.smpl_pose - b.smpl_pose).max() > 0.05


@pytest.mark.parametrize(
    ("name", "up", "down"),
    [
        ("raise-left", ["LeftHand"], ["RightHand"]),
        ("raise-right", ["RightHand"], ["LeftHand"]),
        ("raise-both", ["LeftHand", "RightHand"], []),
    ],
)
def test_raising_arms_lifts_the_right_hands_above_the_head(name, up, down):
    for seed, subject in enumerate(people(4)):
        _, _, joints = moved(4.0, (name,), seed, subject)
        above = joints[..., 1] - joints[:, [JOINT["Head"]], 1]
        for hand in up:
            assert above[:, JOINT[hand]].max() > 0.1
        for hand in down:
            assert above[:, JOINT[hand]].max() < -0.3


def lowered(name, joint, seed=0):
    _, _, joints = moved(8.0, (name,), seed)
    height = joints[:, JOINT[joint], 1]
    return height[0] - height.min()


def test_sitting_and_squatting_lower_the_hips_and_bowing_the_head():
    assert lowered("sit", "Hips") > 0.25
    assert lowered("squat", "Hips") > 0.25
    assert lowered("bow", "Head") > 0.3
    assert lowered("bow", "Hips") < 0.05
    assert lowered("stand", "Head") < 0.05


def test_t_pose_stretches_the_arms():
    body, _, joints = moved(4.0, ("t-pose",))
    span = np.linalg.norm(joints[:, JOINT["LeftHand"]] - joints[:, JOINT["RightHand"]], axis=-1)
    rest = np.linalg.norm(body.rest_joints[smpl_joint("left_wrist")] * [2, 0, 0])
    assert span.max() > 0.95 * rest
    assert span[0] < 0.6 * rest


def test_kick_lifts_a_foot_and_walking_in_place_lifts_both():
    _, _, joints = moved(8.0, ("kick",))
    feet = joints[:, [JOINT["LeftFoot"], JOINT["RightFoot"]], 1]
    assert (feet.max(axis=0) - feet.min(axis=0)).max() > 0.25
    _, _, joints = moved(8.0, ("walk-in-place",))
    feet = joints[:, [JOINT["LeftFoot"], JOINT["RightFoot"]], 1]
    assert (feet.max(axis=0) - feet.min(axis=0)).min() > 0.1


def test_walking_goes_forth_and_comes_back():
    _, motion, _ = moved(8.0, ("walk",))
    ahead = motion.smpl_trans[:, 2]
    assert 0.25 < ahead.max() <= 0.75
    changes = np.flatnonzero(np.diff(np.sign(ahead - 0.2)))
    assert len(changes) >= 2  # forth and back
    assert abs(ahead[0]) < 0.05


def test_side_step_goes_sideways():
    _, motion, _ = moved(5.0, ("side-step",))
    reach = np.ptp(motion.smpl_trans, axis=0)
    assert reach[0] > 0.1
    assert reach[0] > 2 * reach[2]


def test_planted_feet_do_not_slide():
    for name in ("squat", "bow", "raise-both", "sit", "twist"):
        _, _, joints = moved(8.0, (name,))
        feet = joints[:, [JOINT["LeftToeBase"], JOINT["RightToeBase"]]][..., [0, 2]]
        assert np.ptp(feet, axis=0).max() < 0.03


def test_knees_bend_the_human_way():
    for name in ("squat", "sit", "walk-in-place", "kick"):
        _, _, joints = moved(8.0, (name,))
        largest = 0.0
        for side in ("Left", "Right"):
            hip, knee, ankle = (joints[:, JOINT[f"{side}{n}"]] for n in ("UpLeg", "Leg", "Foot"))
            # from thigh to shin the leg turns about the axis to the left: heel towards the seat
            turn = np.cross(knee - hip, ankle - knee)[:, 0]
            assert turn.min() > -0.01
            largest = max(largest, turn.max())
        assert largest > 0.08


def test_hands_do_not_enter_the_trunk():
    inner = [JOINT[n] for n in ("Hips", "Spine", "Spine1")]
    for seed, subject in enumerate(people(4)):
        _, _, joints = moved(60.0, (), seed, subject)
        hands = joints[:, [JOINT["LeftHand"], JOINT["RightHand"]]]
        for start, end in pairwise(inner):
            a, b = joints[:, [start]], joints[:, [end]]
            share = np.clip(np.sum((hands - a) * (b - a), -1) / np.sum((b - a) ** 2, -1), 0, 1)
            distance = np.linalg.norm(hands - a - share[..., None] * (b - a), axis=-1)
            assert distance.min() > 0.12


@pytest.mark.parametrize(("heading", "forward"), [(0.0, (0, 1)), (90.0, (1, 0)), (180.0, (0, -1))])
def test_heading_turns_from_z_towards_x(heading, forward):
    subject = Subject(position_m=(2.0, 0.0, 3.0), heading_deg=heading)
    _, motion, joints = moved(3.0, ("stand",), subject=subject)
    left, right = joints[:, JOINT["LeftArm"]], joints[:, JOINT["RightArm"]]
    across = (left - right)[:, [0, 2]].mean(axis=0)
    facing = np.array([-across[1], across[0]])  # left of the body crossed with up
    assert facing @ forward / np.linalg.norm(facing) > 0.98
    np.testing.assert_allclose(motion.smpl_trans[:, [0, 2]].mean(axis=0), [2, 3], atol=0.1)


def test_placing_only_turns_and_moves():
    _, _, joints = moved(6.0)
    subject = Subject(position_m=(2.0, 0.0, 3.0), heading_deg=30.0)
    _, _, placed = moved(6.0, subject=subject)
    angle = np.deg2rad(30)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    np.testing.assert_allclose(placed, joints @ turn.T + [2, 0, 3], atol=1e-5)


def exchanged(name):
    """The name of the joint on the other side."""
    return name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")


def test_mirrored_pose_is_the_mirror_image():
    body = load_body(PERSON)
    rng = np.random.default_rng(0)
    pose = {name: float(rng.uniform(-20, 40)) for name in NAMES}
    flipped = mirrored(pose)
    angles = np.array([list(pose.values()), [flipped[name] for name in NAMES]])
    joints = body.joints(smpl_pose_of(angles, body.rest_joints), np.zeros((2, 3)))
    swap = [JOINT[exchanged(name)] for name in JOINT]
    np.testing.assert_allclose(joints[1], joints[0][swap] * [-1, 1, 1], atol=0.01)


def test_scene_without_subject_is_refused():
    with pytest.raises(SimulationError, match="no subject"):
        make_motion(Scene(subject=None), load_body(Subject()), np.random.default_rng(0))


def test_style_of_posture_shows_in_the_neutral_stand():
    neutrals = np.stack([personal_style(seed).neutral for seed in range(30)])
    assert neutrals[:, NAMES.index("left_elbow")].std() > 2
    tempos = [personal_style(seed).tempo for seed in range(30)]
    assert 0.8 <= min(tempos) < 0.9 < 1.1 < max(tempos) <= 1.2
