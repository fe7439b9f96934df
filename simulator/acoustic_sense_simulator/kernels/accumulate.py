"""The sum over facets and paths: weights of separable filters into histograms of delay.

One facet on one path (source image, microphone image) is a box in delay, as wide as the facet's
extent along the change of path. The histogram receives the box's two edges, each shared between
two neighbouring samples; what turns edges back into boxes is one of the filters. Facets on the
dark side add a second box, the wave that reached them the longer way round. A patch of facets is
gathered in a histogram of its own and then given the patch's direction in the four channels.
"""

from typing import Any

import numpy as np
from numba import njit

from acoustic_sense_simulator.kernels.lanes import add_box, move_row

SMALLEST_WIDTH = 0.25
"""Narrowest box in samples."""

LONGEST_PATCH = 512
"""Samples of delay over which one patch may spread."""

_FOUR_PI = np.float32(4 * np.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def _legs(
    members: Any, packed: Any, radii: Any, entries: Any, source: Any, first: int, angles: int,
    legs: Any, rows: Any,
) -> None:  # fmt: skip
    """Fill the way from a source image to a patch.

    `legs`: direction x, y, z from source to facet, distance, where between two angles of the
    table. `rows`: the cell's row of the table, and the number of its angle.
    """
    one, half, zero = np.float32(1.0), np.float32(0.5), np.float32(0.0)
    scale, last = np.float32(angles - 1), np.float32(angles - 1.001)
    ox, oy, oz = source[0], source[1], source[2]
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
        rows[0, i], rows[1, i] = entries[f] + number, number


@njit(cache=True, nogil=True, error_model="numpy")
def _creep(
    members: Any, radii: Any, first: int, angles: int, dark_angles: int,
    creeping: Any, samples_per_metre: Any, legs: Any, rows: Any, dark: Any,
) -> int:  # fmt: skip
    """Add the way of the creeping wave, and list the cells with a second wave.

    `legs`: the distance with the creeping path, and how many samples later the second wave is.

    Returns:
        Number of cells in `dark`.
    """
    one = np.float32(1.0)
    for i in range(len(members)):
        number, share = rows[1, i], legs[4, i]
        extra = creeping[0, number] * (one - share) + creeping[0, number + 1] * share
        later = creeping[1, number] * (one - share) + creeping[1, number + 1] * share
        legs[5, i] = legs[3, i] + radii[first + i] * extra
        legs[6, i] = (later - extra) * radii[first + i] * samples_per_metre
    count = 0
    for i in range(len(members)):
        if rows[1, i] < dark_angles:
            dark[count] = i
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _boxes(
    members: Any, packed: Any, way: Any, first: int, beta: Any, samples_per_metre: Any, first_sample: Any,
    legs: Any, boxes: Any, edges: Any,
) -> None:  # fmt: skip
    """Fill the boxes of a patch on one path.

    `boxes`: where between two samples the start is, and the stop, weights of C, D and B.
    `edges`: the samples of start and stop.
    """
    half, narrowest, zero = np.float32(0.5), np.float32(SMALLEST_WIDTH), np.float32(0.0)
    for i in range(len(members)):
        f = first + i
        x, y, z = way[0, f] + legs[0, i], way[1, f] + legs[1, i], way[2, f] + legs[2, i]
        extent = packed[7, f] * x * x + packed[8, f] * y * y + packed[9, f] * z * z
        extent += packed[10, f] * x * y + packed[11, f] * x * z + packed[12, f] * y * z
        extent = np.sqrt(max(extent, zero)) * samples_per_metre
        extent = max(extent, narrowest)
        middle = (legs[5, i] + way[3, f]) * samples_per_metre - first_sample
        start, stop = max(middle - half * extent, zero), max(middle + half * extent, zero)
        edges[0, i], edges[1, i] = np.int32(start), np.int32(stop)
        boxes[0, i] = start - np.float32(np.int32(start))
        boxes[1, i] = stop - np.float32(np.int32(stop))
        inverse, facing = way[4, f], way[5, f]
        amplitude = packed[6, f] * inverse / (_FOUR_PI * legs[3, i] * extent)
        boxes[2, i] = amplitude * facing
        boxes[3, i] = -amplitude * facing * inverse
        boxes[4, i] = amplitude * beta


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(
    lanes: Any, members: Any, boxes: Any, edges: Any, legs: Any, rows: Any, table: Any, patch: Any, histogram: Any,
    direction: Any,
) -> None:  # fmt: skip
    """Add the boxes of a patch to its own histogram, and that to the four channels."""
    base, end = edges[0, 0], edges[1, 0]
    for i in range(1, len(members)):
        base, end = min(base, edges[0, i]), max(end, edges[1, i])
    count = end + 2 - base
    if 4 * (base + count) > histogram.shape[0] or count > LONGEST_PATCH:
        return
    for i in range(len(members)):
        add_box(
            lanes, patch, edges[0, i] - base, boxes[0, i], edges[1, i] - base, boxes[1, i],
            table, rows[0, i], legs[4, i], boxes[2, i], boxes[3, i], boxes[4, i],
        )  # fmt: skip
    x, y, z = direction[0], direction[1], direction[2]
    for row in range(count):
        move_row(lanes, histogram, base + row, patch, row, x, y, z)


@njit(cache=True, nogil=True, error_model="numpy")
def _gather_second(
    lanes: Any, members: Any, boxes: Any, edges: Any, legs: Any, rows: Any, dark: Any, dark_count: int, angles: int,
    table: Any, patch: Any, histogram: Any, direction: Any,
) -> None:  # fmt: skip
    """Do the same for the second waves of the facets on the dark side."""
    base, end = histogram.shape[0] // 4, 0
    for d in range(dark_count):
        i = dark[d]
        later = int(legs[6, i])
        base, end = min(base, edges[0, i] + later), max(end, edges[1, i] + later)
    count = end + 3 - base
    if 4 * (base + count) > histogram.shape[0] or count > LONGEST_PATCH:
        return
    for d in range(dark_count):
        i = dark[d]
        start, stop = boxes[0, i] + legs[6, i], boxes[1, i] + legs[6, i]
        s, e = np.int32(start), np.int32(stop)
        add_box(
            lanes, patch, edges[0, i] + s - base, start - np.float32(s),
            edges[1, i] + e - base, stop - np.float32(e),
            table, rows[0, i] + angles, legs[4, i], boxes[2, i], boxes[3, i], boxes[4, i],
        )  # fmt: skip
    x, y, z = direction[0], direction[1], direction[2]
    for row in range(count):
        move_row(lanes, histogram, base + row, patch, row, x, y, z)


@njit(cache=True, nogil=True, error_model="numpy")
def accumulate(
    lanes: Any,
    members: Any,
    packed: Any,
    radii: Any,
    entries: Any,
    angles: int,
    dark_angles: int,
    sources: Any,
    tables: Any,
    creeping: Any,
    paths: Any,
    path_starts: Any,
    ways: Any,
    directions: Any,
    beta: Any,
    samples_per_metre: Any,
    first_sample: Any,
    histogram: Any,
) -> None:
    """Add one body pose for one loudspeaker; arrays are float32 unless said.

    Args:
        lanes: A tuple as long as a row of weights.
        members: A tuple as long as a patch has cells.
        packed: Cells of the pose, `(FACET_ROWS, cell)`, whole patches.
        radii: Radius of every facet `(facet,)`, metres.
        entries: First table row of every facet's radius, int32 `(facet,)`.
        angles: Angles of the table, evenly in the cosine of half the angle to the source. A radius
            has a row for each, then rows of second waves.
        dark_angles: How many of the angles have a second wave, 0 for none; one row of zeros
            follows theirs.
        sources: Images of the loudspeaker `(source, 3)`.
        tables: Weights `(table, row, 3 * lane)`: C, D, B.
        creeping: Extra path over radius of first and second wave `(2, angle)`.
        paths: Table and microphone image of each path, int64 `(path, 2)`, by source.
        path_starts: First path of each source image, and the number of paths, int64.
        ways: See `facets.ways_to_microphones`.
        directions: See `facets.ways_to_microphones`.
        beta: 1 where the surface is soft (its admittance is in B), 0 where it is rigid.
        samples_per_metre: Sample rate over speed of sound.
        first_sample: Delay of the first histogram row, samples.
        histogram: `(4 * sample, lane)`, added to; W's weights, then X's, Y's, Z's.
    """
    size = len(members)
    legs = np.zeros((7, size), np.float32)
    rows = np.zeros((2, size), np.int32)
    boxes = np.empty((5, size), np.float32)
    edges = np.empty((2, size), np.int32)
    dark = np.empty(size, np.int32)
    patch = np.zeros((LONGEST_PATCH + 2, len(lanes)), np.float32)
    for s in range(sources.shape[0]):
        if path_starts[s] == path_starts[s + 1]:
            continue
        for p in range(directions.shape[1]):
            first = p * size
            _legs(members, packed, radii, entries, sources[s], first, angles, legs, rows)
            dark_count = _creep(
                members,
                radii,
                first,
                angles,
                dark_angles,
                creeping,
                samples_per_metre,
                legs,
                rows,
                dark,
            )
            for path in range(path_starts[s], path_starts[s + 1]):
                m = paths[path, 1]
                _boxes(
                    members, packed, ways[m], first, beta, samples_per_metre, first_sample,
                    legs, boxes, edges,
                )  # fmt: skip
                table, direction = tables[paths[path, 0]], directions[m, p]
                _gather(
                    lanes, members, boxes, edges, legs, rows, table, patch, histogram, direction
                )
                if dark_count > 0:
                    _gather_second(
                        lanes, members, boxes, edges, legs, rows, dark, dark_count, angles,
                        table, patch, histogram, direction,
                    )  # fmt: skip
