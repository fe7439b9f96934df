"""From notes to sound: each instrument's notes are made once, then cut, weighted and added."""

from collections.abc import Callable, Iterable, Mapping
from zlib import crc32

import numpy as np
from jaxtyping import Float, Float32

from acoustic_sense_plugins.music import percussion, tones
from acoustic_sense_plugins.music.score import Note

Instrument = Callable[[int, float, int, np.random.Generator], Float[np.ndarray, "2 sample"]]

INSTRUMENTS: dict[str, tuple[Instrument, float]] = {
    "piano": (tones.piano, 0.12),
    "electric-piano": (tones.electric_piano, 0.15),
    "vibraphone": (tones.vibraphone, 0.15),
    "pluck": (tones.pluck, 0.1),
    "bell": (tones.bell, 0.8),
    "upright-bass": (tones.upright_bass, 0.08),
    "synth-bass": (tones.synth_bass, 0.04),
    "pad": (tones.pad, 1.4),
    "drone": (tones.drone, 1.0),
    "gated-pad": (tones.gated_pad, 0.12),
    "gated-bass": (tones.synth_bass, 0.1),
    "horn": (tones.horn, 0.07),
    "lead": (tones.lead, 0.1),
    "kick": (percussion.kick, 0.1),
    "snare": (percussion.snare, 0.1),
    "clap": (percussion.clap, 0.1),
    "hat": (percussion.hat, 0.05),
    "ride": (percussion.ride, 0.4),
    "brush": (percussion.brush, 0.1),
    "shaker": (percussion.shaker, 0.05),
    "tom": (percussion.tom, 0.2),
    "wind": (percussion.wind, 0.5),
}
"""Each instrument by name, with the seconds it takes to fall silent after its release."""

BRIGHTNESS_LAYERS = (0.15, 0.5, 0.85)
"""Brightness of a soft, a medium and a hard note."""


class Sampler:
    """Plays notes, keeping every note that it has made.

    Args:
        rate_hz: Sample rate.
        seed: Seed of what is random in the instruments. A note of an instrument is the same
            whatever was played before.
        levels_db: Level of each instrument in the mix, in dB.
    """

    def __init__(self, rate_hz: int, seed: int, levels_db: Mapping[str, float]) -> None:
        self.rate_hz = rate_hz
        self._levels_db = levels_db
        self._seed = seed
        self._made: dict[tuple[str, int, int], Float32[np.ndarray, "2 sample"]] = {}

    def play(self, notes: Iterable[Note], out: Float32[np.ndarray, "2 sample"]) -> None:
        """Add notes to `out` in the order given; what lies beyond its end is cut."""
        for note in notes:
            start = round(note.start_s * self.rate_hz)
            room = out.shape[1] - start
            if room <= 0:
                continue
            sound = self._shaped(note)[:, :room]
            out[:, start : start + sound.shape[1]] += sound

    def _shaped(self, note: Note) -> Float32[np.ndarray, "2 sample"]:
        """Return one note with its length, loudness and place."""
        layer = min(int(note.velocity * len(BRIGHTNESS_LAYERS)), len(BRIGHTNESS_LAYERS) - 1)
        sample = self._sample(note.instrument, note.pitch, layer)
        release_s = INSTRUMENTS[note.instrument][1]
        held = round(note.duration_s * self.rate_hz)
        faded = round(release_s * self.rate_hz)
        sound = sample[:, : held + faded] * self._gains(note)
        tail = sound.shape[1] - held
        if tail > 0:
            sound[:, held:] *= _release(faded)[:tail]
        return np.asarray(sound)

    def _gains(self, note: Note) -> Float32[np.ndarray, "2 1"]:
        """Return the gain of either side: constant power, the level itself at the centre."""
        angle = (note.pan + 1) * np.pi / 4
        sides = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])
        level = 10 ** (self._levels_db[note.instrument] / 20)
        return np.asarray(note.velocity * level * sides, dtype=np.float32)

    def _sample(self, name: str, pitch: int, layer: int) -> Float32[np.ndarray, "2 sample"]:
        """Return the full-length note, made on first use."""
        key = (name, pitch, layer)
        if key not in self._made:
            generator = np.random.default_rng([self._seed, crc32(name.encode()), pitch, layer])
            make = INSTRUMENTS[name][0]
            sample = make(pitch, BRIGHTNESS_LAYERS[layer], self.rate_hz, generator)
            end = min(round(0.02 * self.rate_hz), sample.shape[1])
            sample = sample.astype(np.float32)
            sample[:, -end:] *= _release(end)
            self._made[key] = sample
        return self._made[key]


def _release(count: int) -> Float32[np.ndarray, " sample"]:
    """Return a fall from 1 to 0."""
    return (0.5 + 0.5 * np.cos(np.pi * np.arange(count) / max(count, 1))).astype(np.float32)
