"""FLAC with 24 bits: samples as float32 in memory, exact on the 24-bit grid on disk."""

from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from jaxtyping import Float32

from acoustic_sense.errors import DatasetError

FULL_SCALE: Final = 2**23
"""Integer value of a sample at 1.0."""


def quantise(samples: Float32[np.ndarray, "channel sample"]) -> np.ndarray:
    """Return the samples rounded to 24 bits, as int32 of shape `(channel, sample)`.

    Raises:
        DatasetError: A sample lies beyond full scale, so that it could only be clipped.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 1.0:
        raise DatasetError(f"the peak is {peak:.3g}, above full scale 1.0; lower the level")
    whole = np.rint(samples.astype(np.float64) * FULL_SCALE)
    return np.minimum(whole, FULL_SCALE - 1).astype(np.int32)


def write_flac(
    path: Path, samples: Float32[np.ndarray, "channel sample"], sample_rate_hz: int
) -> None:
    """Write samples as 24-bit FLAC; the same samples give the same bytes.

    Args:
        path: File to write.
        samples: Shape `(channel, sample)`, at most 8 channels, full scale 1.0.
        sample_rate_hz: Samples per second.

    Raises:
        DatasetError: A sample lies beyond full scale, or FLAC cannot hold the array.
    """
    try:
        whole = quantise(samples)
        soundfile.write(path, (whole << 8).T, sample_rate_hz, format="FLAC", subtype="PCM_24")
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    except (soundfile.LibsndfileError, ValueError) as error:
        raise DatasetError(
            f"{path}: cannot be written as FLAC with shape {samples.shape} at "
            f"{sample_rate_hz} Hz: {error}"
        ) from None


def read_flac(path: Path) -> tuple[Float32[np.ndarray, "channel sample"], int]:
    """Read a FLAC file.

    Returns:
        Samples of shape `(channel, sample)`, full scale 1.0, and the samples per second.

    Raises:
        DatasetError: The file is missing, corrupt or truncated.
    """
    expected = audio_shape(path)
    try:
        whole, sample_rate_hz = soundfile.read(path, dtype="int32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DatasetError(f"{path}: not readable audio: {error}; write the file again") from None
    if len(whole) != expected[1]:
        raise DatasetError(
            f"{path}: truncated: {len(whole)} of {expected[1]} samples; write the file again"
        )
    samples = (whole.T >> 8).astype(np.float32) / np.float32(FULL_SCALE)
    return np.ascontiguousarray(samples), int(sample_rate_hz)


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
