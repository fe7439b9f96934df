"""Filters: the sphere's surface pressure as recursions with tabulated weights.

Every facet needs the filters `(i k - 1 / r) V` and, where the surface is soft, `i k beta V` (see
`pressure`). On the dark side V is the sum of two waves that have crept round the sphere either
way; with their delays `a e` taken out, what is left relaxes over about two decades without ringing
and is spanned by real poles, evenly spaced in log frequency:

    -(f_s / c) V ~ sum_w exp(-i k a e_w) sum_j C_wj F_j,   V / (i omega) ~ the same with D

in numpy's convention (exp(+i omega t), omega per sample). What is fitted are responses to the
edges of a box, so the summation that makes a box of them is contained: F_0 is that summation,
F_1 passes on, the others are one-pole low-passes. The weights C, D and B (C times the admittance)
are real. Anything else that a path does to the spectrum (walls, air, a loudspeaker's directivity)
is a change of the weights: `projection`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Complex128, Float32, Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense_simulator.kernels.ringing import FEW, LANES
from acoustic_sense_simulator.scattering.curvature import LARGEST_RADIUS_M, SMALLEST_RADIUS_M
from acoustic_sense_simulator.scattering.impedance import Absorption, admittances
from acoustic_sense_simulator.scattering.sphere import surface_pressure_ratio

RATIO_STEP = 0.2
"""Step of the table in radius over distance, from 0 to 0.4."""

TAIL_SAMPLES_AT_48_KHZ = 320
"""How long the filters ring after the last box has closed."""

ANGLES = 49
"""Angles of a table: evenly in the cosine of half the angle to the source, from 0 to 1."""

COARSE_ANGLES = ANGLES // 2 + 1
"""Angles of the coarser table."""

DARK = 27
"""Angles with a second wave: those whose cosine is below -0.4."""

ENTRIES = ANGLES + DARK + 1
"""Entries of a radius: first waves, second waves, and none at the edge of the dark side."""

_POLES_HZ = np.geomspace(60.0, 14_000.0, LANES - 2)
_RADII, _RATIOS = 14, 3
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16_000.0
_RIDGE_LIT, _RIDGE_DARK = 1e-4, 4e-3


@dataclass(frozen=True, eq=False)
class SurfaceFilters:
    """Filters and weights of one surface at one sample rate.

    The tables have the shape `(ratio, radius, entry, part, lane)`: multiples of `RATIO_STEP`, radii
    of `radius_grid`, angles, parts C, D and B.

    Attributes:
        keep: Feedback of each recursion, shape `(LANES,)`.
        take: Gain of each recursion, shape `(LANES,)`.
        weights: Table of two waves; `ANGLES` first ones, then `DARK` second ones, then none.
        single: Table of one wave, `COARSE_ANGLES` entries: less exact on the dark side.
        mix: What a few weights, `reduction` times all of them, stand for: `w ~ mix^T few`.
        reduction: From all weights to a few.
        frequencies: Where responses are fitted, Hz.
        responses: The filters F at those frequencies, numpy's convention, `(frequency, lane)`.
    """

    keep: Float32[np.ndarray, " lane"]
    take: Float32[np.ndarray, " lane"]
    weights: Float64[np.ndarray, "ratio radius entry part lane"]
    single: Float64[np.ndarray, "ratio radius angle part lane"]
    mix: Float32[np.ndarray, "few lane"]
    reduction: Float64[np.ndarray, "few lane"]
    frequencies: Float64[np.ndarray, " frequency"]
    responses: Complex128[np.ndarray, "frequency lane"]

    def projection(
        self, gain: Complex128[np.ndarray, " frequency"]
    ) -> Float64[np.ndarray, "lane lane"]:
        """Return the matrix that turns weights into those of the filters times a gain.

        Args:
            gain: Causal gain at `frequencies`, numpy's convention.

        Returns:
            `M` with `gain F w ~ F (M w)`.
        """
        wanted = gain[:, None] * self.responses
        wanted[:, 0] -= gain[0].real * self.responses[:, 0]  # what is summed for ever stays so
        row = _row_weights(self.frequencies)
        matrix = np.zeros((LANES, LANES))
        matrix[1:] = np.linalg.lstsq(
            _stacked(self.responses[:, 1:] * row), _stacked(wanted * row), rcond=1e-10
        )[0]
        matrix[0, 0] = gain[0].real
        return matrix


@lru_cache(maxsize=8)
def surface_filters(sample_rate_hz: int, absorption: Absorption = 0.0) -> SurfaceFilters:
    """Return the filters of a surface; about a second, cached.

    Args:
        sample_rate_hz: Samples per second.
        absorption: Energy absorption of the surface, one number or one for each octave band.
    """
    frequencies = np.concatenate(
        [
            np.geomspace(_LOWEST_HZ, 1000.0, 40),
            np.arange(1100.0, min(_HIGHEST_HZ, 0.4 * sample_rate_hz), 200.0),
        ]
    )
    keep, take, responses = _recursions(sample_rate_hz, frequencies)
    targets = _targets(sample_rate_hz, frequencies, absorption, responses[:, 0])
    weights = _weights(responses, targets, frequencies, DARK)
    single = _weights(responses, targets, frequencies, 0)[:, :, :ANGLES:2]
    mix, reduction = _few(responses, single, frequencies)
    return SurfaceFilters(
        keep=keep.astype(np.float32),
        take=take.astype(np.float32),
        weights=weights,
        single=single,
        mix=mix.astype(np.float32),
        reduction=reduction,
        frequencies=frequencies,
        responses=responses,
    )


def radius_grid() -> Float64[np.ndarray, " radius"]:
    """Return the radii of the tables, evenly in log between the limits of `curvature`, metres."""
    return np.geomspace(SMALLEST_RADIUS_M, LARGEST_RADIUS_M, _RADII)


def table_cosines() -> Float64[np.ndarray, " angle"]:
    """Return the cosine between normal and direction to the source of every angle of a table."""
    return 2.0 * np.linspace(0.0, 1.0, ANGLES) ** 2 - 1.0


def creeping_paths() -> Float64[np.ndarray, "2 angle"]:
    """Return how much longer than straight the way of each wave is, over the radius.

    The first wave reaches a place the shorter way (0 on the lit side), the second the longer way.
    """
    cosines = table_cosines()
    angle = np.arccos(np.clip(cosines, -1.0, 1.0))
    shorter = np.maximum(angle - np.pi / 2, 0.0) + np.minimum(cosines, 0.0)
    return np.stack([shorter, 1.5 * np.pi - angle + cosines])


def _recursions(
    sample_rate_hz: int, frequencies: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return feedback, gain and response of all recursions."""
    corners = np.minimum(_POLES_HZ, 0.3 * sample_rate_hz)
    keep = np.concatenate([[1.0, 0.0], np.exp(-2 * np.pi * corners / sample_rate_hz)])
    take = np.concatenate([[1.0], 1.0 - keep[1:]])
    step = np.exp(-2j * np.pi * frequencies / sample_rate_hz)[:, None]
    return keep, take, take / (1.0 - keep * step)


