"""Convolution of long signals with fixed responses, some samples at a time.

Overlap-save: every stretch of the signals is transformed once, however many channels are made of
it, the products of all signals are added before the way back, and nothing as long as the signals
is held but the result.

References:
    Oppenheim, Schafer: Discrete-time signal processing, 2010, section 8.7.3.
"""

from collections.abc import Sequence

import numpy as np
import scipy.fft
from jaxtyping import Float32

_RESPONSES_IN_A_BLOCK = 8  # shorter blocks overlap more, longer ones leave the caches
_SHORTEST_BLOCK = 16_384


def filtered(
    signals: Float32[np.ndarray, "signal sample"],
    responses: Sequence[Float32[np.ndarray, "channel _"]],
    *,
    skip: int = 0,
    count: int | None = None,
    onto: Float32[np.ndarray, "channel out"] | None = None,
) -> Float32[np.ndarray, "channel out"]:
    """Return the sum of all signals, each through its own response.

    Args:
        signals: Float32 array, shape `(signal, sample)`; silence before and after.
        responses: One for each signal, shape `(channel, tap)`; lengths may differ.
        skip: Samples to leave out at the beginning: half the taps for a filter whose time zero is
            in its middle.
        count: Samples to return; as many as `onto`, else the signals, has if None.
        onto: What to add it to, in place; silence if None. It must not overlap the signals.

    Returns:
        Float32 array, shape `(channel, count)`, sample n being
        `sum over signal, k of responses[signal][:, k] * signals[signal, n + skip - k]`.
    """
    if count is None:
        count = signals.shape[1] if onto is None else onto.shape[1]
    taps = max(response.shape[1] for response in responses)
    wanted = max(_RESPONSES_IN_A_BLOCK * taps, _SHORTEST_BLOCK)
    size = scipy.fft.next_fast_len(min(wanted, count + taps), real=True)
    spectra = [scipy.fft.rfft(response, n=size, axis=1) for response in responses]
    result = np.zeros((len(spectra[0]), count), dtype=np.float32) if onto is None else onto
    block = np.empty(size, dtype=np.float32)
    total, product = np.empty_like(spectra[0]), np.empty_like(spectra[0])
    for start in range(0, count, size - taps + 1):
        stop = min(start + size - taps + 1, count)
        total[:] = 0.0
        for signal, spectrum in zip(signals, spectra, strict=True):
            _cut(signal, start + skip - (taps - 1), block)
            np.multiply(spectrum, scipy.fft.rfft(block), out=product)
            total += product
        sound = scipy.fft.irfft(total, n=size, axis=1)
        result[:, start:stop] += sound[:, taps - 1 : taps - 1 + stop - start]
    return result


def _cut(
    signal: Float32[np.ndarray, " sample"], first: int, block: Float32[np.ndarray, " size"]
) -> None:
    """Fill `block` with the samples from number `first` on, silence beyond the signal's ends."""
    begin, end = (int(np.clip(place - first, 0, len(block))) for place in (0, len(signal)))
    block[:begin] = 0.0
    block[begin:end] = signal[first + begin : first + end]
    block[end:] = 0.0
