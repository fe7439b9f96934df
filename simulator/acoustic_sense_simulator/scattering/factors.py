"""Separable filters: the sphere's surface pressure as a few filters with tabulated weights.

Every facet needs the filter `(i k - 1 / d) V(mu, k a, a / d_s)`. Over all facets these filters are
close to a space of few dimensions once the delay of the wave that creeps round the sphere is
taken out, so that

    i k V exp(-i k a e(mu)) ~ sum_j C_j F_j(f),   V exp(-i k a e(mu)) ~ sum_j D_j F_j(f)

with weights C, D tabulated over (a / d_s, a, mu) and `e(mu)` the creeping path beyond the
straight one in the shadow. The filters come from a weighted singular value decomposition.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense_simulator.scattering.curvature import LARGEST_RADIUS_M, SMALLEST_RADIUS_M
from acoustic_sense_simulator.scattering.sphere import surface_pressure_ratio

RANK = 8
"""Number of filters."""

PRE_TAPS = 64
"""Taps of a filter before time zero: the band limit rings both ways."""

RATIO_STEP = 0.2
"""Step of the table in radius over distance, from 0 to 0.6."""

_TAPS = 512
_COSINES = 65
_RADII = 8
_GRID = 1024


@dataclass(frozen=True, eq=False)
class SeparableFilters:
    """Filters and weights.

    Attributes:
        taps: Impulse responses, shape `(rank, tap)`; time zero is tap `PRE_TAPS`.
        weights: Table, shape `(ratio, radius, cosine, 2 * rank)`: C, then D. Ratios are
            multiples of `RATIO_STEP`, radii spaced evenly in log between the limits of
            `curvature`, cosines evenly from -1 to 1.
        creeping: Extra path over radius at each cosine, shape `(cosine,)`.
    """

    taps: Float32[np.ndarray, "rank tap"]
    weights: Float32[np.ndarray, "ratio radius cosine weight"]
    creeping: Float32[np.ndarray, " cosine"]


@lru_cache(maxsize=8)
def separable_filters(sample_rate_hz: int, beta: float = 0.0, rank: int = RANK) -> SeparableFilters:
    """Return the filters for a sample rate and a surface admittance; about a second, cached.

    Args:
        sample_rate_hz: Samples per second.
        beta: Specific admittance of the surface.
        rank: Number of filters.
    """
    cosines = np.linspace(-1.0, 1.0, _COSINES)
    radii = np.geomspace(SMALLEST_RADIUS_M, LARGEST_RADIUS_M, _RADII)
    ratios = np.arange(4) * RATIO_STEP
    frequencies = np.maximum(np.arange(_GRID // 2 + 1) * sample_rate_hz / _GRID, 3.0)
    k = 2 * np.pi * frequencies / SPEED_OF_SOUND_M_S
    shadow_angle = np.maximum(np.arccos(cosines) - np.pi / 2, 0.0)
    creeping = shadow_angle - np.sin(shadow_angle)
    table = np.empty((len(k), len(ratios), len(radii), len(cosines)), dtype=np.complex128)
    for i, ratio in enumerate(ratios):
        for j, radius in enumerate(radii):
            advance = np.exp(-1j * k[:, None] * radius * creeping)
            table[:, i, j] = advance * surface_pressure_ratio(cosines, k, radius, ratio, beta)
    weights, responses = _factored(table, frequencies, k, rank)
    return SeparableFilters(
        taps=_impulse_responses(responses, frequencies, sample_rate_hz).astype(np.float32),
        weights=weights.astype(np.float32),
        creeping=creeping.astype(np.float32),
    )


def _factored(
    table: np.ndarray, frequencies: np.ndarray, k: np.ndarray, rank: int
) -> tuple[Float64[np.ndarray, "ratio radius cosine weight"], np.ndarray]:
    """Return the weights, and the filters' frequency responses, shape `(frequency, rank)`."""
    shape = table.shape[1:]
    flat = table.reshape(len(k), -1)
    row = 1 / np.abs(1j * k - 1) / np.sqrt(np.maximum(1.0, frequencies / 2000))
    row *= np.where(frequencies > 20_000, 0.05, 1.0)
    column = np.broadcast_to(np.array([1.0, 0.5, 0.15, 0.05])[:, None, None], shape).ravel()
    scaled = np.concatenate([1j * k[:, None] * flat, flat], axis=1) * row[:, None]
    stacked = np.concatenate([scaled.real, scaled.imag])
    weighted = stacked * np.concatenate([column, column])
    _, vectors = np.linalg.eigh(weighted @ weighted.T)
    basis = vectors[:, ::-1][:, :rank]
    coefficients = (basis.T @ stacked).reshape(rank, 2, *shape)
    responses = (basis[: len(k)] + 1j * basis[len(k) :]) / row[:, None]
    weights = np.moveaxis(coefficients, (0, 1), (-1, -2)).reshape(*shape, 2 * rank)
    return weights, responses


def _impulse_responses(
    responses: np.ndarray, frequencies: np.ndarray, sample_rate_hz: int
) -> Float64[np.ndarray, "rank tap"]:
    """Return band-limited impulse responses, faded at both ends."""
    nyquist = sample_rate_hz / 2
    start = min(18_000.0, 0.75 * nyquist)
    place = np.clip((frequencies - start) / (nyquist - start), 0.0, 1.0)
    taper = np.cos(np.pi / 2 * place) ** 2
    spectra = np.conj(responses * taper[:, None]).T  # numpy's transform has exp(-i omega t)
    spectra[:, [0, -1]] = spectra[:, [0, -1]].real
    taps: np.ndarray = np.roll(np.fft.irfft(spectra, n=_GRID), PRE_TAPS, axis=1)[:, :_TAPS]
    fade = np.ones(_TAPS)
    fade[: PRE_TAPS // 2] = np.sin(np.linspace(0, np.pi / 2, PRE_TAPS // 2)) ** 2
    fade[-128:] = np.cos(np.linspace(0, np.pi / 2, 128)) ** 2
    return taps * fade
