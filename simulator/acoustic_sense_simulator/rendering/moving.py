"""Convolution with a response that changes from pose to pose.

The playback is cut into triangular windows, one a pose, that overlap by half and add to one; each
window is convolved with its pose's response and all are added. The response that a sample meets
is so the linear mix of the two poses around the time at which it reaches the body.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
from jaxtyping import Float32

Responses = Callable[[int], Float32[np.ndarray, "speaker 4 tap"]]


def block_length(hop: float) -> int:
    """Return how many samples a window of one pose may hold, for `hop` samples between poses."""
    return 2 * int(np.ceil(hop)) + 1


def window(
    sample_count: int, centre: float, hop: float
) -> tuple[int, Float32[np.ndarray, " block"]]:
    """Return the first sample and the values of one pose's triangular window, within the signal.

    Args:
        sample_count: Length of the signal.
        centre: Sample at which the pose counts fully; may lie anywhere.
        hop: Samples from pose to pose, not necessarily whole.
    """
    start, stop = int(np.floor(centre - hop)) + 1, int(np.ceil(centre + hop))
    start, stop = max(start, 0), min(stop, sample_count)
    values = 1.0 - np.abs(np.arange(start, max(stop, start)) - centre) / hop
    return start, values.astype(np.float32)


def convolved(
    playback: Float32[np.ndarray, "speaker sample"],
    responses: Responses,
    *,
    pose_count: int,
    hop: float,
    first_centres: Sequence[float],
    first_samples: Sequence[int],
    length: int,
    onto: Float32[np.ndarray, "4 sample"] | None = None,
) -> Float32[np.ndarray, "4 sample"]:
    """Return the playback through responses that change from pose to pose.

    Args:
        playback: One row for each loudspeaker.
        responses: Gives the responses of one pose, each of `length` taps.
        pose_count: Number of poses; the first and the last are held before and after.
        hop: Samples from pose to pose.
        first_centres: For each loudspeaker, the sample at which pose 0 counts fully.
        first_samples: For each loudspeaker, the delay that tap 0 of its responses stands for.
        length: Number of taps.
        onto: What to add it to, in place; silence if None.

    Returns:
        Float32 array, shape `(4, sample)`.
    """
    count = playback.shape[1]
    lags = np.array(first_samples) - np.round(first_centres).astype(int)
    lags -= lags.min()
    size = scipy.fft.next_fast_len(block_length(hop) + length + int(lags.max()) + 2, real=True)
    output = np.zeros((4, count), dtype=np.float32) if onto is None else onto
    first = int(np.floor(-max(first_centres) / hop))
    last = int(np.ceil((count - min(first_centres)) / hop))
    spectra, shown = None, -1
    for pose in range(first, last + 1):
        blocks = np.zeros((len(playback), size), dtype=np.float32)
        cuts = [window(count, centre + pose * hop, hop) for centre in first_centres]
        begin = min(start + delay for (start, _), delay in zip(cuts, first_samples, strict=True))
        for row, (samples, (start, values)) in enumerate(zip(playback, cuts, strict=True)):
            late = start + first_samples[row] - begin
            blocks[row, late : late + len(values)] = samples[start : start + len(values)] * values
        if not blocks.any():
            continue
        held = int(np.clip(pose, 0, pose_count - 1))
        if spectra is None or held != shown:
            spectra, shown = scipy.fft.rfft(responses(held), n=size, axis=2), held
        product = (spectra * scipy.fft.rfft(blocks, axis=1)[:, None]).sum(axis=0)
        sound = scipy.fft.irfft(product, n=size, axis=1)
        skipped = max(-begin, 0)
        room = count - begin - skipped
        kept = sound[:, skipped : skipped + max(room, 0)]
        output[:, begin + skipped : begin + skipped + kept.shape[1]] += kept
    return output
