"""Convolution with a response that changes from pose to pose.

The playback is cut into triangular windows, one a pose, that overlap by half and add to one; each
window is convolved with its pose's response and all are added. The response that a sample meets
is so the linear mix of the two poses around the time at which it reaches the body.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
from jaxtyping import Float32

_POSES_AT_A_TIME = 8

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
    values = np.arange(max(stop - start, 0), dtype=np.float32)
    values -= np.float32(centre - start)
    np.abs(values, out=values)
    values *= np.float32(-1.0 / hop)
    values += np.float32(1.0)
    return start, values


def convolved(
    playback: Float32[np.ndarray, "speaker sample"],
    responses: Responses,
    *,
    pose_count: int,
    hop: float,
    first_centres: Sequence[float],
    first_samples: Sequence[int],
    length: int,
    shaping: Float32[np.ndarray, " odd"],
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
        shaping: A filter that all responses share, time zero in its middle.
        onto: What to add it to, in place; silence if None.

    Returns:
        Float32 array, shape `(4, sample)`.
    """
    count = playback.shape[1]
    late = np.array(first_samples) + np.round(first_centres).astype(int)
    late -= late.min()
    longest = block_length(hop) + length + len(shaping) + int(late.max()) + 1
    size = scipy.fft.next_fast_len(longest, real=True)
    output = np.zeros((4, count), dtype=np.float32) if onto is None else onto
    first = int(np.floor(-max(first_centres) / hop))
    last = int(np.ceil((count - min(first_centres)) / hop))
    batch = _Batch(len(playback), size, shaping)
    for pose in range(first, last + 1):
        cuts = [window(count, centre + pose * hop, hop) for centre in first_centres]
        begin = min(start + delay for (start, _), delay in zip(cuts, first_samples, strict=True))
        block = batch.next_block(begin - len(shaping) // 2)
        for row, (samples, (start, values)) in enumerate(zip(playback, cuts, strict=True)):
            place = start + first_samples[row] - begin
            part = samples[start : start + len(values)]
            np.multiply(part, values, out=block[row, place : place + len(values)])
        if block.any():
            batch.keep(responses, min(max(pose, 0), pose_count - 1))
        if batch.full or pose == last:
            batch.add_to(output)
    return output


class _Batch:
    """Blocks of a few poses that are convolved in one go."""

    def __init__(self, speakers: int, size: int, shaping: Float32[np.ndarray, " odd"]) -> None:
        self._size, self._count = size, 0
        self._shaping = scipy.fft.rfft(shaping, n=size)
        self._blocks = np.zeros((_POSES_AT_A_TIME, speakers, size), dtype=np.float32)
        self._begins = [0] * _POSES_AT_A_TIME
        self._taps: list[Float32[np.ndarray, "speaker 4 tap"]] = []
        self._last: tuple[int, Float32[np.ndarray, "speaker 4 tap"]] | None = None

    @property
    def full(self) -> bool:
        """Whether no more blocks fit."""
        return self._count == _POSES_AT_A_TIME

    def next_block(self, begin: int) -> Float32[np.ndarray, "speaker sample"]:
        """Return an empty block whose sample 0 belongs to sample `begin` of the output."""
        self._begins[self._count] = begin
        block: np.ndarray = self._blocks[self._count]
        block[:] = 0.0
        return block

    def keep(self, responses: Responses, pose: int) -> None:
        """Keep the block given last, to be heard through the responses of a pose."""
        if self._last is None or self._last[0] != pose:
            self._last = pose, responses(pose)
        self._taps.append(self._last[1])
        self._count += 1

    def add_to(self, output: Float32[np.ndarray, "4 sample"]) -> None:
        """Convolve what was kept, add it to the output, and begin anew."""
        if not self._count:
            return
        spectra = scipy.fft.rfft(np.stack(self._taps), n=self._size, axis=3)
        blocks = scipy.fft.rfft(self._blocks[: self._count], axis=2)
        blocks *= self._shaping
        product = np.einsum("pscf,psf->pcf", spectra, blocks)
        sounds = scipy.fft.irfft(product, n=self._size, axis=2)
        for begin, sound in zip(self._begins, sounds, strict=False):
            skipped = max(-begin, 0)
            room = max(output.shape[1] - begin - skipped, 0)
            kept = sound[:, skipped : skipped + room]
            output[:, begin + skipped : begin + skipped + kept.shape[1]] += kept
        self._count = 0
        self._taps.clear()
