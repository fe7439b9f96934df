"""The labelled activities as data: key poses in degrees and how long it takes to reach each.

A pose names only the degrees of freedom in which it differs from the person's own neutral stand. A
timeline goes through the keys of an activity and back to neutral; where a degree of freedom turns
round it comes to rest, elsewhere it passes through the key.
"""

from dataclasses import dataclass
from typing import Final

from acoustic_sense_simulator.motion.degrees_of_freedom import mirrored

Pose = dict[str, float]


@dataclass(frozen=True)
class Key:
    """A pose and the seconds to get there from the key before."""

    seconds: float
    pose: Pose


@dataclass(frozen=True)
class Activity:
    """One way of doing a labelled activity.

    Attributes:
        name: The label.
        start: Keys that lead in.
        cycle: Keys that are repeated.
        repeats: Least and greatest number of repetitions of `cycle`.
        end: Keys that lead out, before the neutral stand.
        settle_s: Seconds from the last key to the neutral stand.
        either_side: Whether the mirror image is the same activity.
    """

    name: str
    start: tuple[Key, ...] = ()
    cycle: tuple[Key, ...] = ()
    repeats: tuple[int, int] = (1, 1)
    end: tuple[Key, ...] = ()
    settle_s: float = 0.8
    either_side: bool = False

    def keys(self, repeats: int, mirror: bool) -> list[Key]:
        """Return all keys in order, mirrored where asked."""
        keys = [*self.start, *(self.cycle * repeats), *self.end]
        return [Key(key.seconds, mirrored(key.pose)) for key in keys] if mirror else keys


def _both(pose: Pose) -> Pose:
    """Return a pose of one side's names done by both sides."""
    return {f"{side}_{name}": value for side in ("left", "right") for name, value in pose.items()}


def _left(pose: Pose) -> Pose:
    return {f"left_{name}": value for name, value in pose.items()}


def _right(pose: Pose) -> Pose:
    return {f"right_{name}": value for name, value in pose.items()}


_UP_SIDEWAYS = {"arm_raise": 170.0, "arm_twist": -40.0, "elbow": 10.0}
_UP_IN_FRONT = {"arm_swing": 170.0, "arm_raise": 12.0, "elbow": 8.0}
_T = {"arm_raise": 90.0, "arm_front": 0.0, "arm_twist": 0.0, "elbow": 3.0}
_GREETING = {"arm_raise": 92.0, "arm_front": 20.0, "arm_twist": -80.0}
_LIFTED = _left({"hip_flex": 48.0, "knee": 78.0, "foot": -10.0}) | {
    "left_arm_swing": -18.0,
    "left_arm_raise": 24.0,
    "right_arm_swing": 28.0,
    "right_elbow": 45.0,
    "pelvis_yaw": -3.0,
}
_CONTACT = (  # the left heel lands, the right toes push
    _left({"hip_flex": 11.0, "knee": 4.0, "foot": 10.0, "arm_swing": -14.0})
    | _right({"hip_flex": -9.0, "knee": 8.0, "foot": -14.0, "arm_swing": 16.0, "elbow": 28.0})
    | {"pelvis_yaw": -4.0, "spine_twist": 7.0, "left_arm_raise": 18.0, "right_arm_raise": 18.0}
)
_PASSING = _left({"hip_flex": 1.0, "knee": 6.0}) | _right(  # the right leg swings through
    {"hip_flex": 16.0, "knee": 48.0, "foot": -18.0}
)
_STEP = 0.28  # seconds between two gait keys
_WALK_FORTH = (
    Key(_STEP, mirrored(_PASSING)),
    Key(_STEP, _CONTACT),
    Key(_STEP, _PASSING),
    Key(_STEP, mirrored(_CONTACT)),
    Key(_STEP, mirrored(_PASSING)),
)
_SQUAT = _both({"hip_flex": 88.0, "knee": 106.0, "arm_swing": 108.0}) | {
    "pelvis_pitch": 24.0,
    "spine_bend": 22.0,
    "head_nod": -20.0,
}
_SEATING = _both(
    {"hip_flex": 50.0, "knee": 62.0, "arm_swing": 50.0, "arm_raise": 18.0, "elbow": 40.0}
) | {
    "pelvis_pitch": 30.0,
    "spine_bend": 22.0,
    "head_nod": -15.0,
}
_SEATED = _both({"hip_flex": 86.0, "knee": 92.0, "arm_swing": 32.0, "elbow": 70.0}) | {
    "spine_bend": 10.0
}
_TURNED = _both({"arm_raise": 62.0, "elbow": 55.0, "arm_front": 20.0}) | {
    "pelvis_yaw": 22.0,
    "spine_twist": 36.0,
    "head_turn": 14.0,
}
_BOWED = _both({"hip_flex": 9.0, "arm_swing": 52.0}) | {
    "pelvis_pitch": 36.0,
    "spine_bend": 40.0,
    "head_nod": 12.0,
}
_DRAWN_BACK = _right({"hip_flex": -16.0, "knee": 74.0, "foot": -60.0, "arm_swing": -26.0}) | {
    "right_arm_raise": 24.0,
    "left_arm_swing": 30.0,
    "left_knee": 10.0,
    "left_hip_flex": 5.0,
}
_KICKED = _right({"hip_flex": 66.0, "knee": 8.0, "foot": 40.0, "arm_swing": 26.0}) | {
    "right_arm_raise": 24.0,
    "left_arm_raise": 32.0,
    "left_knee": 8.0,
    "pelvis_pitch": -8.0,
    "spine_bend": 12.0,
}
_STEPPING_OUT = _left({"hip_spread": 16.0, "hip_flex": 16.0, "knee": 34.0, "foot": -8.0}) | {
    "left_arm_raise": 26.0
}
_ASTRIDE = _both({"hip_spread": 13.0, "hip_flex": 6.0, "knee": 10.0, "arm_raise": 26.0})
_CLOSING = _right({"hip_spread": 5.0, "hip_flex": 16.0, "knee": 34.0, "foot": -8.0})
_INHALED = _both({"arm_raise": 16.0, "arm_front": 8.0}) | {"spine_bend": -7.0, "head_nod": -6.0}
_EXHALED = {"spine_bend": 8.0, "head_nod": 5.0}
_ON_LEFT_LEG = {"pelvis_roll": 3.0, "spine_lean": -3.0, "right_knee": 9.0, "head_turn": 14.0}

