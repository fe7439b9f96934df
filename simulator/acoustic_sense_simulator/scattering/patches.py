"""Patches: cells in an order in which those that follow each other lie together."""

import numpy as np
from jaxtyping import Float, Int64


def patch_order(points_m: Float[np.ndarray, "cell 3"], size: int) -> Int64[np.ndarray, " cell"]:
    """Return an order of cells in which every `size` of them, from the first, lie together.

    The cells are halved again and again across the longest side of their box, at a multiple of
    `size`.

    Args:
        points_m: Centres of the cells.
        size: Cells of a patch.
    """
    order: list[np.ndarray] = []
    waiting = [np.arange(len(points_m))]
    while waiting:
        part = waiting.pop()
        if len(part) <= size:
            order.append(part)
            continue
        axis = int(np.argmax(np.ptp(points_m[part], axis=0)))
        ranked = part[np.argsort(points_m[part, axis], kind="stable")]
        half = size * ((len(part) // size + 1) // 2)
        waiting += [ranked[half:], ranked[:half]]
    return np.concatenate(order).astype(np.int64)
