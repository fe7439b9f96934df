"""Fourier transform of 2400 real samples in double precision, eight frames side by side.

2400 = 32 * 75 and 75 = 3 * 25 have no common factors, so that the transform of a frame is one over
a grid of 32 x 3 x 25, without factors between the axes (prime-factor algorithm). A transform over
one axis is a stretch of code without loops, and eight frames go through it together, each in its
place of a vector register: nothing is shuffled, and spectra come out the way that the loops after
it read them. A library transforms frames one after another and takes longer.

Arrays are flat, since only there the compiler knows the strides: `grid` is `75 16 2 lane`, `line`
is `3 25 2 lane`; 2 are real and imaginary part.

References:
    Good, "The interaction algorithm and practical Fourier analysis", J. R. Stat. Soc. B 20, 1958;
    Temperton, "Implementation of a self-sorting in-place prime factor FFT algorithm", J. Comput.
    Phys. 58, 1985.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Complex128, Float64, Int64

from acoustic_sense_plugins.mel_stack.compiling import LANES, compiled

SAMPLES = 2400
"""Length of the transform."""

_COLUMNS, _ROWS = 32, 75
_PAIRS = _COLUMNS // 2
_NUMBER = 2 * LANES  # one complex number of each lane
_THIRD = float(np.sin(2 * np.pi / 3))
_C, _CC = float(np.cos(2 * np.pi / 5)), float(np.cos(4 * np.pi / 5))
_S, _SS = float(np.sin(2 * np.pi / 5)), float(np.sin(4 * np.pi / 5))
_W = tuple(complex(np.exp(-2j * np.pi * k / 32)) for k in range(19))


class Tables(NamedTuple):
    """Where each sample and frequency lies, and the factors within the transform over 25.

    Attributes:
        window: Hann window, halved, since the transform over 32 doubles.
        place: Number in the grid of each sample.
        frequency: Frequency of each number of a line, for each pair of columns.
        sign: -1 where that number is the conjugate, else 1.
        shared: The first pair holds two real transforms. For each frequency over 75: its number in
            the line, that of its mirror image, and the frequency of each transform, -1 for none.
        turns: Factors.
    """

    window: Float64[np.ndarray, " sample"]
    place: Int64[np.ndarray, " sample"]
    frequency: Int64[np.ndarray, "pair row"]
    sign: Float64[np.ndarray, "pair row"]
    shared: Int64[np.ndarray, "row 4"]
    turns: Complex128[np.ndarray, "5 5"]


def tables() -> Tables:
    """Return the tables."""
    samples, rows = np.arange(SAMPLES), np.arange(_ROWS)
    a, b, column = np.indices((3, 25, _COLUMNS))
    place = np.empty(SAMPLES, np.int64)
    place[(75 * column + 32 * (25 * a + 3 * b)) % SAMPLES] = samples.reshape(3, 25, _COLUMNS)
    number = 25 * (rows % 3) + 5 * (rows % 5) + rows % 25 // 5
    found = np.empty((_COLUMNS, _ROWS), np.int64)
    found[samples % _COLUMNS, samples % _ROWS] = samples
    mirrored = found > SAMPLES // 2
    frequency, sign = np.empty((_PAIRS, _ROWS), np.int64), np.empty((_PAIRS, _ROWS))
    frequency[:, number] = np.where(mirrored, SAMPLES - found, found)[:_PAIRS]
    sign[:, number] = np.where(mirrored, -1.0, 1.0)[:_PAIRS]
    first, second = np.where(mirrored, -1, found)[[0, _PAIRS]]
    return Tables(
        window=0.25 - 0.25 * np.cos(2 * np.pi * samples / SAMPLES),
        place=place,
        frequency=frequency,
        sign=sign,
        shared=np.stack([number, number[-rows % _ROWS], first, second], axis=1),
        turns=np.exp(-2j * np.pi * np.outer(np.arange(5), np.arange(5)) / 25),
    )


def _number_at(array, index, lane):  # type: ignore[no-untyped-def]
    return complex(array[index * _NUMBER + lane], array[index * _NUMBER + LANES + lane])


def _put_number(array, index, lane, number):  # type: ignore[no-untyped-def]
    array[index * _NUMBER + lane] = number.real
    array[index * _NUMBER + LANES + lane] = number.imag


def _turned_back(number):  # type: ignore[no-untyped-def]
    """Return the number times -i."""
    return complex(number.imag, -number.real)


_at = compiled(_number_at)
_put = compiled(_put_number)
_back = compiled(_turned_back)


def _transform_of_4(a, b, c, d):  # type: ignore[no-untyped-def]
    even, odd = a + c, b + d
    left, right = a - c, _back(b - d)
    return even + odd, left + right, even - odd, left - right


def _transform_of_5(a, b, c, d, e):  # type: ignore[no-untyped-def]
    p, q, m, n = b + e, c + d, b - e, c - d
    u, v = a + _C * p + _CC * q, a + _CC * p + _C * q
    w, t = _back(_S * m + _SS * n), _back(_SS * m - _S * n)
    return a + p + q, u + w, v + t, v - t, u - w


def _frequencies_of_pair(z, mirror, factor):  # type: ignore[no-untyped-def]
    """Return twice the frequencies k and 16 - k of 32 real samples from those of 16 complex."""
    conjugate = complex(mirror.real, -mirror.imag)
    even, odd = z + conjugate, _back((z - conjugate) * factor)
    other = even - odd
    return even + odd, complex(other.real, -other.imag)


_four = compiled(_transform_of_4)
_five = compiled(_transform_of_5)
_pair = compiled(_frequencies_of_pair)


def _fill_grid(some, others, window, place, grid):  # type: ignore[no-untyped-def]
    """Fill the grid with windowed frames, `lane sample`, half of them from either array."""
    for n in range(SAMPLES):
        factor, numbers = window[n], grid[place[n] * LANES :]
        for i in range(LANES // 2):
            numbers[i] = factor * some[i, n]
            numbers[LANES // 2 + i] = factor * others[i, n]


def _transform_over_32(grid, lanes):  # type: ignore[no-untyped-def]
    """Transform the grid over its 32 real columns, in place.

    The first pair of columns then holds the frequencies 0 and 16, which are real; the others hold
    1 to 15.
    """
    for j in range(_ROWS):
        x = grid[j * _COLUMNS * LANES : (j + 1) * _COLUMNS * LANES]
        for i in range(lanes):
            a = _four(_at(x, 0, i), _at(x, 4, i), _at(x, 8, i), _at(x, 12, i))
            b = _four(_at(x, 1, i), _at(x, 5, i), _at(x, 9, i), _at(x, 13, i))
            c = _four(_at(x, 2, i), _at(x, 6, i), _at(x, 10, i), _at(x, 14, i))
            d = _four(_at(x, 3, i), _at(x, 7, i), _at(x, 11, i), _at(x, 15, i))
            z0, z4, z8, z12 = _four(a[0], b[0], c[0], d[0])
            z1, z5, z9, z13 = _four(a[1], b[1] * _W[2], c[1] * _W[4], d[1] * _W[6])
            z2, z6, z10, z14 = _four(a[2], b[2] * _W[4], _back(c[2]), d[2] * _W[12])
            z3, z7, z11, z15 = _four(a[3], b[3] * _W[6], c[3] * _W[12], d[3] * _W[18])
            x1, x15 = _pair(z1, z15, _W[1])
            x2, x14 = _pair(z2, z14, _W[2])
            x3, x13 = _pair(z3, z13, _W[3])
            x4, x12 = _pair(z4, z12, _W[4])
            x5, x11 = _pair(z5, z11, _W[5])
            x6, x10 = _pair(z6, z10, _W[6])
            x7, x9 = _pair(z7, z9, _W[7])
            _put(x, 0, i, complex(2 * (z0.real + z0.imag), 2 * (z0.real - z0.imag)))
            _put(x, 1, i, x1), _put(x, 2, i, x2), _put(x, 3, i, x3), _put(x, 4, i, x4)
            _put(x, 5, i, x5), _put(x, 6, i, x6), _put(x, 7, i, x7)
            _put(x, 8, i, complex(2 * z8.real, -2 * z8.imag))
            _put(x, 9, i, x9), _put(x, 10, i, x10), _put(x, 11, i, x11), _put(x, 12, i, x12)
            _put(x, 13, i, x13), _put(x, 14, i, x14), _put(x, 15, i, x15)


def _transform_over_75(grid, pair, line, turns, lanes):  # type: ignore[no-untyped-def]
    """Fill the line with the transform of a pair of columns over the rows of the grid."""
    for b in range(25):
        x, y = grid[(b * _PAIRS + pair) * _NUMBER :], line[b * _NUMBER :]
        for i in range(lanes):
            first, p, q = _at(x, 0, i), _at(x, 25 * _PAIRS, i), _at(x, 50 * _PAIRS, i)
            total, across = p + q, _back(_THIRD * (p - q))
            middle = first - 0.5 * total
            _put(y, 0, i, first + total)
            _put(y, 25, i, middle + across)
            _put(y, 50, i, middle - across)
    for a in range(0, _ROWS, 25):
        for b in range(5):
            y = line[(a + b) * _NUMBER : (a + 25) * _NUMBER]
            w1, w2, w3, w4 = turns[b, 1], turns[b, 2], turns[b, 3], turns[b, 4]
            for i in range(lanes):
                y0, y1, y2, y3, y4 = _five(
                    _at(y, 0, i), _at(y, 5, i), _at(y, 10, i), _at(y, 15, i), _at(y, 20, i)
                )
                _put(y, 0, i, y0), _put(y, 5, i, y1 * w1), _put(y, 10, i, y2 * w2)
                _put(y, 15, i, y3 * w3), _put(y, 20, i, y4 * w4)
    for b in range(0, _ROWS, 5):
        y = line[b * _NUMBER : (b + 5) * _NUMBER]
        for i in range(lanes):
            y0, y1, y2, y3, y4 = _five(
                _at(y, 0, i), _at(y, 1, i), _at(y, 2, i), _at(y, 3, i), _at(y, 4, i)
            )
            _put(y, 0, i, y0), _put(y, 1, i, y1), _put(y, 2, i, y2)
            _put(y, 3, i, y3), _put(y, 4, i, y4)


def _store_line(  # type: ignore[no-untyped-def]
    line, frequency, sign, real, imag, first, lanes
):
    """Store a line's numbers, rounded, at their frequencies; parts are `frequency lane`."""
    for k in range(_ROWS):
        number, turned = line[k * _NUMBER :], sign[k]
        out_real, out_imag = real[frequency[k], first:], imag[frequency[k], first:]
        for i in range(lanes):
            out_real[i] = np.float32(number[i])
            out_imag[i] = np.float32(turned * number[LANES + i])


