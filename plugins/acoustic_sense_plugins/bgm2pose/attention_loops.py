"""Compiled loops of attention over bins: scores are made, used and forgotten row by row.

Heads are narrow (4 channels at width 0.25), so that a matrix product of scores spends its time on
writing 128 x 128 numbers that a row needs once. Here a row of scores stays in the first-level
cache, forwards and backwards, and dropout costs a hash instead of a stored random mask.

Arrays are float32, C-contiguous: query, key, value and output `item bin head width`, where an item
is one frame of one clip; `log_sum` is `item head bin`, in powers of two.

References:
    Dao et al., "FlashAttention", NeurIPS 2022 (recomputing scores in the backward pass); Chris
    Wellons, "Prospecting for hash functions", 2018 (the hash).
"""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

_FLAGS = {"nsz", "arcp", "contract", "reassoc", "afn", "nnan"}


def _compiled(function: Callable[..., Any]) -> Any:
    """Return `function` compiled on first use and kept on disk, free of Python's lock."""
    plain = inspect.unwrap(function)  # shape checkers wrap functions in something numba rejects
    return numba.njit(fastmath=_FLAGS, nogil=True, cache=True, error_model="numpy")(plain)


def _power_of_part(part):  # type: ignore[no-untyped-def]
    """Return 2 to the power of a number in [0, 1), by a minimax polynomial."""
    value = np.float32(1.8775767e-3)
    value = value * part + np.float32(8.9893397e-3)
    value = value * part + np.float32(5.5826318e-2)
    value = value * part + np.float32(2.4015361e-1)
    value = value * part + np.float32(6.9315308e-1)
    value = value * part + np.float32(9.9999994e-1)
    return value


power_of_part = _compiled(_power_of_part)
"""Compiled `_power_of_part`."""


def _exp2_in_place(row, power, power_bits):  # type: ignore[no-untyped-def]
    """Raise 2 to each number of `row`, none above 0; relative error 2e-7."""
    for j in range(len(row)):
        exponent = max(row[j], np.float32(-126.0))
        whole = np.floor(exponent)
        row[j] = exponent - whole
        power_bits[j] = (np.int32(whole) + np.int32(127)) << np.int32(23)
    for j in range(len(row)):
        row[j] = power_of_part(row[j]) * power[j]


_exp2 = _compiled(_exp2_in_place)


def _mix_bits(bits):  # type: ignore[no-untyped-def]
    """Return a well-mixed 32-bit hash of 32 bits."""
    bits = np.uint32(bits ^ (bits >> np.uint32(16)))
    bits = np.uint32(bits * np.uint32(0x7FEB352D))
    bits = np.uint32(bits ^ (bits >> np.uint32(15)))
    bits = np.uint32(bits * np.uint32(0x846CA68B))
    return np.uint32(bits ^ (bits >> np.uint32(16)))


_mix = _compiled(_mix_bits)


def _draw_kept_weights(kept, seed, index, threshold, gain):  # type: ignore[no-untyped-def]
    """Fill `kept` with `gain` where a weight stays and 0 where dropout takes it."""
    key = _mix(np.uint32(seed + np.uint32(index)))
    for j in range(kept.size):
        bits = _mix(np.uint32(key + np.uint32(j) * np.uint32(0x9E3779B1)))
        kept[j] = gain if bits >= threshold else np.float32(0.0)


_draw_kept = _compiled(_draw_kept_weights)


