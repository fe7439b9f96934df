"""From the mix to the finished track: equaliser, hiss, limiter and the codec's upper edge.

Every step works forward in time and without regard to what comes later, so that a longer piece
begins with the shorter one, sample for sample.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy import signal

from acoustic_sense_plugins.music.score import Shelf

KNEE = 0.6
"""Size from which on the limiter bends the signal."""

CEILING = 0.92
"""Size that the limiter never exceeds."""

HISS_BLOCK = 1 << 16
"""Samples that are finished, and of noise that are drawn, at a time."""


def shelf_section(shelf: Shelf, rate_hz: int) -> Float[np.ndarray, "1 6"]:
    """Return a shelving filter as one second-order section.

    References:
        R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients",
        shelf slope 1.
    """
    a = 10 ** (shelf.gain_db / 40)
    omega = 2 * np.pi * min(shelf.corner_hz / rate_hz, 0.45)
    cos, alpha = np.cos(omega), np.sin(omega) / np.sqrt(2)
    sign = 1.0 if shelf.kind == "low" else -1.0
    root = 2 * np.sqrt(a) * alpha
    return np.asarray(
        np.array(
            [
                [
                    a * ((a + 1) - sign * (a - 1) * cos + root),
                    sign * 2 * a * ((a - 1) - sign * (a + 1) * cos),
                    a * ((a + 1) - sign * (a - 1) * cos - root),
                    (a + 1) + sign * (a - 1) * cos + root,
                    sign * -2 * ((a - 1) + sign * (a + 1) * cos),
                    (a + 1) + sign * (a - 1) * cos - root,
                ]
            ]
        )
        / ((a + 1) + sign * (a - 1) * cos + root)
    )


def codec_edge(bandwidth_hz: float, rate_hz: int) -> Float[np.ndarray, "section 6"]:
    """Return the low-pass of a lossy file: nothing is left within 5 % above the edge."""
    edge = min(bandwidth_hz, 0.46 * rate_hz)
    return np.asarray(signal.ellip(12, 0.2, 90, edge, fs=rate_hz, output="sos"))


def limited(mix: Float[np.ndarray, "2 sample"]) -> Float[np.ndarray, "2 sample"]:
    """Return the mix with everything above the knee bent smoothly below the ceiling."""
    size = np.abs(mix)
    loud = size > KNEE
    if loud.any():
        span = CEILING - KNEE
        over = (size[loud] - KNEE) / span
        mix = mix.copy()
        mix[loud] = np.sign(mix[loud]) * (KNEE + span * over / (1 + over))
    return mix


def narrowed(mix: Float[np.ndarray, "2 sample"], width: float) -> Float[np.ndarray, "2 sample"]:
    """Return the mix with the difference between left and right scaled by `width`."""
    middle, side = 0.5 * (mix[0] + mix[1]), 0.5 * width * (mix[0] - mix[1])
    return np.stack([middle + side, middle - side])


@dataclass(frozen=True)
class Mastering:
    """What is done to a mix.

    Attributes:
        hiss_db: Level of steady white noise, independent left and right, in dB full scale.
        hiss_seed: Seed of that noise.
        stereo_width: 1 leaves the stereo image as it is; 0 makes it mono.
        equaliser: Shelves, possibly none.
        bandwidth_hz: Upper edge of the spectrum.
    """

    hiss_db: float
    hiss_seed: int
    stereo_width: float
    equaliser: tuple[Shelf, ...]
    bandwidth_hz: float


def master(mix: Float32[np.ndarray, "2 sample"], settings: Mastering, rate_hz: int) -> None:
    """Turn a mix into the finished track, in place and some samples at a time.

    It is equalised, limited and band-limited, and never goes beyond full scale.

    Args:
        mix: Left and right; the finished track afterwards.
        settings: What is done to it.
        rate_hz: Samples per second.
    """
    generator = np.random.default_rng([settings.hiss_seed, 0x4155])
    level = 10 ** (settings.hiss_db / 20)
    shelves = [shelf_section(shelf, rate_hz) for shelf in settings.equaliser]
    steps = [
        *([np.concatenate(shelves)] if shelves else []),
        codec_edge(settings.bandwidth_hz, rate_hz),
    ]
    states = [np.zeros((len(sections), 2, 2)) for sections in steps]
    for start in range(0, mix.shape[1], HISS_BLOCK):
        part = mix[:, start : start + HISS_BLOCK]
        hiss = generator.standard_normal((2, HISS_BLOCK), dtype=np.float32)[:, : part.shape[1]]
        sound = narrowed(part.astype(np.float64) + level * hiss, settings.stereo_width)
        for number, sections in enumerate(steps):
            if number == len(steps) - 1:
                sound = limited(sound)
            sound, states[number] = signal.sosfilt(sections, sound, zi=states[number])
        part[:] = np.clip(sound, -1, 1)