def _targets(
    sample_rate_hz: int,
    frequencies: np.ndarray,
    absorption: Absorption,
    summation: np.ndarray,
) -> Complex128[np.ndarray, "ratio radius angle part frequency"]:
    """Return what C, D and B stand for, numpy's convention, delays included."""
    k = 2 * np.pi * frequencies / SPEED_OF_SOUND_M_S
    beta = admittances(absorption, frequencies)
    cosines = table_cosines()
    shape = (_RATIOS, _RADII, ANGLES, 3, len(frequencies))
    targets = np.zeros(shape, dtype=np.complex128)
    omega = 2j * np.pi * frequencies / sample_rate_hz
    for i in range(_RATIOS):
        for j, radius in enumerate(radius_grid()):
            ratio = surface_pressure_ratio(cosines, k, float(radius), i * RATIO_STEP, beta)
            pressure = np.conj(ratio.T)
            lag = np.exp(-1j * k * radius * creeping_paths()[0, :, None])
            targets[i, j, :, 0] = -sample_rate_hz / SPEED_OF_SOUND_M_S * pressure
            targets[i, j, :, 1] = pressure / omega - lag * (summation - 0.5)
            targets[i, j, :, 2] = beta * targets[i, j, :, 0]
    return targets


def _weights(
    responses: np.ndarray, targets: np.ndarray, frequencies: np.ndarray, dark: int
) -> Float64[np.ndarray, "ratio radius entry part lane"]:
    """Return the weights of all recursions, with second waves for the first `dark` cosines."""
    fitted = _fitted(responses[:, 1:], targets, frequencies, dark)
    weights = np.concatenate([np.zeros_like(fitted[..., :1]), fitted], axis=-1)
    weights[..., :ANGLES, 1, 0] = 1.0  # V is 1 at low frequencies, and all of it in the first wave
    weights[..., 1] -= 0.5 * weights[..., 0]  # half a new weight counts in its own sample
    return weights


