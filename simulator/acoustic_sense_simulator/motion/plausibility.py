"""Plausibility: how far a movement is from what people can do.

Three questions, each answered by a measure of a track and a body: do limbs pass through the body,
do the feet stand on the floor without sliding, and are speeds and accelerations those of people.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import minimum_filter1d
from scipy.spatial.transform import Rotation

from acoustic_sense_simulator.body import SMPL_PARENTS, Body
from acoustic_sense_simulator.body.skeleton import SMPL_JOINT_NAMES
from acoustic_sense_simulator.kernels.winding import wind
from acoustic_sense_simulator.motion.footing import sole_vertices
from acoustic_sense_simulator.motion.track import MotionTrack

DEEP_M = 0.02
"""Depth from which a limb inside another part of the body shows."""

PLANTED_M = 0.005
"""Height of the lowest point of a foot below which it stands."""

PLANTED_S = 0.4
"""How long a foot has to stay that low to count as planted."""

_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "neck", "left_collar", "right_collar", "head")
_LIMBS = {
    f"{side} {limb}": tuple(f"{side}_{joint}" for joint in joints)
    for side in ("left", "right")
    for limb, joints in (
        ("arm", ("shoulder", "elbow", "wrist", "hand")),
        ("leg", ("hip", "knee", "ankle", "foot")),
    )
}
_PARTS = {"trunk": _TRUNK} | _LIMBS


@dataclass(frozen=True)
class Penetration:
    """How deep limbs are inside other parts of the body.

    Attributes:
        worst_m: Greatest depth of any point of a limb, metres.
        where: What is inside what, then.
        deep_share: Share of the frames in which some point is deeper than `DEEP_M`.
    """

    worst_m: float
    where: str
    deep_share: float


@dataclass(frozen=True)
class Footing:
    """How the feet stand.

    Attributes:
        lowest_m: Height of the lowest point of the body, least over the frames.
        highest_m: Likewise, greatest; jumps count.
        slide_m_s: Speed of planted feet along the floor, 95th percentile over frames and feet.
        top_slide_m_s: Likewise, greatest.
    """

    lowest_m: float
    highest_m: float
    slide_m_s: float
    top_slide_m_s: float


@dataclass(frozen=True)
class Speeds:
    """Top speeds.

    Attributes:
        joint_m_s: Of any joint, metres a second.
        hand_m_s: Of a wrist.
        foot_m_s: Of an ankle.
        turn_rad_s: Of any joint's rotation against its parent, radians a second.
        joint_m_s2: Acceleration of any joint, metres a second squared.
        turn_rad_s2: Acceleration of any joint's rotation, radians a second squared.
    """

    joint_m_s: float
    hand_m_s: float
    foot_m_s: float
    turn_rad_s: float
    joint_m_s2: float
    turn_rad_s2: float


def penetration(body: Body, track: MotionTrack, every: int = 1) -> Penetration:
    """Return how deep limbs are inside other parts of the body.

    The body is cut into trunk with head, arms and legs. Of each limb, the part beyond the middle of
    its first bone is held against the parts that it does not belong to, of a leg against the trunk
    only what is below the knee: nearer to shoulder and hip, skin is meant to touch. A point is
    inside a part where the part's surface, open where it was cut, winds round it by more than half.

    Args:
        body: Who moves.
        track: The movement.
        every: Look at every n-th frame.

    References:
        Jacobson et al., "Robust inside-outside segmentation using generalized winding numbers",
        ACM Trans. Graph. 32 (2013).
    """
    parts = BodyParts(body)
    depths, names = [], []
    step = max(1, 2_000_000 // (3 * body.vertex_count))
    poses, places = track.smpl_pose[::every], track.smpl_trans[::every]
    for start in range(0, len(poses), step):
        some = slice(start, start + step)
        for vertices in body.pose_vertices(poses[some], places[some]).astype(np.float64):
            depth, name = parts.deepest(vertices)
            depths.append(depth)
            names.append(name)
    worst = int(np.argmax(depths))
    share = float(np.mean(np.array(depths) > DEEP_M))
    return Penetration(depths[worst], names[worst], share)


class BodyParts:
    """The parts of a body: their facets, and the vertices of the limbs that are tested."""

    def __init__(
        self, body: Body, limbs: tuple[str, ...] = tuple(_LIMBS), most: int | None = None
    ) -> None:
        """Cut a body into parts.

        Args:
            body: Whose parts.
            limbs: What is tested: `left arm`, `right arm`, `left leg`, `right leg`.
            most: Number of vertices of a limb that are tested; None for all.
        """
        owner = body.model.weights.argmax(axis=1)
        names = np.array(SMPL_JOINT_NAMES)[owner]
        self.faces: dict[str, Int[np.ndarray, "face 3"]] = {}
        self.vertices: dict[str, Int[np.ndarray, " vertex"]] = {}
        self.tested: dict[tuple[str, str], Int[np.ndarray, " vertex"]] = {}
        for part, joints in _PARTS.items():
            mine = np.isin(names, joints)
            self.faces[part] = body.faces[mine[body.faces].all(axis=1)]
            self.vertices[part] = np.unique(self.faces[part])
            for other in _PARTS:
                if part in limbs and other != part:
                    bone = 1.0 if part.endswith("leg") and other == "trunk" else 0.5
                    beyond = _along(body, joints[0], joints[1]) > bone
                    ids = np.flatnonzero(mine & beyond)
                    self.tested[part, other] = ids[:: max(1, len(ids) // (most or len(ids)))]

    def deepest(self, vertices: Float[np.ndarray, "vertex 3"]) -> tuple[float, str]:
        """Return the greatest depth of a limb inside another part in one pose, and which."""
        deepest, name = 0.0, ""
        of_parts = {part: vertices[ids] for part, ids in self.vertices.items()}
        bounds = {part: (own.min(axis=0), own.max(axis=0)) for part, own in of_parts.items()}
        for (limb, part), ids in self.tested.items():
            low, high = bounds[part]
            points = vertices[ids]
            points = points[((points > low) & (points < high)).all(axis=1)]
            if len(points) == 0:
                continue
            triangles = vertices[self.faces[part]]
            inside = points[winding_numbers(points, triangles) > 0.5]
            if len(inside) == 0:
                continue
            depth = float(distances(inside, triangles).max())
            if depth > deepest:
                deepest, name = depth, f"{limb} in {part}"
        return deepest, name


def _along(body: Body, first: str, second: str) -> Float[np.ndarray, " vertex"]:
    """Return how far along a bone each vertex lies at rest: 0 at its start, 1 at its end."""
    start, end = (body.rest_joints[SMPL_JOINT_NAMES.index(joint)] for joint in (first, second))
    return np.asarray((body.rest_vertices - start) @ (end - start) / np.sum((end - start) ** 2))


def winding_numbers(
    points: Float[np.ndarray, "point 3"], triangles: Float[np.ndarray, "face 3 3"]
) -> Float[np.ndarray, " point"]:
    """Return how often a surface winds round each point: 1 inside a closed one, 0 outside.

    Args:
        points: Where to look.
        triangles: Corners of the facets, counter-clockwise seen from outside.
    """
    result = np.empty(len(points))
    wind(points.astype(np.float64), triangles.astype(np.float64), result)
    return result


def distances(
    points: Float[np.ndarray, "point 3"], triangles: Float[np.ndarray, "face 3 3"]
) -> Float[np.ndarray, " point"]:
    """Return the distance from each point to the nearest facet, in metres.

    The nearest point of a triangle is its foot point where that lies within, else the nearest point
    of an edge.
    """
    a, b, c = (triangles[None, :, corner] for corner in range(3))
    edges = ((a, b - a), (b, c - b), (c, a - c))
    squared = np.min([_to_edge(points[:, None] - s, e) for s, e in edges], axis=0)
    normal = np.cross(b - a, c - a)
    size = np.maximum(np.sum(normal**2, axis=-1), 1e-30)
    height = np.sum((points[:, None] - a) * normal, axis=-1)
    within = np.ones(squared.shape, dtype=bool)
    for start, edge in edges:
        inwards = np.cross(normal, edge)
        within &= np.sum((points[:, None] - start) * inwards, axis=-1) >= 0
    squared = np.where(within, height**2 / size, squared)
    return np.asarray(np.sqrt(squared.min(axis=1)))


def _to_edge(
    offset: Float[np.ndarray, "point face 3"], edge: Float[np.ndarray, "1 face 3"]
) -> Float[np.ndarray, "point face"]:
    """Return the squared distance to a piece of a line, given the offset from its start."""
    length = np.maximum(np.sum(edge**2, axis=-1), 1e-30)
    share = np.clip(np.sum(offset * edge, axis=-1) / length, 0, 1)
    return np.asarray(np.sum((offset - share[..., None] * edge) ** 2, axis=-1))


def footing(body: Body, track: MotionTrack) -> Footing:
    """Return how the feet stand on a floor at y = 0.

    A foot is planted while its lowest point stays within `PLANTED_M` of the floor for `PLANTED_S`.
    A foot that rolls from heel to toe has a point at rest, so it slides as fast as the slowest of
    the points of the sole that are as low.

    Args:
        body: Who moves.
        track: The movement.
    """
    points = body.pose_vertices(track.smpl_pose, track.smpl_trans).astype(np.float64)
    lowest = points[..., 1].min(axis=1)
    sole = sole_vertices(body)
    on_left = body.rest_vertices[sole, 0] > 0
    slides = [_slides(points[:, sole[foot]], track.rate_hz) for foot in (on_left, ~on_left)]
    speeds = np.concatenate(slides)
    return Footing(
        float(lowest.min()),
        float(lowest.max()),
        float(np.quantile(speeds, 0.95)) if len(speeds) else 0.0,
        float(speeds.max()) if len(speeds) else 0.0,
    )


def _slides(points: Float[np.ndarray, "frame point 3"], rate_hz: float) -> np.ndarray:
    """Return the horizontal speed of a foot in the frames in which it is planted."""
    height = (points[1:, :, 1] + points[:-1, :, 1]) / 2
    low = height < PLANTED_M
    planted = _lasting(low.any(axis=1), round(PLANTED_S * rate_hz))
    steps = np.linalg.norm(np.diff(points[..., [0, 2]], axis=0), axis=-1) * rate_hz
    return np.asarray(np.where(low, steps, np.inf).min(axis=1)[planted])


def _lasting(is_so: Bool[np.ndarray, " frame"], frames: int) -> Bool[np.ndarray, " frame"]:
    """Return where something goes on for some frames before and after."""
    return np.asarray(minimum_filter1d(is_so.astype(np.uint8), max(1, frames)) > 0)


def speeds(body: Body, track: MotionTrack) -> Speeds:
    """Return the top speeds and accelerations of a movement.

    Args:
        body: Who moves.
        track: The movement; differences of neighbouring frames count.
    """
    joints = body.joints24(track.smpl_pose, track.smpl_trans).astype(np.float64)
    velocity = np.diff(joints, axis=0) * track.rate_hz
    speed = np.linalg.norm(velocity, axis=-1)
    acceleration = np.linalg.norm(np.diff(velocity, axis=0), axis=-1) * track.rate_hz
    local = track.smpl_pose.reshape(-1, 24, 3).astype(np.float64)
    turns = np.empty((len(local) - 1, len(SMPL_PARENTS), 3))
    for joint in range(len(SMPL_PARENTS)):
        rotation = Rotation.from_rotvec(local[:, joint])
        turns[:, joint] = (rotation[1:] * rotation[:-1].inv()).as_rotvec() * track.rate_hz
    turn_change = np.linalg.norm(np.diff(turns, axis=0), axis=-1) * track.rate_hz

    def top(*names: str) -> float:
        return float(speed[:, [SMPL_JOINT_NAMES.index(name) for name in names]].max())

    return Speeds(
        joint_m_s=float(speed.max()),
        hand_m_s=top("left_wrist", "right_wrist"),
        foot_m_s=top("left_ankle", "right_ankle"),
        turn_rad_s=float(np.linalg.norm(turns, axis=-1).max()),
        joint_m_s2=float(acceleration.max()),
        turn_rad_s2=float(turn_change.max()),
    )
