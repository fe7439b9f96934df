"""Audio files of a recording and its playback: read, checked, and brought to one form.

What comes out is at the framework's sample rate, W, X, Y, Z with SN3D gains, and both signals
equally long. Whatever was changed on the way is told in a note; whatever cannot be mended is an
`AudioError` that names the file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from acoustic_sense.constants import (
    AMBISONIC_CHANNELS,
    CLIP_FRAMES,
    FRAME_RATE_HZ,
    SAMPLE_RATE_HZ,
)
from acoustic_sense.errors import AudioError, suggestion
from acoustic_sense.types import Playback, Recording

CHANNEL_CONVENTIONS = {
    "ambix": "ambix",
    "wxyz": "sn3d",
    "n3d": "n3d",
    "fuma": "fuma",
    "acn-n3d": "acn-n3d",
}
"""What users call the order and gains of a file's channels, and its name in `dsp.ambisonics`."""

CLIP_S = CLIP_FRAMES / FRAME_RATE_HZ
"""Length of a clip in seconds: the shortest recording that a model can read."""

SILENCE_DBFS = -100.0
"""A signal whose peak lies below this level holds nothing."""

Note = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class RecordedPair:
    """A recording with its playback, ready for a model.

    Attributes:
        recording: What the microphone heard.
        playback: What the loudspeakers were sent; same rate and length.
        notes: What was changed to get there, one line each.
    """

    recording: Recording
    playback: Playback
    notes: tuple[str, ...] = ()


def read_pair(
    recording: Path,
    playback: Path,
    channels: str = "ambix",
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> RecordedPair:
    """Read a recording and its playback and cut them to one length.

    Args:
        recording: WAV, FLAC or OGG file with the four ambisonics channels.
        playback: WAV, FLAC or OGG file that the loudspeakers were sent.
        channels: Order and gains of the recording, a name of `CHANNEL_CONVENTIONS`.
        sample_rate_hz: Samples per second to bring both to.

    Returns:
        Both signals, and notes about what was changed.

    Raises:
        AudioError: A file is missing, is no audio, is silent, is too short, or has the wrong
            number of channels.
    """
    notes: list[str] = []
    heard = read_recording(recording, channels, sample_rate_hz, note=notes.append)
    sent = read_playback(playback, sample_rate_hz, note=notes.append)
    lengths = heard.samples.shape[1], sent.samples.shape[1]
    shorter = min(lengths)
    if shorter < round(CLIP_S * sample_rate_hz):
        raise AudioError(_too_short(playback, shorter / sample_rate_hz))
    if lengths[0] != lengths[1]:
        notes.append(
            f"{recording.name} lasts {heard.duration_s:.3f} s and {playback.name} "
            f"{sent.duration_s:.3f} s; both are cut to {shorter / sample_rate_hz:.3f} s"
        )
        heard = Recording(heard.samples[:, :shorter], sample_rate_hz)
        sent = Playback(sent.samples[:, :shorter], sample_rate_hz)
    return RecordedPair(heard, sent, tuple(notes))


def read_recording(
    path: Path,
    channels: str = "ambix",
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    note: Note = lambda text: None,
) -> Recording:
    """Read a first-order ambisonics recording.

    Args:
        path: WAV, FLAC or OGG file with four channels.
        channels: Order and gains of the file, a name of `CHANNEL_CONVENTIONS`.
        sample_rate_hz: Samples per second to bring it to.
        note: Called with one line for whatever was changed.

    Returns:
        The recording, W, X, Y, Z with SN3D gains.

    Raises:
        AudioError: The file is missing, is no audio, has not four channels, holds values that are
            not finite, is silent, or is shorter than a clip.
    """
    from acoustic_sense.dsp.ambisonics import convert

    if channels not in CHANNEL_CONVENTIONS:
        known = ", ".join(CHANNEL_CONVENTIONS)
        hint = suggestion(channels, CHANNEL_CONVENTIONS) or f" known: {known}"
        raise AudioError(f"unknown channel convention '{channels}';{hint}")
    samples, rate_hz = _read(path)
    count = len(AMBISONIC_CHANNELS)
    if len(samples) != count:
        raise AudioError(
            f"{path}: has {_channels(len(samples))} but a recording needs {count} "
            "(first-order ambisonics); give the file of the ambisonics microphone"
        )
    _check_content(path, samples, rate_hz)
    if len(samples[0]) < round(CLIP_S * rate_hz):
        raise AudioError(_too_short(path, len(samples[0]) / rate_hz))
    samples = _resampled(path, samples, rate_hz, sample_rate_hz, note)
    return Recording(convert(samples, CHANNEL_CONVENTIONS[channels], "sn3d"), sample_rate_hz)


def read_playback(
    path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ, note: Note = lambda text: None
) -> Playback:
    """Read what the loudspeakers were sent.

    Args:
        path: WAV, FLAC or OGG file with one channel a loudspeaker.
        sample_rate_hz: Samples per second to bring it to.
        note: Called with one line for whatever was changed.

    Returns:
        The playback.

    Raises:
        AudioError: The file is missing, is no audio, holds values that are not finite, or is
            silent.
    """
    samples, rate_hz = _read(path)
    _check_content(path, samples, rate_hz)
    return Playback(_resampled(path, samples, rate_hz, sample_rate_hz, note), sample_rate_hz)


def _read(path: Path) -> tuple[Float32[np.ndarray, "channel sample"], int]:
    """Return a file's samples, channels first, and its sample rate."""
    import soundfile

    if not path.exists():
        raise AudioError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise AudioError(f"{path}: is a folder; name the audio file inside it")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except PermissionError:
        raise AudioError(f"{path}: cannot be read; check its permissions") from None
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        raise AudioError(
            f"{path}: is not an audio file that can be read; give WAV, FLAC or OGG"
        ) from None
    return np.ascontiguousarray(samples.T), int(rate_hz)


def _check_content(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    """Raise AudioError for a file that holds nothing."""
    if samples.shape[1] == 0:
        raise AudioError(f"{path}: holds no samples; record it again")
    bad = int(np.count_nonzero(~np.isfinite(samples)))
    if bad:
        raise AudioError(f"{path}: holds {bad} samples that are not finite; export it again")
    peak = float(np.abs(samples).max())
    if peak < 10 ** (SILENCE_DBFS / 20):
        level = f"its peak is {20 * np.log10(peak):.0f} dBFS" if peak > 0 else "all samples are 0"
        raise AudioError(f"{path}: is silent ({level}); check the input and its gain")


def _resampled(
    path: Path, samples: np.ndarray, rate_hz: int, target_hz: int, note: Note
) -> Float32[np.ndarray, "channel sample"]:
    """Return the samples at another rate, band-limited (soxr, very high quality)."""
    if rate_hz == target_hz:
        return samples
    import soxr

    note(f"{path.name} is at {rate_hz} Hz; resampled to {target_hz} Hz")
    resampled = soxr.resample(samples.T, rate_hz, target_hz, quality="VHQ")
    return np.ascontiguousarray(resampled.T, dtype=np.float32)


def _too_short(path: Path, seconds: float) -> str:
    return f"{path}: lasts {seconds:.3f} s but a clip needs {CLIP_S:.1f} s; give a longer one"


def _channels(count: int) -> str:
    return f"{count} channel" if count == 1 else f"{count} channels"
