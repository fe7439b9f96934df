"""The mel stack on the CPU where no gradient is asked for: one pass over the spectra.

Between the Fourier transform and the mel bands every frequency needs power, direction and angle of
six signals. As tensor operations these are a dozen passes over memory; compiled by numba they are
one. Mel filters are narrow: sixteen bands at a time read only the frequencies that they overlap.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.dsp.mel import power_to_db

_FLAGS = {"nsz", "arcp", "contract", "reassoc", "afn"}
_BLOCK_FRAMES = 12  # memory stays small in long takes
_GROUP_BANDS = 16
_SIGNALS, _CHANNELS = 6, 15
_SMALLEST_SQUARE = np.float32(1e-30)  # as in `intensity_direction`
_HALF_PI = np.float32(np.pi / 2)
_PI = np.float32(np.pi)

BandGroup = tuple[int, int, Float[Tensor, "_ _"]]
"""First frequency, the one after the last, and the filters of some neighbouring bands there."""


def _compiled(function: Callable[..., Any]) -> Any:
    """Return `function` compiled on first use and kept on disk, free of Python's lock."""
    plain = inspect.unwrap(function)  # shape checkers wrap functions in something numba rejects
    return numba.njit(fastmath=_FLAGS, nogil=True, cache=True, error_model="numpy")(plain)


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


_angle = _compiled(_angle_of)


def _fill_windowed(recording, playback, window, first, frames):  # type: ignore[no-untyped-def]
    """Fill `frames`, `6 frame sample` in double precision, from frame `first` of six signals.

    A playback of one channel fills both of its places.
    """
    channels, frame_count, samples = frames.shape
    for channel in range(channels):
        if channel < 4:
            signal = recording[channel]
        else:
            signal = playback[min(channel - 4, len(playback) - 1)]
        for frame in range(frame_count):
            part, row = signal[(first + frame) * samples :], frames[channel, frame]
            for i in range(samples):
                row[i] = np.float64(part[i]) * window[i]


_window = _compiled(_fill_windowed)


def _fill_values(spectra, values):  # type: ignore[no-untyped-def]
    """Fill `values`, `15 frame frequency`, from spectra, `6 frame frequency`.

    Power of six signals, direction of intensity, angle of six signals.
    """
    channels, frames, frequencies = spectra.shape
    real = np.empty((channels, frequencies), np.float32)
    imag = np.empty((channels, frequencies), np.float32)
    for frame in range(frames):
        for channel in range(channels):
            spectrum = spectra[channel, frame]
            power, angles = values[channel, frame], values[9 + channel, frame]
            for f in range(frequencies):
                real[channel, f] = np.float32(spectrum[f].real)
                imag[channel, f] = np.float32(spectrum[f].imag)
            for f in range(frequencies):
                x, y = real[channel, f], imag[channel, f]
                power[f] = x * x + y * y
            for f in range(frequencies):
                angles[f] = _angle(real[channel, f], imag[channel, f])
        _direction(real, imag, values[6, frame], values[7, frame], values[8, frame])


def _fill_direction(real, imag, first, second, third):  # type: ignore[no-untyped-def]
    """Fill the three parts of the intensity's direction from the spectra of W, X, Y, Z."""
    for f in range(real.shape[1]):
        w_real, w_imag = real[0, f], imag[0, f]
        x = w_real * real[1, f] + w_imag * imag[1, f]
        y = w_real * real[2, f] + w_imag * imag[2, f]
        z = w_real * real[3, f] + w_imag * imag[3, f]
        square = max(x * x + y * y + z * z, _SMALLEST_SQUARE)
        scale = np.float32(1.0) / np.sqrt(square)
        first[f], second[f], third[f] = x * scale, y * scale, z * scale


_direction = _compiled(_fill_direction)
_values = _compiled(_fill_values)


class CompiledStack:
    """The stack of recordings and playbacks in float32 on the CPU, see `MelStack`.

    Args:
        filters: Mel filters.
        frame_samples: Samples in a frame.
    """

    def __init__(self, filters: Float[Tensor, "frequency bin"], frame_samples: int) -> None:
        self._frame_samples = frame_samples
        self._bin_count = filters.shape[1]
        self._window = torch.hann_window(frame_samples, dtype=torch.float64).numpy()
        self._groups = _band_groups(filters)

    def __call__(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 15 frame bin"]:
        """Return the stack; the playback has one or two channels."""
        frame_count = recording.shape[-1] // self._frame_samples
        stack = torch.empty(len(recording), _CHANNELS, frame_count, self._bin_count)
        heard, sent = (x.detach().contiguous().numpy() for x in (recording, playback))
        with torch.autocast("cpu", enabled=False):  # bfloat16 is too coarse for dB
            for first in range(0, frame_count, _BLOCK_FRAMES):
                count = min(_BLOCK_FRAMES, frame_count - first)
                frames = torch.empty(_SIGNALS, count, self._frame_samples, dtype=torch.float64)
                values = torch.empty(_CHANNELS, count, self._frame_samples // 2 + 1)
                for clip, (recorded, played) in enumerate(zip(heard, sent, strict=True)):
                    _window(recorded, played, self._window, first, frames.numpy())
                    _values(torch.fft.rfft(frames).numpy(), values.numpy())
                    stack[clip, :, first : first + count] = _sum_bands(values, self._groups)
        stack[:, :_SIGNALS] = power_to_db(stack[:, :_SIGNALS])
        return stack


def _band_groups(filters: Float[Tensor, "frequency bin"]) -> list[BandGroup]:
    """Return the filters by groups of neighbouring bands, each cut to what it overlaps."""
    groups = []
    edges = list(range(_GROUP_BANDS, filters.shape[1], _GROUP_BANDS))
    for part in torch.tensor_split(filters.to(torch.float32), edges, dim=1):
        touched = torch.nonzero(part.any(dim=1)).flatten()
        first, last = int(touched[0]), int(touched[-1]) + 1
        groups.append((first, last, part[first:last].contiguous()))
    return groups


def _sum_bands(
    values: Float[Tensor, "channel frame frequency"], groups: list[BandGroup]
) -> Float[Tensor, "channel frame bin"]:
    """Return the sum of `values` over frequency under each filter."""
    flat = values.flatten(0, 1)
    sums = torch.cat([flat[:, first:last] @ part for first, last, part in groups], dim=1)
    return sums.reshape(*values.shape[:2], -1)
