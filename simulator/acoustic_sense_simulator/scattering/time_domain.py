"""Scattering in the time domain: a body's response from a loudspeaker to the microphone.

The sum of `pressure` over all facets and all paths over the walls, as spectra of short impulse
responses in four ambisonics channels. Amplitudes follow the convention of the static response:
a direct sound of `1 / distance` (a monopole of strength 4 pi), delays `distance / c`.

Paths: loudspeaker images up to `source_order`, microphone images up to `microphone_order`, both
legs together at most the larger of the two, so that cost grows with one order and not with the
product. Each bounce multiplies by the wall's reflection, in octave bands where the room has them;
air absorption is that of the mean path of each order.
"""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Complex64, Float, Float32, Float64

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Microphone, Room
from acoustic_sense_simulator.room.axes import microphone_axes
from acoustic_sense_simulator.room.images import Images, images_of
from acoustic_sense_simulator.room.walls import reflection_response
from acoustic_sense_simulator.scattering.curvature import LARGEST_RADIUS_M, SMALLEST_RADIUS_M
from acoustic_sense_simulator.scattering.factors import (
    PRE_TAPS,
    RATIO_STEP,
    separable_filters,
)
from acoustic_sense_simulator.scattering.surface import Surface
from acoustic_sense_simulator.scattering_kernel import accumulate

_MARGIN = 4  # samples before the earliest path, for the edge of its box
_WIDEST = 64  # samples that the box of the latest facet may need
_WALL_TAPS = 256  # either side of a wall's zero-phase filter


@dataclass(frozen=True)
class ScattererSettings:
    """What the response of a body depends on besides its pose.

    Attributes:
        room: The room.
        loudspeakers_m: World positions of the loudspeakers, metres.
        microphone: The microphone.
        source_order: Highest reflection order between loudspeaker and body.
        microphone_order: Highest reflection order between body and microphone.
        sample_rate_hz: Samples per second.
        beta: Specific admittance of the body's surface.
    """

    room: Room
    loudspeakers_m: tuple[tuple[float, float, float], ...]
    microphone: Microphone
    source_order: int
    microphone_order: int
    sample_rate_hz: int
    beta: float = 0.0


