"""Levels of detail of a body: its facets for the direct path, cells of them for the others."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Float64, Int, Int32, Int64

from acoustic_sense_simulator.kernels.facets import (
    FACET_ROWS,
    WAY_ROWS,
    join,
    measure,
    ways_to_microphones,
)
from acoustic_sense_simulator.scattering.cells import joined_facets
from acoustic_sense_simulator.scattering.patches import patch_order

AT_A_TIME = 64
"""Cells that the kernel takes at a time, whole patches."""

RADIUS_CLASSES = 24
"""Radii that the facets of a body are rounded to."""


@dataclass(frozen=True, eq=False)
class MeshLevel:
    """The cells of a body at one level of detail, in patches; the last is filled up.

    Attributes:
        cells: Facets of each cell, -1 for none, shape `(cell, member)`.
        radii: Radius of the sphere that stands for each cell, metres, shape `(cell,)`.
        classes: Which of the rounded radii that is, shape `(cell,)`.
        packed: Working memory for one pose, shape `(FACET_ROWS, cell)`.
        patch_count: Number of patches.
    """

    cells: Int64[np.ndarray, "cell member"]
    radii: Float32[np.ndarray, " cell"]
    classes: Int32[np.ndarray, " cell"]
    packed: Float32[np.ndarray, "row cell"]
    patch_count: int

    def ways(
        self,
        microphones_m: Float32[np.ndarray, "microphone 3"],
        axes: Float32[np.ndarray, "microphone 3 3"],
    ) -> tuple[
        Float32[np.ndarray, "microphone row cell"], Float32[np.ndarray, "microphone patch 3"]
    ]:
        """Return the ways of the packed cells to the images of the microphone.

        Args:
            microphones_m: Images of the microphone.
            axes: Front, left and up of each image.

        Returns:
            `ways` and `directions` of `kernels.facets.ways_to_microphones`.
        """
        count = len(self.cells)
        ways = np.empty((len(microphones_m), WAY_ROWS, count), dtype=np.float32)
        directions = np.empty((len(microphones_m), self.patch_count, 3), dtype=np.float32)
        ways_to_microphones(self.packed, microphones_m, axes, ways, directions)
        return ways, directions


def mesh_level(
    rest_vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    radii_m: Float64[np.ndarray, " facet"],
    classes_m: Float64[np.ndarray, " class"],
    times_joined: int,
    patch_size: int,
) -> MeshLevel:
    """Return a body at one level of detail.

    Args:
        rest_vertices_m: The body in any pose, to find out which facets lie together.
        faces: Vertex indices, turning outwards.
        radii_m: Local radius of every facet.
        classes_m: The rounded radii.
        times_joined: How often neighbouring facets are paired.
        patch_size: Cells that share a direction towards the microphone.
    """
    cells = joined_facets(rest_vertices_m, faces, times_joined)
    centres = np.asarray(rest_vertices_m, float)[faces].mean(axis=1)
    member = np.where(cells >= 0, cells, cells[:, :1])
    order = patch_order(centres[member].mean(axis=1), patch_size)
    cells, member = cells[order], member[order]
    log_radii = np.log(radii_m)[member].mean(axis=1)
    numbers = np.abs(log_radii[:, None] - np.log(classes_m)[None]).argmin(axis=1)
    missing = -len(cells) % AT_A_TIME
    cells = np.pad(cells, ((0, missing), (0, 0)), constant_values=-1)
    numbers = np.pad(numbers, (0, missing))
    return MeshLevel(
        cells=np.ascontiguousarray(cells),
        radii=np.pad(np.exp(log_radii), (0, missing), mode="edge").astype(np.float32),
        classes=numbers.astype(np.int32),
        packed=np.zeros((FACET_ROWS, len(cells)), dtype=np.float32),
        patch_count=len(cells) // patch_size,
    )


def radius_classes(radii_m: Float64[np.ndarray, " facet"]) -> Float64[np.ndarray, " class"]:
    """Return the radii that the facets of a body are rounded to, evenly in log, metres."""
    low, high = float(radii_m.min()), float(radii_m.max())
    if high / low < 1.001:
        return np.array([np.sqrt(low * high)])
    return np.geomspace(low, high, RADIUS_CLASSES)


@dataclass(frozen=True, eq=False)
class MeshLevels:
    """A body at two levels of detail.

    Attributes:
        faces: Vertex indices in the order of `fine`, shape `(facet, 3)`.
        fine: Every facet on its own.
        coarse: Cells of facets, numbered as in `fine`.
    """

    faces: Int64[np.ndarray, "padded 3"]
    fine: MeshLevel
    coarse: MeshLevel

    def measure(self, vertices_m: Float32[np.ndarray, "vertex 3"]) -> None:
        """Fill the packed cells of both levels for one pose."""
        measure(np.ascontiguousarray(vertices_m, dtype=np.float32), self.faces, self.fine.packed)
        join(self.fine.packed, self.coarse.cells, self.coarse.packed)


def mesh_levels(
    rest_vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    radii_m: Float64[np.ndarray, " facet"],
    *,
    times_joined: int,
    patch_sizes: tuple[int, int],
) -> MeshLevels:
    """Return a body at two levels of detail.

    Args:
        rest_vertices_m: The body in any pose, to find out which facets lie together.
        faces: Vertex indices, turning outwards.
        radii_m: Local radius of every facet.
        times_joined: How often neighbouring facets are paired for the coarse level.
        patch_sizes: Cells of a patch, fine and coarse.
    """
    classes = radius_classes(radii_m)
    fine = mesh_level(rest_vertices_m, faces, radii_m, classes, 0, patch_sizes[0])
    coarse = mesh_level(rest_vertices_m, faces, radii_m, classes, times_joined, patch_sizes[1])
    order = fine.cells[:, 0]
    place = np.full(len(faces) + 1, -1)
    place[order[order >= 0]] = np.arange(len(faces))
    ordered = np.asarray(faces, dtype=np.int64)[order]
    ordered[order < 0] = ordered[0, 0]  # no area
    numbered = replace(coarse, cells=np.ascontiguousarray(place[coarse.cells]))
    return MeshLevels(faces=ordered, fine=fine, coarse=numbered)
