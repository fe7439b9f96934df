"""Power, direction and angle of spectra, summed under the mel filters, in one pass.

Four frames of six signals lie side by side, in 24 columns. Each frequency lies under two
neighbouring filters at most, so what is computed there is added to two rows of sums.
"""

import numpy as np

from acoustic_sense_plugins.mel_stack.compiling import LANES, compiled

FRAMES = LANES // 2
"""Frames that lie side by side."""

COLUMNS = 6 * FRAMES
"""Columns of a spectrum: six signals, each with its frames."""

_X, _Y, _Z = FRAMES, 2 * FRAMES, 3 * FRAMES
_SMALLEST_SQUARE = np.float32(1e-30)  # as in `intensity_direction`
_HALF_PI = np.float32(np.pi / 2)
_PI = np.float32(np.pi)


def _angle_of(real, imag):  # type: ignore[no-untyped-def]
    """Return the principal angle in float32; absolute error 5e-7, zero for zero."""
    across, along = abs(real), abs(imag)
    larger = max(max(across, along), np.float32(1e-37))
    ratio = min(across, along) / larger
    square = ratio * ratio  # polynomial of atan(x) / x in x^2 on [0, 1]
    value = np.float32(0.00283409897)
    value = value * square + np.float32(-0.0160052249)
    value = value * square + np.float32(0.0425880301)
    value = value * square + np.float32(-0.0749549234)
    value = value * square + np.float32(0.106367829)
    value = value * square + np.float32(-0.142025804)
    value = value * square + np.float32(0.199924853)
    value = value * square + np.float32(-0.333330669)
    value = value * square + np.float32(0.999999984)
    angle = value * ratio
    if along > across:
        angle = _HALF_PI - angle
    if real < np.float32(0.0):
        angle = _PI - angle
    return -angle if imag < np.float32(0.0) else angle


_angle = compiled(_angle_of)


def _fill_powers_and_angles(real, imag, powers, angles):  # type: ignore[no-untyped-def]
    """Fill the powers and angles of any number of values."""
    for i in range(len(real)):
        powers[i] = real[i] * real[i] + imag[i] * imag[i]
    for i in range(len(real)):
        angles[i] = _angle(real[i], imag[i])


def _fill_directions(real, imag, directions):  # type: ignore[no-untyped-def]
    """Fill the three parts of the intensity's direction, `frequency part*frame`."""
    for f in range(len(real)):
        x, y, direction = real[f], imag[f], directions[f]
        for i in range(FRAMES):
            w_real, w_imag = x[i], y[i]
            a = w_real * x[_X + i] + w_imag * y[_X + i]
            b = w_real * x[_Y + i] + w_imag * y[_Y + i]
            c = w_real * x[_Z + i] + w_imag * y[_Z + i]
            square = max(a * a + b * b + c * c, _SMALLEST_SQUARE)
            scale = np.float32(1.0) / np.sqrt(square)
            direction[i] = a * scale
            direction[FRAMES + i] = b * scale
            direction[2 * FRAMES + i] = c * scale


def _add_to_bands(values, band, weight, sums):  # type: ignore[no-untyped-def]
    """Fill `sums`, `bin column`, from `values`, `frequency column`."""
    sums[:] = np.float32(0.0)
    for f in range(len(values)):
        row, low, high = values[f], sums[band[f]], sums[band[f] + 1]
        falling, rising = weight[f, 0], weight[f, 1]
        for i in range(len(row)):
            low[i] += falling * row[i]
        for i in range(len(row)):
            high[i] += rising * row[i]


powers_and_angles = compiled(_fill_powers_and_angles)
"""Compiled `_fill_powers_and_angles`."""

_directions = compiled(_fill_directions)
_add = compiled(_add_to_bands)


def _sum_values(real, imag, band, weight, wide, narrow, sums):  # type: ignore[no-untyped-def]
    """Fill three `sums`, `bin column`, from the parts of spectra, `frequency column`.

    Args:
        real: Real parts.
        imag: Imaginary parts.
        band: The first band that each frequency lies under.
        weight: That filter's value and the next one's.
        wide: Memory for powers and angles, `2 frequency column`.
        narrow: Memory for the direction, `frequency part*frame`.
        sums: Of power, angle and direction, each with one row more than there are bands.
    """
    powers_and_angles(real.ravel(), imag.ravel(), wide[0].ravel(), wide[1].ravel())
    _directions(real, imag, narrow)
    _add(wide[0], band, weight, sums[0])
    _add(wide[1], band, weight, sums[1])
    _add(narrow, band, weight, sums[2])


sum_values = compiled(_sum_values)
"""Compiled `_sum_values`."""
