"""Instruments without pitch; `pitch` numbers the variant, so that no two hits need be the same.

The functions take and return the same as those of `tones`.
"""

import numpy as np
from jaxtyping import Float

from acoustic_sense_plugins.music.oscillators import band_noise, decay, decaying_partials, rise

Stereo = Float[np.ndarray, "2 sample"]


def kick(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Bass drum: a sine that falls to about 48 Hz, and the beater."""
    count = int(0.45 * rate_hz)
    t = np.arange(count) / rate_hz
    depth = 60 + 130 * brightness
    phase = 2 * np.pi * (48 * t + depth * 0.03 * (1 - np.exp(-t / 0.03)))
    body = np.sin(phase) * decay(count, 0.13, rate_hz)
    beater = band_noise(1000.0, 9000.0, count, rate_hz, generator) * decay(count, 0.004, rate_hz)
    return np.asarray((body + 0.12 * (0.3 + brightness) * beater) * rise(count, 0.001, rate_hz))


def snare(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Snare drum: two modes of the skin and the wires."""
    count = int(0.35 * rate_hz)
    skin = decaying_partials(
        np.array([186.0, 331.0]),
        np.array([0.5, 0.25]),
        np.array([0.07, 0.05]),
        np.full(2, -np.pi / 2),
        count,
        rate_hz,
    )
    wires = band_noise(1200.0, 14000.0, count, rate_hz, generator) * decay(
        count, 0.05 + 0.05 * brightness, rate_hz
    )
    return np.asarray(skin + 0.22 * wires)


def clap(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Hand clap: four bursts in 30 ms, then the room."""
    count = int(0.3 * rate_hz)
    envelope = 0.6 * decay(count, 0.07, rate_hz)
    for index in range(4):
        start = int((0.009 * index + generator.uniform(0, 0.002)) * rate_hz)
        envelope[start:] += decay(count - start, 0.005, rate_hz)
    return 0.25 * band_noise(900.0, 9000.0, count, rate_hz, generator) * envelope


def hat(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Closed hi-hat, more open the brighter it is."""
    count = int(0.4 * rate_hz)
    noise = band_noise(5500.0, 17000.0, count, rate_hz, generator)
    return np.asarray(0.3 * noise * decay(count, 0.018 + 0.09 * brightness**2, rate_hz))


def ride(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Ride cymbal: dense inharmonic partials that ring, under a stick's click."""
    count = int(1.6 * rate_hz)
    frequencies = np.geomspace(420, 15000, 60)
    frequencies = frequencies * generator.uniform(0.96, 1.04, 60)
    sides = [
        decaying_partials(
            frequencies * generator.uniform(0.999, 1.001, 60),
            generator.uniform(0.3, 1.0, 60) * (frequencies / 4000) ** 0.4,
            generator.uniform(0.25, 0.7, 60),
            generator.uniform(0, 2 * np.pi, 60),
            count,
            rate_hz,
        )
        for _ in range(2)
    ]
    wash = band_noise(3000.0, 16000.0, count, rate_hz, generator) * decay(count, 0.3, rate_hz)
    stick = band_noise(2500.0, 12000.0, count, rate_hz, generator) * decay(count, 0.012, rate_hz)
    return np.asarray(0.02 * np.stack(sides) + 0.06 * wash + (0.15 + 0.25 * brightness) * stick)


def brush(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Brush swept over the snare drum."""
    count = int(0.5 * rate_hz)
    noise = band_noise(900.0, 9000.0, count, rate_hz, generator)
    t = np.arange(count) / rate_hz
    sweep = np.sin(np.pi * np.minimum(t / 0.32, 1.0)) ** 2
    tap = decay(count, 0.02, rate_hz) * brightness
    return 0.16 * noise * (0.6 * sweep + tap)


def shaker(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Shaker: a short soft burst of high noise."""
    count = int(0.14 * rate_hz)
    noise = band_noise(3500.0, 14000.0, count, rate_hz, generator)
    return np.asarray(0.2 * noise * rise(count, 0.025, rate_hz) * decay(count, 0.03, rate_hz))


def tom(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Low drum with a soft mallet; the variant chooses its pitch."""
    count = int(0.9 * rate_hz)
    t = np.arange(count) / rate_hz
    f0 = 62.0 * 2 ** ((pitch % 4) * 3 / 12)
    body = np.sin(2 * np.pi * f0 * (t + 0.012 * (1 - np.exp(-t / 0.04)))) * decay(
        count, 0.22, rate_hz
    )
    skin = band_noise(150.0, 2500.0, count, rate_hz, generator) * decay(count, 0.03, rate_hz)
    return np.asarray((body + 0.12 * skin) * rise(count, 0.003, rate_hz))


def wind(pitch: int, brightness: float, rate_hz: int, generator: np.random.Generator) -> Stereo:
    """Noise whose bands swell one after the other, upwards or downwards: a sweeping filter."""
    count = int(9.0 * rate_hz)
    t = np.arange(count) / rate_hz
    edges = np.geomspace(300, 16000, 8)
    centres = np.linspace(1.5, 6.5, 7)
    if pitch % 2:
        centres = centres[::-1]
    total = np.zeros((2, count))
    for low, high, centre in zip(edges[:-1], edges[1:], centres, strict=True):
        level = 0.25 * np.sqrt((high - low) / high) * (1200 / (1200 + low)) ** 0.6
        total += (
            level
            * band_noise(low, high, count, rate_hz, generator)
            * np.exp(-0.5 * ((t - centre) / 1.3) ** 2)
        )
    return np.asarray(total * rise(count, 0.5, rate_hz) * rise(count, 0.8, rate_hz)[::-1])
