"""From the mix to the finished track: equaliser, hiss, limiter and the codec's upper edge.

Every step works forward in time and without regard to what comes later, so that a longer piece
begins with the shorter one, sample for sample.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32
from scipy import signal

from acoustic_sense_plugins.music.score import Shelf

KNEE = 0.6
"""Size from which on the limiter bends the signal."""

CEILING = 0.92
"""Size that the limiter never exceeds."""

HISS_BLOCK = 1 << 16
"""Samples of noise drawn at a time."""


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


def add_hiss(mix: Float[np.ndarray, "2 sample"], level_db: float, seed: int) -> None:
    """Add steady white noise, independent left and right, to the mix in place."""
    generator = np.random.default_rng([seed, 0x4155])
    level = 10 ** (level_db / 20)
    for start in range(0, mix.shape[1], HISS_BLOCK):
        noise = generator.standard_normal((2, HISS_BLOCK), dtype=np.float32)
        part = mix[:, start : start + HISS_BLOCK]
        part += level * noise[:, : part.shape[1]]


def narrowed(mix: Float[np.ndarray, "2 sample"], width: float) -> Float[np.ndarray, "2 sample"]:
    """Return the mix with the difference between left and right scaled by `width`."""
    middle, side = 0.5 * (mix[0] + mix[1]), 0.5 * width * (mix[0] - mix[1])
    return np.stack([middle + side, middle - side])


def master(
    mix: Float[np.ndarray, "2 sample"],
    equaliser: Sequence[Shelf],
    bandwidth_hz: float,
    rate_hz: int,
) -> Float32[np.ndarray, "2 sample"]:
    """Return the finished track: equalised, limited, band-limited, never beyond full scale."""
    if equaliser:
        sections = np.concatenate([shelf_section(shelf, rate_hz) for shelf in equaliser])
        mix = signal.sosfilt(sections, mix)
    track = signal.sosfilt(codec_edge(bandwidth_hz, rate_hz), limited(mix))
    return np.asarray(np.clip(track, -1, 1).astype(np.float32))
