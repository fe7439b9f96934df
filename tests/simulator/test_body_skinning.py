"""Skinning: equal to smplx on the same body, and to a slow literal version."""

import os

import numpy as np
import pytest
from acoustic_sense_simulator.body import SMPL_PARENTS, Body, load_body
from acoustic_sense_simulator.body.embedded import embedded_model
from acoustic_sense_simulator.body.model import BodyModel

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Subject


def smpl_arrays(model: BodyModel, posedirs: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The model in SMPL's file layout.

    SMPL's files have no joint directions but a regressor; the least one that gives our joints
    exactly for every shape solves 33 equations a joint.
    """
    points = np.concatenate([model.vertices, model.vertex_directions.reshape(-1, 30)], axis=1)
    joints = np.concatenate([model.joints, model.joint_directions.reshape(-1, 30)], axis=1)
    return {
        "v_template": model.vertices,
        "f": model.faces.astype(np.uint32),
        "weights": model.weights,
        "J_regressor": joints @ np.linalg.pinv(points),
        "shapedirs": model.vertex_directions,
        "posedirs": np.zeros((len(model.vertices), 3, 207)) if posedirs is None else posedirs,
        "kintree_table": np.array([[2**32 - 1, *SMPL_PARENTS[1:]], range(24)], dtype=np.uint32),
    }


def random_motion(frames: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pose = rng.normal(0, 0.5, (frames, 72)).astype(np.float32)
    return pose, rng.normal(0, 1, (frames, 3)).astype(np.float32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("with_pose_shapes", [False, True])
def test_vertices_and_joints_equal_smplx(with_pose_shapes, tmp_path):
    torch = pytest.importorskip("torch")
    smplx = pytest.importorskip("smplx")
    from smplx.utils import Struct

    model = embedded_model("coarse")
    rng = np.random.default_rng(1)
    posedirs = rng.normal(0, 0.003, (len(model.vertices), 3, 207)) if with_pose_shapes else None
    arrays = smpl_arrays(model, posedirs)
    betas = rng.standard_normal(10)
    path = tmp_path / "body.npz"
    np.savez(path, **arrays)
    body = load_body(Subject(body=str(path), betas=tuple(betas)))
    pose, trans = random_motion(7)

    names = ["nose", "reye", "leye", "rear", "lear"]
    names += [f"{s}{t}" for s in "LR" for t in ("BigToe", "SmallToe", "Heel")]
    names += [f"{s}{t}" for s in "lr" for t in ("thumb", "index", "middle", "ring", "pinky")]
    reference = smplx.SMPL(
        "",
        data_struct=Struct(**arrays),
        vertex_ids=dict.fromkeys(names, 0),
        batch_size=7,
        dtype=torch.float64,
    )
    out = reference(
        betas=torch.tensor(betas)[None].repeat(7, 1),
        global_orient=torch.tensor(pose[:, :3], dtype=torch.float64),
        body_pose=torch.tensor(pose[:, 3:], dtype=torch.float64),
        transl=torch.tensor(trans, dtype=torch.float64),
    )
    vertices, joints = out.vertices.detach().numpy(), out.joints.detach().numpy()[:, :24]
    np.testing.assert_allclose(body.pose_vertices(pose, trans), vertices, atol=1e-5)
    np.testing.assert_allclose(body.joints24(pose, trans), joints, atol=1e-5)
    if not with_pose_shapes:  # and the body that is embedded is the one in the file
        embedded = load_body(Subject(betas=tuple(betas)))
        np.testing.assert_allclose(embedded.pose_vertices(pose, trans), vertices, atol=1e-5)


def literal_skinning(body: Body, pose: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """One frame, vertex by vertex, with 4 x 4 matrices."""
    world: list[np.ndarray] = []
    for joint, parent in enumerate(SMPL_PARENTS):
        vector = pose[3 * joint : 3 * joint + 3].astype(float)
        angle = np.linalg.norm(vector)
        x, y, z = vector / angle
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        local = np.eye(4)
        local[:3, :3] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        start = body.rest_joints[parent] if parent >= 0 else np.zeros(3)
        local[:3, 3] = body.rest_joints[joint] - start
        world.append(local if parent < 0 else world[parent] @ local)
    result = np.zeros_like(body.rest_vertices)
    for v, rest in enumerate(body.rest_vertices):
        for joint in np.flatnonzero(body.model.weights[v]):
            turned = world[joint] @ np.append(rest - body.rest_joints[joint], 1)
            result[v] += body.model.weights[v, joint] * turned[:3]
    return result + trans


def test_equals_literal_skinning():
    body = load_body(Subject(betas=(1.0, -1.0, 0.5)))
    pose, trans = random_motion(1, seed=4)
    expected = literal_skinning(body, pose[0], trans[0])
    np.testing.assert_allclose(body.pose_vertices(pose, trans)[0], expected, atol=1e-5)


def test_chosen_vertices_equal_those_of_all():
    body = load_body(Subject())
    pose, trans = random_motion(5)
    chosen = np.array([3, 700, 12])
    all_vertices = body.pose_vertices(pose, trans)
    np.testing.assert_allclose(
        body.pose_vertices(pose, trans, chosen), all_vertices[:, chosen], atol=1e-6
    )


def test_many_frames_equal_single_frames():
    body = load_body(Subject(), "fine")
    pose, trans = random_motion(130)  # more than one piece of work
    together = body.pose_vertices(pose, trans)
    assert together.dtype == np.float32
    for frame in (0, 64, 129):
        alone = body.pose_vertices(pose[frame : frame + 1], trans[frame : frame + 1])
        np.testing.assert_allclose(together[frame], alone[0], atol=1e-6)


def test_rest_pose_returns_the_template():
    body = load_body(Subject(betas=(0.7,)))
    vertices = body.pose_vertices(np.zeros((1, 72)), np.full((1, 3), 2.0))
    np.testing.assert_allclose(vertices[0], body.rest_vertices + 2, atol=1e-5)


def test_posing_keeps_the_surface_near_the_bones():
    body = load_body(Subject())
    pose, trans = random_motion(3)
    vertices, joints = body.pose_vertices(pose, trans), body.joints24(pose, trans)
    distance = np.linalg.norm(vertices[:, :, None] - joints[:, None], axis=-1).min(axis=2)
    assert distance.max() < 0.35


def test_missing_file_is_named(tmp_path):
    with pytest.raises(SimulationError, match="no such body file"):
        load_body(Subject(body=str(tmp_path / "none.npz")))


def test_changed_file_is_read_again(tmp_path):
    model = embedded_model("coarse")
    path = tmp_path / "body.npz"
    arrays = smpl_arrays(model)
    np.savez(path, **arrays)
    before = load_body(Subject(body=str(path))).height_m
    np.savez(path, **(arrays | {"v_template": arrays["v_template"] * 1.1}))
    os.utime(path, ns=(1, 1))
    assert load_body(Subject(body=str(path))).height_m == pytest.approx(before * 1.1)
