"""Log-mel spectrograms as images."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from acoustic_sense.constants import FRAME_RATE_HZ, MEL_BINS
from acoustic_sense.dsp.mel import mel_filters
from acoustic_sense.reporting.png import heat_map_uri

RANGE_DB = 80.0
"""Span of levels from the brightest colour to the darkest."""

MAX_COLUMNS = 1200
"""Most columns of an image."""


@dataclass(frozen=True)
class SpectrogramImage:
    """A spectrogram ready for a page.

    Attributes:
        uri: Data URI of the image, low frequencies at the bottom.
        top_db: Level of the brightest colour, dB relative to the signal's own full scale.
        top_hz: Frequency of the top row.
        middle_hz: Frequency of the middle row.
    """

    uri: str
    top_db: float
    top_hz: float
    middle_hz: float


def log_mel(
    samples: Float32[np.ndarray, " sample"], sample_rate_hz: int, columns: int
) -> Float64[np.ndarray, "bin column"]:
    """Return mel-band levels in dB over time, in windows of 50 ms spread evenly over the signal.

    Args:
        samples: One channel, shape `(sample,)`.
        sample_rate_hz: Samples per second.
        columns: Number of windows.

    Returns:
        Shape `(128, columns)`, low bands first, dB, floor -100 dB.
    """
    length = sample_rate_hz // FRAME_RATE_HZ
    padded = np.pad(samples, (length // 2, length // 2 + length))
    starts = np.linspace(0, max(len(samples) - 1, 0), columns).astype(int)
    window = np.hanning(length + 1)[:-1]
    filters = mel_filters(sample_rate_hz, length, MEL_BINS)
    levels = np.empty((MEL_BINS, columns))
    for column, start in enumerate(starts):
        power = np.abs(np.fft.rfft(padded[start : start + length] * window)) ** 2
        levels[:, column] = 10 * np.log10(np.maximum(filters @ power, 1e-10))
    return levels


def spectrogram_image(
    samples: Float32[np.ndarray, " sample"], sample_rate_hz: int
) -> SpectrogramImage:
    """Draw one channel's log-mel spectrogram.

    Args:
        samples: Shape `(sample,)`, at least one sample.
        sample_rate_hz: Samples per second.
    """
    columns = min(MAX_COLUMNS, max(1, 100 * len(samples) // sample_rate_hz))
    levels = log_mel(samples, sample_rate_hz, columns)
    top = float(levels.max())
    length = sample_rate_hz // FRAME_RATE_HZ
    middle = int(mel_filters(sample_rate_hz, length, MEL_BINS)[MEL_BINS // 2].argmax())
    return SpectrogramImage(
        uri=heat_map_uri(levels[::-1], top - RANGE_DB, top),
        top_db=top,
        top_hz=sample_rate_hz / 2,
        middle_hz=middle * FRAME_RATE_HZ,
    )
