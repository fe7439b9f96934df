"""SMPL-H and SMPL-X files in their official layouts: posed as smplx poses them, hands flat."""

from pathlib import Path

import numpy as np
import pytest
from acoustic_sense_simulator.body import SMPL_PARENTS, Body, load_body
from acoustic_sense_simulator.body.model import BodyModel
from acoustic_sense_simulator.body.smplx_model import model_of_smplx

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Subject

torch = pytest.importorskip("torch")
smplx = pytest.importorskip("smplx")

FINGERS = [(wrist, k % 3) for wrist in (20, 21) for k in range(15)]
FACE = [15, 15, 15]  # jaw, left eye, right eye
SIZES = {"smplh": (6890, 13776), "smplx": (10475, 20908)}  # vertices, faces
POSE = np.random.default_rng(5).normal(0, 0.5, (3, 72)).astype(np.float32)
POSE[:, 66:] = 0  # SMPL's own hand joints: flat
TRANS = np.random.default_rng(6).normal(0, 1, (3, 3)).astype(np.float32)
BETAS = (0.7, -1.1, 0.4)


def tree(kind: str) -> list[int]:
    """Parents of the layout's joints, as in the official files."""
    parents = [*SMPL_PARENTS[:22], *(FACE if kind == "smplx" else [])]
    for wrist, segment in FINGERS:
        parents.append(wrist if segment == 0 else len(parents) - 1)
    return parents


def arrays_of(kind: str, shapes: int) -> dict[str, np.ndarray]:
    """A random model with the names, shapes and types of an official file."""
    rng = np.random.default_rng(0)
    (vertices, faces), parents = SIZES[kind], tree(kind)
    joints = len(parents)
    weights = np.zeros((vertices, joints))
    for _ in range(4):
        weights[np.arange(vertices), rng.integers(joints, size=vertices)] += rng.random(vertices)
    regressor = np.zeros((joints, vertices))
    for row in regressor:
        row[rng.integers(vertices, size=8)] = rng.random(8)
    table = np.array([parents, range(joints)], dtype=np.int64)
    return {
        "v_template": rng.normal(0, 0.4, (vertices, 3)),
        "f": rng.integers(vertices, size=(faces, 3)).astype(np.uint32),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "shapedirs": rng.normal(0, 0.02, (vertices, 3, shapes)),
        "posedirs": rng.normal(0, 0.003, (vertices, 3, 9 * (joints - 1))).astype(np.float32),
        "kintree_table": (table % 2**32).astype(np.uint32),
        **{f"hands_mean{side}": rng.normal(0, 0.3, 45) for side in "lr"},
        **{f"hands_components{side}": rng.normal(0, 1, (45, 45)) for side in "lr"},
        "lmk_faces_idx": np.arange(51, dtype=np.int64),
        "lmk_bary_coords": np.full((51, 3), 1 / 3),
        # official SMPL-X files hold two dictionaries as well, which are never opened
        "part2num": np.array({"head": 15}, dtype=object),
    }


