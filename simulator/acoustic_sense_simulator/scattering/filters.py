"""Filters: the sphere's surface pressure as recursions with tabulated weights.

Every facet needs the filters `(i k - 1 / r) V` and, where the surface is soft, `i k beta V` (see
`pressure`). With the delay `a e` of the wave that creeps round the sphere taken out, V relaxes over
about two decades almost without ringing and is carried by real poles, evenly spaced in log
frequency:

    -(f_s / c) V ~ exp(-i k a e) sum_j C_j F_j,   V / (i omega) ~ the same with D

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

RATIO_STEP = 0.1
"""Step of the table in radius over distance, from 0 to 0.4."""

TAIL_SAMPLES_AT_48_KHZ = 256
"""How long the filters ring after the last box has closed."""

ANGLES = 49
"""Angles of a table: evenly in the cosine of half the angle to the source, from 0 to 1."""

COARSE_ANGLES = ANGLES // 3 + 1
"""Angles of the coarser table."""

_POLES_HZ = np.geomspace(60.0, 14_000.0, LANES - 2)
_RADII, _RATIOS = 14, 5
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 8_000.0
_RIDGE = 1e-5


@dataclass(frozen=True, eq=False)
class SurfaceFilters:
    """Filters and weights of one surface at one sample rate.

    The table has the shape `(ratio, radius, angle, part, lane)`: multiples of `RATIO_STEP`, radii
    of `radius_grid`, `ANGLES`, parts C, D and B.

    Attributes:
        keep: Feedback of each recursion, shape `(LANES,)`.
        take: Gain of each recursion, shape `(LANES,)`.
        weights: The table.
        mix: What a few weights, `reduction` times all of them, stand for: `w ~ mix^T few`.
        reduction: From all weights to a few.
        frequencies: Where responses are fitted, Hz.
        responses: The filters F at those frequencies, numpy's convention, `(frequency, lane)`.
    """

    keep: Float32[np.ndarray, " lane"]
    take: Float32[np.ndarray, " lane"]
    weights: Float64[np.ndarray, "ratio radius angle part lane"]
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
    weights = _weights(responses, targets, frequencies)
    mix, reduction = _few(responses, weights, frequencies)
    return SurfaceFilters(
        keep=keep.astype(np.float32),
        take=take.astype(np.float32),
        weights=weights,
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


def creeping_path() -> Float64[np.ndarray, " angle"]:
    """Return how much longer than straight the way round the sphere is, over the radius."""
    cosines = table_cosines()
    angle = np.arccos(np.clip(cosines, -1.0, 1.0))
    longer: np.ndarray = np.maximum(angle - np.pi / 2, 0.0) + np.minimum(cosines, 0.0)
    return longer


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
            lag = np.exp(-1j * k * radius * creeping_path()[:, None])
            targets[i, j, :, 0] = -sample_rate_hz / SPEED_OF_SOUND_M_S * pressure
            still = _still(cosines, float(radius), i * RATIO_STEP)[:, None]
            targets[i, j, :, 1] = pressure / omega - still * lag * (summation - 0.5)
            targets[i, j, :, 2] = np.conj(beta) * targets[i, j, :, 0]
    return targets


def _weights(
    responses: np.ndarray, targets: np.ndarray, frequencies: np.ndarray
) -> Float64[np.ndarray, "ratio radius angle part lane"]:
    """Return the weights of all recursions."""
    fitted = _fitted(responses[:, 1:], targets, frequencies)
    weights = np.concatenate([np.zeros_like(fitted[..., :1]), fitted], axis=-1)
    for i in range(_RATIOS):
        for j, radius in enumerate(radius_grid()):
            weights[i, j, :, 1, 0] = _still(table_cosines(), float(radius), i * RATIO_STEP)
    weights[..., 1] -= 0.5 * weights[..., 0]  # half a new weight counts in its own sample
    return weights


def _still(
    cosines: Float64[np.ndarray, " angle"], radius_m: float, ratio: float
) -> Float64[np.ndarray, " angle"]:
    """Return V towards frequency 0, what is summed for ever."""
    slow = np.array([2 * np.pi / SPEED_OF_SOUND_M_S])  # 1 Hz
    still: np.ndarray = surface_pressure_ratio(cosines, slow, radius_m, ratio)[0].real
    return still


def _fitted(
    poles: np.ndarray, targets: np.ndarray, frequencies: np.ndarray
) -> Float64[np.ndarray, "ratio radius angle part pole"]:
    """Return the weights of passing on and low-passes."""
    k = 2 * np.pi * frequencies / SPEED_OF_SOUND_M_S
    row = _row_weights(frequencies)
    matrix = _stacked(poles * row)
    system = matrix.T @ matrix
    system += _RIDGE**2 * np.trace(system) / len(system) * np.eye(len(system))
    found = np.zeros((*targets.shape[:-1], poles.shape[1]))
    for j, radius in enumerate(radius_grid()):
        ahead = np.exp(1j * k * radius * creeping_path()[:, None])[:, None]
        wanted = _stacked((targets[:, j] * ahead * row[:, 0]).reshape(-1, len(k)).T)
        solution = np.linalg.solve(system, matrix.T @ wanted)
        found[:, j] = solution.T.reshape(found[:, j].shape)
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
    """Return how much each frequency counts, alike per octave above 1 kHz."""
    weights: np.ndarray = np.sqrt(np.gradient(frequencies) / np.maximum(frequencies, 1000.0))
    return weights[:, None]


def _stacked(values: np.ndarray) -> Float64[np.ndarray, "row column"]:
    """Return real parts above imaginary parts."""
    return np.concatenate([values.real, values.imag])
