"""Pitched instruments: each returns one long stereo note, cut to length when it is played.

Every function takes the MIDI pitch, the brightness (0 soft to 1 hard), the sample rate and a
generator, and returns an array of shape `(2, sample)` with a peak of about 1.
"""

import numpy as np
from jaxtyping import Float

from acoustic_sense_plugins.music.harmony import frequency_hz
from acoustic_sense_plugins.music.oscillators import (
    band_noise,
    decay,
    decaying_partials,
    harmonic_count,
    rise,
    wave,
    wavetable,
)

Stereo = Float[np.ndarray, "2 sample"]


def _struck(
    frequencies: Float[np.ndarray, " partial"],
    amplitudes: Float[np.ndarray, " partial"],
    decays: Float[np.ndarray, " partial"],
    seconds: float,
    rate_hz: int,
    generator: np.random.Generator,
    detune_cents: float = 1.5,
) -> Stereo:
    """Decaying partials with their own phases and a slight detuning left and right."""
    count = int(seconds * rate_hz)
    sides = []
    shared = generator.uniform(-0.5, 0.5, frequencies.size)
    for cents in (-detune_cents, detune_cents):
        phases = -np.pi / 2 + shared + generator.uniform(-0.4, 0.4, frequencies.size)
        tuned = frequencies * 2 ** (cents / 1200)
        sides.append(decaying_partials(tuned, amplitudes, decays, phases, count, rate_hz))
    return np.asarray(np.stack(sides) * rise(count, 0.002, rate_hz) / amplitudes.sum())


def piano(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Piano: stretched partials, high ones decaying first, and the knock of the hammer.

    References:
        Fletcher, Blackham, Stratton (1962), "Quality of piano tones", JASA 34: partial k lies at
        k f0 sqrt(1 + B k^2).
    """
    f0 = frequency_hz(pitch)
    k = np.arange(1, harmonic_count(f0, rate_hz, 40) + 1)
    frequencies = k * f0 * np.sqrt(1 + 3e-4 * (f0 / 261) ** 1.2 * k**2)
    comb = np.abs(np.sin(np.pi * k / 8.3)) + 0.08
    amplitudes = comb / k**0.9 * np.exp(-frequencies / (900 + 3200 * brightness))
    decays = (1.1 * (261 / f0) ** 0.45) / (1 + (frequencies / 1800) ** 1.1)
    note = _struck(frequencies, amplitudes, decays, 3.0, rate_hz, generator)
    knock = band_noise(300.0, 5000.0, note.shape[1] // 10, rate_hz, generator)
    note[:, : knock.shape[1]] += (
        0.03 * (0.4 + brightness) * knock * decay(knock.shape[1], 0.018, rate_hz)
    )
    return note * 1.6


def electric_piano(
    pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator
) -> Stereo:
    """Electric piano by frequency modulation: a mellow body and a bell in the attack."""
    f0, count = frequency_hz(pitch), int(3.0 * rate_hz)
    t = np.arange(count) / rate_hz
    body = np.sin(2 * np.pi * f0 * t) * (0.4 + 1.2 * brightness) * decay(count, 0.5, rate_hz)
    ring = np.sin(2 * np.pi * min(14 * f0, 0.3 * rate_hz) * t) * decay(count, 0.12, rate_hz)
    sides = []
    for side in (-1, 1):
        phase = 2 * np.pi * f0 * 2 ** (side * 1.2 / 1200) * t
        tremolo = 1 + side * 0.2 * np.sin(2 * np.pi * 4.8 * t)
        sides.append(np.sin(phase + body + (0.1 + 0.3 * brightness) * ring) * tremolo)
    return np.asarray(
        np.stack(sides) * (0.8 * rise(count, 0.003, rate_hz) * decay(count, 1.1, rate_hz))
    )


def vibraphone(
    pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator
) -> Stereo:
    """Vibraphone: partials at 1, 4 and 10 times, the motor's tremolo, the mallet."""
    f0 = frequency_hz(pitch)
    ratios = np.array([1.0, 3.99, 9.8, 16.5])
    amplitudes = np.array([1.0, 0.25 + 0.3 * brightness, 0.1 + 0.15 * brightness, 0.05])
    note = _struck(
        f0 * ratios, amplitudes, np.array([1.6, 0.5, 0.15, 0.06]), 3.0, rate_hz, generator
    )
    t = np.arange(note.shape[1]) / rate_hz
    return note * (1 + 0.25 * np.sin(2 * np.pi * 5.5 * t))


def pluck(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Plucked string: harmonics of a string plucked near its end."""
    f0 = frequency_hz(pitch)
    k = np.arange(1, harmonic_count(f0, rate_hz, 36) + 1)
    amplitudes = np.abs(np.sin(np.pi * k * 0.13)) / k * np.exp(-k * f0 / (2500 + 6000 * brightness))
    decays = 0.9 * (220 / f0) ** 0.4 / (1 + 0.12 * k)
    return 1.7 * _struck(k * f0, amplitudes, decays, 2.5, rate_hz, generator)


def bell(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Bell: inharmonic partials with long decays that beat left against right."""
    f0 = frequency_hz(pitch)
    ratios = np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.74, 3.0, 3.76, 5.4, 8.2, 11.1])
    amplitudes = np.array([0.3, 1, 0.5, 0.3, 0.6, 0.3, 0.2, 0.25, 0.2, 0.14, 0.09])
    amplitudes = amplitudes * np.linspace(1, 0.4 + 0.9 * brightness, ratios.size)
    return 1.5 * _struck(f0 * ratios, amplitudes, 2.4 / ratios**0.7, 5.0, rate_hz, generator, 3.0)


