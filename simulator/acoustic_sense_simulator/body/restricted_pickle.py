"""Read the arrays of a pickle without running anything that is in it.

The official SMPL files are Python 2 pickles of numpy arrays, chumpy objects and one scipy sparse
matrix. Unpickling normally calls whatever the file names. Here `pickle_machine` follows the file:
numpy's own functions are replaced by ones of ours that check type and size of every array, chumpy's
and scipy's objects become inert records whose arrays are read afterwards, and any other name in the
file refuses the whole file.
"""

import re
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from acoustic_sense.errors import SimulationError
from acoustic_sense_simulator.body.pickle_machine import (
    Call,
    Name,
    Record,
    RefusedPickle,
    followed,
)

_DTYPE: Final = re.compile(r"[<>=|]?([biuf])([1248])")
_MOST_ENTRIES: Final = 100_000_000  # of a sparse matrix written out; SMPL-X needs 0.6 million
_SPARSE: Final = ("csc_matrix", "csr_matrix")
_DAMAGES: Final = (
    *(AttributeError, KeyError, TypeError, ValueError, IndexError),
    *(OverflowError, RecursionError, MemoryError),
)


class _Dtype(Record):
    """A `numpy.dtype`: its code, and the byte order that its state gives."""

    def __init__(self, code: str) -> None:
        super().__init__(Name("numpy", "dtype"))
        self.code, self.order = code, "="

    def build(self, state: Any) -> "Record":
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]
        return self

    def dtype(self) -> np.dtype[Any] | None:
        """Return the type of numbers, None for text and objects."""
        found = _DTYPE.fullmatch(self.code)
        return None if found is None else np.dtype(self.order + found[1] + found[2])


class _Array(Record):
    """A `numpy.ndarray`, checked and made from its state."""

    def __init__(self) -> None:
        super().__init__(Name("numpy", "ndarray"))
        self.array: np.ndarray | None = None

    def build(self, state: Any) -> "Record":
        _, shape, dtype, in_columns, data = state
        self.array = _plain_array(data, dtype, shape, "F" if in_columns else "C")
        return self


