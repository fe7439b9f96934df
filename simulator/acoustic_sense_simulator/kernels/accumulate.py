"""The sum over facets and paths: weights of separable filters into histograms of delay.

One facet on one path (source image, microphone image) is a box in delay, as wide as the facet's
extent along the change of path. The histogram receives the box's two edges, each shared between
three neighbouring samples; what turns edges back into boxes is one of the filters. A patch of
cells is gathered in a histogram of its own and then given the patch's direction in the four
channels.
"""

from typing import Any

import numpy as np
from numba import njit

from acoustic_sense_simulator.kernels.lanes import add_box, move_rows

SMALLEST_WIDTH = 0.25
"""Narrowest box in samples."""

LONGEST_PATCH = 512
"""Samples of delay over which the patches that are taken at a time may spread."""

_FOUR_PI = np.float32(4 * np.pi)


@njit(inline="always", cache=True, nogil=True, error_model="numpy")
def _legs(
    members: Any, packed: Any, radii: Any, entries: Any, sources: Any, s: int, first: int,
    creeping: Any, legs: Any, rows: Any, numbers: Any,
) -> None:  # fmt: skip
    """Fill the way from a source image to a patch.

    `legs`: direction x, y, z from source to cell, distance, where between two angles of the table,
    distance with the creeping path. `rows`: the cell's row of the table; `numbers`: its angle's
    number.
    """
    one, half, zero = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    angles = creeping.shape[0]
    scale, last = np.float32(angles - 1), np.float32(angles - 1.001)
    ox, oy, oz = sources[s, 0], sources[s, 1], sources[s, 2]
    for i in range(len(members)):
        f = first + i
        x, y, z = packed[0, f] - ox, packed[1, f] - oy, packed[2, f] - oz
        distance = np.sqrt(x * x + y * y + z * z)
        inverse = one / distance
        radius = radii[f]
        nx, ny, nz = packed[3, f], packed[4, f], packed[5, f]
        cx, cy, cz = x - radius * nx, y - radius * ny, z - radius * nz
        cosine = -(cx * nx + cy * ny + cz * nz) / np.sqrt(cx * cx + cy * cy + cz * cz)
        place = min(np.sqrt(max((cosine + one) * half, zero)) * scale, last)
        number = np.int32(place)
        legs[0, i], legs[1, i], legs[2, i] = x * inverse, y * inverse, z * inverse
        legs[3, i], legs[4, i] = distance, place - np.float32(number)
        rows[i], numbers[i] = entries[f] + number, number
    for i in range(len(members)):
        number, share = numbers[i], legs[4, i]
        extra = creeping[number] * (one - share) + creeping[number + 1] * share
        legs[5, i] = legs[3, i] + radii[first + i] * extra


@njit(inline="always", cache=True, nogil=True, error_model="numpy")
def _boxes(
    members: Any, packed: Any, ways: Any, m: int, first: int, beta: Any, per_metre: Any,
    first_sample: Any, legs: Any, boxes: Any, edges: Any,
) -> None:  # fmt: skip
    """Fill the boxes of some cells on one path.

    `boxes`: weights of C, D and B, the shares of the three samples around the start, and those
    around the stop, negative; both are quadratic B-splines, (1/2 - d)^2 / 2, 3/4 - d^2 and
    (1/2 + d)^2 / 2 at a place d beyond the middle sample. `edges`: the samples next to start and
    stop.
    """
    half, most, narrowest = np.float32(0.5), np.float32(0.75), np.float32(SMALLEST_WIDTH)
    zero = np.float32(0.0)
    for i in range(len(members)):
        f = first + i
        x, y = ways[m, 0, f] + legs[0, i], ways[m, 1, f] + legs[1, i]
        z = ways[m, 2, f] + legs[2, i]
        extent = packed[7, f] * x * x + packed[8, f] * y * y + packed[9, f] * z * z
        extent += packed[10, f] * x * y + packed[11, f] * x * z + packed[12, f] * y * z
        extent = np.sqrt(max(extent, zero)) * per_metre
        extent = max(extent, narrowest)
        middle = (legs[5, i] + ways[m, 3, f]) * per_metre - first_sample
        start, stop = max(middle - half * extent, zero), max(middle + half * extent, zero)
        edges[0, i], edges[1, i] = np.int32(start + half), np.int32(stop + half)
        beyond = start - np.float32(np.int32(start + half))
        boxes[3, i] = half * (half - beyond) * (half - beyond)
        boxes[4, i] = most - beyond * beyond
        boxes[5, i] = half * (half + beyond) * (half + beyond)
        beyond = stop - np.float32(np.int32(stop + half))
        boxes[6, i] = -half * (half - beyond) * (half - beyond)
        boxes[7, i] = beyond * beyond - most
        boxes[8, i] = -half * (half + beyond) * (half + beyond)
        inverse, facing = ways[m, 4, f], ways[m, 5, f]
        amplitude = packed[6, f] * inverse / (_FOUR_PI * legs[3, i] * extent)
        boxes[0, i] = amplitude * facing
        boxes[1, i] = -amplitude * facing * inverse
        boxes[2, i] = amplitude * beta