def upright_bass(
    pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator
) -> Stereo:
    """Plucked double bass: a strong fundamental, the finger leaving the string."""
    f0 = frequency_hz(pitch)
    k = np.arange(1, harmonic_count(f0, rate_hz, 24) + 1)
    amplitudes = k**-1.1 * np.exp(-k * f0 / (350 + 700 * brightness))
    note = _struck(k * f0, amplitudes, 0.75 / (1 + 0.25 * (k - 1)), 1.6, rate_hz, generator, 0.3)
    click = band_noise(700.0, 3500.0, int(0.05 * rate_hz), rate_hz, generator)
    note[:, : click.shape[1]] += 0.03 * click * decay(click.shape[1], 0.008, rate_hz)
    return note * 1.3


def synth_bass(
    pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator
) -> Stereo:
    """Sawtooth bass whose filter closes: high harmonics decay first."""
    f0 = frequency_hz(pitch)
    k = np.arange(1, harmonic_count(f0, rate_hz, 80) + 1)
    amplitudes = 1 / k
    decays = 0.9 / (1 + (k * f0 / (300 + 1200 * brightness)) ** 1.2)
    return 1.8 * _struck(k * f0, amplitudes, decays, 1.2, rate_hz, generator, 0.5)


def _sustained(
    pitch: int,
    slope: float,
    cutoff_hz: float,
    seconds: float,
    rate_hz: int,
    generator: np.random.Generator,
    detunes_cents: tuple[float, ...],
    vibrato_cents: float = 0.0,
) -> Stereo:
    """Detuned readers of one wavetable: the first in the middle, the others on either side."""
    f0, count = frequency_hz(pitch), int(seconds * rate_hz)
    k = np.arange(1, harmonic_count(f0, rate_hz, 96) + 1)
    table = wavetable(tuple(k**-slope / np.sqrt(1 + (k * f0 / cutoff_hz) ** 4)))
    t = np.arange(count) / rate_hz
    bend = vibrato_cents / 1200 * np.log(2) * f0 / (2 * np.pi * 5.2)
    wobble = bend * (1 - np.cos(2 * np.pi * 5.2 * t)) if vibrato_cents else 0.0

    def reader(cents: float) -> Float[np.ndarray, " sample"]:
        tuned = f0 * 2 ** ((cents + generator.uniform(-2, 2)) / 1200)
        return wave(table, generator.uniform(0, 1) + tuned * t + wobble)

    middle = reader(detunes_cents[0])
    note = np.stack([middle, middle])
    for side in note:
        for cents in detunes_cents[1:]:
            side += reader(cents)
    return np.asarray(note / (np.sqrt(len(detunes_cents)) * np.abs(table).max()))


def pad(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Synthesiser pad: two sawtooth choirs, the brighter one swelling and fading."""
    warm = _sustained(pitch, 1.2, 700.0, 11.0, rate_hz, generator, (-7.0, 6.0))
    bright = _sustained(pitch, 0.9, 2500 + 4000 * brightness, 11.0, rate_hz, generator, (-9.0, 8.0))
    count = warm.shape[1]
    t = np.arange(count) / rate_hz
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * t / generator.uniform(6, 11))
    return np.asarray(
        (warm + (0.15 + 0.5 * brightness) * swell * bright) * rise(count, 0.7, rate_hz)
    )


def drone(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Low drone: few harmonics, slow beats."""
    note = _sustained(pitch, 1.4, 250 + 400 * brightness, 11.0, rate_hz, generator, (-4.0, 3.0))
    return np.asarray(
        np.broadcast_to(note.mean(axis=0), note.shape) * rise(note.shape[1], 0.25, rate_hz)
    )


def gated_pad(
    pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator
) -> Stereo:
    """Short synthesiser chord: two sawtooth choirs with a quick attack."""
    cutoff_hz = 900 + 3500 * brightness
    note = _sustained(pitch, 1.0, cutoff_hz, 1.2, rate_hz, generator, (-7.0, 6.0))
    return np.asarray(
        note * rise(note.shape[1], 0.015, rate_hz) * decay(note.shape[1], 0.5, rate_hz)
    )


def horn(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Wind instrument: vibrato, a brassy spectrum, breath."""
    note = _sustained(
        pitch, 0.55, 1100 + 1500 * brightness, 2.5, rate_hz, generator, (0.0,), vibrato_cents=14.0
    )
    breath = band_noise(1500.0, 7000.0, note.shape[1], rate_hz, generator)
    return np.asarray((0.8 * note + 0.006 * breath) * rise(note.shape[1], 0.035, rate_hz))


def lead(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Synthesiser stab: three sawtooth readers with a closing envelope."""
    note = _sustained(
        pitch, 1.0, 2500 + 5000 * brightness, 1.5, rate_hz, generator, (-11.0, 0.0, 10.0)
    )
    return np.asarray(
        note * rise(note.shape[1], 0.004, rate_hz) * decay(note.shape[1], 0.35, rate_hz)
    )
