"""`generated-music`: endless music from a seed."""

from typing import Literal

import numpy as np
from jaxtyping import Float32
from pydantic import Field

from acoustic_sense.config import Config
from acoustic_sense.contracts.signal_source import SignalSource
from acoustic_sense_plugins.music.ambient import Ambient
from acoustic_sense_plugins.music.electronic import Electronic
from acoustic_sense_plugins.music.jazz import Jazz
from acoustic_sense_plugins.music.loudspeakers import to_loudspeakers
from acoustic_sense_plugins.music.mastering import Mastering, master
from acoustic_sense_plugins.music.sampler import Sampler
from acoustic_sense_plugins.music.score import Plan, Shelf, Style, draw_plan

STYLES: dict[str, Style] = {"ambient": Ambient(), "jazz": Jazz(), "electronic": Electronic()}
"""The styles by name."""

BANDWIDTHS_HZ = (15_300.0, 18_000.0)
"""Range of the upper edge, like that of lossy files."""


class GeneratedMusicConfig(Config):
    """What kind of music, and how it is mixed."""

    style: Literal["random", "ambient", "jazz", "electronic"] = Field(
        "random", description="Style of the piece; `random` draws one from the generator."
    )
    tempo_bpm: float | None = Field(
        None, ge=30, le=300, description="Beats a minute; drawn from the style's range if not set."
    )
    gain_db: float = Field(0.0, le=0, ge=-80, description="Gain in dB on the finished track.")
    stereo_width: float = Field(
        1.0, ge=0, le=1, description="1: full width; 0: the same on every loudspeaker."
    )
    bandwidth_hz: float | None = Field(
        None,
        ge=2000,
        description="Upper edge of the spectrum in Hz; drawn between 15.3 and 18 kHz if not set, "
        "as in lossy files.",
    )


class GeneratedMusic(SignalSource):
    """Music made from the generator: chords in a key, rhythm, sections, several instruments.

    Ambient, jazz or electronic. Harmony, notes and sections depend on the generator alone, so
    the piece is the same at every sample rate; it is written bar by bar, so a longer one begins
    with the shorter one. Loudspeakers get left and right in turn (`to_loudspeakers`).

    Attributes:
        genre: The style; `generated` where the style is drawn.
    """

    Config = GeneratedMusicConfig
    config: GeneratedMusicConfig
    genre = "generated"

    def __init__(self, config: GeneratedMusicConfig | None = None) -> None:
        super().__init__(config)
        if self.config.style != "random":
            self.genre = self.config.style

    def generate(
        self,
        duration_s: float,
        sample_rate_hz: int,
        speaker_count: int,
        generator: np.random.Generator,
    ) -> Float32[np.ndarray, "speaker sample"]:
        """Return the playback; see `SignalSource.generate`."""
        style, plan, equaliser, bandwidth_hz = self._drawn(generator)
        count = round(duration_s * sample_rate_hz)
        track = _performed(style, plan, count, sample_rate_hz)
        finish = Mastering(
            style.hiss_db, plan.seed, self.config.stereo_width, equaliser, bandwidth_hz
        )
        master(track, finish, sample_rate_hz)
        track *= np.float32(10 ** (self.config.gain_db / 20))
        return np.ascontiguousarray(to_loudspeakers(track, speaker_count), dtype=np.float32)

    def _drawn(
        self, generator: np.random.Generator
    ) -> tuple[Style, Plan, tuple[Shelf, ...], float]:
        """Return style, plan, equaliser and upper edge, drawn in an order that never changes."""
        drawn_name = list(STYLES)[int(generator.integers(len(STYLES)))]
        name = drawn_name if self.config.style == "random" else self.config.style
        style = STYLES[name]
        tempo_range = style.tempo_range_bpm
        if self.config.tempo_bpm is not None:
            tempo_range = (self.config.tempo_bpm, self.config.tempo_bpm)
        plan = draw_plan(name, style.beats, tempo_range, generator)
        bandwidth_hz = float(generator.uniform(*BANDWIDTHS_HZ))
        tilts = generator.uniform(-1, 1, len(style.equaliser))
        equaliser = tuple(
            Shelf(shelf.kind, shelf.corner_hz, shelf.gain_db + shelf.spread_db * float(tilt))
            for shelf, tilt in zip(style.equaliser, tilts, strict=True)
        )
        return style, plan, equaliser, self.config.bandwidth_hz or bandwidth_hz


def _performed(
    style: Style, plan: Plan, count: int, sample_rate_hz: int
) -> Float32[np.ndarray, "2 sample"]:
    """Return the mix of every bar that begins within `count` samples."""
    mix = np.zeros((2, count), dtype=np.float32)
    sampler = Sampler(sample_rate_hz, plan.seed, style.levels_db)
    bars = 1 + int(count / (sample_rate_hz * plan.bar_s))
    for index in range(bars):
        sampler.play(style.bar(plan, index), mix)
    return mix
