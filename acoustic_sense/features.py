"""Features by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from acoustic_sense.constants import AMBISONIC_CHANNELS, SAMPLE_RATE_HZ
from acoustic_sense.errors import AudioError
from acoustic_sense.plugin_loading import load_plugins

if TYPE_CHECKING:
    from acoustic_sense.contracts import Feature


def create(
    name: str, config: dict[str, Any] | None = None, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> Feature:
    """Return the feature registered as `name`, built from a plain configuration.

    Raises:
        UnknownPluginError: Nobody registered the name.
        ConfigError: The configuration is not the feature's.
    """
    feature_class = load_plugins().features[name]
    feature: Feature = feature_class(
        feature_class.parse(config or {}, f"feature '{name}'"), sample_rate_hz
    )
    return feature.eval()


def compute(
    name: str,
    recording: Float[Tensor, "*batch 4 sample"] | np.ndarray,
    playback: Float[Tensor, "*batch speaker sample"] | np.ndarray,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> Float[Tensor, "*batch channel frame bin"]:
    """Compute a feature by name.

    Channels are taken as they come, W, X, Y, Z with SN3D gains; nothing is reordered.

    Args:
        name: A registered feature, e.g. `mel-stack`.
        recording: Shape `(4, sample)` or `(batch, 4, sample)`.
        playback: Shape `(speaker, sample)` or `(batch, speaker, sample)`, the same length.
        sample_rate_hz: Samples per second of both.

    Returns:
        Shape `(channel, frame, bin)`, or `(batch, channel, frame, bin)` for a batch.

    Raises:
        UnknownPluginError: Nobody registered the name.
        AudioError: Shapes do not fit.
    """
    recording = torch.as_tensor(recording)
    playback = torch.as_tensor(playback)
    if recording.ndim not in (2, 3) or recording.shape[-2] != len(AMBISONIC_CHANNELS):
        raise AudioError(
            f"a recording has shape (4, sample) or (batch, 4, sample), not "
            f"{tuple(recording.shape)}; give first-order ambisonics, channels first"
        )
    if playback.ndim != recording.ndim or playback.shape[-1] != recording.shape[-1]:
        raise AudioError(
            f"recording {tuple(recording.shape)} and playback {tuple(playback.shape)} differ in "
            "batch or length; cut both to the same samples"
        )
    feature = create(name, sample_rate_hz=sample_rate_hz)
    if recording.shape[-1] < feature.frame_samples:
        raise AudioError(
            f"{recording.shape[-1]} samples are less than one frame of {feature.frame_samples}"
        )
    if recording.ndim == 2:
        result: Tensor = feature(recording[None], playback[None])
        return result[0]
    batched: Tensor = feature(recording, playback)
    return batched