def read_pickled_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the numeric arrays of a pickled dictionary, by name; other entries are left out.

    Args:
        path: The file.

    Raises:
        SimulationError: The file is not a pickled dictionary, or it holds anything but arrays,
            numbers, text and chumpy's or scipy's containers of them.
    """
    try:
        data = followed(path.read_bytes(), _CALLS, _is_kept)
    except OSError as error:
        raise SimulationError(f"{path}: cannot be read: {error.strerror}") from None
    except Exception as error:  # a hostile file can make the reader raise anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SimulationError(
            f"{path}: refused, because a body file may hold arrays only and {reason}; "
            "save its arrays as .npz"
        ) from None
    if not isinstance(data, dict):
        raise SimulationError(f"{path}: holds a {type(data).__name__}, not a dictionary of arrays")
    arrays = {str(key): _array(value, path, str(key)) for key, value in data.items()}
    return {key: value for key, value in arrays.items() if value is not None}


def _is_kept(name: Name) -> bool:
    """Return whether objects of a class may stand in the file."""
    sparse = name.module.startswith("scipy.sparse") and name.name in _SPARSE
    return name.module.split(".")[0] == "chumpy" or sparse or name in _PLAIN_CLASSES


def _array(value: Any, path: Path, key: str) -> np.ndarray | None:
    """Return the array behind a value, or None for text and other entries without one."""
    try:
        value = _unwrapped(value)
    except _DAMAGES as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SimulationError(f"{path}: '{key}' is not a whole array: {reason}") from None
    if isinstance(value, (np.ndarray, np.generic, int, float)):
        found = np.asarray(value)
        return found if found.dtype.kind in "fiub" else None
    return None


def _unwrapped(value: Any) -> Any:
    """Return the array of a record of numpy, chumpy or scipy; other values as they are."""
    if isinstance(value, _Array):
        return value.array
    if not isinstance(value, Record) or isinstance(value, _Dtype):
        return value
    return _sparse_array(value) if value.name.name in _SPARSE else _chumpy_array(value)


def _chumpy_array(record: Record) -> Any:
    """Return the array of a `chumpy.Ch`, `x`, or of a `Select`: the entries `idxs` of another."""
    state = record.state
    if "x" in state:
        return _unwrapped(state["x"])
    chosen = _numbers(_unwrapped(state["a"])).ravel()[_numbers(_unwrapped(state["idxs"]))]
    return chosen.reshape(state["preferred_shape"])


def _sparse_array(record: Record) -> np.ndarray:
    """Return a compressed sparse matrix written out."""
    from scipy.sparse import csc_matrix, csr_matrix

    kind = csc_matrix if record.name.name == "csc_matrix" else csr_matrix
    state = record.state
    parts = tuple(_numbers(_unwrapped(state[name])) for name in ("data", "indices", "indptr"))
    rows, columns = (int(size) for size in state["_shape" if "_shape" in state else "shape"])
    if not 0 <= rows * columns <= _MOST_ENTRIES:
        raise ValueError(f"a sparse matrix of {rows} x {columns} is too large")
    matrix = kind(parts, shape=(rows, columns))
    matrix.check_format(full_check=True)
    return np.asarray(matrix.toarray())


def _numbers(value: Any) -> np.ndarray:
    found = np.asarray(value)
    if found.dtype.kind not in "fiub":
        raise TypeError("it does not hold numbers")
    return found


def _plain_array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray | None:
    """Return an array over raw bytes, None where it does not hold numbers."""
    if not isinstance(dtype, _Dtype):
        raise RefusedPickle("an array has no type")
    found = dtype.dtype()
    if found is None:
        return None
    raw = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(raw, (bytes, bytearray)) or order not in ("C", "F"):
        raise RefusedPickle("an array has no raw data")
    whole = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if not whole or prod(shape) * found.itemsize != len(raw):
        raise RefusedPickle(f"an array's shape does not fit its {len(raw)} bytes")
    return np.frombuffer(bytes(raw), dtype=found).reshape(shape, order=order)


def _make_dtype(arguments: tuple[Any, ...]) -> Record:
    if not isinstance(arguments[0], str):
        raise RefusedPickle("an array's type is not named by text")
    return _Dtype(arguments[0])


def _make_array(arguments: tuple[Any, ...]) -> Record:
    if arguments[0] != Name("numpy", "ndarray"):
        raise RefusedPickle("it makes an array of another class")
    return _Array()


def _make_from_buffer(arguments: tuple[Any, ...]) -> Record:
    made = _Array()
    made.array = _plain_array(*arguments)
    return made


def _make_scalar(arguments: tuple[Any, ...]) -> Any:
    dtype, data = arguments
    found = _plain_array(data, dtype, (1,), "C")
    return None if found is None else found[0]


def _make_bytes(arguments: tuple[Any, ...]) -> bytes:
    text, encoding = arguments
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise RefusedPickle("it encodes otherwise than as latin1")
    return text.encode("latin1")


def _make_empty_bytes(arguments: tuple[Any, ...]) -> bytes:
    """Do what protocols below 3 write for empty bytes."""
    if arguments != ():
        raise RefusedPickle("it makes bytes of something")
    return b""


def _make_record(arguments: tuple[Any, ...]) -> Record:
    """Do what Python 2's `copy_reg._reconstructor` does, for records only."""
    kind = arguments[0]
    if not isinstance(kind, Name) or kind in _CALLS or not _is_kept(kind):
        raise RefusedPickle(f"it rebuilds a {kind if isinstance(kind, Name) else '?'}")
    return Record(kind)


_PLAIN_CLASSES: Final = {
    Name("numpy", "ndarray"),
    Name("__builtin__", "object"),
    Name("builtins", "object"),
}
_CALLS: Final[dict[Name, Call]] = {
    Name("numpy", "dtype"): _make_dtype,
    Name("_codecs", "encode"): _make_bytes,
    Name("__builtin__", "bytes"): _make_empty_bytes,
    **{Name(module, "_reconstructor"): _make_record for module in ("copy_reg", "copyreg")},
    **{Name(f"numpy.{core}.multiarray", "_reconstruct"): _make_array for core in ("core", "_core")},
    **{Name(f"numpy.{core}.multiarray", "scalar"): _make_scalar for core in ("core", "_core")},
    **{
        Name(f"numpy.{core}.numeric", "_frombuffer"): _make_from_buffer
        for core in ("core", "_core")
    },
}
