"""Keys, chords and progressions: which pitches belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

INTERVALS = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "sus2": (0, 2, 7),
    "add9": (0, 2, 4, 7),
    "min9": (0, 2, 3, 7, 10),
    "maj9": (0, 2, 4, 7, 11),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "7": (0, 4, 7, 10),
    "9": (0, 2, 4, 7, 10),
    "6": (0, 4, 7, 9),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
}
"""Semitones above the root of each kind of chord."""

SCALES = {
    "maj": (0, 2, 4, 5, 7, 9, 11),
    "min": (0, 2, 3, 5, 7, 9, 10),
    "dom": (0, 2, 4, 5, 7, 9, 10),
    "dim": (0, 2, 3, 5, 6, 8, 9, 11),
    "pent": (0, 2, 4, 7, 9),
    "minpent": (0, 3, 5, 7, 10),
}
"""Semitones above the root of each scale."""

_SCALE_OF_CHORD = {"7": "dom", "9": "dom", "m7b5": "dim", "dim7": "dim", "sus2": "pent"}

Progression = tuple[tuple[int, str], ...]
"""Chords of a passage, one a bar: semitones of the root above the key, and the kind of chord."""

PROGRESSIONS: dict[str, tuple[Progression, ...]] = {
    "ambient": (
        ((0, "add9"), (9, "min9"), (5, "maj9"), (7, "sus2")),
        ((0, "min9"), (8, "maj9"), (3, "add9"), (10, "sus2")),
        ((0, "min9"), (5, "min9"), (8, "maj7"), (7, "min7")),
        ((0, "sus2"), (0, "add9"), (5, "maj9"), (2, "min9")),
        ((0, "min9"), (10, "add9"), (8, "maj9"), (10, "sus2")),
    ),
    "jazz": (
        ((2, "min7"), (7, "9"), (0, "maj7"), (9, "7")),
        ((0, "6"), (9, "7"), (2, "min7"), (7, "9"), (4, "min7"), (9, "7"), (2, "min7"), (7, "7")),
        (
            *((0, "9"), (5, "9"), (0, "9"), (0, "7"), (5, "9"), (6, "dim7")),
            *((0, "9"), (9, "7"), (2, "min7"), (7, "9"), (0, "6"), (7, "7")),
        ),
        (
            *((2, "m7b5"), (7, "7"), (0, "min7"), (0, "min7")),
            *((5, "min7"), (10, "9"), (3, "maj7"), (7, "7")),
        ),
        (
            (0, "6"),
            (1, "dim7"),
            (2, "min7"),
            (7, "7"),
            (0, "maj7"),
            (5, "maj7"),
            (2, "9"),
            (7, "9"),
        ),
    ),
    "electronic": (
        ((0, "min"), (8, "maj"), (3, "maj"), (10, "maj")),
        ((0, "min7"), (0, "min7"), (5, "min7"), (7, "min7")),
        ((0, "min"), (10, "maj"), (8, "maj"), (7, "min")),
        ((0, "min"), (3, "maj"), (10, "maj"), (5, "min")),
        ((9, "min7"), (5, "maj7"), (0, "add9"), (7, "sus2")),
    ),
}
"""Progressions of each style."""


@dataclass(frozen=True)
class Chord:
    """A chord in a key.

    Attributes:
        root: Pitch class of the root, 0 (C) to 11 (B).
        kind: Key of `INTERVALS`.
    """

    root: int
    kind: str

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes of the chord, root first."""
        return tuple((self.root + step) % 12 for step in INTERVALS[self.kind])

    @property
    def scale(self) -> tuple[int, ...]:
        """Pitch classes that sound well over the chord, root first."""
        default = "min" if self.kind.startswith("min") else "maj"
        steps = SCALES[_SCALE_OF_CHORD.get(self.kind, default)]
        return tuple((self.root + step) % 12 for step in steps)


def nearest_pitch(pitch_class: int, centre: float) -> int:
    """Return the MIDI pitch of a pitch class that is nearest to `centre`.

    Examples:
        >>> nearest_pitch(0, 62.0)
        60
        >>> nearest_pitch(11, 60.0)
        59
    """
    return round((centre - pitch_class) / 12) * 12 + pitch_class


def close_voicing(pitch_classes: Sequence[int], centre: float) -> list[int]:
    """Return the pitches around `centre`, lowest first.

    Chords voiced around the same centre follow one another with small steps of every voice.

    Examples:
        >>> close_voicing((0, 4, 7), 60.0)
        [55, 60, 64]
    """
    return sorted({nearest_pitch(pitch_class, centre) for pitch_class in pitch_classes})


def pitches_between(pitch_classes: Sequence[int], low: int, high: int) -> list[int]:
    """Return every MIDI pitch from `low` to `high` whose pitch class is among those given."""
    wanted = set(pitch_classes)
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in wanted]


def frequency_hz(pitch: int) -> float:
    """Return the frequency of a MIDI pitch, equal temperament, A4 = 69 = 440 Hz.

    Examples:
        >>> frequency_hz(69)
        440.0
    """
    return float(440.0 * 2 ** ((pitch - 69) / 12))
