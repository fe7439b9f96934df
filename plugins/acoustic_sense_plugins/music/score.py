"""The written music: notes, and what a style has to know to write the next bar."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from acoustic_sense_plugins.music.harmony import PROGRESSIONS, Chord


@dataclass(frozen=True)
class Note:
    """One note of one instrument.

    Attributes:
        instrument: Name in `instruments.INSTRUMENTS`.
        pitch: MIDI pitch; for percussion the number of the variant.
        start_s: Start, in seconds from the beginning of the piece.
        duration_s: Time until the release, in seconds.
        velocity: Loudness, 0 to 1.
        pan: -1 left, 0 centre, 1 right.
    """

    instrument: str
    pitch: int
    start_s: float
    duration_s: float
    velocity: float
    pan: float = 0.0


@dataclass(frozen=True)
class Shelf:
    """A shelving filter.

    Attributes:
        kind: `low`: changes what is under the corner; `high`: what is above.
        corner_hz: Where half of the change, in dB, is reached.
        gain_db: The change.
        spread_db: The gain of a piece is drawn this far around `gain_db`.
    """

    kind: str
    corner_hz: float
    gain_db: float
    spread_db: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What stays the same through a piece.

    Attributes:
        style: Key of `PROGRESSIONS`.
        tempo_bpm: Beats a minute.
        beats: Beats a bar.
        key: Pitch class of the key.
        progressions: The passages that the piece is made of.
        seed: Seed of everything drawn later.
    """

    style: str
    tempo_bpm: float
    beats: int
    key: int
    progressions: tuple[tuple[Chord, ...], ...]
    seed: int

    @property
    def beat_s(self) -> float:
        """Length of a beat in seconds."""
        return 60.0 / self.tempo_bpm

    @property
    def bar_s(self) -> float:
        """Length of a bar in seconds."""
        return self.beats * self.beat_s

    def generator(self, *words: int) -> np.random.Generator:
        """Return the generator of one thing in the piece, e.g. of bar 7.

        Every bar and section has its own, so a bar is the same however long the piece is.
        """
        return np.random.default_rng([self.seed, *words])

    def chord(self, bar: int) -> Chord:
        """Return the chord of a bar: the passages in turn, each played twice."""
        lengths = [len(passage) for passage in self.progressions for _ in range(2)]
        position = bar % sum(lengths)
        for index, length in enumerate(lengths):
            if position < length:
                return self.progressions[index // 2][position]
            position -= length
        raise AssertionError("unreachable: the position is inside the form")


class Style(ABC):
    """Writes a piece bar by bar, and says how it is mixed.

    Attributes:
        tempo_range_bpm: Slowest and fastest tempo.
        beats: Beats a bar.
        levels_db: Level of each instrument in the mix, in dB.
        equaliser: Shelves that the mix goes through.
        hiss_db: Level of the steady noise of a recording, in dB full scale.
    """

    tempo_range_bpm: tuple[float, float]
    beats: int
    levels_db: dict[str, float]
    equaliser: tuple[Shelf, ...]
    hiss_db: float

    @abstractmethod
    def bar(self, plan: Plan, index: int) -> list[Note]:
        """Return the notes that begin in bar `index`."""


def draw_plan(
    style: str, beats: int, tempo_range_bpm: tuple[float, float], generator: np.random.Generator
) -> Plan:
    """Draw key, tempo and form of a piece."""
    choices = PROGRESSIONS[style]
    key = int(generator.integers(12))
    picked = generator.choice(len(choices), size=2, replace=False)
    passages = tuple(
        tuple(Chord((key + root) % 12, kind) for root, kind in choices[index]) for index in picked
    )
    tempo = float(generator.uniform(*tempo_range_bpm))
    return Plan(style, tempo, beats, key, passages, int(generator.integers(2**62)))


def humanised(notes: list[Note], generator: np.random.Generator, spread_s: float) -> list[Note]:
    """Return the notes each a little late (never early) and a little louder or softer."""
    late = generator.uniform(0, spread_s, len(notes))
    louder = generator.uniform(0.85, 1.0, len(notes))
    return [
        replace(
            note,
            start_s=note.start_s + float(late[index]),
            velocity=note.velocity * float(louder[index]),
        )
        for index, note in enumerate(notes)
    ]
