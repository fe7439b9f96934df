"""Clock drift: a recording read on a clock that is not the player's.

Sample n of the result lies at sample `first + n * step` of the sound. Between samples stands the
band-limited signal, through a sinc under a Kaiser window; its table is linear between 2,048
fractions of a sample.

References:
    Smith, Gossett: A flexible sampling-rate conversion method, ICASSP 1984. Kaiser, Schafer: On
    the use of the I0-sinh window for spectrum analysis, IEEE Trans. ASSP 28, 1980.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64
from numba import njit

from acoustic_sense_simulator.blocks import blocks

HALF_TAPS = 32
"""Samples that count on each side of a place between two samples."""

_FRACTIONS = 2048
_KAISER_BETA = 10.0  # sidelobes below -100 dB; transition from 21 to 27 kHz at 48 kHz


def read_at(
    sound: Float32[np.ndarray, "channel sample"], first: float, step: float, count: int
) -> Float32[np.ndarray, "channel out"]:
    """Return a sound at evenly spaced places between its samples; silence beyond its ends.

    Args:
        sound: Float32 array, shape `(channel, sample)`.
        first: Place of the first sample returned, in samples of `sound`; may be negative.
        step: Distance of two samples returned, in samples of `sound`; near 1, since nothing is
            filtered out above half the new rate.
        count: Number of samples returned.

    Returns:
        Float32 array, shape `(channel, count)`.
    """
    result = np.empty((len(sound), count), dtype=np.float32)
    for block in blocks(count):
        needed = _needed(block, first, step)
        result[:, block] = _read(sound[:, needed], needed.start, block, first, step)
    return result


def reread(
    sound: Float32[np.ndarray, "channel sample"], first: float, step: float, count: int
) -> Float32[np.ndarray, "channel out"]:
    """Return what `read_at` does, in place of the sound's own first `count` samples.

    Args:
        sound: Float32 array, shape `(channel, sample)`, of at least `count` samples.
        first: Place of the first sample returned.
        step: Distance of two samples returned.
        count: Number of samples returned.
    """
    behind = [block.start - _needed(block, first, step).start for block in blocks(count)]
    past = max([0, *behind])
    history = np.zeros((len(sound), past), dtype=np.float32)  # the last that were overwritten
    for block in blocks(count):
        needed, known = _needed(block, first, step), block.start - past
        ahead = sound[:, block.start : max(needed.stop, block.stop)]
        original = np.concatenate([history, ahead], axis=1)
        piece = original[:, needed.start - known : needed.stop - known]
        history = original[:, block.stop - known - past : block.stop - known].copy()
        sound[:, block] = _read(piece, needed.start, block, first, step)
    return sound[:, :count]


def _needed(block: slice, first: float, step: float) -> slice:
    """Return which samples of the sound decide a block of the result; some may lie past its end."""
    low = max(0, int(np.floor(first + block.start * step)) - HALF_TAPS)
    wanted = int(np.ceil((block.stop - block.start) * step))
    return slice(low, low + wanted + 2 * HALF_TAPS + 2)


def _read(
    piece: Float32[np.ndarray, "channel piece"],
    piece_start: int,
    block: slice,
    first: float,
    step: float,
) -> Float32[np.ndarray, "channel block"]:
    """Return a block of the result from the samples that it needs."""
    made = np.empty((block.stop - block.start, len(piece)), dtype=np.float32)
    place = first + block.start * step - piece_start
    _interpolate(np.ascontiguousarray(piece.T), place, step, _table(), made)
    return made.T


@lru_cache(maxsize=1)
def _table() -> Float64[np.ndarray, "fraction tap"]:
    """Return the weights of the taps for each fraction of a sample, both 0 and 1 included."""
    fractions = np.arange(_FRACTIONS + 1)[:, None] / _FRACTIONS
    places = np.arange(1 - HALF_TAPS, HALF_TAPS + 1) - fractions
    inside = np.maximum(0.0, 1.0 - (places / HALF_TAPS) ** 2)
    weights: np.ndarray = np.sinc(places) * np.i0(_KAISER_BETA * np.sqrt(inside))
    return weights / np.i0(_KAISER_BETA)


@njit(cache=True, nogil=True, error_model="numpy")
def _interpolate(sound: Any, first: float, step: float, table: Any, result: Any) -> None:
    """Fill `result`, shape `(out, channel)`, from `sound`, shape `(sample, channel)`."""
    taps, channels = table.shape[1], sound.shape[1]
    fractions = table.shape[0] - 1
    total = np.zeros(channels)
    for n in range(result.shape[0]):
        place = first + n * step
        whole = int(np.floor(place))
        fraction = (place - whole) * fractions
        row = min(int(fraction), fractions - 1)
        share = fraction - row
        start = whole + 1 - taps // 2
        total[:] = 0.0
        for tap in range(max(0, -start), min(taps, sound.shape[0] - start)):
            weight = table[row, tap] + share * (table[row + 1, tap] - table[row, tap])
            for channel in range(channels):
                total[channel] += weight * sound[start + tap, channel]
        for channel in range(channels):
            result[n, channel] = total[channel]
