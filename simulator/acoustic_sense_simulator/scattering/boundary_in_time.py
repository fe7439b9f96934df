"""Responses of a body from the boundary equation below a cross-over, from the sphere sum above.

The scatterer of `time_domain` takes the pressure on each facet from a sphere of the local radius.
Here the spectrum of its responses is replaced, below a cross-over, by that of a reduced mesh (see
`reduced_mesh`) whose surface pressure solves the boundary integral equation (see `boundary`), for
all paths over the walls. Between the two lies a raised cosine of a third of an octave; above it
the response is the fast one.

Solving is slow, and what is solved for, the ratio of total to incident pressure on each facet,
changes slowly over frequency and from pose to pose. So it is solved at a few frequencies of some
poses a second, interpolated by cubic splines over frequency and linearly over time, and summed
with the exact place of every facet in every pose.

Cost for the default room and two loudspeakers, CPU seconds for a second of audio: about 5 for
`bem`, 30 for `high`; 0.1 for `fast`. Errors of what is scattered: about 1 % from the frequencies
between, as much from the poses between where hands move at 3 m/s; in all about 6 % for `bem`, 3 %
for `high`, mostly from the reduced mesh (`benchmarks/fidelity_in_takes.py`). Clothes whose
absorption changes with frequency are solved with the real part of their admittance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Complex64, Complex128, Float, Float32, Float64, Int
from scipy.interpolate import CubicSpline

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense_simulator.scattering.boundary import CROSS_OVER_HZ, surface_ratios
from acoustic_sense_simulator.scattering.impedance import admittances
from acoustic_sense_simulator.scattering.paths import PathSet, path_set
from acoustic_sense_simulator.scattering.reduced_mesh import reduced_mesh
from acoustic_sense_simulator.scattering.surface import Surface, surface_of
from acoustic_sense_simulator.scattering.time_domain import (
    BodyScatterer,
    ScattererSettings,
    sharing_compensation,
)

SOLUTIONS_HZ = 10.0
"""Poses a second at which the equation is solved, at most those of the scene."""

_LEAD_S = 0.012  # what the cross-over rings before and after a sound
_STEP_M = 0.3  # how far a body moves before the gains of its paths are made anew


@dataclass(frozen=True)
class Refinement:
    """What is solved for a fidelity.

    Attributes:
        facets: Facets of the reduced mesh.
        cross_over_hz: Where the equation begins to fade out, and where it has no part any more.
        lowest_hz: Lowest frequency solved; below it the ratios stay as they are there.
        solutions: Frequencies solved, from there to the upper end of the cross-over.
    """

    facets: int
    cross_over_hz: tuple[float, float]
    lowest_hz: float = 60.0
    solutions: int = 14

    @property
    def knots_hz(self) -> Float64[np.ndarray, " knot"]:
        """Frequencies solved: between evenly spaced and evenly spaced in their logarithm."""
        low, high = np.sqrt(self.lowest_hz), np.sqrt(self.cross_over_hz[1])
        knots: np.ndarray = np.linspace(low, high, self.solutions) ** 2
        return knots


REFINEMENTS = {
    "bem": Refinement(facets=600, cross_over_hz=CROSS_OVER_HZ),
    "high": Refinement(facets=1200, cross_over_hz=(1114.0, 1403.0), solutions=16),
}
"""By fidelity; `fast` has none."""


class RefinedScatterer:
    """Responses of one body, pose by pose.

    Attributes:
        first_sample: Delay in samples that belongs to sample 0 of each loudspeaker's response.
        length: Length of the responses in samples.
    """

    def __init__(
        self,
        fast: BodyScatterer,
        refinement: Refinement,
        pose: Callable[[int], Float32[np.ndarray, "vertex 3"]],
        pose_count: int,
        pose_rate_hz: float,
        rest_vertices_m: Float[np.ndarray, "vertex 3"],
        faces: Int[np.ndarray, "facet 3"],
    ) -> None:
        """Prepare the reduced mesh, the paths and the frequencies.

        Args:
            fast: The scatterer to refine.
            refinement: What is solved.
            pose: Gives the body's vertices in a pose.
            pose_count: Number of poses.
            pose_rate_hz: Poses per second.
            rest_vertices_m: The body at rest.
            faces: Vertex indices, turning outwards.
        """
        settings: ScattererSettings = fast.settings
        rate = settings.sample_rate_hz
        self._fast, self._pose = fast, pose
        self._mesh = reduced_mesh(rest_vertices_m, faces, refinement.facets)
        self._lead = round(_LEAD_S * rate)
        self.first_sample = [first - self._lead for first in fast.first_sample]
        self.length = int(scipy.fft.next_fast_len(fast.length + 2 * self._lead, real=True))
        bins = np.arange(1, int(refinement.cross_over_hz[1] * self.length / rate) + 1)
        self._frequencies = bins * rate / self.length
        self._share = crossing(self._frequencies, refinement.cross_over_hz)
        self._rounding = _response(sharing_compensation(rate), self._frequencies / rate)
        self._ratios = _RatioTrack(refinement, self._frequencies, pose_rate_hz, pose_count - 1)
        self._beta = admittances(settings.absorption, self._frequencies)
        self._paths = [
            path_set(
                settings.room,
                loudspeaker,
                settings.microphone,
                settings.source_order,
                settings.microphone_order,
            )
            for loudspeaker in settings.loudspeakers
        ]
        self._middle = np.full(3, np.inf)
        self._gains: list[Complex128[np.ndarray, "table bin"]] = []

    def responses(self, pose: int) -> Float32[np.ndarray, "speaker 4 tap"]:
        """Return the responses from every loudspeaker for one pose.

        Args:
            pose: Number of the pose.

        Returns:
            Channels W, X, Y, Z of each loudspeaker, shape `(speaker, 4, length)`.
        """
        fast = self._fast.responses(self._pose(pose))
        made = np.zeros((*fast.shape[:2], self.length), dtype=np.float32)
        made[:, :, self._lead : self._lead + fast.shape[2]] = fast
        spectra = scipy.fft.rfft(made, axis=2)
        part = spectra[:, :, 1 : 1 + len(self._frequencies)]
        part += self._share * (self.spectra(pose) / self._rounding - part)
        back: np.ndarray = scipy.fft.irfft(spectra, n=self.length, axis=2)
        return back

    def spectra(self, pose: int) -> Complex128[np.ndarray, "speaker 4 bin"]:
        """Return the spectra of the responses from the boundary equation alone.

        Args:
            pose: Number of the pose.

        Returns:
            At the bins of `length` from the first up to the cross-over, numpy's convention, for
            delays after `first_sample`; shape `(speaker, 4, bin)`.
        """
        vertices = self._pose(pose)
        self._prepare(np.asarray(vertices.mean(axis=0), dtype=np.float64))
        images = np.concatenate([paths.sources.positions for paths in self._paths])
        surface = surface_of(self._mesh.posed(vertices), self._mesh.faces)
        ratios = self._ratios.at(pose, lambda key: self._solved(key, images))
        microphones = self._paths[0].microphones.positions
        arriving = _Waves(surface.points, images, self._frequencies)
        leaving = _Waves(surface.points, microphones, self._frequencies)
        kernels = [
            self._kernel(surface, leaving, microphone) for microphone in range(len(microphones))
        ]
        made = np.zeros((len(self._paths), 4, len(self._frequencies)), dtype=np.complex128)
        first = 0
        for speaker, paths in enumerate(self._paths):
            for table, microphone in np.concatenate([paths.direct.paths, paths.reflected.paths]):
                source = first + int(paths.table_of[table, 0])
                pressure = ratios[source] * arriving.waves[source] * kernels[microphone]
                across = leaving.directions[microphone] + arriving.directions[source]
                pressure *= _extent(surface, across, self._frequencies)
                gains = _channels(paths, leaving.directions[microphone], int(microphone))
                made[speaker] += np.conj(gains @ pressure) * self._gains[speaker][table]
            first += len(paths.sources.positions)
            delay = self.first_sample[speaker] / self._fast.settings.sample_rate_hz
            made[speaker] *= np.exp(2j * np.pi * self._frequencies * delay)
        return made

    def _solved(
        self, pose: int, images: Float64[np.ndarray, "source 3"]
    ) -> Complex64[np.ndarray, "source facet knot"]:
        """Return total over incident pressure in a pose, at the frequencies solved."""
        vertices, knots = self._mesh.posed(self._pose(pose)), self._ratios.knots_hz
        betas = admittances(self._fast.settings.absorption, knots).real
        ratios = np.empty((len(images), len(self._mesh.faces), len(knots)), dtype=np.complex64)
        for beta in np.unique(betas):
            same = betas == beta
            ratios[:, :, same] = surface_ratios(
                vertices, self._mesh.faces, images, knots[same], float(beta)
            )
        return ratios

    def _kernel(
        self, surface: Surface, leaving: "_Waves", microphone: int
    ) -> Complex64[np.ndarray, "facet bin"]:
        """Return what every facet's pressure does at one image of the microphone, times 4 pi."""
        k = 2 * np.pi * self._frequencies / SPEED_OF_SOUND_M_S
        cosine = (leaving.directions[microphone] * surface.normals).sum(axis=1)
        distance = leaving.distances[microphone]
        slope = 1j * k * (cosine[:, None] + self._beta) - (cosine / distance)[:, None]
        kernel = leaving.waves[microphone] * slope * (surface.areas / (4 * np.pi))[:, None]
        result: np.ndarray = kernel.astype(np.complex64)
        return result

    def _prepare(self, middle: Float64[np.ndarray, " 3"]) -> None:
        """Make the gains of the paths anew if the body has moved away from where they belong."""
        if np.linalg.norm(middle - self._middle) < _STEP_M:
            return
        self._middle = middle
        self._gains = [
            np.stack([paths.gain(t, middle, self._frequencies) for t in range(len(paths.table_of))])
            for paths in self._paths
        ]


