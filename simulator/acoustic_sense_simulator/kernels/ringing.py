"""The filters of the scattering sum: one-pole recursions over histograms of delay."""

from typing import Any

import numpy as np
from numba import njit

from acoustic_sense_simulator.kernels.lanes import ring_row

LANES = 16
"""Recursions of a channel, and weights of a cell on the path without a wall."""

FEW = 8
"""Weights of a cell on the other paths."""

LANES_TUPLE, FEW_TUPLE = (0,) * LANES, (0,) * FEW
"""Tuples of these lengths, which is how compiled functions are told them."""


@njit(cache=True, nogil=True, error_model="numpy")
def ring(lanes: Any, few: Any, direct: Any, others: Any, mix: Any, keep: Any, made: Any) -> None:
    """Fill the response of four channels from histograms of weights.

    Each lane of a channel is a recursion `y[n] = keep y[n - 1] + x[n]`; the response is the sum of
    the lanes. A `keep` of 0 passes on, a `keep` of 1 sums up.

    Args:
        lanes: `LANES_TUPLE`.
        few: `FEW_TUPLE`.
        direct: Weights of the path without a wall, float32 `(4 * sample, LANES)`; cleared.
        others: Weights of the other paths, float32 `(4 * sample, FEW)`, as long or longer; cleared.
        mix: How those stand for weights of the recursions, float32 `(FEW, LANES)`.
        keep: Float32 `(1, LANES)`.
        made: Filled, float32 `(4, tap)`; after the histograms' end the recursions go on.
    """
    state = np.zeros((4, len(lanes)), np.float32)
    nothing = np.zeros((1, len(lanes)), np.float32)
    silence = np.zeros((1, len(few)), np.float32)
    for n in range(made.shape[1]):
        for channel in range(4):
            place = 4 * n + channel
            if place < direct.shape[0]:
                total = ring_row(
                    lanes, few, state, channel, keep, direct, place, mix, others, place
                )
            elif place < others.shape[0]:
                total = ring_row(lanes, few, state, channel, keep, nothing, 0, mix, others, place)
            else:
                total = ring_row(lanes, few, state, channel, keep, nothing, 0, mix, silence, 0)
            made[channel, n] = total
