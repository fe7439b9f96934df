"""Cells: neighbouring facets that the fast sum takes together.

A cell is a pair of facets that share an edge and face alike, or a pair of pairs. It stands for
them by their common centre, area vector and second moments, so the phase over its extent and the
area that it turns towards any direction stay those of its facets. The sum then needs half or a
quarter of the terms.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int, Int64


def joined_facets(
    vertices_m: Float[np.ndarray, "vertex 3"], faces: Int[np.ndarray, "facet 3"], times: int
) -> Int64[np.ndarray, "cell member"]:
    """Return cells of up to `2 ** times` facets.

    Args:
        vertices_m: The body in any pose.
        faces: Vertex indices.
        times: How often neighbours are paired; 0 leaves every facet on its own.

    Returns:
        Numbers of the facets of each cell, -1 where it has fewer.
    """
    corners = np.asarray(vertices_m, dtype=np.float64)[faces]
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    centres = corners.mean(axis=1)
    edges = _neighbours(vertices_m, faces)
    owner = np.arange(len(faces))
    for time in range(times + 2):  # what is left over may still fit together
        most = 2 ** min(time + 1, times)
        owner = owner_of_pairs(owner, edges, vectors, centres, most)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner)
    cells = np.full((len(counts), 2**times), -1, dtype=np.int64)
    for cell, (first, last) in enumerate(pairwise(np.concatenate([[0], np.cumsum(counts)]))):
        cells[cell, : last - first] = order[first:last]
    return cells


def owner_of_pairs(
    owner: Int64[np.ndarray, " facet"],
    edges: Int64[np.ndarray, "edge 2"],
    vectors: Float[np.ndarray, "facet 3"],
    centres: Float[np.ndarray, "facet 3"],
    most: int,
) -> Int64[np.ndarray, " facet"]:
    """Return the cell of every facet after neighbouring cells have been paired.

    The pairs that lie closest and face most alike are made first.

    Args:
        owner: Cell of every facet so far.
        edges: Pairs of facets that share an edge.
        vectors: Area vectors of the facets.
        centres: Centres of the facets.
        most: Facets that a cell may have.
    """
    count = int(owner.max()) + 1
    area = np.linalg.norm(vectors, axis=1)
    total = np.maximum(np.bincount(owner, area, count), 1e-20)
    vector = np.stack([np.bincount(owner, vectors[:, i], count) for i in range(3)], axis=1)
    moment = np.stack([np.bincount(owner, area * centres[:, i], count) for i in range(3)], axis=1)
    centre = moment / total[:, None]
    pairs = np.unique(np.sort(owner[edges], axis=1), axis=0)
    members = np.bincount(owner, minlength=count)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (members[pairs].sum(axis=1) <= most)]
    a, b = pairs.T
    lost = total[a] + total[b] - np.linalg.norm(vector[a] + vector[b], axis=1)
    size = np.sqrt(total[a] + total[b])
    apart = np.linalg.norm(centre[a] - centre[b], axis=1)
    cost = lost / size**2 * 4 + apart / size
    partner = np.full(count, -1)
    for i in np.argsort(cost, kind="stable"):
        if partner[a[i]] < 0 and partner[b[i]] < 0:
            partner[a[i]], partner[b[i]] = b[i], a[i]
    first = np.where((partner >= 0) & (partner < np.arange(count)), partner, np.arange(count))
    paired: np.ndarray = np.unique(first, return_inverse=True)[1].reshape(-1)[owner]
    return paired.astype(np.int64)


def _neighbours(
    vertices_m: Float[np.ndarray, "vertex 3"], faces: Int[np.ndarray, "facet 3"]
) -> Int64[np.ndarray, "edge 2"]:
    """Return the pairs of facets that share an edge."""
    places = np.unique(np.round(vertices_m, 6), axis=0, return_inverse=True)[1].reshape(-1)
    joined = places[faces]
    sides = np.sort(np.concatenate([joined[:, [0, 1]], joined[:, [1, 2]], joined[:, [2, 0]]]), 1)
    facets = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort(sides.T)
    sides, facets = sides[order], facets[order]
    same = (sides[1:] == sides[:-1]).all(axis=1)
    return np.stack([facets[:-1][same], facets[1:][same]], axis=1).astype(np.int64)
