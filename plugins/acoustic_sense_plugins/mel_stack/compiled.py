"""The mel stack on the CPU where no gradient is asked for: one pass over the spectra.

Between the Fourier transform and the mel bands every frequency needs power, direction and angle of
six signals. As tensor operations these are a dozen passes over memory; compiled by numba they are
one, four frames of the six signals at a time.
"""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from acoustic_sense.dsp.mel import power_to_db
from acoustic_sense.dsp.stft import stft
from acoustic_sense_plugins.mel_stack import transform
from acoustic_sense_plugins.mel_stack.compiling import LANES, compiled
from acoustic_sense_plugins.mel_stack.transform import SAMPLES, transform_frames
from acoustic_sense_plugins.mel_stack.values import COLUMNS, FRAMES, sum_values

_BLOCK_FRAMES = 12  # of other sample rates; memory stays small in long takes
_SIGNALS, _CHANNELS = 6, 15


def _put_sums(sums, stack, first):  # type: ignore[no-untyped-def]
    """Put the sums of four frames into the stack, `15 frame bin`, as far as it reaches."""
    for k in range(min(FRAMES, stack.shape[1] - first)):
        for i in range(stack.shape[2]):
            for signal in range(_SIGNALS):
                stack[signal, first + k, i] = sums[0][i, signal * FRAMES + k]
                stack[9 + signal, first + k, i] = sums[1][i, signal * FRAMES + k]
            for part in range(3):
                stack[6 + part, first + k, i] = sums[2][i, part * FRAMES + k]


_put = compiled(_put_sums)


def _memory_of(frequencies, bins):  # type: ignore[no-untyped-def]
    """Return real and imaginary parts, and what `sum_values` writes to."""
    columns = COLUMNS // 2  # of the direction
    return (
        np.zeros((frequencies, COLUMNS), np.float32),
        np.zeros((frequencies, COLUMNS), np.float32),
        np.empty((2, frequencies, COLUMNS), np.float32),
        np.empty((frequencies, columns), np.float32),
        (
            np.empty((bins + 1, COLUMNS), np.float32),
            np.empty((bins + 1, COLUMNS), np.float32),
            np.empty((bins + 1, columns), np.float32),
        ),
    )


_memory = compiled(_memory_of)


