"""FLAC with 24 bits: samples as float32 in memory, exact on the 24-bit grid on disk."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from jaxtyping import Float32

from acoustic_sense.errors import DatasetError

FULL_SCALE: Final = 2**23
"""Integer value of a sample at 1.0."""

_BLOCK: Final = 2**16
"""Samples of each channel that are converted at a time, so that memory stays small."""


def quantise(samples: Float32[np.ndarray, "channel sample"]) -> np.ndarray:
    """Return the samples rounded to 24 bits, as int32 of shape `(channel, sample)`.

    Raises:
        DatasetError: A sample lies beyond full scale, so that it could only be clipped.
    """
    peak = float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))
    if peak > 1.0:
        raise DatasetError(f"the peak is {peak:.3g}, above full scale 1.0; lower the level")
    whole = samples.astype(np.float64)
    whole *= FULL_SCALE
    np.rint(whole, out=whole)
    return np.minimum(whole, FULL_SCALE - 1, out=whole).astype(np.int32)


def write_flac(
    path: Path,
    samples: Float32[np.ndarray, "channel sample"],
    sample_rate_hz: int,
    order: Sequence[int] | None = None,
) -> None:
    """Write samples as 24-bit FLAC; the same samples give the same bytes.

    Args:
        path: File to write.
        samples: Shape `(channel, sample)`, at most 8 channels, full scale 1.0.
        sample_rate_hz: Samples per second.
        order: Indices of the channels in the order in which to write them; as they are if None.

    Raises:
        DatasetError: A sample lies beyond full scale, or FLAC cannot hold the array.
    """
    rows = list(range(len(samples)) if order is None else order)
    try:
        with soundfile.SoundFile(
            path, "w", sample_rate_hz, len(rows), format="FLAC", subtype="PCM_24"
        ) as file:
            for block in _blocks(samples.shape[1]):
                file.write((quantise(samples[:, block])[rows] << 8).T)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except (soundfile.LibsndfileError, ValueError) as error:
        raise DatasetError(
            f"{path}: cannot be written as FLAC with shape {samples.shape} at "
            f"{sample_rate_hz} Hz: {error}"
        ) from None


def read_flac(
    path: Path, order: Sequence[int] | None = None
) -> tuple[Float32[np.ndarray, "channel sample"], int]:
    """Read a FLAC file.

    Args:
        path: File to read.
        order: Indices of its channels in the order in which to return them; as they are if None.

    Returns:
        Samples of shape `(channel, sample)`, full scale 1.0, and the samples per second.

    Raises:
        DatasetError: The file is missing, corrupt or truncated.
    """
    channels, count, sample_rate_hz = audio_shape(path)
    rows = list(range(channels) if order is None else order)
    samples = np.empty((len(rows), count), dtype=np.float32)
    for block, whole in _whole_blocks(path, count):
        samples[:, block] = whole[rows]
    samples /= np.float32(FULL_SCALE)
    return samples, sample_rate_hz


def holds(
    path: Path,
    samples: Float32[np.ndarray, "channel sample"],
    sample_rate_hz: int,
    order: Sequence[int] | None = None,
) -> bool:
    """Return whether a FLAC file is what `write_flac` writes for these arguments.

    It is read some samples at a time, so that a long take is not in memory twice.

    Raises:
        DatasetError: The file is missing, corrupt or truncated.
    """
    rows = list(range(len(samples)) if order is None else order)
    count = samples.shape[1]
    if audio_shape(path) != (len(rows), count, sample_rate_hz):
        return False
    return all(
        np.array_equal(quantise(samples[:, block])[rows], whole)
        for block, whole in _whole_blocks(path, count)
    )


def audio_shape(path: Path) -> tuple[int, int, int]:
    """Return channels, samples and samples per second from the header alone.

    Raises:
        DatasetError: The file is missing or its header is not audio.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: missing; restore the file or make the take again")
    try:
        header = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise DatasetError(f"{path}: not readable audio: {error}; write the file again") from None
    return int(header.channels), int(header.frames), int(header.samplerate)


def _whole_blocks(path: Path, count: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield a file's samples as 24-bit whole numbers, shape `(channel, block)`, and where they lie.

    Raises:
        DatasetError: The file is corrupt, or does not hold `count` samples.
    """
    done = 0
    try:
        with soundfile.SoundFile(path) as file:
            for whole in file.blocks(_BLOCK, dtype="int32", always_2d=True):
                yield slice(done, done + len(whole)), whole.T >> 8
                done += len(whole)
    except soundfile.LibsndfileError as error:
        raise DatasetError(f"{path}: not readable audio: {error}; write the file again") from None
    if done != count:
        raise DatasetError(f"{path}: truncated: {done} of {count} samples; write the file again")


def _blocks(count: int) -> Iterator[slice]:
    """Yield slices that together are the samples."""
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))
