"""Axes: the world's, the microphone's and pyroomacoustics'."""

import numpy as np
from jaxtyping import Float64


def microphone_axes(yaw_deg: float) -> Float64[np.ndarray, "3 3"]:
    """Return the microphone's front, left and up as rows, world coordinates (Y up).

    At 0 degrees the front is world +x, the left world -z; a positive angle turns the front
    towards its left.

    Examples:
        >>> microphone_axes(90.0).round(6)[0].tolist()
        [0.0, 0.0, -1.0]
    """
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return np.array([[c, 0.0, -s], [-s, 0.0, -c], [0.0, 1.0, 0.0]])


def front(yaw_deg: float, elevation_deg: float = 0.0) -> Float64[np.ndarray, " 3"]:
    """Return the unit vector that a device points along, world coordinates (Y up).

    Args:
        yaw_deg: As in `microphone_axes`: 0 is world +x, 90 is world -z.
        elevation_deg: Angle above the horizontal.

    Examples:
        >>> front(0.0, 90.0).round(6).tolist()
        [0.0, 1.0, 0.0]
    """
    up = np.radians(elevation_deg)
    ahead = microphone_axes(yaw_deg)[0]
    pointing: np.ndarray = np.cos(up) * ahead + np.array([0.0, np.sin(up), 0.0])
    return pointing


def to_pyroomacoustics(
    position_m: Float64[np.ndarray, " 3"], size_m: tuple[float, float, float]
) -> Float64[np.ndarray, " 3"]:
    """Return a world position (Y up) in pyroomacoustics' room (Z up): `(x, depth - z, y)`."""
    x, y, z = position_m
    return np.array([x, size_m[2] - z, y])