def _fitted(
    poles: np.ndarray, targets: np.ndarray, frequencies: np.ndarray, dark: int
) -> Float64[np.ndarray, "ratio radius entry part pole"]:
    """Return the weights of passing on and low-passes: two waves below `dark`, else one."""
    k = 2 * np.pi * frequencies / SPEED_OF_SOUND_M_S
    row = _row_weights(frequencies)[:, 0]
    paths = creeping_paths()
    count = poles.shape[1]
    found = np.zeros((*targets.shape[:2], ENTRIES, 3, count))
    for j, radius in enumerate(radius_grid()):
        lags = np.exp(-1j * k[:, None, None] * radius * paths)
        for entry in range(ANGLES):
            basis = poles * lags[:, 0, entry, None]
            if entry < dark:
                basis = np.concatenate([basis, poles * lags[:, 1, entry, None]], axis=1)
            matrix = _stacked(basis * row[:, None])
            wanted = _stacked((targets[:, j, entry] * row).reshape(-1, len(k)).T)
            system = matrix.T @ matrix
            ridge = _RIDGE_DARK if entry < dark else _RIDGE_LIT
            system += ridge**2 * np.trace(system) / len(system) * np.eye(len(system))
            solution = np.linalg.solve(system, matrix.T @ wanted).T.reshape(_RATIOS, 3, -1)
            found[:, j, entry] = solution[..., :count]
            if entry < dark:
                found[:, j, ANGLES + entry] = solution[..., count:]
    return found


def _few(
    responses: np.ndarray, weights: np.ndarray, frequencies: np.ndarray
) -> tuple[Float64[np.ndarray, "few lane"], Float64[np.ndarray, "few lane"]]:
    """Return the few combinations of recursions that carry the weights best, and the way to them.

    The summation stays by itself; the others come from a singular value decomposition of the
    responses that all spheres and angles need.
    """
    matrix = _stacked(responses[:, 1:] * _row_weights(frequencies))
    root = np.linalg.cholesky(matrix.T @ matrix + 1e-10 * np.eye(LANES - 1)).T
    flat = (weights[..., 1:] @ root.T).reshape(-1, LANES - 1)
    vectors = np.linalg.eigh(flat.T @ flat)[1][:, ::-1][:, : FEW - 1]
    mix, reduction = np.zeros((FEW, LANES)), np.zeros((FEW, LANES))
    mix[0, 0] = reduction[0, 0] = 1.0
    mix[1:, 1:] = np.linalg.solve(root, vectors).T
    reduction[1:, 1:] = (root.T @ vectors).T
    return mix, reduction


def _row_weights(frequencies: np.ndarray) -> Float64[np.ndarray, "frequency 1"]:
    """Return how much each frequency counts, alike per octave above 200 Hz."""
    weights: np.ndarray = np.sqrt(np.gradient(frequencies) / np.maximum(frequencies, 200.0))
    return weights[:, None]


def _stacked(values: np.ndarray) -> Float64[np.ndarray, "row column"]:
    """Return real parts above imaginary parts."""
    return np.concatenate([values.real, values.imag])
