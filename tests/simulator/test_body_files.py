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


def text(value: str) -> bytes:
    """The instruction that puts text on the stack."""
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def entry(code: bytes) -> bytes:
    """A pickle of a dictionary whose entry `v_template` is what the instructions build."""
    return b"\x80\x02}" + text("v_template") + code + b"s."


DTYPE = b"cnumpy\ndtype\n(" + text("f8") + b"K\x00K\x01tR"
NEW_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
EIGHT_BYTES = b"U\x08" + bytes(8)
BOMB = b")" + b"q\x00h\x00h\x00\x86" * 64  # a tuple of two of a tuple of two of ..., 2^64 in all
CHUMPY = b"cchumpy.ch\nCh\n)\x81"


def array_state(shape: bytes, dtype: bytes = DTYPE, data: bytes = EIGHT_BYTES) -> bytes:
    return NEW_ARRAY + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb"


ATTACKS = {
    "reduce": b"cposix\nsystem\n(X\x01\x00\x00\x00xtR",
    "getattr": b"cbuiltins\ngetattr\n(cnumpy\nndarray\nX\x01\x00\x00\x00xtR",
    "import": b"cimportlib\nimport_module\n(X\x02\x00\x00\x00ostR",
    "copyreg new object": b"ccopyreg\n__newobj__\n(cnumpy\nndarray\n(K\x01ttR",
    "copyreg of a class": b"ccopyreg\n_reconstructor\n(cbuiltins\ndict\ncbuiltins\nobject\nNtR",
    "copyreg extension": b"\x82\x01",
    "instance": b"(X\x01\x00\x00\x00xios\nsystem\n",
    "object": b"(cos\nsystem\nX\x01\x00\x00\x00xo",
    "persistent name": b"Pshadow\n",
    "new object with keywords": CHUMPY[:-2] + b")}\x92",
    "name put together": text("os") + text("system") + b"\x93",
    "dotted name": text("numpy") + text("ndarray.__class__") + b"\x93)R",
    "array class called": b"cnumpy\nndarray\n((I1000000000000\nttR",
    "array of another class": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nmatrix\n(K\x00ttR",
    "huge shape": array_state(b"(I1000000000000\nt"),
    "negative shape": array_state(b"(I-1\nt"),
    "shape that wraps round": array_state(b"(I4294967296\nI4294967296\nt"),
    "shape that is not one": array_state(b"}"),
    "data that are a list": array_state(b"(K\x01t", data=b"]"),
    "type that is text": array_state(b"(K\x01t", dtype=text("f8")),
    "type of another size": array_state(b"(K\x01t", DTYPE.replace(b"f8", b"f4")),
    "scalar of objects": b"cnumpy.core.multiarray\nscalar\n(" + DTYPE + b"cos\nsystem\ntR",
    "scalar without data": b"cnumpy.core.multiarray\nscalar\n(" + DTYPE + b"NtR",
    "other encodings": b"c_codecs\nencode\n(" + text("x") + text("zlib_codec") + b"tR",
    "state of a dictionary": b"}" + b"}b",
    "state of a name": b"cnumpy\nndarray\n}b",
    "key that is never hashed": b"}" + BOMB + b"K\x00s",
    "memo far out": b"Nr\xff\xff\xff\xff" + b"j\xfe\xff\xff\xff",
    "memo that is empty": b"h\x07",
    "mark out of order": b"(\x85",
    "stack that is empty": b"0000",
    "itself inside itself": CHUMPY + b"q\x01}" + text("x") + b"h\x01sb",
    "chain without end": CHUMPY + (b"}" + text("x") + CHUMPY) * 5000 + b"sb" * 5000,
    "huge sparse matrix": b"cscipy.sparse.csc\ncsc_matrix\n)\x81}("
    + b"".join(text(name) + array_state(b"(K\x01t") for name in ("data", "indices", "indptr"))
    + text("_shape")
    + b"(I1000000\nI1000000\ntub",
    "sparse matrix of records": b"cscipy.sparse.csc\ncsc_matrix\n)\x81}(" + text("data") + b"}ub",
    "text of a length that is not there": b"X\xff\xff\xff\x7fx",
    "number of many digits": b"I" + b"9" * 100_000 + b"\n",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_in_one_line(attack, tmp_path):
    path = tmp_path / "body.pkl"
    path.write_bytes(entry(ATTACKS[attack]))
    with pytest.raises(SimulationError, match=r"body\.pkl: ('v_template'|refused)") as caught:
        read_pickled_arrays(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_the_parts_of_the_attacks_are_read_where_they_are_whole(tmp_path):
    """Otherwise the attacks might be refused for being written wrongly."""
    path = tmp_path / "body.pkl"
    for code in (
        array_state(b"(K\x01t"),
        CHUMPY + b"}" + text("x") + array_state(b"(K\x01t") + b"sb",
        b"cnumpy.core.multiarray\nscalar\n(" + DTYPE + EIGHT_BYTES + b"tR",
        b"K\x00",
    ):
        path.write_bytes(entry(code))
        assert np.array_equal(read_pickled_arrays(path)["v_template"].ravel(), [0])


def test_entries_without_numbers_are_left_out_and_nested_ones_cost_nothing(tmp_path):
    deep: dict = {}
    for _ in range(200):
        deep = {"inner": deep, "list": [deep, (deep, None)]}
    data = {"deep": deep, "a": np.arange(3), "text": "x", "objects": np.array([{}, None])}
    data |= {"words": np.array(["a", "b"]), "flag": True, "long": 2**80, "none": None}
    assert set(read_pickled_arrays(saved(tmp_path / "a.pkl", data))) == {"a", "flag"}


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_gives_the_same_arrays(protocol, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "c": rng.normal(size=(4, 3, 2)),
        "f": np.asfortranarray(rng.normal(size=(5, 7)).astype(np.float32)),
        "big": rng.normal(size=6).astype(">f8"),
        "unsigned": np.arange(5, dtype=np.uint32),
        "flags": np.array([True, False]),
        "scalar": np.float32(2.5),
        "empty": np.zeros((0, 3)),
        "sparse": csc_matrix(np.eye(3)),
        "number": 7,
    }
    path = tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    found = read_pickled_arrays(path)
    assert set(found) == set(arrays)
    for name, value in arrays.items():
        wanted = value.toarray() if name == "sparse" else np.asarray(value)
        assert np.array_equal(found[name], wanted)
        assert found[name].dtype == wanted.dtype


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
