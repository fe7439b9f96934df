"""Jazz: walking bass or stride piano, ride or brushes, comping, and a soloist."""

import numpy as np

from acoustic_sense_plugins.music.harmony import (
    Chord,
    close_voicing,
    nearest_pitch,
    pitches_between,
)
from acoustic_sense_plugins.music.score import Note, Plan, Shelf, Style, humanised

SECTION_BARS = 8
SWING = 0.64
"""Where in the beat the second quaver falls: 0.5 straight, 0.67 triplets."""

LATEST_S = 0.012


class Jazz(Style):
    """Swing or ragtime, drawn with the piece; soloist and accompaniment change every 8 bars."""

    tempo_range_bpm = (96.0, 190.0)
    beats = 4
    hiss_db = -72.0
    levels_db = {
        "piano": -8.5,
        "upright-bass": -7.0,
        "horn": -14.5,
        "vibraphone": -12.0,
        "ride": -18.0,
        "brush": -17.0,
        "hat": -22.0,
        "snare": -16.0,
        "kick": -14.0,
    }
    equaliser = (Shelf("low", 100.0, 0.0, 2.0), Shelf("high", 4000.0, -4.0, 2.0))

    def bar(self, plan: Plan, index: int) -> list[Note]:
        """Return the notes that begin in bar `index`."""
        ragtime = bool(plan.generator(0).random() < 0.35)
        section = plan.generator(2, index // SECTION_BARS)
        soloist = ("horn", "piano", "vibraphone")[int(section.integers(3))]
        dynamics = float(section.uniform(0.55, 0.95))
        brushes = bool(section.random() < 0.4)
        draw = plan.generator(1, index)
        start_s = index * plan.bar_s
        chord, following = plan.chord(index), plan.chord(index + 1)
        if ragtime:
            notes = _stride(plan, chord, start_s, dynamics)
        else:
            notes = _walking_bass(plan, chord, following, start_s, dynamics, draw)
            notes += _comping(plan, chord, start_s, 0.75 * dynamics, draw)
        notes += _drums(plan, start_s, dynamics, draw, brushes=brushes or ragtime)
        notes += _solo(plan, chord, start_s, soloist, dynamics, index, ragtime=ragtime)
        return humanised(notes, draw, LATEST_S)


def _walking_bass(
    plan: Plan,
    chord: Chord,
    following: Chord,
    start_s: float,
    velocity: float,
    draw: np.random.Generator,
) -> list[Note]:
    """Return four crotchets: root, two chord or scale tones, a step into the next root."""
    root = nearest_pitch(chord.root, 38.0)
    near = pitches_between(chord.scale, root - 5, root + 9)
    target = nearest_pitch(following.root, 38.0)
    middle = [near[int(draw.integers(len(near)))], nearest_pitch(chord.tones[2], root + 3.0)]
    line = [root, *middle, target + int(draw.choice([-1, 1]))]
    return [
        Note("upright-bass", pitch, start_s + beat * plan.beat_s, 0.92 * plan.beat_s, velocity)
        for beat, pitch in enumerate(line)
    ]


def _comping(
    plan: Plan, chord: Chord, start_s: float, velocity: float, draw: np.random.Generator
) -> list[Note]:
    """Return piano chords without the root, in one of the usual rhythms."""
    rhythms = ((0.0, 1 + SWING), (1 + SWING, 3.0), (SWING, 2 + SWING), (1.0, 3.0), (0.0,))
    rhythm = rhythms[int(draw.integers(len(rhythms)))]
    voicing = close_voicing((*chord.tones[1:], (chord.root + 2) % 12), 60.0)
    return [
        Note("piano", pitch, start_s + beat * plan.beat_s, 0.5 * plan.beat_s, velocity, -0.35)
        for beat in rhythm
        for pitch in voicing
    ]


def _stride(plan: Plan, chord: Chord, start_s: float, velocity: float) -> list[Note]:
    """Return the left hand of ragtime: bass octave, chord, bass on the fifth, chord."""
    notes = []
    for beat, tone in enumerate((chord.root, None, chord.tones[2], None)):
        when = start_s + beat * plan.beat_s
        if tone is not None:
            low = nearest_pitch(tone, 40.0)
            pitches, loud = [low, low - 12], velocity
        else:
            pitches, loud = close_voicing(chord.tones, 57.0), 0.8 * velocity
        for pitch in pitches:
            notes.append(Note("piano", pitch, when, 0.7 * plan.beat_s, loud, -0.25))
        if tone is not None:
            notes.append(Note("upright-bass", low - 12, when, 0.8 * plan.beat_s, 0.7 * velocity))
    return notes


def _drums(
    plan: Plan, start_s: float, velocity: float, draw: np.random.Generator, *, brushes: bool
) -> list[Note]:
    """Return ride pattern or brushes, hat on two and four, a feathered bass drum, fills."""
    beat = plan.beat_s
    notes = [Note("kick", 0, start_s + b * beat, 0.4, 0.3 * velocity) for b in range(plan.beats)]
    for b in (1, 3):
        notes.append(Note("hat", int(draw.integers(3)), start_s + b * beat, 0.1, velocity, 0.4))
    strokes = ((0.0, 0.8), (1.0, 1.0), (1 + SWING, 0.6), (2.0, 0.8), (3.0, 1.0), (3 + SWING, 0.6))
    name = "brush" if brushes else "ride"
    for when, loud in strokes:
        variant = int(draw.integers(4))
        notes.append(Note(name, variant, start_s + when * beat, 0.9 * beat, loud * velocity, 0.35))
    for quaver in np.flatnonzero(draw.random(8) < 0.12).tolist():
        loud = float(draw.uniform(0.2, 0.8)) * velocity
        offset = quaver // 2 + SWING * (quaver % 2)
        notes.append(Note("snare", int(draw.integers(4)), start_s + offset * beat, 0.3, loud, 0.1))
    return notes


def _solo(
    plan: Plan,
    chord: Chord,
    start_s: float,
    instrument: str,
    velocity: float,
    index: int,
    *,
    ragtime: bool,
) -> list[Note]:
    """Return a line in swung quavers that wanders over the scale and rests between phrases.

    The rhythm repeats every four bars; strong beats land on tones of the chord.
    """
    rhythm = plan.generator(4, index % 4, index // (2 * SECTION_BARS)).random(8)
    draw = plan.generator(5, index)
    swing = 0.5 if ragtime else SWING
    density = 0.8 if ragtime else 0.6
    scale, tones = pitches_between(chord.scale, 62, 86), pitches_between(chord.tones, 62, 86)
    height = 74 + 7 * np.sin(2 * np.pi * index / 7.3)
    notes = []
    for quaver in np.flatnonzero(rhythm < density):
        height += float(draw.normal(0, 3.0))
        height += 0.3 * (74 - height)
        choice = tones if quaver % 4 == 0 else scale
        pitch = min(choice, key=lambda candidate: abs(candidate - height))
        when = start_s + (quaver // 2 + swing * (quaver % 2)) * plan.beat_s
        length = plan.beat_s * float(draw.choice([0.4, 0.55, 0.9]))
        loud = velocity * float(draw.uniform(0.7, 1.0))
        notes.append(Note(instrument, pitch, when, length, loud, 0.15))
        if ragtime and instrument == "piano":
            notes.append(Note("piano", pitch - 12, when, length, 0.8 * loud, 0.15))
    return notes