def _forward(  # type: ignore[no-untyped-def]
    query, key, value, output, log_sum, first, last, scale, seed, threshold, gain
):
    """Fill `output` and `log_sum` of items `first` to `last`."""
    bins, heads, width = query.shape[1:]  # below: as views of one array these run at half speed
    keys = np.empty((width, bins), np.float32)
    values = np.empty((width, bins), np.float32)
    row = np.empty(bins, np.float32)
    kept = np.empty(bins, np.float32)
    power = np.empty(bins, np.float32)
    power_bits = power.view(np.int32)
    for item in range(first, last):
        for head in range(heads):
            for j in range(bins):
                for w in range(width):
                    keys[w, j] = key[item, j, head, w]
                    values[w, j] = value[item, j, head, w]
            for i in range(bins):
                row[:] = np.float32(0.0)
                for w in range(width):
                    factor = query[item, i, head, w] * scale
                    for j in range(bins):
                        row[j] += factor * keys[w, j]
                largest = row[0]
                for j in range(bins):
                    largest = max(largest, row[j])
                for j in range(bins):
                    row[j] -= largest
                _exp2(row, power, power_bits)
                total = np.float32(0.0)
                for j in range(bins):
                    total += row[j]
                if threshold > 0:
                    _draw_kept(kept, seed, (item * heads + head) * bins + i, threshold, gain)
                    for j in range(bins):
                        row[j] *= kept[j]
                for w in range(width):
                    mixed = np.float32(0.0)
                    for j in range(bins):
                        mixed += row[j] * values[w, j]
                    output[item, i, head, w] = mixed / total
                log_sum[item, head, i] = largest + np.log2(total)


def _backward(  # type: ignore[no-untyped-def]
    query, key, value, output, log_sum, slope, query_slope, key_slope, value_slope,
    first, last, scale, seed, threshold, gain,
):  # fmt: skip
    """Fill the slopes of query, key and value of items `first` to `last`."""
    bins, heads, width = query.shape[1:]  # below: as views of one array these run at half speed
    keys = np.empty((width, bins), np.float32)
    values = np.empty((width, bins), np.float32)
    keys_slope = np.empty((width, bins), np.float32)
    values_slope = np.empty((width, bins), np.float32)
    row = np.empty(bins, np.float32)
    kept = np.empty(bins, np.float32)
    row_slope = np.empty(bins, np.float32)
    power = np.empty(bins, np.float32)
    power_bits = power.view(np.int32)
    natural = scale * np.float32(math.log(2.0))  # scores are in powers of two, slopes are not
    kept[:] = np.float32(1.0)
    for item in range(first, last):
        for head in range(heads):
            for j in range(bins):
                for w in range(width):
                    keys[w, j] = key[item, j, head, w]
                    values[w, j] = value[item, j, head, w]
            keys_slope[:] = np.float32(0.0)
            values_slope[:] = np.float32(0.0)
            for i in range(bins):
                row[:] = -log_sum[item, head, i]
                row_slope[:] = np.float32(0.0)
                if threshold > 0:
                    _draw_kept(kept, seed, (item * heads + head) * bins + i, threshold, gain)
                mean_slope = np.float32(0.0)
                for w in range(width):
                    factor = query[item, i, head, w] * scale
                    pull = slope[item, i, head, w]
                    mean_slope += pull * output[item, i, head, w]
                    for j in range(bins):
                        row[j] += factor * keys[w, j]
                        row_slope[j] += pull * values[w, j]
                _exp2(row, power, power_bits)
                for j in range(bins):
                    weight = row[j]
                    row[j] = weight * kept[j]
                    row_slope[j] = weight * (row_slope[j] * kept[j] - mean_slope)
                for w in range(width):
                    factor = query[item, i, head, w] * natural
                    pull = slope[item, i, head, w]
                    gathered = np.float32(0.0)
                    for j in range(bins):
                        gathered += row_slope[j] * keys[w, j]
                        keys_slope[w, j] += factor * row_slope[j]
                        values_slope[w, j] += pull * row[j]
                    query_slope[item, i, head, w] = gathered * natural
            for j in range(bins):
                for w in range(width):
                    key_slope[item, j, head, w] = keys_slope[w, j]
                    value_slope[item, j, head, w] = values_slope[w, j]


forward = _compiled(_forward)
"""Compiled `_forward`."""

backward = _compiled(_backward)
"""Compiled `_backward`."""
