"""Convolution with a response that changes from pose to pose.

The playback is cut into triangular windows, one a pose, that overlap by half and add to one; each
window is convolved with its pose's response and all are added. The response that a sample meets
is so the linear mix of the two poses around the time at which it reaches the body.
"""

from collections.abc import Iterator

import numpy as np
import scipy.fft
from jaxtyping import Complex64, Float32


def block_length(hop: float) -> int:
    """Return how many samples a window of one pose may hold, for `hop` samples between poses."""
    return 2 * int(np.ceil(hop)) + 1


def windows(
    samples: Float32[np.ndarray, " sample"], first_centre: float, hop: float
) -> Iterator[tuple[int, int, Float32[np.ndarray, " block"]]]:
    """Yield the triangular windows that together are the signal.

    Args:
        samples: The signal.
        first_centre: Sample at which pose 0 counts fully; may lie anywhere.
        hop: Samples from pose to pose, not necessarily whole.

    Yields:
        Index of the pose (negative before pose 0), first sample of the block, the block.
    """
    count = len(samples)
    pose = int(np.floor(-first_centre / hop))
    while True:
        centre = first_centre + pose * hop
        start, stop = int(np.floor(centre - hop)) + 1, int(np.ceil(centre + hop))
        if start >= count:
            return
        start, stop = max(start, 0), min(stop, count)
        if stop > start:
            window = 1.0 - np.abs(np.arange(start, stop) - centre) / hop
            yield pose, start, samples[start:stop] * window.astype(np.float32)
        pose += 1


def add_block(
    output: Float32[np.ndarray, "4 sample"],
    block: Float32[np.ndarray, " block"],
    spectra: Complex64[np.ndarray, "4 bin"],
    fft_size: int,
    start: int,
    length: int,
) -> None:
    """Convolve a block with a response and add it to the output.

    Args:
        output: Added to; what falls outside is left out.
        block: Samples of the signal.
        spectra: Spectra of the response.
        fft_size: Length of the transform, at least block plus response.
        start: Sample of the output that sample 0 of the result belongs to.
        length: Samples of the response.
    """
    product = spectra * scipy.fft.rfft(block, n=fft_size)
    result = scipy.fft.irfft(product, n=fft_size, axis=1)[:, : len(block) + length]
    low, high = max(start, 0), min(start + result.shape[1], output.shape[1])
    if high > low:
        output[:, low:high] += result[:, low - start : high - start]
