"""The two signals that a model is given: arrays or types, brought to one form and checked."""

import numpy as np

from acoustic_sense.errors import AudioError
from acoustic_sense.types import Playback, Recording


def checked_signals(
    recording: Recording | np.ndarray,
    playback: Playback | np.ndarray,
    sample_rate_hz: int,
    model_rate_hz: int,
) -> tuple[Recording, Playback]:
    """Return recording and playback as types, equally long and at the model's sample rate.

    Args:
        recording: A `Recording`, or an array of shape `(4, sample)`: W, X, Y, Z with SN3D.
        playback: A `Playback`, or an array of shape `(speaker, sample)` or `(sample,)`.
        sample_rate_hz: Samples per second of arrays; recordings and playbacks know theirs.
        model_rate_hz: Samples per second that the model reads.

    Raises:
        AudioError: Shapes, lengths or rates do not fit, or samples are not finite.
    """
    if not isinstance(recording, Recording):
        recording = Recording(np.asarray(recording, dtype=np.float32), sample_rate_hz)
    if not isinstance(playback, Playback):
        samples = np.atleast_2d(np.asarray(playback, dtype=np.float32))
        playback = Playback(samples, sample_rate_hz)
    rates = {"recording": recording.sample_rate_hz, "playback": playback.sample_rate_hz}
    for what, rate_hz in rates.items():
        if rate_hz != model_rate_hz:
            raise AudioError(
                f"the {what} has {rate_hz} Hz but the model reads {model_rate_hz} Hz; resample it"
            )
    heard, sent = recording.samples.shape[1], playback.samples.shape[1]
    if heard != sent:
        raise AudioError(
            f"the recording has {heard} samples and the playback {sent}; cut both to the same"
        )
    return recording, playback
