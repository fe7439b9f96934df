"""Scattering in the time domain: a body's response from a loudspeaker to the microphone.

The sum of `pressure` over all facets and all paths over the walls, as short impulse responses in
four ambisonics channels. Amplitudes follow the convention of the static response: a direct sound
of `1 / distance` (a monopole of strength 4 pi), delays `distance / c`. What sharing between
samples takes away towards high frequencies is given back to the playback, `sharing_compensation`.

The path without a wall is summed over the facets themselves, the others over cells of up to four.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int

from acoustic_sense.constants import SPEED_OF_SOUND_M_S
from acoustic_sense.types import Loudspeaker, Microphone, Room
from acoustic_sense_simulator.kernels.accumulate import LONGEST_PATCH, accumulate
from acoustic_sense_simulator.kernels.ringing import (
    FEW,
    FEW_TUPLE,
    LANES,
    LANES_TUPLE,
    ring,
)
from acoustic_sense_simulator.scattering.curvature import LARGEST_RADIUS_M
from acoustic_sense_simulator.scattering.filters import (
    ANGLES,
    COARSE_ANGLES,
    RATIO_STEP,
    TAIL_SAMPLES_AT_48_KHZ,
    creeping_path,
    radius_grid,
    surface_filters,
)
from acoustic_sense_simulator.scattering.impedance import Absorption
from acoustic_sense_simulator.scattering.mesh_levels import AT_A_TIME, mesh_levels, radius_classes
from acoustic_sense_simulator.scattering.paths import PathSet, path_set

_MARGIN = 8  # samples before the earliest path, for the edge of its box
_WIDEST = 64  # samples that the box of the latest facet may need
_STEP_M = 0.3  # how far a body moves before the weights are made for its new place
_COMPENSATION_TAPS = 64
_LINE = 16  # numbers of a cache's line
_TIMES_JOINED = 2  # pairs of pairs of facets on paths over walls
_PATCH_SIZES = (16, 32)  # cells that share a direction, without and with walls on the path


@dataclass(frozen=True)
class ScattererSettings:
    """What the response of a body depends on besides its pose.

    Attributes:
        room: The room.
        loudspeakers: The loudspeakers.
        microphone: The microphone.
        source_order: Highest reflection order between loudspeaker and body.
        microphone_order: Highest reflection order between body and microphone.
        sample_rate_hz: Samples per second.
        absorption: Energy absorption of the body's surface, one number or one for each band.
    """

    room: Room
    loudspeakers: tuple[Loudspeaker, ...]
    microphone: Microphone
    source_order: int
    microphone_order: int
    sample_rate_hz: int
    absorption: Absorption = 0.0


class BodyScatterer:
    """Responses of one body, pose by pose.

    Attributes:
        first_sample: Delay in samples that belongs to sample 0 of each loudspeaker's response.
        length: Length of the responses in samples.
    """

    def __init__(
        self,
        settings: ScattererSettings,
        rest_vertices_m: Float[np.ndarray, "vertex 3"],
        faces: Int[np.ndarray, "facet 3"],
        radii_m: Float64[np.ndarray, " facet"],
        bounds_m: Float[np.ndarray, "2 3"],
    ) -> None:
        """Prepare facets, paths and filters.

        Args:
            settings: Room, positions, orders.
            rest_vertices_m: The body in any pose, to find out which facets lie together.
            faces: Vertex indices, turning outwards.
            radii_m: Local radius of every facet.
            bounds_m: Lowest and highest coordinates that the body reaches in the take.
        """
        self.settings = settings
        rate = settings.sample_rate_hz
        self._per_metre = np.float32(rate / SPEED_OF_SOUND_M_S)
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
        self._levels = mesh_levels(
            rest_vertices_m, faces, radii_m, times_joined=_TIMES_JOINED, patch_sizes=_PATCH_SIZES
        )
        self._classes = radius_classes(radii_m)
        self.first_sample = [
            int(np.floor(paths.direct_m * self._per_metre)) - _MARGIN for paths in self._paths
        ]
        rows = [self._rows(bounds_m, order) for order in (0, None)]
        self.length = rows[1] + round(TAIL_SAMPLES_AT_48_KHZ * rate / 48_000)
        self._filters = surface_filters(rate, settings.absorption)
        creeping = creeping_path().astype(np.float32)
        self._creeping = (creeping, np.ascontiguousarray(creeping[::3]))
        self._histograms, self._patches = (
            [aligned((count, lanes)) for count, lanes in zip(counts, (LANES, FEW), strict=True)]
            for counts in (
                [4 * count for count in rows],
                [LONGEST_PATCH * AT_A_TIME // size for size in _PATCH_SIZES],
            )
        )
        self._tables: list[tuple[Float32[np.ndarray, "..."], Float32[np.ndarray, "..."]]] = []
        self._middle = np.full(3, np.inf)
        self._soft = np.float32(np.any(np.asarray(settings.absorption) > 0))
        self._entries = (
            self._levels.fine.classes * np.int32(ANGLES),
            self._levels.coarse.classes * np.int32(COARSE_ANGLES),
        )
        self._mix = self._filters.mix * self._filters.take
        self._keep = self._filters.keep[None]
        self._sources = [paths.sources.positions.astype(np.float32) for paths in self._paths]
        self._microphones = self._paths[0].microphones.positions.astype(np.float32)

    def _rows(self, bounds_m: Float[np.ndarray, "2 3"], order: int | None) -> int:
        """Return the samples of delay that paths over a box spread over, up to an order or all."""
        longest = max(
            (paths.longest_m(bounds_m, order) + (np.pi / 2 - 1) * LARGEST_RADIUS_M)
            * self._per_metre
            - first
            for paths, first in zip(self._paths, self.first_sample, strict=True)
        )
        return int(np.ceil(longest)) + _WIDEST

    def responses(
        self, vertices_m: Float32[np.ndarray, "vertex 3"]
    ) -> Float32[np.ndarray, "speaker 4 tap"]:
        """Return the responses from every loudspeaker for one pose.

        Args:
            vertices_m: The posed body.

        Returns:
            Channels W, X, Y, Z of each loudspeaker, shape `(speaker, 4, length)`.
        """
        self._prepare(vertices_m)
        images, axes = self._microphones, self._paths[0].axes
        self._levels.measure(vertices_m)
        ways = (
            self._levels.fine.ways(images[:1], axes[:1]),
            self._levels.coarse.ways(images, axes),
        )
        made = np.empty((len(self._paths), 4, self.length), np.float32)
        direct, others = self._histograms
        for speaker in range(len(self._paths)):
            for number, way in enumerate(ways):
                self._fill(speaker, number, way)
            ring(LANES_TUPLE, FEW_TUPLE, direct, others, self._mix, self._keep, made[speaker])
        return made

    def _fill(
        self,
        speaker: int,
        number: int,
        ways: tuple[Float32[np.ndarray, "..."], Float32[np.ndarray, "..."]],
    ) -> None:
        """Fill the histogram of a loudspeaker's path without a wall (0), or of the others (1)."""
        level = (self._levels.fine, self._levels.coarse)[number]
        paths = self._paths[speaker]
        part = (paths.direct, paths.reflected)[number]
        accumulate(
            (LANES_TUPLE, FEW_TUPLE)[number],
            (0,) * AT_A_TIME,
            (0,) * (AT_A_TIME // _PATCH_SIZES[number]),
            level.packed,
            level.radii,
            self._entries[number],
            self._sources[speaker],
            self._tables[speaker][number],
            self._creeping[number],
            part.paths,
            part.starts,
            *ways,
            self._patches[number],
            self._soft,
            self._per_metre,
            np.float32(self.first_sample[speaker]),
            self._histograms[number],
        )

    def _prepare(self, vertices_m: Float[np.ndarray, "vertex 3"]) -> None:
        """Make the tables of weights anew if the body has moved away from where they belong."""
        middle = vertices_m[::16].mean(axis=0, dtype=np.float64)
        if np.abs(middle - self._middle).max() < _STEP_M:
            return
        self._middle = middle
        self._tables = [self._weights(paths, middle) for paths in self._paths]

    def _weights(
        self, paths: PathSet, middle: Float[np.ndarray, " 3"]
    ) -> tuple[Float32[np.ndarray, "..."], Float32[np.ndarray, "..."]]:
        """Return the tables of a loudspeaker, for the path without a wall and for all.

        Args:
            paths: The loudspeaker's paths.
            middle: Where the body is.
        """
        filters = self._filters
        made = []
        for table, (image, _) in enumerate(paths.table_of):
            distance = float(np.linalg.norm(paths.sources.positions[image] - middle))
            change = filters.projection(paths.gain(table, middle, filters.frequencies))
            made.append(self._at_distance(filters.weights, distance) @ change.T)
        few = np.stack([weights[:, ::3] for weights in made]) @ filters.reduction.T
        return _flat(made[0][None] * filters.take), _flat(few)

    def _at_distance(
        self, base: Float64[np.ndarray, "ratio radius angle 3 lane"], distance: float
    ) -> Float64[np.ndarray, "class angle 3 lane"]:
        """Return a table for the rounded radii and a distance of the source."""
        grid = radius_grid()
        place = np.log(self._classes / grid[0]) / np.log(grid[-1] / grid[0]) * (len(grid) - 1)
        low = np.clip(place.astype(int), 0, len(grid) - 2)
        share = (place - low)[:, None, None, None]
        ratio = self._classes / max(distance, LARGEST_RADIUS_M) / RATIO_STEP
        below = np.clip(ratio.astype(int), 0, base.shape[0] - 2)
        part = np.clip(ratio - below, 0.0, 1.0)[:, None, None, None]
        near = base[below, low] * (1 - part) + base[below + 1, low] * part
        far = base[below, low + 1] * (1 - part) + base[below + 1, low + 1] * part
        blended: np.ndarray = near * (1 - share) + far * share
        return blended


def _flat(
    weights: Float64[np.ndarray, "table class angle 3 lane"],
) -> Float32[np.ndarray, "table row weight"]:
    """Return tables as the kernel reads them."""
    tables, classes, angles, parts, lanes = weights.shape
    flat = aligned((tables, classes * angles, parts * lanes))
    flat[:] = weights.reshape(flat.shape)
    return flat


def aligned(shape: tuple[int, ...]) -> Float32[np.ndarray, "..."]:
    """Return float32 zeros whose rows of weights never straddle two lines of the caches."""
    count = int(np.prod(shape))
    numbers = np.zeros(count + _LINE, dtype=np.float32)
    first = -(numbers.ctypes.data // numbers.itemsize) % _LINE
    return numbers[first : first + count].reshape(shape)


def sharing_compensation(sample_rate_hz: int) -> Float32[np.ndarray, " tap"]:
    """Return the zero-phase filter that undoes the sharing of weights between samples.

    It fades out towards half the sample rate, where facets are too coarse to mean anything.

    Args:
        sample_rate_hz: Samples per second.

    Returns:
        Odd number of taps, time zero in the middle.
    """
    size = 4096
    frequency = np.fft.rfftfreq(size)
    start = min(18_000.0, 0.375 * sample_rate_hz) / sample_rate_hz
    place = np.clip((frequency - start) / (0.5 - start), 0.0, 1.0)
    gain = np.cos(np.pi / 2 * place) ** 2 / np.sinc(frequency) ** 3
    taps = np.fft.fftshift(np.fft.irfft(gain, n=size))
    middle = size // 2
    cut = taps[middle - _COMPENSATION_TAPS : middle + _COMPENSATION_TAPS + 1]
    shaped: np.ndarray = (cut * np.hanning(2 * _COMPENSATION_TAPS + 3)[1:-1]).astype(np.float32)
    return shaped
