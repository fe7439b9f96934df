"""How loops of this plugin are compiled."""

import inspect
from collections.abc import Callable
from typing import Any

import numba

_FLAGS = {"nsz", "arcp", "contract", "reassoc", "afn"}

LANES = 8
"""Transforms that lie side by side, one in each place of a vector register.

Loops over them take their number as an argument, so that the compiler leaves them loops, which it
turns into vector instructions; strides are this constant, so that it sees what overlaps.
"""


def compiled(function: Callable[..., Any]) -> Any:
    """Return `function` compiled on first use and kept on disk, free of Python's lock."""
    plain = inspect.unwrap(function)  # shape checkers wrap functions in something numba rejects
    return numba.njit(fastmath=_FLAGS, nogil=True, cache=True, error_model="numpy")(plain)