def written(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(path, **arrays)
    return path


def reference(kind: str, path: Path, **options: object):
    """The model as smplx loads it from the same file."""
    make = smplx.SMPLH if kind == "smplh" else smplx.SMPLX
    return make(
        str(path),
        ext="npz",
        num_betas=10,
        use_pca=False,
        flat_hand_mean=True,
        batch_size=len(POSE),
        dtype=torch.float64,
        **options,
    )


def posed_by_smplx(layer) -> tuple[np.ndarray, np.ndarray]:
    out = layer(
        betas=torch.tensor([[*BETAS, *[0.0] * 7]] * len(POSE), dtype=torch.float64),
        global_orient=torch.tensor(POSE[:, :3], dtype=torch.float64),
        body_pose=torch.tensor(POSE[:, 3:66], dtype=torch.float64),
        transl=torch.tensor(TRANS, dtype=torch.float64),
    )
    return out.vertices.detach().numpy(), out.joints.detach().numpy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "shapes", "middle_fingers"),
    [("smplh", 10, (25, 40)), ("smplx", 20, (28, 43)), ("smplx", 400, (28, 43))],
)
def test_vertices_and_joints_equal_smplx(kind, shapes, middle_fingers, tmp_path):
    path = written(tmp_path / f"{kind.upper()}_NEUTRAL.npz", arrays_of(kind, shapes))
    body = load_body(Subject(body=str(path), betas=BETAS))
    layer = reference(kind, path)
    vertices, joints = posed_by_smplx(layer)
    np.testing.assert_allclose(body.pose_vertices(POSE, TRANS), vertices, atol=1e-5)
    found = body.joints24(POSE, TRANS)
    np.testing.assert_allclose(found[:, :22], joints[:, :22], atol=1e-5)
    np.testing.assert_allclose(found[:, 22:], joints[:, list(middle_fingers)], atol=1e-5)
    assert body.model.beta_count == (300 if shapes == 400 else 10)

    live = Body(model_of_smplx(layer), BETAS)  # and the same body taken from smplx itself
    np.testing.assert_allclose(live.pose_vertices(POSE, TRANS), vertices, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_hands_turn_about_the_knuckle_as_in_smpl(tmp_path):
    path = written(tmp_path / "SMPLH_MALE.npz", arrays_of("smplh", 10))
    body = load_body(Subject(body=str(path)))
    bent = np.zeros((2, 72))
    bent[1, 3 * 22] = 0.8
    moved = np.linalg.norm(np.diff(body.pose_vertices(bent, np.zeros((2, 3))), axis=0)[0], axis=1)
    on_hand = body.model.weights[:, 22] > 0
    assert (moved[on_hand] > 1e-6).mean() > 0.99
    assert moved[~on_hand].max() < 1e-6


def small(kind: str) -> dict[str, np.ndarray]:
    """The layout with few vertices, for what smplx is not asked."""
    arrays = arrays_of(kind, 10)
    few = {name: arrays[name][:40] for name in ("v_template", "weights", "shapedirs", "posedirs")}
    regressor = np.full((len(tree(kind)), 40), 1 / 40)
    return arrays | few | {"J_regressor": regressor, "f": np.array([[0, 1, 2]])}


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("smplx", lambda a: a.update(posedirs=a["posedirs"][..., :207]), "whole SMPL-X body"),
        ("smplh", lambda a: a.update(J_regressor=np.ones((24, 40))), "whole SMPL-H body"),
        (
            "smplh",
            lambda a: a["kintree_table"].__setitem__((0, 30), 3),
            "joint 30 hangs on joint 3",
        ),
        ("smplx", lambda a: a["kintree_table"].__setitem__((0, 5), 1), "SMPL's tree"),
        ("smplh", lambda a: a.update(weights=np.ones((40, 30))), r"30 joints; .* 55 \(SMPL-X\)"),
        ("smplh", lambda a: a["kintree_table"].__setitem__((0, slice(22, 52)), 15), "too few"),
    ],
)
def test_wrong_layouts_are_named(kind, change, message, tmp_path):
    arrays = small(kind)
    change(arrays)
    path = written(tmp_path / "body.npz", arrays)
    with pytest.raises(SimulationError, match=message) as caught:
        load_body(Subject(body=str(path)))
    assert "\n" not in str(caught.value)


def test_anything_but_a_model_of_smplx_is_refused():
    with pytest.raises(SimulationError, match="Linear is not a model of smplx"):
        model_of_smplx(torch.nn.Linear(2, 2))


def test_face_and_fingers_are_merged_without_loss(tmp_path):
    path = written(tmp_path / "body.npz", small("smplx"))
    model: BodyModel = load_body(Subject(body=str(path))).model
    np.testing.assert_allclose(model.weights.sum(axis=1), 1)
    whole = small("smplx")["weights"]
    np.testing.assert_allclose(model.weights[:, 15], whole[:, [15, 22, 23, 24]].sum(axis=1))
    np.testing.assert_allclose(model.weights[:, 23], whole[:, 40:].sum(axis=1))
