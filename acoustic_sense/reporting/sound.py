"""Sound inside a page: one channel as a FLAC data URI."""

import base64
import io

import numpy as np
import soundfile
import soxr
from jaxtyping import Float32

LISTENING_RATES_HZ = {30.0: 24_000, float("inf"): 16_000}
"""Highest sample rate of embedded sound up to a length in seconds; enough to listen by."""

PEAK = 0.9
"""Peak of embedded sound, so that a quiet recording can be heard."""


def sound_uri(samples: Float32[np.ndarray, " sample"], sample_rate_hz: int) -> str:
    """Return one channel as the data URI of a 16-bit FLAC, its peak raised to `PEAK`.

    Args:
        samples: Shape `(sample,)`.
        sample_rate_hz: Samples per second; reduced to that of `LISTENING_RATES_HZ` if higher.

    Returns:
        A `data:audio/flac;base64,` URI; the same samples give the same text.
    """
    duration_s = len(samples) / sample_rate_hz
    limit = next(rate for longest, rate in LISTENING_RATES_HZ.items() if duration_s <= longest)
    rate = min(sample_rate_hz, limit)
    if rate != sample_rate_hz:
        samples = soxr.resample(samples, sample_rate_hz, rate)
    peak = float(np.abs(samples).max(initial=0.0))
    loud = samples * (PEAK / peak) if peak > 0 else samples
    whole = np.rint(loud * 32767).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, whole, rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(file.getvalue()).decode()