class _RatioTrack:
    """The ratios of total to incident pressure over poses and frequencies, from a few of both.

    Attributes:
        knots_hz: The frequencies solved.
    """

    def __init__(
        self,
        refinement: Refinement,
        frequencies_hz: Float64[np.ndarray, " bin"],
        pose_rate_hz: float,
        last: int,
    ) -> None:
        """Prepare the splines.

        Args:
            refinement: Which frequencies are solved.
            frequencies_hz: Where the ratios are wanted.
            pose_rate_hz: Poses per second.
            last: Number of the last pose.
        """
        self.knots_hz = refinement.knots_hz
        held = np.maximum(frequencies_hz, self.knots_hz[0])
        self._weights = CubicSpline(self.knots_hz, np.eye(len(self.knots_hz)))(held)
        self._step = max(1, round(pose_rate_hz / SOLUTIONS_HZ))
        self._last = last
        self._solved: dict[int, Complex64[np.ndarray, "source facet knot"]] = {}

    def at(
        self, pose: int, solve: Callable[[int], Complex64[np.ndarray, "source facet knot"]]
    ) -> Complex64[np.ndarray, "source facet bin"]:
        """Return the ratios in one pose.

        Args:
            pose: Number of the pose.
            solve: Solves the equation for the pose of a number.
        """
        before = pose - pose % self._step
        after = min(before + self._step, self._last) if pose > before else before
        kept = self._solved
        self._solved = {key: kept[key] if key in kept else solve(key) for key in (before, after)}
        share = np.float32((pose - before) / max(after - before, 1))
        mixed = (1 - share) * self._solved[before] + share * self._solved[after]
        ratios: np.ndarray = mixed @ self._weights.T.astype(np.float32)
        return ratios


