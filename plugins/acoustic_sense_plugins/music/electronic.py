"""Electronic: four to the floor, off-beat hats, sawtooth bass, arpeggios, breaks and build-ups."""

import numpy as np

from acoustic_sense_plugins.music.harmony import close_voicing, nearest_pitch, pitches_between
from acoustic_sense_plugins.music.score import Note, Plan, Shelf, Style

SECTION_BARS = 4

SECTIONS: dict[str, frozenset[str]] = {
    "groove": frozenset({"kick", "hat", "bass", "stabs"}),
    "full": frozenset({"kick", "hat", "clap", "bass", "arpeggio", "pad"}),
    "peak": frozenset({"kick", "hat", "clap", "bass", "arpeggio", "stabs", "pad"}),
    "break": frozenset({"pad", "arpeggio", "wind"}),
    "build": frozenset({"pad", "roll", "bass", "wind"}),
}
"""Parts that play in each kind of section."""


class Electronic(Style):
    """Dance music; what plays changes every four bars."""

    tempo_range_bpm = (108.0, 136.0)
    beats = 4
    hiss_db = -80.0
    levels_db = {
        "kick": -7.0,
        "clap": -16.0,
        "snare": -18.0,
        "hat": -20.0,
        "synth-bass": -11.0,
        "lead": -18.0,
        "pluck": -15.0,
        "pad": -21.0,
        "wind": -20.0,
    }
    equaliser = (Shelf("low", 100.0, 0.0, 2.0), Shelf("high", 4000.0, -2.0, 3.0))

    def bar(self, plan: Plan, index: int) -> list[Note]:
        """Return the notes that begin in bar `index`."""
        parts = SECTIONS[_section(plan, index // SECTION_BARS)]
        loud = float(plan.generator(2, index // SECTION_BARS).uniform(0.6, 0.95))
        draw = plan.generator(1, index)
        start_s = index * plan.bar_s
        notes = _drums(plan, start_s, loud, parts, draw)
        if "bass" in parts:
            notes += _bass(plan, index, start_s, loud)
        if "pad" in parts:
            notes += _pad(plan, index, start_s, loud)
        if "stabs" in parts:
            notes += _stabs(plan, index, start_s, loud)
        if "arpeggio" in parts:
            notes += _arpeggio(plan, index, start_s, loud)
        if "wind" in parts and index % SECTION_BARS == 0:
            notes.append(Note("wind", 0, start_s, SECTION_BARS * plan.bar_s, loud))
        return notes


def _section(plan: Plan, section: int) -> str:
    """Return the kind of a section: a build-up leads from a break to a peak."""
    if section == 0:
        return "groove"
    position = section % 6
    if position in (3, 4):
        return ("break", "build")[position - 3]
    if position == 5:
        return "peak"
    return ("groove", "full", "peak")[int(plan.generator(3, section).integers(3))]


def _drums(
    plan: Plan, start_s: float, loud: float, parts: frozenset[str], draw: np.random.Generator
) -> list[Note]:
    """Return bass drum, claps, hats and, in a build-up, the roll."""
    beat = plan.beat_s
    notes = []
    for b in range(plan.beats):
        when = start_s + b * beat
        if "kick" in parts:
            notes.append(Note("kick", 0, when, 0.4, loud))
        if "clap" in parts and b % 2:
            notes.append(Note("clap", int(draw.integers(3)), when, 0.3, loud))
    if "hat" in parts:
        for step in range(16):
            accent = (0.3, 0.2, 0.95, 0.3)[step % 4] * loud
            variant = int(draw.integers(3))
            notes.append(Note("hat", variant, start_s + step * beat / 4, 0.25, accent, 0.2))
    if "roll" in parts:
        for step in range(16):
            growth = loud * (0.3 + 0.6 * step / 15)
            variant = int(draw.integers(4))
            notes.append(Note("snare", variant, start_s + step * beat / 4, 0.2, growth))
    return notes


def _bass(plan: Plan, index: int, start_s: float, loud: float) -> list[Note]:
    """Return a riff in semiquavers that stays for 8 bars and follows the chord."""
    riff = plan.generator(4, index // 8)
    sounding, octave = riff.random(16) < 0.6, riff.random(16) < 0.2
    root = nearest_pitch(plan.chord(index).root, 36.0)
    step_s = plan.beat_s / 4
    return [
        Note("synth-bass", root + 12 * int(octave[s]), start_s + s * step_s, 0.8 * step_s, loud)
        for s in range(16)
        if sounding[s] and s % 4 != 0
    ]


def _pad(plan: Plan, index: int, start_s: float, loud: float) -> list[Note]:
    """Return the chord, held for the bar, with its root below."""
    chord = plan.chord(index)
    voices = [*close_voicing(chord.tones, 62.0), nearest_pitch(chord.root, 46.0)]
    pans = np.linspace(-0.6, 0.6, len(voices))
    return [
        Note("pad", pitch, start_s, 0.95 * plan.bar_s, loud, float(pan))
        for pitch, pan in zip(voices, pans, strict=True)
    ]


def _stabs(plan: Plan, index: int, start_s: float, loud: float) -> list[Note]:
    """Return syncopated chords."""
    times = np.flatnonzero(plan.generator(5, index // 8).random(16) < 0.28)
    voices = close_voicing(plan.chord(index).tones, 64.0)
    step_s = plan.beat_s / 4
    return [
        Note("lead", pitch, start_s + float(step) * step_s, 1.5 * step_s, loud, pan)
        for step in times
        for pitch, pan in zip(voices, np.linspace(-0.4, 0.4, len(voices)).tolist(), strict=True)
    ]


def _arpeggio(plan: Plan, index: int, start_s: float, loud: float) -> list[Note]:
    """Return semiquavers up and down the chord."""
    pattern = plan.generator(6, index // 8)
    pitches = pitches_between(plan.chord(index).tones, 64, 88)
    order = pattern.integers(0, len(pitches) + 4, 16)
    step_s = plan.beat_s / 4
    return [
        Note(
            "pluck",
            pitches[int(order[step]) % len(pitches)],
            start_s + step * step_s,
            2 * step_s,
            loud * (0.9, 0.6, 0.75, 0.6)[step % 4],
            (-0.5, 0.5)[step % 2],
        )
        for step in range(16)
    ]
