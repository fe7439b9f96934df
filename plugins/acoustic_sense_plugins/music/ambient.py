"""Ambient: slow chords of pads over a drone, bells, arpeggios with echoes, noise, a pulse."""

import numpy as np

from acoustic_sense_plugins.music.harmony import close_voicing, nearest_pitch, pitches_between
from acoustic_sense_plugins.music.score import Note, Plan, Shelf, Style

SECTION_BARS = 4
ECHO_BEATS = 0.75
ECHO_GAINS = (1.0, 0.5, 0.26, 0.13)


class Ambient(Style):
    """Slow, layered, with sections in which layers come and go."""

    tempo_range_bpm = (56.0, 84.0)
    beats = 4
    hiss_db = -86.0
    levels_db = {
        "pad": -18.0,
        "drone": -10.0,
        "gated-pad": -14.0,
        "gated-bass": -9.0,
        "bell": -14.0,
        "pluck": -13.0,
        "electric-piano": -17.0,
        "wind": -30.0,
        "shaker": -22.0,
        "tom": -10.0,
        "kick": -9.0,
        "hat": -28.0,
    }
    equaliser = (Shelf("low", 150.0, 0.0, 2.0), Shelf("high", 2200.0, -7.0, 6.0))

    def bar(self, plan: Plan, index: int) -> list[Note]:
        """Return the notes that begin in bar `index`."""
        section = index // SECTION_BARS
        layers = _layers(plan, section)
        draw = plan.generator(1, index)
        start_s = index * plan.bar_s
        notes = _chords(plan, index, start_s, layers["pad"], gated=layers["gated"] > 0)
        if layers["arpeggio"]:
            notes += _arpeggio(plan, index, start_s, layers["arpeggio"], draw)
        if layers["bells"]:
            notes += _bells(plan, index, start_s, layers["bells"], draw)
        if layers["pulse"]:
            notes += _pulse(plan, start_s, layers["pulse"], draw)
        if layers["wind"] and index % 2 == 0:
            variant = int(draw.integers(4))
            notes.append(Note("wind", variant, start_s, 2.2 * plan.bar_s, layers["wind"]))
        return notes


def _layers(plan: Plan, section: int) -> dict[str, float]:
    """Return how loud each layer is in a section; 0 where it is silent."""
    draw = plan.generator(2, section)
    chances = {"arpeggio": 0.7, "bells": 0.6, "pulse": 0.6, "wind": 0.65}
    layers = {
        name: float(draw.uniform(0.35, 0.95)) * float(draw.random() < chance)
        for name, chance in chances.items()
    }
    gated = float(draw.random() < 0.35)
    return {**layers, "pad": float(draw.uniform(0.2, 0.95)), "gated": gated}


def _chords(plan: Plan, index: int, start_s: float, velocity: float, *, gated: bool) -> list[Note]:
    """Return pad and drone: a new chord every other bar, held over both or, gated, in quavers."""
    chord = plan.chord(index // 2)
    voices = [*close_voicing(chord.tones[1:], 62.0), nearest_pitch(chord.root, 50.0)]
    pans = np.linspace(-0.5, 0.5, len(voices)).tolist()
    low, quaver_s = nearest_pitch(chord.root, 34.0), plan.beat_s / 2
    held_s = plan.bar_s * (1.2 + 0.7 * float(plan.generator(5, index // 2).random()))
    drone = Note("drone", low, start_s, held_s, 0.3 + 0.6 * velocity)
    if gated:
        sounding = np.flatnonzero(plan.generator(4, index // 8).random(8) < 0.6)
        return [drone] * (index % 2 == 0) + [
            Note(name, pitch, start_s + step * quaver_s, 0.6 * quaver_s, velocity, pan)
            for step in sounding.tolist()
            for name, pitch, pan in [
                ("gated-bass", low, 0.0),
                *(("gated-pad", pitch, pan) for pitch, pan in zip(voices, pans, strict=True)),
            ]
        ]
    if index % 2:
        return []
    notes = [
        Note("pad", pitch, start_s, held_s, velocity, pan)
        for pitch, pan in zip(voices, pans, strict=True)
    ]
    return [drone, *notes]


def _arpeggio(
    plan: Plan, index: int, start_s: float, velocity: float, draw: np.random.Generator
) -> list[Note]:
    """Return a broken chord in quavers, each note with its echoes."""
    chord = plan.chord(index // 2)
    pattern = plan.generator(3, index // 8)
    pitches = pitches_between(chord.tones, 60, 84)
    steps = pattern.integers(0, len(pitches), 8) % len(pitches)
    sounding = pattern.random(8) < 0.75
    instrument = ("pluck", "electric-piano")[int(pattern.integers(2))]
    notes = []
    for step in np.flatnonzero(sounding):
        loud = velocity * float(draw.uniform(0.7, 1.0))
        for echo, gain in enumerate(ECHO_GAINS):
            when = start_s + (0.5 * step + ECHO_BEATS * echo) * plan.beat_s
            pan = (-0.6, 0.6)[(int(step) + echo) % 2]
            notes.append(
                Note(instrument, pitches[int(steps[step])], when, plan.beat_s, loud * gain, pan)
            )
    return notes


def _bells(
    plan: Plan, index: int, start_s: float, velocity: float, draw: np.random.Generator
) -> list[Note]:
    """Return one to three bells at quiet places of the bar."""
    pitches = pitches_between(plan.chord(index // 2).tones, 72, 94)
    notes = []
    for beat in draw.choice(8, size=int(draw.integers(1, 4)), replace=False) / 2:
        pitch = pitches[int(draw.integers(len(pitches)))]
        pan = float(draw.uniform(-0.8, 0.8))
        loud = velocity * float(draw.uniform(0.5, 1.0))
        notes.append(Note("bell", pitch, start_s + beat * plan.beat_s, plan.bar_s, loud, pan))
    return notes


def _pulse(plan: Plan, start_s: float, velocity: float, draw: np.random.Generator) -> list[Note]:
    """Return a soft drum, a shaker in semiquavers, a hat on the off-beats."""
    beat = plan.beat_s
    notes = [
        Note("kick", 0, start_s, 0.5, velocity),
        Note("kick", 0, start_s + 2.5 * beat, 0.5, 0.6),
    ]
    for step in range(16):
        accent = (0.9, 0.35, 0.6, 0.4)[step % 4] * velocity
        variant = int(draw.integers(4))
        notes.append(Note("shaker", variant, start_s + step * beat / 4, 0.2, accent, 0.3))
    notes += [
        Note("hat", int(draw.integers(3)), start_s + (step + 0.5) * beat, 0.2, 0.7 * velocity, -0.3)
        for step in range(plan.beats)
    ]
    if draw.random() < 0.5:
        notes.append(Note("tom", int(draw.integers(4)), start_s + 3 * beat, 0.8, velocity, -0.4))
    return notes