@njit(inline="always", cache=True, nogil=True, error_model="numpy")
def _gather(
    lanes: Any, members: Any, patches: Any, boxes: Any, edges: Any, legs: Any, rows: Any,
    tables: Any, table: int, locals_: Any, histogram: Any, directions: Any, way: int,
) -> None:  # fmt: skip
    """Add the boxes of some patches to a histogram each, and those to the four channels.

    Arrays come whole, with the numbers of what is meant: a view costs as much as a few boxes.
    `table`: number of the first row; `way`: number of the first direction.
    """
    base, end = edges[0, 0], edges[1, 0]
    for i in range(1, edges.shape[1]):
        base, end = min(base, edges[0, i]), max(end, edges[1, i])
    base, count = base - 1, end + 3 - base
    apart = locals_.shape[0] // len(patches)
    if base < 0 or 4 * (base + count) > histogram.shape[0] or count > apart:
        return
    size = edges.shape[1] // len(patches)
    for q in range(len(patches)):
        place = q * apart - base
        for i in range(q * size, (q + 1) * size):
            add_box(
                lanes, members, locals_, edges[0, i] + place, edges[1, i] + place, tables,
                table + rows[i], legs[4, i], boxes, i,
            )  # fmt: skip
    for row in range(count):
        move_rows(lanes, patches, histogram, base + row, locals_, row, apart, directions, way)


@njit(cache=True, nogil=True, error_model="numpy")
def accumulate(
    lanes: Any,
    members: Any,
    patches: Any,
    packed: Any,
    radii: Any,
    entries: Any,
    sources: Any,
    tables: Any,
    creeping: Any,
    paths: Any,
    path_starts: Any,
    ways: Any,
    directions: Any,
    locals_: Any,
    beta: Any,
    samples_per_metre: Any,
    first_sample: Any,
    histogram: Any,
) -> None:
    """Add one body pose for one loudspeaker; arrays are float32 unless said.

    Args:
        lanes: A tuple as long as a row of weights.
        members: A tuple as long as as many cells as are taken at a time.
        patches: A tuple as long as that many cells have patches.
        packed: Cells of the pose, `(FACET_ROWS, cell)`, whole patches.
        radii: Radius of every facet `(facet,)`, metres.
        entries: First table row of every facet's radius, int32 `(facet,)`.
        sources: Images of the loudspeaker `(source, 3)`.
        tables: Weights `(table, row, 3 * lane)`: C, D, B.
        creeping: Extra path over radius at the angles of the table, which are spaced evenly in the
            cosine of half the angle to the source `(angle,)`.
        paths: Table and microphone image of each path, int64 `(path, 2)`, by source.
        path_starts: First path of each source image, and the number of paths, int64.
        ways: See `facets.ways_to_microphones`.
        directions: See `facets.ways_to_microphones`.
        locals_: Working memory, zeros, `(LONGEST_PATCH * patch, lane)`.
        beta: 1 where the surface is soft (its admittance is in B), 0 where it is rigid.
        samples_per_metre: Sample rate over speed of sound.
        first_sample: Delay of the first histogram row, samples.
        histogram: `(4 * sample, lane)`, added to; W's weights, then X's, Y's, Z's.
    """
    size = len(members)
    legs = np.zeros((6, size), np.float32)
    rows, numbers = np.zeros(size, np.int32), np.zeros(size, np.int32)
    boxes = np.empty((9, size), np.float32)
    edges = np.empty((2, size), np.int32)
    for s in range(sources.shape[0]):
        if path_starts[s] == path_starts[s + 1]:
            continue
        for p in range(packed.shape[1] // size):
            first = p * size
            _legs(
                members, packed, radii, entries, sources, s, first, creeping,
                legs, rows, numbers,
            )  # fmt: skip
            for path in range(path_starts[s], path_starts[s + 1]):
                m = paths[path, 1]
                _boxes(
                    members, packed, ways, m, first, beta, samples_per_metre, first_sample,
                    legs, boxes, edges,
                )  # fmt: skip
                _gather(
                    lanes, members, patches, boxes, edges, legs, rows, tables,
                    paths[path, 0] * tables.shape[1], locals_, histogram, directions,
                    m * directions.shape[1] + len(patches) * p,
                )  # fmt: skip
