"""The user's own body files: official layout read, anything that could run code refused."""

import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from acoustic_sense_simulator.body import SMPL_PARENTS, load_body
from acoustic_sense_simulator.body.restricted_pickle import read_pickled_arrays
from scipy.sparse import csc_matrix

from acoustic_sense.errors import SimulationError
from acoustic_sense.types import Subject


def tiny_smpl() -> dict[str, np.ndarray]:
    """A closed octahedron with SMPL's arrays."""
    rng = np.random.default_rng(0)
    corners = np.concatenate([np.eye(3), -np.eye(3)])
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    weights, regressor = rng.random((6, 24)), rng.random((24, 6))
    return {
        "v_template": corners,
        "f": np.array(faces, dtype=np.uint32),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "shapedirs": rng.normal(0, 0.1, (6, 3, 10)),
        "posedirs": rng.normal(0, 0.01, (6, 3, 207)),
        "kintree_table": np.array([[2**32 - 1, *SMPL_PARENTS[1:]], range(24)], dtype=np.uint32),
    }


def saved(path: Path, data: object) -> Path:
    path.write_bytes(pickle.dumps(data, protocol=2))
    return path


@pytest.fixture
def chumpy(monkeypatch):
    """Classes that pickle under chumpy's names, as in the official files."""
    modules = {
        name: types.ModuleType(name) for name in ("chumpy", "chumpy.ch", "chumpy.reordering")
    }

    def make(module: str, name: str) -> type:
        made = type(name, (), {"__module__": module})
        setattr(modules[module], name, made)
        return made

    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return make("chumpy.ch", "Ch"), make("chumpy.reordering", "Select")


def with_state(kind: type, **state: object) -> object:
    made = kind()
    made.__dict__.update(state)
    return made


def test_official_layout_with_chumpy_and_sparse_equals_plain_arrays(tmp_path, chumpy):
    ch, select = chumpy
    arrays = tiny_smpl()
    flat = np.concatenate([[9.0], arrays["shapedirs"].ravel()])
    official = arrays | {
        "v_template": with_state(ch, x=arrays["v_template"]),
        "shapedirs": with_state(
            select, a=with_state(ch, x=flat), idxs=np.arange(1, 181), preferred_shape=(6, 3, 10)
        ),
        "J_regressor": csc_matrix(arrays["J_regressor"]),
        "bs_style": "lbs",
    }
    np.savez(tmp_path / "plain.npz", **arrays)
    pickled = load_body(Subject(body=str(saved(tmp_path / "official.pkl", official)), betas=(1.0,)))
    plain = load_body(Subject(body=str(tmp_path / "plain.npz"), betas=(1.0,)))
    pose = np.random.default_rng(1).normal(0, 0.4, (3, 72))
    np.testing.assert_allclose(
        pickled.pose_vertices(pose, np.zeros((3, 3))), plain.pose_vertices(pose, np.zeros((3, 3)))
    )
    np.testing.assert_allclose(pickled.rest_joints, plain.rest_joints)


class Hostile:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.target,))


def test_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path):
    target = tmp_path / "touched"
    path = saved(tmp_path / "body.pkl", tiny_smpl() | {"extra": Hostile(target)})
    with pytest.raises(SimulationError, match="may hold arrays only"):
        load_body(Subject(body=str(path)))
    assert not target.exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy.f2py.crackfortran\nmyeval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cchumpy.ch\nCh\n(S'x'\ntR.",  # stand-ins take no arguments
        b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR.",
    ],
)
def test_forbidden_names_are_refused(tmp_path, code):
    path = tmp_path / "body.pkl"
    path.write_bytes(code)
    with pytest.raises(SimulationError, match=r"body\.pkl"):
        read_pickled_arrays(path)


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x02}q\x00."])
def test_files_without_a_body_are_refused(tmp_path, content):
    path = tmp_path / "body.pkl"
    path.write_bytes(content)
    with pytest.raises(SimulationError, match=r"body\.pkl"):
        load_body(Subject(body=str(path)))


def test_npz_with_objects_is_refused(tmp_path):
    path = tmp_path / "body.npz"
    np.savez(path, **(tiny_smpl() | {"f": np.array([{}], dtype=object)}))
    with pytest.raises(SimulationError, match="plain arrays"):
        load_body(Subject(body=str(path)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.ones((6, 52))}, "whole SMPL-H body"),
        ({"posedirs": np.ones((6, 3, 459))}, "whole SMPL body"),
        ({"v_template": np.full((6, 3), np.nan)}, "not finite"),
        ({"f": np.array([[0, 1, 6]], dtype=np.uint32)}, "do not exist"),
        ({"kintree_table": np.zeros((2, 24), dtype=np.uint32)}, "tree"),
    ],
)
def test_wrong_arrays_are_named(tmp_path, change, message):
    path = tmp_path / "body.npz"
    np.savez(path, **(tiny_smpl() | change))
    with pytest.raises(SimulationError, match=message):
        load_body(Subject(body=str(path)))


def test_missing_arrays_are_named(tmp_path):
    arrays = tiny_smpl()
    del arrays["weights"]
    np.savez(tmp_path / "body.npz", **arrays)
    with pytest.raises(SimulationError, match="lacks weights"):
        load_body(Subject(body=str(tmp_path / "body.npz")))


def test_unknown_ending_is_refused(tmp_path):
    (tmp_path / "body.obj").write_text("v 0 0 0")
    with pytest.raises(SimulationError, match=r"\.npz or \.pkl"):
        load_body(Subject(body=str(tmp_path / "body.obj")))