def _frames_from(signal, first, padded):  # type: ignore[no-untyped-def]
    """Return four frames, `frame sample`; behind the last whole one, silence."""
    last = min(first + FRAMES, len(signal) // SAMPLES)
    if last == first + FRAMES:
        return signal[first * SAMPLES : last * SAMPLES].reshape(FRAMES, SAMPLES)
    for k in range(FRAMES):
        if first + k < last:
            padded[k] = signal[(first + k) * SAMPLES : (first + k + 1) * SAMPLES]
        else:
            padded[k] = np.float32(0.0)
    return padded


_frames = compiled(_frames_from)


def _fill_stack(heard, sent, tables, band, weight, stack, lanes):  # type: ignore[no-untyped-def]
    """Fill the stack, `15 frame bin`, powers not yet in dB, from frames of 2400 samples.

    A playback of one channel fills both of its places.
    """
    grid, line = np.empty(SAMPLES * LANES), np.empty(75 * 2 * LANES)
    padded = np.empty((2, FRAMES, SAMPLES), np.float32)
    real, imag, wide, narrow, sums = _memory(SAMPLES // 2 + 1, stack.shape[2])
    for first in range(0, stack.shape[1], FRAMES):
        for column in range(0, COLUMNS, LANES):
            source, one = (heard, column // FRAMES) if column < 2 * LANES else (sent, 0)
            some = _frames(source[one], first, padded[0])
            others = _frames(source[min(one + 1, len(source) - 1)], first, padded[1])
            transform_frames(some, others, tables, grid, line, real, imag, column, lanes)
        sum_values(real, imag, band, weight, wide, narrow, sums)
        _put(sums, stack, first)


def _fill_stack_from_spectra(spectra, band, weight, stack):  # type: ignore[no-untyped-def]
    """Fill the stack, `15 frame bin`, powers not yet in dB, from `6 frame frequency`."""
    signals, frames, frequencies = spectra.shape
    real, imag, wide, narrow, sums = _memory(frequencies, stack.shape[2])
    for first in range(0, frames, FRAMES):
        for signal in range(signals):
            for k in range(min(FRAMES, frames - first)):
                for f in range(frequencies):
                    number = spectra[signal, first + k, f]
                    real[f, signal * FRAMES + k] = np.float32(number.real)
                    imag[f, signal * FRAMES + k] = np.float32(number.imag)
        sum_values(real, imag, band, weight, wide, narrow, sums)
        _put(sums, stack, first)


_stack = compiled(_fill_stack)
_stack_from_spectra = compiled(_fill_stack_from_spectra)


class CompiledStack:
    """The stack of recordings and playbacks in float32 on the CPU, see `MelStack`.

    Frames of 2400 samples, those of 48 kHz, go through `transform`, others through torch.

    Args:
        filters: Mel filters.
        frame_samples: Samples in a frame.
    """

    def __init__(self, filters: Float[Tensor, "frequency bin"], frame_samples: int) -> None:
        self._frame_samples = frame_samples
        self._bin_count = filters.shape[1]
        self._bands = _band_weights(filters.to(torch.float32).numpy())
        self._tables = transform.tables()

    def __call__(
        self,
        recording: Float[Tensor, "batch 4 sample"],
        playback: Float[Tensor, "batch speaker sample"],
    ) -> Float[Tensor, "batch 15 frame bin"]:
        """Return the stack; the playback has one or two channels."""
        frame_count = recording.shape[-1] // self._frame_samples
        stack = torch.empty(len(recording), _CHANNELS, frame_count, self._bin_count)
        fill = self._fill if self._frame_samples == SAMPLES else self._fill_by_torch
        for heard, sent, filled in zip(recording.detach(), playback.detach(), stack, strict=True):
            fill(heard, sent, filled)
        stack[:, :_SIGNALS] = power_to_db(stack[:, :_SIGNALS])
        return stack

    def _fill(
        self,
        recording: Float[Tensor, "4 sample"],
        playback: Float[Tensor, "speaker sample"],
        stack: Float[Tensor, "15 frame bin"],
    ) -> None:
        heard, sent = recording.contiguous().numpy(), playback.contiguous().numpy()
        _stack(heard, sent, self._tables, *self._bands, stack.numpy(), LANES)

    def _fill_by_torch(
        self,
        recording: Float[Tensor, "4 sample"],
        playback: Float[Tensor, "speaker sample"],
        stack: Float[Tensor, "15 frame bin"],
    ) -> None:
        signals = torch.cat([recording, playback.expand(2, -1)])
        samples = _BLOCK_FRAMES * self._frame_samples
        for first in range(0, stack.shape[1], _BLOCK_FRAMES):
            start = first * self._frame_samples
            part = signals[:, start : start + samples].double()
            spectra = stft(part, self._frame_samples).numpy()
            filled = stack[:, first : first + _BLOCK_FRAMES].numpy()
            _stack_from_spectra(spectra, *self._bands, filled)


def _band_weights(
    filters: Float32[np.ndarray, "frequency bin"],
) -> tuple[Int64[np.ndarray, " frequency"], Float32[np.ndarray, "frequency 2"]]:
    """Return the first of the two bands that each frequency lies under, and its weights there.

    Mel filters are triangles that reach from one neighbour's peak to the other's, so a frequency
    lies under two at most.
    """
    band = filters.argmax(axis=1)
    lower = np.maximum(band - 1, 0)
    rows = np.arange(len(filters))
    band = np.where(filters[rows, lower] > 0, lower, band)
    padded = np.pad(filters, ((0, 0), (0, 1)))
    weight = np.stack([padded[rows, band], padded[rows, band + 1]], axis=1)
    if np.count_nonzero(weight) != np.count_nonzero(filters):
        raise ValueError("a frequency lies under more than two filters or under two far apart")
    return band, weight