VARIANTS: Final = (
    Activity(
        "stand",
        start=(Key(0.7, _ON_LEFT_LEG), Key(0.9, _ON_LEFT_LEG)),
        settle_s=0.9,
        either_side=True,
    ),
    Activity(
        "breathe", cycle=(Key(1.0, _INHALED), Key(1.1, _EXHALED)), repeats=(1, 2), settle_s=0.5
    ),
    Activity(
        "walk-in-place",
        cycle=(Key(0.45, _LIFTED), Key(0.45, mirrored(_LIFTED))),
        repeats=(2, 4),
        settle_s=0.5,
        either_side=True,
    ),
    Activity(
        "walk",
        start=_WALK_FORTH,
        end=(Key(_STEP, {}), *(Key(_STEP, key.pose) for key in _WALK_FORTH[::-1])),
        settle_s=0.35,
        either_side=True,
    ),
    Activity("t-pose", start=(Key(0.9, _both(_T)), Key(1.0, _both(_T))), settle_s=0.9),
    Activity("raise-left", start=(Key(1.0, _left(_UP_SIDEWAYS)), Key(0.8, _left(_UP_SIDEWAYS)))),
    Activity("raise-left", start=(Key(1.0, _left(_UP_IN_FRONT)), Key(0.8, _left(_UP_IN_FRONT)))),
    Activity("raise-right", start=(Key(1.0, _right(_UP_SIDEWAYS)), Key(0.8, _right(_UP_SIDEWAYS)))),
    Activity("raise-right", start=(Key(1.0, _right(_UP_IN_FRONT)), Key(0.8, _right(_UP_IN_FRONT)))),
    Activity("raise-both", start=(Key(1.0, _both(_UP_SIDEWAYS)), Key(0.8, _both(_UP_SIDEWAYS)))),
    Activity("raise-both", start=(Key(1.0, _both(_UP_IN_FRONT)), Key(0.8, _both(_UP_IN_FRONT)))),
    Activity(
        "wave",
        start=(Key(0.75, _right(_GREETING | {"elbow": 100.0})),),
        cycle=(
            Key(0.27, _right(_GREETING | {"elbow": 58.0})),
            Key(0.27, _right(_GREETING | {"elbow": 108.0})),
        ),
        repeats=(2, 4),
        either_side=True,
    ),
    Activity("bow", start=(Key(1.0, _BOWED), Key(0.5, _BOWED)), settle_s=1.1),
    Activity("squat", cycle=(Key(0.9, _SQUAT), Key(0.25, _SQUAT)), settle_s=0.9),
    Activity(
        "twist",
        cycle=(Key(0.75, _TURNED), Key(0.85, mirrored(_TURNED))),
        repeats=(1, 2),
        either_side=True,
    ),
    Activity(
        "kick",
        cycle=(Key(0.5, _DRAWN_BACK), Key(0.55, _KICKED), Key(0.65, {})),
        repeats=(1, 2),
        settle_s=0.25,
        either_side=True,
    ),
    Activity(
        "side-step",
        start=(
            *(Key(0.4, _STEPPING_OUT), Key(0.3, _ASTRIDE), Key(0.4, _CLOSING), Key(0.3, {})),
            Key(0.4, mirrored(_STEPPING_OUT)),
            *(Key(0.3, _ASTRIDE), Key(0.4, mirrored(_CLOSING))),
        ),
        settle_s=0.3,
        either_side=True,
    ),
    Activity(
        "sit",
        start=(Key(0.6, _SEATING), Key(0.6, _SEATED), Key(1.0, _SEATED), Key(0.55, _SEATING)),
        settle_s=0.65,
    ),
)
"""All ways of doing all activities; several entries may have one name."""

ACTIVITY_NAMES: Final = tuple(dict.fromkeys(variant.name for variant in VARIANTS))
"""The labels, in the order of `VARIANTS`."""
