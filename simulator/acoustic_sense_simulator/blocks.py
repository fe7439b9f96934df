"""Blocks: long signals worked on some samples at a time, so that nothing is in memory twice."""

from collections.abc import Iterator

BLOCK = 65_536
"""Samples of a block."""


def blocks(count: int) -> Iterator[slice]:
    """Yield slices that together are `count` samples, in order.

    Examples:
        >>> [(block.start, block.stop) for block in blocks(100_000)]
        [(0, 65536), (65536, 100000)]
    """
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))
