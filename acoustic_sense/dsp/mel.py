"""Mel bands and decibels."""

import warnings
from functools import lru_cache

import librosa
import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from acoustic_sense.constants import MEL_BINS
from acoustic_sense.errors import AudioError

POWER_FLOOR = 1e-10
"""Smallest power that `power_to_db` tells apart: -100 dB."""


@lru_cache(maxsize=16)
def mel_filters(
    sample_rate_hz: int, frame_samples: int, bin_count: int = MEL_BINS
) -> Float64[np.ndarray, "bin frequency"]:
    """Return Slaney's mel filters between 0 Hz and half the sample rate, each of unit area.

    Args:
        sample_rate_hz: Samples per second.
        frame_samples: Length of the Fourier transform.
        bin_count: Number of mel bands.

    Returns:
        Read-only float64 array, shape `(bin_count, frame_samples // 2 + 1)`: librosa's default
        filterbank.

    Raises:
        AudioError: The bands are so narrow that one holds no frequency of the transform.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # empty filters are an error just below
        filters: np.ndarray = librosa.filters.mel(
            sr=sample_rate_hz, n_fft=frame_samples, n_mels=bin_count, dtype=np.float32
        )
    if not filters.any(axis=1).all():
        raise AudioError(
            f"at {sample_rate_hz} Hz some of {bin_count} mel bands are empty; resample to a "
            "higher rate or ask for fewer bands"
        )
    filters = filters.astype(np.float64)
    filters.setflags(write=False)
    return filters


def power_to_db(power: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return `10 log10(power)`, with powers below `POWER_FLOOR` raised to it.

    Examples:
        >>> power_to_db(torch.tensor([1.0, 0.0]))
        tensor([   0., -100.])
    """
    return 10.0 * torch.log10(power.clamp(min=POWER_FLOOR))
