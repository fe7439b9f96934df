"""`music-file`: playback from an audio file."""

from pathlib import Path

import numpy as np
import soundfile
import soxr
from jaxtyping import Float32
from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.contracts.signal_source import SignalSource
from acoustic_sense.errors import AudioError
from acoustic_sense_plugins.music.loudspeakers import to_loudspeakers

RESAMPLER_MARGIN_S = 0.25
"""Seconds read before and after what is asked for, so that no filter sees the edge of a cut."""

SILENCE_PEAK = 1e-5
"""A stretch that never exceeds this (-100 dBFS) is called silent."""

LARGEST_CLIPPED_SHARE = 1e-3
"""More samples than this beyond full scale are an error rather than clipped."""


class MusicFileConfig(Config):
    """Which file, which part of it, how loud."""

    path: Path = Field(
        description="Audio file: WAV, FLAC, Ogg, Opus, MP3 or anything else that libsndfile reads; "
        "`~` is the home folder."
    )
    genre: str = Field("music", description="Genre that the take is filed under.")
    gain_db: float = Field(0.0, ge=-80, le=40, description="Gain in dB on what the file holds.")
    start_s: float = Field(0.0, ge=0, description="Where in the file to start, in seconds.")
    loop: bool = Field(
        False, description="Begin again at the start of the file when its end is reached."
    )
    random_start: bool = Field(
        False, description="Draw the start anywhere in the file instead; makes the file loop."
    )


class MusicFile(SignalSource):
    """Playback from an audio file, resampled and dealt out to the loudspeakers.

    Only the part that is asked for is read. Channels go to the loudspeakers as in
    `to_loudspeakers`. Samples that exceed full scale after gain and resampling are clipped, as a
    sound card would.
    """

    Config = MusicFileConfig
    config: MusicFileConfig

    def __init__(self, config: MusicFileConfig) -> None:
        super().__init__(config)
        self.genre = config.genre

    def generate(
        self,
        duration_s: float,
        sample_rate_hz: int,
        speaker_count: int,
        generator: np.random.Generator,
    ) -> Float32[np.ndarray, "speaker sample"]:
        """Return the playback; see `SignalSource.generate`.

        Raises:
            AudioError: The file is missing, not audio, shorter than asked, silent in the part
                asked for, or far beyond full scale.
        """
        path = self.config.path.expanduser()
        with _open(path) as file:
            seconds = file.frames / file.samplerate
            start_s = generator.uniform(0, seconds) if self._random else self.config.start_s
            self._check_length(path, seconds, start_s, duration_s)
            music = _read_resampled(
                file, start_s, duration_s, sample_rate_hz, loop=self.config.loop or self._random
            )
        music *= np.float32(10 ** (self.config.gain_db / 20))
        _check_level(music, path, start_s)
        speakers = to_loudspeakers(np.clip(music, -1, 1), speaker_count)
        return np.ascontiguousarray(speakers, dtype=np.float32)

    @property
    def _random(self) -> bool:
        return self.config.random_start

    def _check_length(self, path: Path, seconds: float, start_s: float, duration_s: float) -> None:
        """Raise AudioError unless the file has what is asked for."""
        if seconds == 0:
            raise AudioError(f"{path}: holds no samples; choose another file")
        if start_s >= seconds:
            raise AudioError(
                f"{path}: start_s = {start_s:g} is beyond its end at {seconds:.2f} s; start earlier"
            )
        loops = self.config.loop or self._random
        if not loops and start_s + duration_s > seconds + 1e-6:
            raise AudioError(
                f"{path}: {duration_s:.2f} s asked for from {start_s:g} s on, but the file ends at "
                f"{seconds:.2f} s; set loop = true or ask for less"
            )


def _open(path: Path) -> soundfile.SoundFile:
    """Open an audio file or raise an AudioError that says why not."""
    if path.is_dir():
        raise AudioError(f"{path}: is a folder; name the audio file inside it")
    if not path.exists():
        raise AudioError(f"{path}: no such audio file; check music-file's path")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, PermissionError) as error:
        cause = getattr(error, "error_string", str(error)).strip().rstrip(".")
        raise AudioError(
            f"{path}: cannot be read as audio ({cause}); convert it to WAV or FLAC"
        ) from None


def _read_resampled(
    file: soundfile.SoundFile, start_s: float, duration_s: float, sample_rate_hz: int, *, loop: bool
) -> Float32[np.ndarray, "channel sample"]:
    """Return the part from `start_s` on, at `sample_rate_hz`, exactly as long as asked for."""
    count = round(duration_s * sample_rate_hz)
    rate = file.samplerate
    first = min(round(start_s * rate), file.frames - 1)
    if rate == sample_rate_hz:
        return np.ascontiguousarray(_read(file, first, count, loop=loop).T)
    margin = round(RESAMPLER_MARGIN_S * rate)
    before = margin if loop else min(margin, first)
    frames = before + int(np.ceil(duration_s * rate)) + margin
    part = soxr.resample(_read(file, first - before, frames, loop=loop), rate, sample_rate_hz)
    skipped = round(before * sample_rate_hz / rate)
    part = part[skipped : skipped + count]
    short = count - part.shape[0]  # a file that ends exactly here can be a sample short
    return np.ascontiguousarray(np.pad(part, ((0, short), (0, 0))).T)


def _read(
    file: soundfile.SoundFile, first: int, count: int, *, loop: bool
) -> Float32[np.ndarray, "sample channel"]:
    """Return `count` frames from frame `first` on, going round the file's end where it loops.

    Frames beyond the end of a file that does not loop are zero.
    """
    parts = []
    position, wanted = first % file.frames, count
    while wanted > 0:
        file.seek(position)
        part = file.read(min(wanted, file.frames - position), dtype="float32", always_2d=True)
        if part.shape[0] == 0:
            break  # the header promised more than the file holds
        parts.append(part)
        wanted -= part.shape[0]
        position = 0
        if not loop:
            break
    if wanted > 0:
        parts.append(np.zeros((wanted, file.channels), dtype=np.float32))
    return np.concatenate(parts) if parts else np.zeros((0, file.channels), dtype=np.float32)


def _check_level(music: Float32[np.ndarray, "channel sample"], path: Path, start_s: float) -> None:
    """Raise AudioError for silence, values that are not finite, or gross clipping."""
    if not np.isfinite(music).all():
        raise AudioError(f"{path}: holds samples that are not finite; mend or convert the file")
    size = np.abs(music)
    if music.size and size.max() < SILENCE_PEAK:
        seconds = f"{start_s:g} s"
        raise AudioError(f"{path}: silent from {seconds} on; choose another start_s or file")
    clipped = np.count_nonzero(size > 1) / max(music.size, 1)
    if clipped > LARGEST_CLIPPED_SHARE:
        raise AudioError(
            f"{path}: {100 * clipped:.1f} % of the samples exceed full scale; lower gain_db by "
            f"{20 * np.log10(size.max()):.1f} dB"
        )
