"""Ranges: what a configuration draws a number from.

A range is written `[low, high]` in TOML; a single number means exactly that number.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator


def _as_pair(value: Any) -> Any:
    """Turn a single number into the range that holds only it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value, value)
    return value


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"a range is [low, high], but {value[0]} is above {value[1]}")
    return value


Range = Annotated[tuple[float, float], BeforeValidator(_as_pair), AfterValidator(_ordered)]
"""Lowest and highest value that may be drawn, both included."""


def within(low: float, high: float) -> Callable[[tuple[float, float]], tuple[float, float]]:
    """Return a validator that refuses ranges reaching outside `[low, high]`."""

    def check(value: tuple[float, float]) -> tuple[float, float]:
        if value[0] < low or value[1] > high:
            raise ValueError(
                f"must stay between {low:g} and {high:g}, not [{value[0]}, {value[1]}]"
            )
        return value

    return check


def draw(generator: np.random.Generator, limits: tuple[float, float], decimals: int = 3) -> float:
    """Draw one number uniformly, rounded so that scenes stay readable.

    Args:
        generator: Source of randomness; always advances by one number, fixed values included.
        limits: Lowest and highest value.
        decimals: Digits kept; 3 means a millimetre for lengths.

    Returns:
        The number, never outside `limits`.
    """
    low, high = limits
    value = round(low + (high - low) * float(generator.random()), decimals)
    return min(max(value, low), high)
