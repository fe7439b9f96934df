"""From degrees of freedom to SMPL's joint rotations."""

import numpy as np
from scipy.spatial.transform import Rotation

from acoustic_sense_simulator.body.skeleton import smpl_joint
from acoustic_sense_simulator.motion.degrees_of_freedom import INDEX, SIDE_NAMES

_AXES = dict(zip("xyz", np.eye(3), strict=True))
_COLLAR_SHARE = 0.25  # of an arm's raise above the start, taken by the collar bone
_COLLAR_START_DEG = 40.0
_ANKLE_LIMITS_DEG = (-45.0, 32.0)  # toes away from the shin, towards it
_LEAST_REACH = 0.45  # of the leg's length; a leg drawn up further leans no more
_TOE_SHARE = 0.6  # of the heel's lift that the toes take back, to stay on the floor


def smpl_pose_of(angles: np.ndarray, rest_joints: np.ndarray) -> np.ndarray:
    """Turn poses given by degrees of freedom into SMPL's axis-angle rotations.

    Args:
        angles: Float array, shape `(frame, dof)`, degrees, columns as `degrees_of_freedom.NAMES`.
        rest_joints: The 24 SMPL joints of the T-pose, shape `(24, 3)`, metres; its legs may be
            splayed, angles of the legs are against the vertical all the same.

    Returns:
        Float64 array, shape `(frame, 72)`, radians, of a person who faces +Z.
    """
    vectors = np.zeros((len(angles), 24, 3))

    def put(joint: str, rotation: Rotation) -> None:
        vectors[:, smpl_joint(joint)] = rotation.as_rotvec()

    def angle(name: str) -> np.ndarray:
        return np.asarray(angles[:, INDEX[name]])

    pelvis = _turn("yxz", angle("pelvis_yaw"), angle("pelvis_pitch"), -angle("pelvis_roll"))
    put("pelvis", pelvis)
    third = _turn(
        "yxz", *(angle(f"spine_{d}") / 3 for d in ("twist", "bend")), -angle("spine_lean") / 3
    )
    for joint in ("spine1", "spine2", "spine3"):
        put(joint, third)
    half = _turn("yx", angle("head_turn") / 2, angle("head_nod") / 2)
    for joint in ("neck", "head"):
        put(joint, half)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        of_side = {name: angle(f"{side}_{name}") for name in SIDE_NAMES}
        _hold_foot(of_side, sign, pelvis, rest_joints, side)
        upright = _upright_leg(rest_joints, side)
        limbs = _arm(of_side, sign) | _leg(of_side, sign, pelvis, upright)
        for joint, rotation in limbs.items():
            put(f"{side}_{joint}", rotation)
    return vectors.reshape(len(angles), 72)


def _arm(angles: dict[str, np.ndarray], sign: float) -> dict[str, Rotation]:
    """Return the local rotations of collar, shoulder and elbow of one side."""
    raised, front, swing = (angles[f"arm_{name}"] for name in ("raise", "front", "swing"))
    upper = _side_turn("xyzx", sign, -swing, -front, raised - 90, angles["arm_twist"])
    above = np.maximum(np.maximum(raised, swing) - _COLLAR_START_DEG, 0)
    collar = _side_turn("z", sign, _COLLAR_SHARE * above)
    elbow = _side_turn("y", sign, -angles["elbow"])
    return {"collar": collar, "shoulder": collar.inv() * upper, "elbow": elbow}


def _hold_foot(
    angles: dict[str, np.ndarray], sign: float, pelvis: Rotation, rest_joints: np.ndarray, side: str
) -> None:
    """Change the leg's angles so that a turn of the pelvis leaves the foot where it is."""
    hip, ankle = (rest_joints[smpl_joint(f"{side}_{joint}")] for joint in ("hip", "ankle"))
    shift = (pelvis.apply(hip - rest_joints[0]) - (hip - rest_joints[0])) / (hip - ankle)[1]
    angles["hip_flex"] = angles["hip_flex"] - np.rad2deg(shift[:, 2])
    angles["hip_spread"] = angles["hip_spread"] - sign * np.rad2deg(shift[:, 0])


def _upright_leg(rest_joints: np.ndarray, side: str) -> Rotation:
    """Return the rotation that takes the leg of the T-pose to the vertical."""
    leg = rest_joints[smpl_joint(f"{side}_ankle")] - rest_joints[smpl_joint(f"{side}_hip")]
    return Rotation.from_rotvec([0, 0, -np.arctan2(leg[0], -leg[1])])


def _leg(
    angles: dict[str, np.ndarray], sign: float, pelvis: Rotation, upright: Rotation
) -> dict[str, Rotation]:
    """Return the local rotations of hip, knee, ankle and toes of one side.

    Thigh and sole are given against the world, so pelvis and shank are taken away again.
    """
    flex, turn, knee = angles["hip_flex"], angles["hip_turn"], angles["knee"]
    bent = np.clip(angles["foot"] - flex + knee, *_ANKLE_LIMITS_DEG)
    foot = bent + flex - knee
    thigh, bend = _side_turn("xy", sign, -flex, turn), _side_turn("x", sign, knee)
    straight = _turn("xy", -flex, turn)  # as on the left
    aside = np.sin(np.deg2rad(angles["hip_spread"]))
    lean = _side_turn("z", sign, _leg_lean(straight, straight * bend, aside))
    shank = lean * thigh * bend * upright
    thigh = lean * thigh * upright
    sole = _side_turn("yx", sign, turn, -foot)
    return {
        "hip": pelvis.inv() * thigh,
        "knee": thigh.inv() * shank,
        "ankle": shank.inv() * sole,
        "foot": _side_turn("x", sign, _TOE_SHARE * np.clip(foot, -45, 0)),
    }


def _leg_lean(thigh: Rotation, shank: Rotation, aside: np.ndarray) -> np.ndarray:
    """Return how far to lean the left leg outwards about the hip, degrees.

    Args:
        thigh: Rotation of the thigh before it leans.
        shank: Likewise of the shank; both count as half a leg long.
        aside: Where the ankle shall be, to the side of the hip, in lengths of the leg.
    """
    ankle = (thigh.apply([0.0, -1.0, 0.0]) + shank.apply([0.0, -1.0, 0.0])) / 2
    # leaning by s takes the ankle to x cos s - y sin s = r sin(s + a)
    reach, already = np.hypot(ankle[:, 0], ankle[:, 1]), np.arctan2(ankle[:, 0], -ankle[:, 1])
    share = np.clip(aside / np.maximum(reach, _LEAST_REACH), -1, 1)
    return np.asarray(np.rad2deg(np.arcsin(share) - already * np.minimum(reach / _LEAST_REACH, 1)))


def _turn(axes: str, *degrees: np.ndarray) -> Rotation:
    """Return the rotation about the moving axes, one after another."""
    result = Rotation.identity()
    for axis, angle in zip(axes, degrees, strict=True):
        result = result * Rotation.from_rotvec(np.outer(np.deg2rad(angle), _AXES[axis]))
    return result


def _side_turn(axes: str, sign: float, *degrees: np.ndarray) -> Rotation:
    """Return `_turn` of the left side, or its mirror image in the plane x = 0."""
    return _turn(
        axes, *(d if axis == "x" else sign * d for axis, d in zip(axes, degrees, strict=True))
    )
