"""A room that does not move, what is heard in it, and what the feature leaves of that."""

import numpy as np
import torch
from acoustic_sense_plugins.room_cancelled.feature import RoomCancelledConfig, RoomCancelledStack
from scipy.signal import oaconvolve

from acoustic_sense.constants import SAMPLE_RATE_HZ
from acoustic_sense.plugin_loading import load_registry


def static_room(rng, speakers, *, rt60_s=0.3, length_s=0.5, late_samples=150):
    """Return responses of energy 1 that fall by 60 dB in `rt60_s`, shape (4, speaker, tap)."""
    taps = round(length_s * SAMPLE_RATE_HZ)
    decay = 10 ** (-3 * np.arange(taps) / (rt60_s * SAMPLE_RATE_HZ))
    response = rng.standard_normal((4, speakers, taps)) * decay
    response[..., :late_samples] = 0
    return response / np.sqrt((response**2).sum(axis=-1, keepdims=True))


def heard_through(response, playback):
    """Return what four channels hear of a playback, as long as it."""
    samples = playback.shape[1]
    return sum(
        oaconvolve(playback[None, s], response[:, s], axes=1)[:, :samples]
        for s in range(len(playback))
    )


def cancelled(recording, playback, **settings):
    """Return what the feature leaves of a recording."""
    feature = RoomCancelledStack(RoomCancelledConfig(**settings))
    return feature.cancel(torch.tensor(recording), torch.tensor(playback)).numpy()


def level_db(values, reference):
    """Return the energy of `values` beside that of `reference`."""
    return 10 * np.log10(np.square(values).sum() / np.square(reference).sum())


def generated_music(style, seconds, seed=0):
    """Return generated stereo music."""
    source = load_registry("signal_sources")["generated-music"]
    made = source(source.parse({"style": style}, "playback"))
    return made.generate(seconds, SAMPLE_RATE_HZ, 2, np.random.default_rng(seed))