def _store_shared_line(line, shared, real, imag, first, lanes):  # type: ignore[no-untyped-def]
    """Store the line that holds two real transforms, one as real and one as imaginary part."""
    for k in range(_ROWS):
        here, there, one, other = shared[k]
        number, mirror = line[here * _NUMBER :], line[there * _NUMBER :]
        if one >= 0:
            out_real, out_imag = real[one, first:], imag[one, first:]
            for i in range(lanes):
                out_real[i] = np.float32(0.5 * (number[i] + mirror[i]))
                out_imag[i] = np.float32(0.5 * (number[LANES + i] - mirror[LANES + i]))
        if other >= 0:
            out_real, out_imag = real[other, first:], imag[other, first:]
            for i in range(lanes):
                out_real[i] = np.float32(0.5 * (number[LANES + i] + mirror[LANES + i]))
                out_imag[i] = np.float32(0.5 * (mirror[i] - number[i]))


_fill = compiled(_fill_grid)
_over_32 = compiled(_transform_over_32)
_over_75 = compiled(_transform_over_75)
_store = compiled(_store_line)
_store_shared = compiled(_store_shared_line)


def _transform_frames(  # type: ignore[no-untyped-def]
    some, others, tables, grid, line, real, imag, first, lanes
):
    """Transform two arrays of frames, `lane sample`, half of the lanes in each.

    Fills `real` and `imag`, `frequency column` in float32, in the columns from `first`.
    """
    _fill(some, others, tables.window, tables.place, grid)
    _over_32(grid, lanes)
    for pair in range(_PAIRS):
        _over_75(grid, pair, line, tables.turns, lanes)
        if pair:
            _store(line, tables.frequency[pair], tables.sign[pair], real, imag, first, lanes)
        else:
            _store_shared(line, tables.shared, real, imag, first, lanes)


transform_frames = compiled(_transform_frames)
"""Compiled `_transform_frames`."""
