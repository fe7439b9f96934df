"""Image sources of a shoebox room: a point mirrored in its walls.

References:
    Allen, Berkley: Image method for efficiently simulating small-room acoustics, J. Acoust. Soc.
    Am. 65, 1979.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64, Int64

from acoustic_sense.types import Room


@dataclass(frozen=True, eq=False)
class Images:
    """A point and its mirror images.

    Attributes:
        positions: World positions in metres, shape `(image, 3)`; the point itself comes first.
        flips: -1 for each axis that the image mirrors, else 1, shape `(image, 3)`.
        orders: Number of wall reflections, shape `(image,)`, ascending.
    """

    positions: Float64[np.ndarray, "image 3"]
    flips: Float64[np.ndarray, "image 3"]
    orders: Int64[np.ndarray, " image"]


def images_of(
    position_m: tuple[float, float, float], size_m: tuple[float, float, float], order: int
) -> Images:
    """Return the images of a point up to an order of reflection.

    Args:
        position_m: World position inside the room, metres.
        size_m: Size of the room; its corner lies at the origin.
        order: Highest number of wall reflections.
    """
    steps = range(-order, order + 1)
    cells = [cell for cell in product(steps, steps, steps) if sum(map(abs, cell)) <= order]
    cells.sort(key=lambda cell: (sum(map(abs, cell)), cell))
    index = np.array(cells, dtype=np.int64)
    flips = np.where(index % 2 == 0, 1.0, -1.0)
    size, position = np.asarray(size_m, float), np.asarray(position_m, float)
    mirrored = np.where(index % 2 == 0, position, size - position)
    return Images(index * size + mirrored, flips, np.abs(index).sum(axis=1))


def mirrored_share(room: Room) -> float:
    """Return the share of a reflection's energy that an image keeps.

    The rest is scattered into the diffuse tail; a room without one scatters nothing.
    """
    return 1.0 - room.scattering if room.late_tail else 1.0