class BodyScatterer:
    """Responses of one body, pose by pose.

    Attributes:
        first_sample: Delay in samples that belongs to sample 0 of each loudspeaker's response.
        length: Length of the responses in samples.
        fft_size: Length of the transform of which `spectra` returns the half.
    """

    def __init__(
        self,
        settings: ScattererSettings,
        radii_m: Float64[np.ndarray, " facet"],
        bounds_m: Float[np.ndarray, "2 3"],
        block: int,
    ) -> None:
        """Prepare filters and paths.

        Args:
            settings: Room, positions, orders.
            radii_m: Local radius of every facet.
            bounds_m: Lowest and highest coordinates that the body reaches in the take.
            block: Samples that are convolved with one response at a time.
        """
        self.settings = settings
        rate, room = settings.sample_rate_hz, settings.room
        self._per_metre = rate / SPEED_OF_SOUND_M_S
        self._radii = radii_m.astype(np.float32)
        span = np.log(LARGEST_RADIUS_M / SMALLEST_RADIUS_M)
        self._filters = separable_filters(rate, settings.beta)
        first, second = np.split(self._filters.weights, 2, axis=-1)
        self._table = np.concatenate([first] * 4 + [second] * 4, axis=-1)
        places = np.log(radii_m / SMALLEST_RADIUS_M) / span * (self._filters.weights.shape[1] - 1)
        self._places = places.astype(np.float32)
        self._sources = [
            images_of(position, room.size_m, settings.source_order)
            for position in settings.loudspeakers_m
        ]
        self._microphones = images_of(
            settings.microphone.position_m, room.size_m, settings.microphone_order
        )
        axes = microphone_axes(settings.microphone.yaw_deg)
        self._axes = (axes[None] * self._microphones.flips[:, None]).astype(np.float32)
        self._banded = isinstance(room.absorption, tuple) or room.air_absorption
        self._pre = PRE_TAPS + (_WALL_TAPS if self._banded else 0)
        ranges = [self._delay_range(images, bounds_m) for images in self._sources]
        self._first_rows = [int(np.floor(low)) - _MARGIN for low, _ in ranges]
        self._rows = max(
            int(np.ceil(high)) - first + _WIDEST
            for (_, high), first in zip(ranges, self._first_rows, strict=True)
        )
        self.first_sample = [first - self._pre for first in self._first_rows]
        tail = self._filters.taps.shape[1] - PRE_TAPS + (_WALL_TAPS if self._banded else 0)
        self.length = self._pre + self._rows + tail
        self.fft_size = int(scipy.fft.next_fast_len(self.length + block, real=True))
        self._groups, self._gains = zip(*map(self._paths, self._sources), strict=True)
        self._spectra = [
            self._filter_spectra(low, high, group)
            for (low, high), group in zip(ranges, self._groups, strict=True)
        ]

    def spectra(self, surface: Surface, speaker: int) -> Complex64[np.ndarray, "4 bin"]:
        """Return the spectra of the response from one loudspeaker for one pose.

        Args:
            surface: The posed body.
            speaker: Index of the loudspeaker.

        Returns:
            Complex64 array, shape `(4, fft_size // 2 + 1)`, channels W, X, Y, Z.
        """
        filters = self._filters
        rank = filters.taps.shape[0]
        histograms = np.zeros((len(self._spectra[speaker]), self._rows, 4 * rank), dtype=np.float32)
        accumulate(
            np.ascontiguousarray(surface.points.T, np.float32),
            np.ascontiguousarray(surface.normals.T, np.float32),
            np.ascontiguousarray(surface.areas, np.float32),
            np.ascontiguousarray(surface.spreads.T, np.float32),
            self._radii,
            self._places,
            self._sources[speaker].positions.astype(np.float32),
            self._microphones.positions.astype(np.float32),
            self._axes,
            self._groups[speaker],
            self._gains[speaker],
            self._ratios(surface, speaker),
            self._table,
            filters.creeping,
            np.float32(self.settings.beta),
            np.float32(self._per_metre),
            np.float32(self._first_rows[speaker]),
            histograms,
        )
        transformed = scipy.fft.rfft(histograms, n=self.fft_size, axis=1)
        parts = transformed.reshape(*transformed.shape[:2], 4, rank)
        spectra: np.ndarray = np.matmul(parts, self._spectra[speaker][..., None]).sum(axis=0)
        return np.ascontiguousarray(spectra[..., 0].T)

    def _ratios(self, surface: Surface, speaker: int) -> Float32[np.ndarray, "source radius"]:
        """Return where in the table each radius lies, at the body's distance from each image."""
        middle = surface.points.mean(axis=0)
        distance = np.linalg.norm(self._sources[speaker].positions - middle, axis=1)
        count = self._filters.weights.shape[1]
        radii = np.geomspace(SMALLEST_RADIUS_M, LARGEST_RADIUS_M, count)
        places = radii / np.maximum(distance[:, None], LARGEST_RADIUS_M) / RATIO_STEP
        narrow: np.ndarray = places.astype(np.float32)
        return narrow

    def _delay_range(self, images: Images, bounds: Float[np.ndarray, "2 3"]) -> tuple[float, float]:
        """Return the shortest and longest delay of any path, in samples."""
        corners = np.array(np.meshgrid(*bounds.T)).reshape(3, -1).T
        source = np.linalg.norm(images.positions[:, None] - corners, axis=2)
        microphone = np.linalg.norm(self._microphones.positions[:, None] - corners, axis=2)
        total = source[:, None] + microphone[None]
        allowed = self._total_order(images) <= self._highest_order
        direct = np.linalg.norm(images.positions[0] - self._microphones.positions[0])
        longest = total[allowed].max() + np.pi * LARGEST_RADIUS_M
        return float(direct * self._per_metre), float(longest * self._per_metre)

    @property
    def _highest_order(self) -> int:
        """Highest number of reflections over both legs."""
        return max(self.settings.source_order, self.settings.microphone_order)

    def _total_order(self, images: Images) -> np.ndarray:
        """Return the reflections of every path, shape `(source, microphone)`."""
        total: np.ndarray = images.orders[:, None] + self._microphones.orders[None]
        return total

    def _paths(self, images: Images) -> tuple[np.ndarray, np.ndarray]:
        """Return histogram group and gain of every path, shape `(source, microphone)`."""
        total = self._total_order(images)
        allowed = total <= self._highest_order
        absorption = self.settings.room.absorption
        if self._banded or isinstance(absorption, tuple):
            return np.where(allowed, total, -1), np.ones(total.shape, dtype=np.float32)
        gains = np.sqrt(1.0 - absorption) ** total
        return np.where(allowed, 0, -1), gains.astype(np.float32)

    def _filter_spectra(
        self, shortest: float, longest: float, groups: np.ndarray
    ) -> Complex64[np.ndarray, "group bin rank"]:
        """Return what turns the histograms' spectra into the response, for every group."""
        size, rate = self.fft_size, self.settings.sample_rate_hz
        taps = self._filters.taps
        padded = np.zeros((len(taps), size))
        padded[:, : taps.shape[1]] = taps
        base = np.fft.rfft(np.roll(padded, self._pre - PRE_TAPS, axis=1), axis=1)
        frequency = np.fft.rfftfreq(size)  # cycles per sample
        base[:, 1:] /= 2j * np.pi * frequency[1:]  # edges to boxes
        base[:, 0] = 0.0
        base /= np.sinc(frequency) ** 2  # sharing between two samples
        if not self._banded:
            return base.T[None].astype(np.complex64)
        mean_path_m = (shortest + longest) / 2 / self._per_metre
        walls = [
            reflection_response(self.settings.room, order, mean_path_m, rate, size, _WALL_TAPS)
            for order in range(int(groups.max()) + 1)
        ]
        return np.stack([(base * wall).T for wall in walls]).astype(np.complex64)
