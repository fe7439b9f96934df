"""Facets with one or three unknowns each, as the boundary integral equation needs them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Int64

NODES = np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4]]) / 6
"""Where on a facet three unknowns lie, by the shares of its corners: Gauss's rule of degree 2."""

LINEAR_SHARE = 0.1
"""Share of the area on facets too long for constant pressure above which it is made linear. All of
it, since one order beside the other is less exact than either."""


@dataclass(frozen=True, eq=False)
class Nodes:
    """Where the pressure is unknown, facet by facet.

    Attributes:
        places: Metres, shape `(node, 3)`.
        normals: Of the node's facet.
        areas: The share of its facet's area that each stands for, square metres.
    """

    places: Float64[np.ndarray, "node 3"]
    normals: Float64[np.ndarray, "node 3"]
    areas: Float64[np.ndarray, " node"]


@dataclass(frozen=True, eq=False)
class Elements:
    """Flat facets with constant pressure on each, or linear between three nodes.

    Attributes:
        corners: Metres, shape `(facet, 3, 3)`.
        centres: Shape `(facet, 3)`.
        normals: Unit normals out of the body.
        areas: Square metres.
        parents: The facet of the original mesh that each is part of.
        linear: Whether the pressure varies over the facets.
    """

    corners: Float64[np.ndarray, "facet 3 3"]
    centres: Float64[np.ndarray, "facet 3"]
    normals: Float64[np.ndarray, "facet 3"]
    areas: Float64[np.ndarray, " facet"]
    parents: Int64[np.ndarray, " facet"]
    linear: bool = False

    @cached_property
    def nodes(self) -> Nodes:
        """The centres of the facets, or three nodes on each."""
        if not self.linear:
            return Nodes(self.centres, self.normals, self.areas)
        places = np.einsum("nc,fcx->fnx", NODES, self.corners).reshape(-1, 3)
        count = len(NODES)
        return Nodes(
            places, np.repeat(self.normals, count, axis=0), np.repeat(self.areas / count, count)
        )

    def chosen(self, which: Bool[np.ndarray, " facet"]) -> "Elements":
        """Return some of the facets."""
        return Elements(
            self.corners[which],
            self.centres[which],
            self.normals[which],
            self.areas[which],
            self.parents[which],
            self.linear,
        )


def elements_of(
    vertices_m: Float[np.ndarray, "vertex 3"],
    faces: Int[np.ndarray, "facet 3"],
    longest_m: float = np.inf,
    longest_constant_m: float = np.inf,
) -> Elements:
    """Return the facets of a mesh, cut across their longest edge until none exceeds a length.

    Facets without area are left out.

    Args:
        vertices_m: Vertices in metres.
        faces: Vertex indices, counter-clockwise seen from outside.
        longest_m: Longest edge that stays whole, metres.
        longest_constant_m: Longest edge of a facet of constant pressure, metres. Where more than
            `LINEAR_SHARE` of the area has longer ones, the pressure on all facets is linear.
    """
    waiting = np.asarray(vertices_m, dtype=np.float64)[faces]
    parents = np.arange(len(waiting), dtype=np.int64)
    done: list[tuple[np.ndarray, np.ndarray]] = []
    while len(waiting):
        edges = np.linalg.norm(np.roll(waiting, -1, axis=1) - waiting, axis=2)
        whole = edges.max(axis=1) <= longest_m
        done.append((waiting[whole], parents[whole]))
        turns = (np.arange(3)[None] + edges[~whole].argmax(axis=1)[:, None]) % 3
        turned = np.take_along_axis(waiting[~whole], turns[:, :, None], axis=1)
        halves = np.stack([turned, turned], axis=1)
        halves[:, 0, 1] = halves[:, 1, 0] = turned[:, :2].mean(axis=1)
        waiting, parents = halves.reshape(-1, 3, 3), np.repeat(parents[~whole], 2)
    corners, parents = (np.concatenate(parts) for parts in zip(*done, strict=True))
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(crossed, axis=1)
    real = lengths > 1e-12
    corners, parents, crossed, lengths = corners[real], parents[real], crossed[real], lengths[real]
    edges = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2).max(axis=1)
    linear = lengths[edges > longest_constant_m].sum() > LINEAR_SHARE * lengths.sum()
    return Elements(
        corners,
        corners.mean(axis=1),
        crossed / lengths[:, None],
        lengths / 2,
        parents,
        bool(linear),
    )
