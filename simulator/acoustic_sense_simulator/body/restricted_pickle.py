"""Read the arrays of a pickle without running anything that is in it.

The official SMPL files are Python 2 pickles of numpy arrays, chumpy objects and one scipy sparse
matrix. Unpickling normally calls whatever the file names. Here only numpy's own array constructors
may be called; chumpy's and scipy's objects become inert records whose arrays are read afterwards;
any other name in the file refuses the whole file.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from acoustic_sense.errors import SimulationError

_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}


class _Record:
    """Stand-in for an object of chumpy or scipy: holds its state, does nothing."""

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})


class _ChumpyRecord(_Record):
    """A `chumpy.Ch`, whose array is `x`, or a `Select` of the entries `idxs` of another."""


class _SparseRecord(_Record):
    """A compressed sparse matrix of scipy; subclasses say in which direction."""


class _ColumnRecord(_SparseRecord):
    """A `scipy.sparse.csc_matrix`."""


class _RowRecord(_SparseRecord):
    """A `scipy.sparse.csr_matrix`."""


def _reconstruct(kind: type, base: type, state: Any) -> Any:
    """Do what Python 2's `copy_reg._reconstructor` does, for records only."""
    if not issubclass(kind, _Record):
        raise pickle.UnpicklingError(f"it rebuilds a {kind.__name__}")
    return kind()


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return super().find_class(module, name)
        if module.split(".")[0] == "chumpy":
            return _ChumpyRecord
        if module.startswith("scipy.sparse") and name in ("csc_matrix", "csr_matrix"):
            return _ColumnRecord if name == "csc_matrix" else _RowRecord
        if (module, name) in (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")):
            return _reconstruct
        if (module, name) in (("__builtin__", "object"), ("builtins", "object")):
            return object
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def read_pickled_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the numeric arrays of a pickled dictionary, by name; other entries are left out.

    Args:
        path: The file.

    Raises:
        SimulationError: The file is not a pickled dictionary, or it holds anything but arrays,
            numbers, text and chumpy's or scipy's containers of them.
    """
    try:
        with path.open("rb") as file:
            data = _RestrictedUnpickler(file, encoding="latin1").load()
    except OSError as error:
        raise SimulationError(f"{path}: cannot be read: {error.strerror}") from None
    except Exception as error:  # a hostile file can make the unpickler raise anything
        raise SimulationError(
            f"{path}: refused, because a body file may hold arrays only and {error}; "
            "save its arrays as .npz"
        ) from None
    if not isinstance(data, dict):
        raise SimulationError(f"{path}: holds a {type(data).__name__}, not a dictionary of arrays")
    arrays = {str(key): _array(value, path, str(key)) for key, value in data.items()}
    return {key: value for key, value in arrays.items() if value is not None}


def _array(value: Any, path: Path, key: str) -> np.ndarray | None:
    """Return the array behind a value, or None for text and other entries without one."""
    try:
        if isinstance(value, _ChumpyRecord):
            value = _chumpy_array(value)
        elif isinstance(value, _SparseRecord):
            value = _sparse_array(value)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise SimulationError(f"{path}: '{key}' is not a whole array: {error}") from None
    if isinstance(value, (np.ndarray, int, float)) and np.asarray(value).dtype.kind in "fiub":
        return np.asarray(value)
    return None


def _chumpy_array(record: _ChumpyRecord) -> np.ndarray:
    state = record.__dict__
    if "x" in state:
        inner = state["x"]
        return _chumpy_array(inner) if isinstance(inner, _ChumpyRecord) else np.asarray(inner)
    source = _chumpy_array(state["a"]) if isinstance(state["a"], _ChumpyRecord) else state["a"]
    chosen: np.ndarray = np.asarray(source).ravel()[np.asarray(state["idxs"])]
    return chosen.reshape(state["preferred_shape"])


def _sparse_array(record: _SparseRecord) -> np.ndarray:
    state = record.__dict__
    kind = csc_matrix if isinstance(record, _ColumnRecord) else csr_matrix
    parts = tuple(np.asarray(state[name]) for name in ("data", "indices", "indptr"))
    shape = state.get("_shape", state.get("shape"))
    matrix = kind(parts, shape=shape)
    matrix.check_format(full_check=True)
    return np.asarray(matrix.toarray())