class _Waves:
    """Spherical waves between facets and images of a point.

    Attributes:
        directions: Unit vectors from each image to each facet, shape `(image, facet, 3)`.
        distances: Metres, shape `(image, facet)`.
        waves: `exp(i k r) / r`, shape `(image, facet, bin)`.
    """

    def __init__(
        self,
        points_m: Float64[np.ndarray, "facet 3"],
        images_m: Float64[np.ndarray, "image 3"],
        frequencies_hz: Float64[np.ndarray, " bin"],
    ) -> None:
        """Compute them at frequencies that are multiples of the first one."""
        away = points_m[None] - images_m[:, None]
        self.distances = np.linalg.norm(away, axis=2)
        self.directions = away / self.distances[:, :, None]
        turn = np.exp(2j * np.pi * frequencies_hz[0] / SPEED_OF_SOUND_M_S * self.distances)
        turns = np.broadcast_to(turn[:, :, None], (*turn.shape, len(frequencies_hz)))
        waves = np.cumprod(turns, axis=2) / self.distances[:, :, None]
        self.waves = waves.astype(np.complex64)


def crossing(
    frequencies_hz: Float64[np.ndarray, " bin"], between_hz: tuple[float, float]
) -> Float64[np.ndarray, " bin"]:
    """Return the share of the boundary equation: 1 below, 0 above, a raised cosine between.

    Args:
        frequencies_hz: Frequencies above 0.
        between_hz: Where it begins to fall and where it has fallen; the fall is even in the
            logarithm of the frequency.
    """
    low, high = between_hz
    place = np.clip(np.log(frequencies_hz / low) / np.log(high / low), 0.0, 1.0)
    share: np.ndarray = np.cos(np.pi / 2 * place) ** 2
    return share


def _extent(
    surface: Surface,
    across: Float64[np.ndarray, "facet 3"],
    frequencies_hz: Float64[np.ndarray, " bin"],
) -> Float32[np.ndarray, "facet bin"]:
    """Return what the spread of delay over each facet leaves of its sum, as in `pressure`.

    The sinc is a series here: facets stay below half a wavelength.
    """
    x, y, z = across.T
    m = surface.spreads.T
    width = m[0] * x * x + m[1] * y * y + m[2] * z * z + m[3] * x * y + m[4] * x * z + m[5] * y * z
    k = 2 * np.pi * frequencies_hz / SPEED_OF_SOUND_M_S
    square = (np.maximum(width, 0.0)[:, None] * (k / 2) ** 2).astype(np.float32)
    series: np.ndarray = 1 - square / 6 * (1 - square / 20 * (1 - square / 42))
    return series


def _channels(
    paths: PathSet, directions: Float64[np.ndarray, "facet 3"], microphone: int
) -> Float32[np.ndarray, "4 facet"]:
    """Return what W, X, Y, Z hear of every facet at one image of the microphone."""
    omni = np.ones((1, len(directions)))
    gains = np.concatenate([omni, paths.axes[microphone] @ directions.T])
    return gains.astype(np.float32)


def _response(
    taps: Float32[np.ndarray, " tap"], places: Float64[np.ndarray, " bin"]
) -> Float64[np.ndarray, " bin"]:
    """Return the gain of symmetric taps at places in cycles a sample; time zero in the middle."""
    times = np.arange(len(taps)) - len(taps) // 2
    gain: np.ndarray = np.cos(2 * np.pi * places[:, None] * times) @ taps.astype(np.float64)
    return gain
